//! Files: read whole, written whole or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

use crate::error::{HelioError, Result};

/// All bytes of a file, or of a pipe. A device such as `/dev/zero` may have no
/// end, and memory has.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    if fs::metadata(path).is_ok_and(|it| it.file_type().is_char_device()) {
        let advice = "give a file";
        return Err(HelioError::input("read", path.display(), "it is a device", advice));
    }
    fs::read(path).map_err(|source| HelioError::read(path, source))
}

/// A file that has to be UTF-8. `stage` is what it is read for.
pub fn read_text(stage: &'static str, path: &Path) -> Result<String> {
    String::from_utf8(read(path)?).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        HelioError::input(
            stage,
            path.display(),
            format_args!("byte {place} is not UTF-8"),
            "give a text file",
        )
    })
}

/// Makes a folder and those above it.
pub fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|source| HelioError::write(path, source))
}

/// Writes `bytes` under a temporary name beside `path`, then renames: whoever
/// looks sees the old file, or the new one whole.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(temporary(path, bytes, 0o644)?, path)
}

/// Writes a private file that must not exist yet; `false` where it does.
pub fn create_private(path: &Path, bytes: &[u8]) -> Result<bool> {
    let fail = |source| HelioError::write(path, source);
    let temporary = temporary(path, bytes, 0o600)?;
    match temporary.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(fail(error.error)),
    }
}

/// Puts a temporary file in the place of `path`, unless what is there is no
/// file: renaming over a device would take its node away.
fn replace(temporary: NamedTempFile, path: &Path) -> Result<()> {
    if fs::metadata(path).is_ok_and(|it| !it.is_file()) {
        let reason = "there is something of that name that is not a file";
        let advice = "name a file, or one that does not exist";
        return Err(HelioError::input("output", path.display(), reason, advice));
    }
    temporary.persist(path).map(drop).map_err(|error| HelioError::write(path, error.error))
}

fn temporary(path: &Path, bytes: &[u8], mode: u32) -> Result<NamedTempFile> {
    let fail = |source| HelioError::write(path, source);
    let mut file = temporary_beside(path)?;
    file.write_all(bytes).map_err(fail)?;
    file.as_file().set_permissions(Permissions::from_mode(mode)).map_err(fail)?;
    Ok(file)
}

/// An empty temporary file in the folder of `path`, to be persisted there.
pub fn temporary_beside(path: &Path) -> Result<NamedTempFile> {
    let folder = parent(path);
    make_folder(folder)?;
    NamedTempFile::new_in(folder).map_err(|source| HelioError::write(path, source))
}

/// Builds a folder under a temporary name and puts it in the place of `path`.
/// What was there before is removed only once the new one is complete, and
/// only if `replaceable` says that it may be.
///
/// # Errors
/// What `fill` returns; and where `path` holds something not replaceable.
pub fn write_folder(
    path: &Path,
    replaceable: impl Fn(&Path) -> bool,
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let fail = |source| HelioError::write(path, source);
    if path.exists() && !is_empty_folder(path) && !replaceable(path) {
        return Err(HelioError::input(
            "output",
            path.display(),
            "there is something else of that name",
            "name a folder that does not exist, or move this one away",
        ));
    }
    let above = parent(path);
    make_folder(above)?;
    let new = TempDir::with_prefix_in(".helio-", above).map_err(fail)?;
    fs::set_permissions(new.path(), Permissions::from_mode(0o755)).map_err(fail)?;
    fill(new.path())?;
    // A rename cannot replace a folder that is not empty, so the old one
    // moves aside first; it is removed last.
    let old = TempDir::with_prefix_in(".helio-", above).map_err(fail)?;
    if path.exists() {
        fs::rename(path, old.path().join("old")).map_err(fail)?;
    }
    fs::rename(new.keep(), path).map_err(fail)
}

fn is_empty_folder(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// Makes `path` a file of `length` zero bytes that takes no room on the disk.
pub fn create_sparse(path: &Path, length: u64) -> Result<()> {
    let fail = |source| HelioError::write(path, source);
    make_folder(parent(path))?;
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o644)
        .open(path)
        .map_err(fail)?;
    file.set_len(length).map_err(fail)
}

/// Writes `bytes` into an empty file, leaving holes where blocks are zero.
pub fn write_sparse(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    const BLOCK: usize = 64 << 10;
    for (at, block) in (0u64..).step_by(BLOCK).zip(bytes.chunks(BLOCK)) {
        if block.iter().any(|&byte| byte != 0) {
            file.seek(SeekFrom::Start(at))?;
            file.write_all(block)?;
        }
    }
    file.set_len(bytes.len() as u64)
}

/// Gives a finished temporary file its name.
pub fn persist(file: NamedTempFile, path: &Path) -> Result<()> {
    let fail = |source| HelioError::write(path, source);
    file.as_file().set_permissions(Permissions::from_mode(0o644)).map_err(fail)?;
    replace(file, path)
}

/// Copies a file.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    make_folder(parent(to))?;
    write(to, &read(from)?)
}

/// The folder a path is in.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Every file below a folder, relative to it, sorted.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(relative) = folders.pop() {
        let here = folder.join(&relative);
        let entries = fs::read_dir(&here).map_err(|source| HelioError::read(&here, source))?;
        for entry in entries {
            let entry = entry.map_err(|source| HelioError::read(&here, source))?;
            let kind = entry.file_type().map_err(|source| HelioError::read(&here, source))?;
            let name = relative.join(entry.file_name());
            if kind.is_dir() {
                folders.push(name);
            } else {
                found.push(name);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_folder_leaves_the_old_one() {
        let place = TempDir::new().unwrap();
        let path = place.path().join("log");
        write_folder(&path, |_| true, |new| write(&new.join("a"), b"1")).unwrap();
        let failed = write_folder(
            &path,
            |_| true,
            |new| {
                write(&new.join("b"), b"2")?;
                Err(HelioError::input("t", "o", "r", "a"))
            },
        );
        assert!(failed.is_err());
        assert_eq!(files_below(place.path()).unwrap(), [PathBuf::from("log/a")]);
        write_folder(&path, |_| true, |new| write(&new.join("c"), b"3")).unwrap();
        assert_eq!(files_below(place.path()).unwrap(), [PathBuf::from("log/c")]);
        assert!(write_folder(&path, |_| false, |_| Ok(())).is_err());
    }

    #[test]
    fn what_is_no_file_is_neither_read_nor_replaced() {
        assert!(read(Path::new("/dev/zero")).is_err());
        let place = TempDir::new().unwrap();
        let socket = place.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(write(&socket, b"1").is_err());
        assert!(write(place.path(), b"1").is_err());
        assert!(fs::metadata(&socket).unwrap().file_type().is_socket());
        assert_eq!(files_below(place.path()).unwrap(), [PathBuf::from("socket")]);
    }

    #[test]
    fn private_files_are_private_and_not_replaced_by_create() {
        let place = TempDir::new().unwrap();
        let path = place.path().join("deep/key");
        assert!(create_private(&path, b"1").unwrap());
        assert!(!create_private(&path, b"2").unwrap());
        assert_eq!(read(&path).unwrap(), b"1");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
