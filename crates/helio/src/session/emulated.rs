//! A run in QEMU.

use std::path::{Path, PathBuf};
use std::time::Duration;

use boot_direct::known;
use clap::ValueEnum;
use witness::hex;

use crate::arch::Arch;
use crate::error::{HelioError, Result};
use crate::file;
use crate::image::rpi4::{self, Card};
use crate::image::{self, Loader, Spec};
use crate::keys;
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
    /// A card in a Raspberry Pi 4, AArch64 only.
    Card,
}

impl Way {
    /// The loader on the disk, where there is a disk.
    pub const fn loader(self) -> Option<Loader> {
        match self {
            Self::Uefi => Some(Loader::Uefi),
            Self::LimineUefi | Self::LimineBios => Some(Loader::Limine),
            Self::Direct | Self::Card => None,
        }
    }
}

/// Puts together what a machine boots from, below its folder, and the machine.
///
/// `direct_image` is only looked at for [`Way::Direct`] and [`Way::Card`].
pub fn machine(way: Way, given: &Spec, direct_image: &Path, folder: &Path) -> Result<Machine> {
    let disk = folder.join("disk.img");
    let words = Description::of(given.arch)?.words;
    let command_line = format!("{words} {}", given.command_line);
    let spec = &Spec { command_line, ..given.clone() };
    let boot = match way {
        Way::Direct => direct(spec, direct_image, folder)?,
        Way::LimineBios => Boot::Bios(disk.clone()),
        Way::Uefi | Way::LimineUefi => Boot::Uefi(disk.clone()),
        // It has words of its own.
        Way::Card => return Machine::new(given.arch, card(given, direct_image, folder)?, folder),
    };
    let machine = Machine::new(spec.arch, boot, folder)?;
    if way != Way::Direct {
        image::build(spec, &disk)?;
    }
    Ok(machine)
}

/// Makes a card, and takes off it again what firmware would load: QEMU's
/// Raspberry Pi has no firmware. Its tree is that of the board that the loader
/// knows; QEMU enters its memory.
///
/// # Errors
/// A file cannot be written, or the card cannot be made.
pub fn card(spec: &Spec, image: &Path, folder: &Path) -> Result<Boot> {
    let loader = file::read(image)?;
    let disk = Card { spec, loader: &loader, firmware: None }.disk()?;
    let files = disk.files()?;
    let read = |name: &str| {
        let found = files.iter().find(|file| file.path == name);
        found.map(|file| file.bytes.as_slice()).unwrap_or_default()
    };
    let place = |name: &str| folder.join(name);
    let (card, image, tree) = (place("card.img"), place(rpi4::KERNEL), place("board.dtb"));
    file::make_folder(folder)?;
    file::write(&image, read(rpi4::KERNEL))?;
    file::write(&tree, &known::TREE.0)?;
    let on_card = String::from_utf8_lossy(read(rpi4::COMMAND_LINE));
    // In place of the board's generator, which QEMU leaves out.
    let mut entropy = [0; 32];
    keys::random(&mut entropy)?;
    let words = Description::of_rpi4()?.words;
    let command_line = format!("{words} entropy={} {}", hex::encode(&entropy), on_card.trim());
    disk.write(&card)?;
    Ok(Boot::Card { card, image, tree: Some((tree, command_line)) })
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
