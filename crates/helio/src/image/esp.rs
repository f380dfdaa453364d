//! Which file goes where on the boot partition.
//!
//! The paths are shared with `boot/uefi`, which reads them, and with the
//! module names the kernel asks for.

use crate::error::{HelioError, Result};

use super::fat::Entry;
use super::{Spec, Start, limine};

/// Paths on the partition.
pub mod paths {
    /// The kernel.
    pub const KERNEL: &str = "heliograph/kernel.elf";
    /// Its detached signature.
    pub const KERNEL_SIGNATURE: &str = "heliograph/kernel.sig";
    /// The package; module `package`.
    pub const PACKAGE: &str = "heliograph/package.rvf";
    /// The trust file; module `trust`.
    pub const TRUST: &str = "heliograph/trust.note";
    /// The device's private key; module `device-key`.
    pub const DEVICE_KEY: &str = "heliograph/device.pem";
    /// A further package; module `more`.
    pub const MORE: &str = "heliograph/more.rvf";
    /// The kernel's command line, for our loader.
    pub const COMMAND_LINE: &str = "heliograph/cmdline.txt";
    /// Limine's configuration.
    pub const LIMINE_CONFIGURATION: &str = "limine.conf";
    /// The third stage of Limine's BIOS loader.
    pub const LIMINE_BIOS: &str = "limine-bios.sys";
}

/// The files of an image, in the order they are laid out.
pub(super) fn files(spec: &Spec) -> Result<Vec<Entry>> {
    let loader = format!("EFI/BOOT/{}", spec.arch.removable_loader());
    let mut files = Vec::new();
    let mut add = |path: &str, bytes: Vec<u8>| files.push(Entry { path: path.into(), bytes });
    match &spec.start {
        Start::Uefi(bytes) => {
            check_pe(spec, bytes)?;
            add(&loader, bytes.clone());
            add(paths::COMMAND_LINE, command_line(spec)?.into_bytes());
        }
        Start::None => {}
        Start::Limine(folder) => {
            for (path, bytes) in limine::files(folder, spec.arch)? {
                add(&path, bytes);
            }
            let configuration = limine::configuration(spec, &command_line(spec)?).into_bytes();
            // Limine looks beside the program first from 10.3 on, and in the
            // root in every version; on BIOS there is no such program.
            add(&format!("EFI/BOOT/{}", paths::LIMINE_CONFIGURATION), configuration.clone());
            add(paths::LIMINE_CONFIGURATION, configuration);
        }
    }
    add(paths::KERNEL, spec.kernel.clone());
    let parts = [
        (paths::KERNEL_SIGNATURE, &spec.kernel_signature),
        (paths::PACKAGE, &spec.package),
        (paths::TRUST, &spec.trust),
        (paths::DEVICE_KEY, &spec.device_key),
        (paths::MORE, &spec.more),
    ];
    for (path, part) in parts {
        if let Some(bytes) = part {
            add(path, bytes.clone());
        }
    }
    Ok(files)
}

/// The command line, if it is one line of printable ASCII.
///
/// # Errors
/// It is not.
pub fn command_line(spec: &Spec) -> Result<String> {
    let line = spec.command_line.trim();
    match line.chars().find(|c| !(' '..='~').contains(c)) {
        None => Ok(line.to_owned()),
        Some(bad) => Err(HelioError::input(
            "image",
            "command line",
            format_args!("{bad:?} is not printable ASCII"),
            "give name=value words separated by blanks",
        )),
    }
}

fn check_pe(spec: &Spec, bytes: &[u8]) -> Result<()> {
    let machine = || {
        let at = u32::from_le_bytes(*bytes.get(0x3c..)?.first_chunk()?);
        let header = bytes.get(usize::try_from(at).ok()?..)?;
        let (signature, rest) = header.split_first_chunk::<4>()?;
        let machine = u16::from_le_bytes(*rest.first_chunk()?);
        (signature == b"PE\0\0").then_some(machine)
    };
    if bytes.starts_with(b"MZ") && machine() == Some(spec.arch.pe_machine()) {
        return Ok(());
    }
    Err(HelioError::input(
        "image",
        "loader",
        format_args!("not a UEFI program for {}", spec.arch),
        "give the loader that was built for this architecture",
    ))
}
