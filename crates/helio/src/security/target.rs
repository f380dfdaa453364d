//! Telling what a file or folder is, and what is in it.

use std::path::Path;

use boot_contract::archive;
use memchr::memmem;
use serde::Serialize;
use witness::frame::disk::DISK_MAGIC;
use witness::frame::uart::SEPARATOR;
use witness::tiles::CHECKPOINT;

use super::{Context, Findings, boot, code, image, keys, log, package};
use crate::error::{HelioError, Result};
use crate::file;

/// Largest file that is read, in bytes. A card's image is a few hundred MiB.
const SIZE_MAX: u64 = 4 << 30;

/// What can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A disk or card image, or a FAT volume.
    Image,
    /// The image for direct boot, with or without its archive, or an archive.
    DirectImage,
    /// A folder of boot files, such as for network boot.
    BootFolder,
    /// A package.
    Package,
    /// A kernel or another ELF file, or a UEFI program.
    Program,
    /// A folder of keys.
    KeyStore,
    /// A log: folder, disk or capture.
    Log,
}

impl Kind {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Image => "boot image",
            Self::DirectImage => "direct boot image",
            Self::BootFolder => "folder of boot files",
            Self::Package => "package",
            Self::Program => "program",
            Self::KeyStore => "key store",
            Self::Log => "log",
        }
    }
}

/// Something to look at, opened.
pub(super) struct Target {
    kind: Kind,
    /// Its content, if it is a file that is looked at as a whole.
    bytes: Vec<u8>,
}

/// Finds out what is at a path.
///
/// # Errors
/// It cannot be read, or is nothing of what can be looked at.
pub(super) fn open(path: &Path) -> Result<Target> {
    let unknown = |reason: &str| {
        Err(HelioError::input(
            "security",
            path.display(),
            reason,
            "give a boot image, a package, a kernel, a folder of keys, or a log",
        ))
    };
    if path.is_dir() {
        let names = file::files_below(path)?;
        let has = |name: &str| names.iter().any(|it| it == Path::new(name));
        let is_key = |name: &Path| name.extension().is_some_and(|it| it == "pem");
        let kind = if has(CHECKPOINT) || path.join("tile").is_dir() {
            Kind::Log
        } else if names.iter().any(|name| boot::is_boot_file(name)) {
            Kind::BootFolder
        } else if has("trust.note") || names.iter().any(|name| is_key(name)) {
            Kind::KeyStore
        } else {
            return unknown("the folder holds no log, keys or boot files");
        };
        return Ok(Target { kind, bytes: Vec::new() });
    }
    let size = std::fs::metadata(path).map_err(|error| HelioError::read(path, error))?.len();
    if size > SIZE_MAX {
        return unknown("it is larger than 4 GiB");
    }
    let bytes = file::read(path)?;
    match kind_of(&bytes) {
        Some(kind) => Ok(Target { kind, bytes }),
        None => unknown("it is none of the files that are known"),
    }
}

fn kind_of(bytes: &[u8]) -> Option<Kind> {
    let at = |offset: usize, magic: &[u8]| {
        bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic))
    };
    let is_capture = || memmem::find(bytes, &[SEPARATOR, b'H', b'G', b' ']).is_some();
    Some(if at(0, &DISK_MAGIC) {
        Kind::Log
    } else if at(0, b"\x7fELF") || at(0, b"MZ") && !at(56, b"ARM\x64") {
        Kind::Program
    } else if at(0, archive::MAGIC) || at(56, b"ARM\x64") {
        Kind::DirectImage
    } else if at(0, &rvf_types::SEGMENT_MAGIC.to_le_bytes()) {
        Kind::Package
    } else if at(510, &[0x55, 0xaa]) {
        Kind::Image
    } else if is_capture() {
        Kind::Log
    } else {
        return None;
    })
}

impl Target {
    /// What it is.
    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    /// Looks at it.
    pub(super) fn look(
        &self,
        path: &Path,
        context: &Context,
        findings: &mut Findings,
    ) -> Result<()> {
        let bytes = &self.bytes;
        match self.kind {
            Kind::Image => {
                let files = image::files(path, bytes)?;
                boot::look(&files, boot::Way::of(&files), context, findings);
            }
            Kind::DirectImage => {
                let files = image::archive(path, bytes)?;
                boot::look(&files, boot::Way::Direct, context, findings);
            }
            Kind::BootFolder => {
                let files = image::folder(path)?;
                boot::look(&files, boot::Way::of(&files), context, findings);
            }
            Kind::Package => {
                let trust = context.store().and_then(|store| store.trust().ok());
                package::look(&path.display().to_string(), bytes, trust.as_ref(), findings);
            }
            Kind::Program => code::look(&path.display().to_string(), bytes, findings),
            Kind::KeyStore => keys::look(path, findings)?,
            Kind::Log => log::look(path, context, findings)?,
        }
        Ok(())
    }
}
