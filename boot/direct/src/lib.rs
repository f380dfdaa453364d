#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
//! What the direct loader decides, apart from the machine it runs on.
//!
//! [`tree`] reads the device tree that it is started with, [`refusal`] says in
//! one sentence why nothing is started, and [`command_line`] puts together
//! what the kernel is told; [`known`] is a board that nobody needs to describe.
//! There is no heap: everything has a fixed place.

#[cfg(test)]
extern crate std;

pub mod command_line;
pub mod known;
pub mod refusal;
pub mod tree;

/// Names of the files in the archive.
pub mod names {
    /// The kernel.
    pub const KERNEL: &str = "kernel.elf";
    /// The other files: name in the archive, path and name as a module.
    pub const MODULES: [(&str, &str, &str); 4] = [
        ("package.rvf", "/package.rvf", "package"),
        ("trust.note", "/trust.note", "trust"),
        ("device.pem", "/device.pem", "device-key"),
        ("more.rvf", "/more.rvf", "more"),
    ];
}
