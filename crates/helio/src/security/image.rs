//! The files in an image: of a FAT volume, an archive, or a folder.

use std::path::Path;

use boot_contract::archive::{Archive, MAGIC};
use memchr::memmem;

use crate::error::{HelioError, Result};
use crate::file;
use crate::image::{Entry, partition, read_back};

/// The files on a disk's first partition, or on a volume without partitions.
pub(super) fn files(path: &Path, bytes: &[u8]) -> Result<Vec<Entry>> {
    // A FAT volume ends its first sector as an MBR does, and begins with a
    // jump, as an MBR with code may.
    let is_volume = matches!(bytes, [0xeb, _, 0x90, ..] | [0xe9, ..]);
    let first = partition(bytes);
    let read = first.and_then(|range| read_back(bytes.get(range).unwrap_or_default()));
    let read = if is_volume { read.or_else(|_| read_back(bytes)) } else { read };
    read.map_err(|damage| {
        HelioError::input(
            "image",
            path.display(),
            damage,
            "give a disk whose first partition is a FAT volume, or that volume",
        )
    })
}

/// The files of an archive, alone or behind the loader for direct boot.
pub(super) fn archive(path: &Path, bytes: &[u8]) -> Result<Vec<Entry>> {
    // What the loader needs in memory lies between it and the archive, which
    // begins at a byte that no header names.
    let mut starts = memmem::find_iter(bytes, MAGIC);
    let found = starts.find_map(|at| Archive::read(bytes.get(at..)?).ok());
    let Some(archive) = found else {
        return Err(HelioError::input(
            "image",
            path.display(),
            "there is no archive of boot files in it",
            "look at what it is started with: QEMU's -initrd, or the card it lies on",
        ));
    };
    let entry = |(name, bytes): (&str, &[u8])| Entry { path: name.into(), bytes: bytes.into() };
    Ok(archive.files().map(entry).collect())
}

/// The files below a folder.
pub(super) fn folder(path: &Path) -> Result<Vec<Entry>> {
    let names = file::files_below(path)?;
    let entry = |name: &std::path::PathBuf| {
        let bytes = file::read(&path.join(name))?;
        Ok(Entry { path: name.display().to_string(), bytes })
    };
    names.iter().map(entry).collect()
}
