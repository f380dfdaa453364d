//! Changing files on a boot disk that `helio image` made.

use std::io::{Cursor, Write};
use std::path::Path;

use fatfs::{FileSystem, FsOptions};
use helio::image;

/// A file that is to be another one, or not there.
pub struct Change {
    /// Its path on the boot partition.
    pub path: &'static str,
    /// Its new content.
    pub bytes: Option<Vec<u8>>,
}

/// Makes the changes.
pub fn change(disk: &Path, changes: &[Change]) {
    if changes.is_empty() {
        return;
    }
    let mut bytes = std::fs::read(disk).unwrap();
    let partition = image::partition(&bytes).unwrap();
    let volume = Cursor::new(&mut bytes[partition]);
    let system = FileSystem::new(volume, FsOptions::new()).unwrap();
    for Change { path, bytes } in changes {
        system.root_dir().remove(path).unwrap();
        if let Some(bytes) = bytes {
            system.root_dir().create_file(path).unwrap().write_all(bytes).unwrap();
        }
    }
    system.unmount().unwrap();
    std::fs::write(disk, bytes).unwrap();
}
