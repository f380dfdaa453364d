//! AArch64: Armv8-A at EL1, or at EL2 with the virtualization host
//! extensions, on the boards that have a file here.
//!
//! The kernel runs on `SP_EL0` (PSTATE.SP = 0) and exceptions on `SP_EL1`, so
//! a kernel stack that runs into its guard page leaves the handler a stack of
//! its own. TTBR1 holds the one address space; TTBR0 is switched off, so every
//! address of the lower half, page zero included, faults.
//!
//! "Arm ARM" is the Arm Architecture Reference Manual for A-profile
//! architecture, DDI 0487; its sections are named by their titles, for their
//! numbers change from issue to issue.
//!
//! What only thinks ([`describe`], [`descriptor`], [`syndrome`], [`ticks`]) is
//! compiled for the host too, for its tests and for who asks there what the
//! kernel would use of a tree; what touches registers is not.

pub mod describe;
pub mod descriptor;
pub mod syndrome;
pub mod ticks;

#[cfg(target_os = "none")]
pub mod cpu;
#[cfg(target_os = "none")]
mod disk;
#[cfg(target_os = "none")]
mod early;
#[cfg(target_os = "none")]
mod entropy;
#[cfg(target_os = "none")]
mod entry;
#[cfg(target_os = "none")]
mod gic2;
#[cfg(target_os = "none")]
mod gic3;
#[cfg(target_os = "none")]
mod interrupt;
#[cfg(target_os = "none")]
mod machine;
#[cfg(target_os = "none")]
mod mmio;
#[cfg(target_os = "none")]
mod paging;
#[cfg(target_os = "none")]
mod power;
#[cfg(target_os = "none")]
mod registers;
#[cfg(target_os = "none")]
mod rpi4;
#[cfg(target_os = "none")]
mod serial;
#[cfg(target_os = "none")]
pub mod sha256;
#[cfg(target_os = "none")]
mod shared;
#[cfg(target_os = "none")]
mod timer;
#[cfg(target_os = "none")]
mod trap;
#[cfg(target_os = "none")]
pub mod virt;

#[cfg(target_os = "none")]
pub use machine::Machine;
