//! What is in a folder, before any of it is opened.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use witness::tiles::{self, CHECKPOINT, MANIFEST};

use crate::error::{HelioError, Result};

/// Everything below a folder, by path from there.
#[derive(Debug, Default)]
pub struct Listing {
    /// Regular files.
    pub files: BTreeSet<PathBuf>,
    /// Folders.
    pub folders: BTreeSet<PathBuf>,
    /// Symbolic links, pipes and whatever else could stand for other bytes
    /// each time it is read. A log has none.
    pub others: BTreeSet<PathBuf>,
}

impl Listing {
    /// Walks a folder. Links in it are not followed.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn of(folder: &Path) -> Result<Self> {
        let mut listing = Self::default();
        let mut left = vec![PathBuf::new()];
        while let Some(relative) = left.pop() {
            let here = folder.join(&relative);
            let fail = |source| HelioError::read(&here, source);
            for entry in fs::read_dir(&here).map_err(fail)? {
                let entry = entry.map_err(fail)?;
                let kind = entry.file_type().map_err(fail)?;
                let name = relative.join(entry.file_name());
                if kind.is_dir() {
                    left.push(name.clone());
                    listing.folders.insert(name);
                } else if kind.is_file() {
                    listing.files.insert(name);
                } else {
                    listing.others.insert(name);
                }
            }
        }
        Ok(listing)
    }

    /// What a log of `size` records does not have. Of a log whose size nobody
    /// states only what no log has.
    pub fn unlisted(&self, size: Option<u64>) -> Vec<PathBuf> {
        let mut unlisted: Vec<_> = self.others.iter().cloned().collect();
        if let Some(size) = size {
            let files = self.files.iter().filter(|path| !is_listed(path, size));
            let folders = self.folders.iter().filter(|path| !has_files_below(path, size));
            unlisted.extend(files.chain(folders).cloned());
        }
        unlisted
    }
}

fn is_listed(path: &Path, size: u64) -> bool {
    let is_note = path == Path::new(CHECKPOINT) || path == Path::new(MANIFEST);
    is_note || path.to_str().is_some_and(|path| tiles::listed(path, size).is_some())
}

fn has_files_below(path: &Path, size: u64) -> bool {
    path.to_str().is_some_and(|path| tiles::has_files_below(path, size))
}
