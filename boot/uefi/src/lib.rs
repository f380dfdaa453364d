#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
//! What the UEFI loader decides, apart from the firmware it runs on.
//!
//! [`check`] says whether the files of the boot partition may be started, and
//! [`refusal`] why not, in one sentence; [`command_line`] puts together what
//! the kernel is told; [`console`] reads where firmware's messages go.

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod check;
pub mod command_line;
pub mod console;
pub mod refusal;

/// Paths of the loader's files, from the root of the partition it was started
/// from.
pub mod paths {
    /// The kernel.
    pub const KERNEL: &str = "/heliograph/kernel.elf";
    /// The signature of the kernel.
    pub const KERNEL_SIGNATURE: &str = "/heliograph/kernel.sig";
    /// The package.
    pub const PACKAGE: &str = "/heliograph/package.rvf";
    /// The trust file.
    pub const TRUST: &str = "/heliograph/trust.note";
    /// The device's private key.
    pub const DEVICE_KEY: &str = "/heliograph/device.pem";
    /// A further package, for an operator to mount; may be missing.
    pub const MORE: &str = "/heliograph/more.rvf";
    /// Words for the kernel's command line; may be missing.
    pub const COMMAND_LINE: &str = "/heliograph/cmdline.txt";
}
