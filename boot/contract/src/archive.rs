//! The archive that direct boot takes its files from.
//!
//! ```text
//!  0  8  "HGARCH01"
//!  8  4  number of files, at most 16
//! 12  4  zero
//! 16  8  length of the archive in bytes, a multiple of 4096
//! 24  8  zero
//! 32 64  for each file: name (48 bytes, filled up with zeros), offset, length
//! ```
//! Numbers are little-endian. An offset counts from the archive's first byte
//! and is a multiple of 4096, so that a file lies on pages of its own wherever
//! the archive is put on a page boundary; between files there are zeros. The
//! archive itself is not signed: what is in it is checked by who uses it.

use core::fmt;

use crate::{PAGE, bytes};

/// First bytes of an archive.
pub const MAGIC: &[u8; 8] = b"HGARCH01";

/// Most files in an archive.
pub const FILES_MAX: usize = 16;

/// Longest name, in bytes.
pub const NAME_MAX: usize = 48;

const HEADER: usize = 32;
const ENTRY: usize = 64;

/// Why bytes are not an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveError {
    /// They do not begin with the magic.
    NotArchive,
    /// They end before the archive does.
    Truncated,
    /// A header, a name or a place breaks the format.
    Malformed,
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotArchive => "does not begin as an archive of boot files",
            Self::Truncated => "ends before the archive does",
            Self::Malformed => "breaks the format of an archive of boot files",
        })
    }
}

impl core::error::Error for ArchiveError {}

/// An archive whose headers have been checked.
#[derive(Clone, Copy, Debug)]
pub struct Archive<'a> {
    bytes: &'a [u8],
    count: usize,
}

impl<'a> Archive<'a> {
    /// Reads an archive; bytes behind it are ignored.
    pub fn read(bytes: &'a [u8]) -> Result<Self, ArchiveError> {
        if bytes.get(..8) != Some(MAGIC) {
            return Err(ArchiveError::NotArchive);
        }
        let word = |at| bytes::u32(bytes, at).ok_or(ArchiveError::Truncated);
        let long = |at| bytes::u64(bytes, at).ok_or(ArchiveError::Truncated);
        let (count, length) = (word(8)? as usize, long(16)?);
        let is_plain = word(12)? == 0 && long(24)? == 0 && length.is_multiple_of(PAGE);
        if !is_plain || count > FILES_MAX {
            return Err(ArchiveError::Malformed);
        }
        let length = usize::try_from(length).map_err(|_| ArchiveError::Malformed)?;
        let bytes = bytes.get(..length).ok_or(ArchiveError::Truncated)?;
        if length < HEADER + count * ENTRY {
            return Err(ArchiveError::Malformed);
        }
        let archive = Self { bytes, count };
        if (0..count).any(|index| archive.file(index).is_none()) {
            return Err(ArchiveError::Malformed);
        }
        Ok(archive)
    }

    /// All of it, without what comes behind.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The first file of this name.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.files().find(|(this, _)| *this == name).map(|(_, contents)| contents)
    }

    /// Names and contents, in order.
    pub fn files(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let archive = *self;
        (0..self.count).filter_map(move |index| archive.file(index))
    }

    fn file(&self, index: usize) -> Option<(&'a str, &'a [u8])> {
        let entry = self.bytes.get(HEADER + index * ENTRY..)?.get(..ENTRY)?;
        let (name, place) = entry.split_at_checked(NAME_MAX)?;
        let length = name.iter().position(|&byte| byte == 0).unwrap_or(NAME_MAX);
        let (name, rest) = name.split_at_checked(length)?;
        let (offset, size) = (bytes::u64(place, 0)?, bytes::u64(place, 8)?);
        let is_plain = rest.iter().all(|&byte| byte == 0) && offset.is_multiple_of(PAGE);
        if !is_plain || offset == 0 || name.is_empty() {
            return None;
        }
        let contents = self.bytes.get(usize::try_from(offset).ok()?..)?;
        let contents = contents.get(..usize::try_from(size).ok()?)?;
        Some((core::str::from_utf8(name).ok()?, contents))
    }
}

/// Makes an archive. `None` if there are too many files, a name is empty, too
/// long, or holds a zero byte.
#[cfg(feature = "alloc")]
pub fn build(files: &[(&str, &[u8])]) -> Option<alloc::vec::Vec<u8>> {
    use alloc::{vec, vec::Vec};
    let is_name = |name: &str| !name.is_empty() && name.len() <= NAME_MAX && !name.contains('\0');
    if files.len() > FILES_MAX || !files.iter().all(|(name, _)| is_name(name)) {
        return None;
    }
    let page = PAGE as usize;
    let mut contents = vec![0; (HEADER + files.len() * ENTRY).next_multiple_of(page)];
    let mut entries = Vec::new();
    for (name, bytes) in files {
        let mut entry = [0; NAME_MAX];
        entry.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        entries.extend_from_slice(&entry);
        entries.extend_from_slice(&(contents.len() as u64).to_le_bytes());
        entries.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        contents.extend_from_slice(bytes);
        contents.resize(contents.len().next_multiple_of(page), 0);
    }
    let length = contents.len() as u64;
    contents.get_mut(..8)?.copy_from_slice(MAGIC);
    contents.get_mut(8..12)?.copy_from_slice(&u32::try_from(files.len()).ok()?.to_le_bytes());
    contents.get_mut(16..24)?.copy_from_slice(&length.to_le_bytes());
    contents.get_mut(HEADER..)?.get_mut(..entries.len())?.copy_from_slice(&entries);
    Some(contents)
}

#[cfg(test)]
mod tests;
