//! Bootable disk images, made without root, loop devices or mtools.
//!
//! An image is an MBR disk with one FAT32 partition. The same files give the
//! same bytes: volume id, disk signature and every time stamp are fixed, and
//! files are laid out in the order they are listed.
//!
//! [`Spec`] says what goes on the disk, [`esp`] where it goes, [`fat`] and
//! [`mbr`] put it there, and [`limine`] adds what Limine wants. Direct boot
//! has no disk: [`direct`] makes one file for it, which [`rpi4`] puts on a card.

mod direct;
mod esp;
mod fat;
mod limine;
mod mbr;
pub mod rpi4;

use std::fmt;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::arch::Arch;
use crate::error::{HelioError, Result};
use crate::file;

pub use direct::archive;
pub use esp::{command_line, paths};
pub use fat::{Damage, Entry, read_back};
pub use mbr::{log_partition, partition};

/// What starts the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Loader {
    /// Our own loader, which checks signatures before it jumps.
    Uefi,
    /// Genuine Limine, from a folder of its released binaries.
    Limine,
    /// Our direct loader: not a disk, but one file for `qemu -kernel`. AArch64
    /// only.
    Direct,
}

/// What goes on a disk.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The architecture it boots on.
    pub arch: Arch,
    /// What starts the kernel.
    pub start: Start,
    /// The kernel, an ELF file.
    pub kernel: Vec<u8>,
    /// The detached signature of the kernel. Without it our loader refuses.
    pub kernel_signature: Option<Vec<u8>>,
    /// The package. Without it the kernel says so and ends.
    pub package: Option<Vec<u8>>,
    /// The trust file.
    pub trust: Option<Vec<u8>>,
    /// The device's private key, PKCS#8 PEM.
    pub device_key: Option<Vec<u8>>,
    /// A further package, for an operator to mount.
    pub more: Option<Vec<u8>>,
    /// The kernel's command line: `name=value` words.
    pub command_line: String,
}

/// A loader with what it is made of.
#[derive(Clone, Debug)]
pub enum Start {
    /// Our loader, a PE32+ file.
    Uefi(Vec<u8>),
    /// Limine's release folder.
    Limine(PathBuf),
    /// Nothing on this disk: QEMU loads the direct boot image.
    None,
}

/// Builds the disk and puts it at `path`.
///
/// # Errors
/// A kernel or loader that is not for this architecture, a folder that is not
/// a Limine release, and whatever stops a file from being written. Nothing is
/// left at `path` then.
pub fn build(spec: &Spec, path: &Path) -> Result<()> {
    check(spec)?;
    let files = esp::files(spec)?;
    let volume = fat::format(&files).map_err(|source| HelioError::write(path, source))?;
    let disk = mbr::wrap(&volume)?;
    let temporary = file::temporary_beside(path)?;
    file::write_sparse(temporary.as_file(), &disk)
        .map_err(|source| HelioError::write(path, source))?;
    if let (Start::Limine(folder), Arch::X86_64) = (&spec.start, spec.arch) {
        limine::install_bios(folder, temporary.path())?;
    }
    file::persist(temporary, path)
}

/// Builds the one file for direct boot, from the direct loader's image, and
/// puts it at `path`.
///
/// # Errors
/// As [`build`]; and a command line, which such a file has no place for.
pub fn build_direct(spec: &Spec, loader: &[u8], path: &Path) -> Result<()> {
    check(spec)?;
    if spec.arch != Arch::Aarch64 {
        return Err(HelioError::input(
            "image",
            spec.arch,
            "there is no direct boot on this architecture",
            "use --arch aarch64, or --loader uefi",
        ));
    }
    if !spec.command_line.trim().is_empty() {
        return Err(HelioError::input(
            "image",
            "command line",
            "a direct boot image takes its command line from the device tree",
            "leave --cmdline and the configuration out here, and give the words to \
             `qemu -append`, to the firmware, or to `helio flash --tftp`",
        ));
    }
    file::write(path, &direct::append(loader, &archive(spec)?)?)
}

/// The files of a boot partition, in the order they are laid out.
///
/// # Errors
/// As [`build`].
pub fn boot_files(spec: &Spec) -> Result<Vec<Entry>> {
    check(spec)?;
    esp::files(spec)
}

/// Refuses a kernel that a loader would refuse anyway, while somebody looks.
///
/// # Errors
/// It is not one for this architecture.
pub fn check(spec: &Spec) -> Result<()> {
    check_kernel("kernel", spec.arch, &spec.kernel)
}

/// Checks that this is a kernel for this architecture; `object` is what an
/// error calls it.
///
/// # Errors
/// It is none.
pub fn check_kernel(object: impl fmt::Display, arch: Arch, kernel: &[u8]) -> Result<()> {
    let wrong = |reason: String| {
        let advice = format!("give the kernel that was built for {arch}");
        Err(HelioError::input("image", object, reason, advice))
    };
    if !kernel.starts_with(b"\x7fELF\x02\x01") {
        return wrong("not a little-endian 64-bit ELF file".into());
    }
    match kernel.get(18..20) {
        Some(machine) if machine == arch.elf_machine().to_le_bytes() => Ok(()),
        Some(machine) => wrong(format!(
            "ELF machine {} is not {arch} ({})",
            u16::from_le_bytes([machine[0], machine[1]]),
            arch.elf_machine()
        )),
        None => wrong("shorter than an ELF header".into()),
    }
}
