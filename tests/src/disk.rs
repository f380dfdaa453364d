//! Changing files on a boot disk that `helio image` made, and making one with
//! `helio flash`.

use std::io::{Cursor, Write};
use std::path::Path;
use std::process::Command;

use fatfs::{FileSystem, FsOptions};
use helio::image::{self, Spec};

use crate::artefacts;

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

/// Puts a card of 256 MiB in the place of the boot disk in `folder`, written by
/// `helio flash` with this configuration and the package of `spec`.
pub fn flash(spec: &Spec, configuration: &str, folder: &Path) {
    let disk = folder.join("disk.img");
    std::fs::File::create(&disk).unwrap().set_len(256 << 20).unwrap();
    let (config, package) = (folder.join("heliograph.toml"), folder.join("package.rvf"));
    std::fs::write(&config, configuration).unwrap();
    std::fs::write(&package, spec.package.as_ref().unwrap()).unwrap();
    let build = artefacts::build();
    let mut command = Command::new(artefacts::helio());
    command.args(["flash", "--yes", "--target", spec.arch.name(), "--to"]).arg(&disk);
    command.arg("--build").arg(&build).arg("--keys").arg(build.join("keys"));
    command.arg("--config").arg(config).arg("--package").arg(package);
    let output = command.args(["--cmdline", &spec.command_line]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
