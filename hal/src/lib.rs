#![cfg_attr(not(test), no_std)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
//! Hardware behind small traits.
//!
//! [`traits`] says what the kernel may ask of a machine. Each architecture
//! has a folder with the same file names (`entry`, `cpu`, `paging`, `trap`,
//! `interrupt`, `timer`, `serial`, `power`, `sha256`), boards are one file
//! each, and [`hosted`] implements the traits on an ordinary operating system
//! so that what the kernel does with them is tested there.
//!
//! Nothing above this crate and `boot/` knows an address, a register or
//! `cfg(target_arch)`: the kernel says [`Machine`] and gets the machine it was
//! built for.

extern crate alloc;

pub mod acpi;
#[cfg(target_os = "none")]
pub mod backtrace;
pub mod bcm2711;
pub mod bits;
pub mod boot;
pub mod device_tree;
pub mod dma;
#[cfg(not(target_os = "none"))]
pub mod hosted;
#[cfg(target_os = "none")]
pub mod image;
pub mod layout;
pub mod partition;
pub mod pci;
pub mod registers;
pub mod ring;
pub mod sdhci;
pub mod table;
pub mod traits;
pub mod uart;
pub mod virtio;
pub mod window;

#[cfg(any(not(target_os = "none"), target_arch = "aarch64"))]
pub mod aarch64;
#[cfg(all(target_os = "none", target_arch = "x86_64"))]
pub mod x86_64;

#[cfg(all(target_os = "none", target_arch = "aarch64"))]
pub use aarch64::Machine;
#[cfg(not(target_os = "none"))]
pub use hosted::Machine;
#[cfg(all(target_os = "none", target_arch = "x86_64"))]
pub use x86_64::Machine;

#[cfg(all(target_os = "none", not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
compile_error!("Heliograph runs on x86_64 and AArch64");
