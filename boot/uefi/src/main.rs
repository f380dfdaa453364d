#![cfg_attr(target_os = "uefi", no_std, no_main)]
//! The UEFI loader: reads kernel, package and trust file from the partition it
//! was started from, checks their signatures, and starts the kernel by the
//! Limine boot protocol. What it refuses, it names in one sentence.

#[cfg(target_os = "uefi")]
extern crate alloc;

#[cfg(target_os = "uefi")]
mod firmware;

#[cfg(not(target_os = "uefi"))]
fn main() -> std::process::ExitCode {
    eprintln!(
        "boot-uefi runs on UEFI firmware: build it for x86_64-unknown-uefi or aarch64-unknown-uefi"
    );
    std::process::ExitCode::FAILURE
}
