//! The state of the processor at entry, and the jump.
//!
//! The code that switches tables is mapped at its own physical address in the
//! new tables too, on the one page that `switch_page` gives; a kernel finds
//! nothing else below the direct map.

#![cfg(any(target_os = "none", target_os = "uefi"))]
#![expect(unsafe_code, reason = "sets registers of the processor")]

#[cfg(target_arch = "aarch64")]
pub mod aarch64;
#[cfg(target_arch = "x86_64")]
pub mod x86_64;
