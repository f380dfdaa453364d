//! The files in an image: of a FAT volume, an archive, or a folder.

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::panic::catch_unwind;
use std::path::Path;

use boot_contract::archive::{Archive, MAGIC};
use fatfs::{FileSystem, FsOptions};
use memchr::memmem;

use crate::error::{HelioError, Result};
use crate::file;
use crate::image::{Entry, partition};

/// Most files and folders that are looked at.
const ENTRIES_MAX: usize = 65_536;

/// Deepest folder that is looked at.
const DEPTH_MAX: usize = 16;

/// How often over a volume may be read before it is taken to go in circles.
const ROUNDS: u64 = 8;

/// The files on a disk's first partition, or on a volume without partitions.
pub(super) fn files(path: &Path, bytes: &[u8]) -> Result<Vec<Entry>> {
    let volume = match partition(bytes) {
        Ok(range) => bytes.get(range).unwrap_or_default(),
        // A FAT volume ends its first sector as an MBR does, and begins with
        // a jump.
        Err(_) if matches!(bytes.first(), Some(0xeb | 0xe9)) => bytes,
        Err(error) => return Err(error),
    };
    // Where overflow is checked, the reader may panic over damaged numbers.
    let contents = catch_unwind(|| read(volume));
    let contents = contents.unwrap_or_else(|_| Err(io::Error::other("its numbers are damaged")));
    contents.map_err(|error| {
        HelioError::input(
            "image",
            path.display(),
            format_args!("its first partition cannot be read: {error}"),
            "give an image whose first partition is a FAT volume",
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

/// The files of a volume that somebody may have made to trap its reader.
fn read(volume: &[u8]) -> io::Result<Vec<Entry>> {
    let budget = (volume.len() as u64).saturating_mul(ROUNDS);
    let system = FileSystem::new(Limited { inner: Cursor::new(volume), budget }, FsOptions::new())?;
    let mut entries = Vec::new();
    let mut bytes_left = volume.len() as u64;
    let mut folders = vec![(String::new(), DEPTH_MAX)];
    let mut seen = 0;
    while let Some((folder, depth)) = folders.pop() {
        let root = system.root_dir();
        let here = if folder.is_empty() { root } else { root.open_dir(&folder)? };
        for entry in here.iter() {
            let entry = entry?;
            seen += 1;
            let name = entry.file_name();
            if name == "." || name == ".." {
                continue;
            }
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            match depth.checked_sub(1) {
                Some(depth) if entry.is_dir() && seen < ENTRIES_MAX => folders.push((path, depth)),
                Some(_) if entry.is_file() && seen < ENTRIES_MAX => {
                    // Two files cannot share clusters, so all are no longer
                    // than the volume.
                    let rest = bytes_left.checked_sub(entry.len()).ok_or_else(circles)?;
                    bytes_left = rest;
                    let mut bytes = Vec::new();
                    entry.to_file().read_to_end(&mut bytes)?;
                    entries.push(Entry { path, bytes });
                }
                Some(_) if entry.is_file() || entry.is_dir() => return Err(circles()),
                Some(_) => {}
                None => return Err(circles()),
            }
        }
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

fn circles() -> io::Error {
    io::Error::other("its folders or files go in circles")
}

/// Bytes of which not more than a budget are read.
struct Limited<'a> {
    inner: Cursor<&'a [u8]>,
    budget: u64,
}

impl Read for Limited<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        // A read of nothing counts too.
        self.budget = self.budget.checked_sub(count.max(1) as u64).ok_or_else(circles)?;
        Ok(count)
    }
}

impl Seek for Limited<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

impl Write for Limited<'_> {
    /// Takes bytes and forgets them: the reader marks volumes as in use.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
