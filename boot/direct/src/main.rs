#![cfg_attr(target_os = "none", no_std, no_main)]
//! The direct loader: an AArch64 image that `qemu -kernel` or a Raspberry Pi's
//! firmware starts with a device tree. It takes the kernel and its files from
//! an archive and starts it by the Limine boot protocol. It checks no
//! signature: whoever chooses the image chooses the archive.

#[cfg(target_os = "none")]
mod bare;

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    eprintln!("boot-direct runs on a bare machine: build it for boot/direct/aarch64-direct.json");
    std::process::ExitCode::FAILURE
}
