//! A folder for a TFTP server, to boot from over a network.
//!
//! | how it starts | what reads the folder | files |
//! | --- | --- | --- |
//! | direct boot image | U-Boot (`pxe get; pxe boot`) on AArch64 | `pxelinux.cfg/default`, the image, the archive |
//! | Limine | UEFI's network boot, then Limine itself | those of its boot partition |
//!
//! Our UEFI loader reads its files from the partition that it was started from,
//! and a network has none. Whoever can reach the server can read what is in
//! the folder, the device's key among it.

use std::path::{Path, PathBuf};

use crate::error::{HelioError, Result};
use crate::file;
use crate::image::{self, Entry, Spec, Start};

/// Where U-Boot looks for what to start, when nothing is meant for this
/// machine alone.
const PXE: &str = "pxelinux.cfg/default";

/// The direct boot image.
const IMAGE: &str = "heliograph/direct.img";

/// What the direct boot image takes its files from.
const ARCHIVE: &str = "heliograph/boot.archive";

/// The files to boot `spec` with; `direct` is the direct boot image, where
/// that starts it.
///
/// # Errors
/// As for an image; and a loader that cannot start from a network.
pub fn files(spec: &Spec, direct: Option<&[u8]>) -> Result<Vec<Entry>> {
    let entry = |path: &str, bytes: Vec<u8>| Entry { path: path.into(), bytes };
    match (&spec.start, direct) {
        (Start::None, Some(direct)) => {
            image::check(spec)?;
            // Read by U-Boot once the other two are there.
            Ok(vec![
                entry(IMAGE, direct.to_vec()),
                entry(ARCHIVE, image::archive(spec)?),
                entry(PXE, pxe(spec)?.into_bytes()),
            ])
        }
        (Start::Limine(_), _) => image::boot_files(spec),
        (Start::Uefi(_) | Start::None, _) => Err(HelioError::input(
            "network boot",
            spec.arch,
            "our UEFI loader reads its files from a disk",
            "use --loader direct (with --target aarch64), or --loader limine with --limine-dir",
        )),
    }
}

/// What U-Boot reads, in the form of its "pxelinux.cfg".
fn pxe(spec: &Spec) -> Result<String> {
    let words = image::command_line(spec)?;
    let append = if words.is_empty() { String::new() } else { format!("    APPEND {words}\n") };
    Ok(format!(
        "DEFAULT heliograph\n\nLABEL heliograph\n    KERNEL {IMAGE}\n    INITRD {ARCHIVE}\n{append}"
    ))
}

/// Puts the files below `folder`, each whole or not at all, and in order: what
/// else lies there stays. Gives their paths.
///
/// # Errors
/// One cannot be written, or reads back as something else.
pub fn lay_out(folder: &Path, files: &[Entry]) -> Result<Vec<PathBuf>> {
    if folder.exists() && !folder.is_dir() {
        let advice = "name the folder of the TFTP server, or one that does not exist";
        return Err(HelioError::input("flash", folder.display(), "it is not a folder", advice));
    }
    let mut paths = Vec::new();
    for entry in files {
        let path = folder.join(&entry.path);
        file::make_folder(file::parent(&path))?;
        file::write(&path, &entry.bytes)?;
        if file::read(&path)? != entry.bytes {
            return Err(HelioError::Failed {
                what: format!("reading {} back", path.display()),
                reason: "it is not what was written".into(),
                advice: "check the disk the folder is on".into(),
            });
        }
        paths.push(path);
    }
    Ok(paths)
}
