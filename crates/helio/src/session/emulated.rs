//! A run in QEMU.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;

use crate::arch::Arch;
use crate::error::{HelioError, Result};
use crate::file;
use crate::image::{self, Loader, Spec};
use crate::qemu::{Boot, Description, Machine};

/// How the kernel is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// UEFI and our own loader.
    Uefi,
    /// Our direct boot image, AArch64 only.
    Direct,
    /// UEFI and Limine.
    #[value(alias = "limine")]
    LimineUefi,
    /// BIOS and Limine, x86_64 only.
    LimineBios,
}

impl Way {
    /// The loader on the disk, where there is a disk.
    pub const fn loader(self) -> Option<Loader> {
        match self {
            Self::Uefi => Some(Loader::Uefi),
            Self::LimineUefi | Self::LimineBios => Some(Loader::Limine),
            Self::Direct => None,
        }
    }
}

/// Puts together what a machine boots from, below its folder, and the machine.
///
/// `direct_image` is only looked at for [`Way::Direct`].
pub fn machine(way: Way, spec: &Spec, direct_image: &Path, folder: &Path) -> Result<Machine> {
    let disk = folder.join("disk.img");
    let words = Description::of(spec.arch)?.words;
    let command_line = format!("{words} {}", spec.command_line);
    let spec = &Spec { command_line, ..spec.clone() };
    let boot = match way {
        Way::Direct => direct(spec, direct_image, folder)?,
        Way::LimineBios => Boot::Bios(disk.clone()),
        Way::Uefi | Way::LimineUefi => Boot::Uefi(disk.clone()),
    };
    let machine = Machine::new(spec.arch, boot, folder)?;
    if way != Way::Direct {
        image::build(spec, &disk)?;
    }
    Ok(machine)
}

/// Writes the archive that the direct boot image takes its files from.
fn direct(spec: &Spec, image: &Path, folder: &Path) -> Result<Boot> {
    if spec.arch != Arch::Aarch64 {
        return Err(HelioError::input(
            "machine",
            spec.arch,
            "there is no direct boot on this architecture",
            "use --boot uefi, or --arch aarch64",
        ));
    }
    let path = folder.join("initrd.img");
    file::write(&path, &image::archive(spec)?)?;
    Ok(Boot::Direct {
        image: image.to_owned(),
        initrd: path,
        command_line: spec.command_line.clone(),
    })
}

/// Whether a machine may go on as long as it likes.
pub fn limit(seconds: u64) -> Option<Duration> {
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

/// Where a payload's package lies after `make`.
pub fn package_path(build: &Path, payload: &str) -> PathBuf {
    build.join("packages").join(format!("{payload}.rvf"))
}
