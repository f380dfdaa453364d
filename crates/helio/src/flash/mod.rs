//! Writing an image to a card, a disk or a file, so that what is there is what
//! was meant, and nothing else is touched.
//!
//! [`system`] knows the disks and what they are used for; [`Place`] is where an
//! image is to go, judged before anything is written; [`medium`] writes and
//! reads back; [`tftp`] lays out a folder to boot from over a network.

pub mod medium;
pub mod system;
pub mod tftp;

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, major, minor};

use crate::error::{HelioError, Result};
use crate::file;

use medium::Step;
use system::{Disk, System};

/// Where an image goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A whole disk.
    Device {
        /// Its node.
        path: PathBuf,
        /// What the system knows of it.
        disk: Disk,
    },
    /// A file, which stands for a disk of its size if it is there.
    File {
        /// Its path.
        path: PathBuf,
        /// Its size in bytes; none if it is not there, or empty.
        bytes: Option<u64>,
    },
}

impl Place {
    /// Looks at what is at `path`.
    ///
    /// # Errors
    /// It is neither a block device nor a file, or the system does not say
    /// what it is used for.
    pub fn of(path: &Path, system: &System) -> Result<Self> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            // A link to a card that was taken out must not become a file.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !path.is_symlink() => {
                return Self::new_file(path);
            }
            Err(source) => return Err(HelioError::read(path, source)),
        };
        let kind = metadata.file_type();
        if kind.is_block_device() {
            let number = (major(metadata.rdev()), minor(metadata.rdev()));
            let disk = system.disk(number)?;
            return Ok(Self::Device { path: path.to_owned(), disk });
        }
        if !kind.is_file() {
            let reason = if kind.is_dir() { "it is a folder" } else { "it is no disk and no file" };
            let advice = "name a disk such as /dev/sdX, or a file; for a folder use --tftp";
            return Err(HelioError::input("flash", path.display(), reason, advice));
        }
        let real = path.canonicalize().map_err(|source| HelioError::read(path, source))?;
        if let Some(device) = system.loop_device(&real) {
            let reason = format!("it is in use as {device}");
            let advice =
                format!("detach it first: umount what is mounted, losetup -d /dev/{device}");
            return Err(HelioError::input("flash", path.display(), reason, advice));
        }
        let bytes = Some(metadata.len()).filter(|&bytes| bytes > 0);
        // The rename at the end goes to the file, not over a link to it.
        Ok(Self::File { path: real, bytes })
    }

    fn new_file(path: &Path) -> Result<Self> {
        // Below /dev a mistyped name would become a file in memory.
        if path.starts_with("/dev") && !path.starts_with("/dev/shm") {
            let advice = "check the name: lsblk lists the disks";
            return Err(HelioError::input(
                "flash",
                path.display(),
                "there is no such device",
                advice,
            ));
        }
        Ok(Self::File { path: path.to_owned(), bytes: None })
    }

    /// Refuses a place that must not be written to, or that `bytes` do not
    /// fit into.
    ///
    /// # Errors
    /// What forbids it.
    pub fn check(&self, bytes: u64) -> Result<()> {
        let refuse = |reason: String, advice: String| {
            Err(HelioError::input("flash", self.path().display(), reason, advice))
        };
        let room = match self {
            Self::File { bytes: None, .. } => return Ok(()),
            Self::File { bytes: Some(room), .. } => *room,
            Self::Device { disk, .. } => {
                if let Some(whole) = &disk.whole {
                    return refuse(
                        format!("it is a partition of {whole}, and an image is a whole disk"),
                        format!("name the disk, /dev/{whole}"),
                    );
                }
                if let Some(it) = disk.uses.iter().find(|it| it.is_systems()) {
                    return refuse(
                        format!("it is the disk this system runs from: {it}"),
                        "name another disk: lsblk lists them".into(),
                    );
                }
                if let Some(it) = disk.uses.first() {
                    return refuse(
                        format!("it is in use: {it}"),
                        "unmount it first (umount), and check that it is the right one".into(),
                    );
                }
                if disk.bytes == 0 {
                    return refuse("there is no medium in it".into(), "insert the card".into());
                }
                if disk.is_read_only {
                    return refuse(
                        "it is read-only".into(),
                        "unlock the card's switch, or take another one".into(),
                    );
                }
                disk.bytes
            }
        };
        if room < bytes {
            return refuse(
                format!("it has {}, and the image {}", size(room), size(bytes)),
                "take a larger one".into(),
            );
        }
        Ok(())
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        match self {
            Self::Device { path, .. } | Self::File { path, .. } => path,
        }
    }

    /// What is lost when it is written to; none if nothing is.
    pub fn loss(&self) -> Option<String> {
        match self {
            Self::File { bytes: None, .. } => None,
            Self::File { path, bytes: Some(bytes) } => {
                Some(format!("the file {} of {}", path.display(), size(*bytes)))
            }
            Self::Device { path, disk } => {
                let model = if disk.model.is_empty() { "disk" } else { &disk.model };
                let kind = if disk.is_removable { ", removable" } else { "" };
                let with = match &disk.partitions[..] {
                    [] => String::new(),
                    names => format!(", with {}", names.join(", ")),
                };
                Some(format!("{}: {model}, {}{kind}{with}", path.display(), size(disk.bytes)))
            }
        }
    }

    /// What a person types to say that this is the one: the last part of its
    /// path.
    pub fn name(&self) -> String {
        let name = self.path().file_name();
        name.map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// Writes the image, and reads it back. `progress` is told how far either
    /// has come.
    ///
    /// # Errors
    /// It cannot be written; what is read back is something else. A file is
    /// then as it was before; a disk has no partition table.
    pub fn write(&self, image: &[u8], progress: &mut dyn FnMut(Step, u64)) -> Result<()> {
        self.check(image.len() as u64)?;
        match self {
            Self::Device { path, .. } => {
                // Exclusive: the system refuses it for a disk that came into
                // use since it was looked at.
                let exclusive = i32::try_from(OFlags::EXCL.bits()).unwrap_or_default();
                let device =
                    OpenOptions::new().read(true).write(true).custom_flags(exclusive).open(path);
                let device = device.map_err(|source| HelioError::write(path, source))?;
                written(&device, path, image, progress)
            }
            Self::File { path, bytes } => {
                let temporary = file::temporary_beside(path)?;
                file::write_sparse(temporary.as_file(), image)
                    .and_then(|()| {
                        let length = bytes.unwrap_or_default().max(image.len() as u64);
                        temporary.as_file().set_len(length)
                    })
                    .map_err(|source| HelioError::write(path, source))?;
                progress(Step::Write, image.len() as u64);
                compared(temporary.as_file(), path, image, progress)?;
                file::persist(temporary, path)
            }
        }
    }
}

fn written(
    device: &File,
    path: &Path,
    image: &[u8],
    progress: &mut dyn FnMut(Step, u64),
) -> Result<()> {
    medium::write(&mut &*device, image, &mut |bytes| progress(Step::Write, bytes))
        .and_then(|()| device.sync_all())
        .map_err(|source| HelioError::write(path, source))?;
    compared(device, path, image, progress)
}

fn compared(
    medium: &File,
    path: &Path,
    image: &[u8],
    progress: &mut dyn FnMut(Step, u64),
) -> Result<()> {
    medium::forget(medium).map_err(|source| HelioError::write(path, source))?;
    let compared =
        medium::compare(&mut &*medium, image, &mut |bytes| progress(Step::Compare, bytes));
    match compared.map_err(|source| HelioError::read(path, source))? {
        None => Ok(()),
        Some(at) => Err(HelioError::Failed {
            what: format!("reading {} back", path.display()),
            reason: format!("byte {at} is not what was written"),
            advice: "the medium is worn, or smaller than it says: take another one".into(),
        }),
    }
}

/// A size as it is printed on disks.
pub fn size(bytes: u64) -> String {
    let units = [("GiB", 1u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.iter().find(|(_, unit)| bytes >= *unit) {
        // One digit behind the point, rounded down.
        Some((name, unit)) => {
            let tenths = u128::from(bytes) * 10 / u128::from(*unit);
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        }
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::system::Use;
    use super::*;

    fn card() -> Disk {
        Disk {
            name: "sdx".into(),
            model: "Kingston".into(),
            bytes: 1 << 30,
            is_removable: true,
            is_read_only: false,
            whole: None,
            partitions: vec!["sdx1".into()],
            uses: Vec::new(),
        }
    }

    fn place(disk: Disk) -> Place {
        Place::Device { path: "/dev/sdx".into(), disk }
    }

    #[test]
    fn only_a_whole_idle_disk_with_room_is_taken() {
        place(card()).check(1 << 30).unwrap();
        let mounted = |at: &str| vec![Use::Mounted { device: "sdx1".into(), at: at.into() }];
        let refused = [
            (Disk { uses: mounted("/"), ..card() }, "the disk this system runs from"),
            (Disk { uses: mounted("/media/card"), ..card() }, "mounted at /media/card"),
            (Disk { whole: Some("sdy".into()), ..card() }, "a partition of sdy"),
            (Disk { bytes: 0, ..card() }, "no medium"),
            (Disk { is_read_only: true, ..card() }, "read-only"),
            (Disk { bytes: 1000, ..card() }, "it has 1000 bytes, and the image 1.0 GiB"),
        ];
        for (disk, reason) in refused {
            let error = place(disk).check(1 << 30).unwrap_err();
            assert!(error.reason().contains(reason), "{error}");
        }
    }

    #[test]
    fn what_is_lost_is_named_with_its_size() {
        let loss = place(card()).loss().unwrap();
        assert_eq!(loss, "/dev/sdx: Kingston, 1.0 GiB, removable, with sdx1");
        assert_eq!(place(card()).name(), "sdx");
    }

    #[test]
    fn sizes_are_rounded_down() {
        let shown = [0, 1023, 1024, 1_572_864, u64::MAX].map(size);
        assert_eq!(shown, ["0 bytes", "1023 bytes", "1.0 KiB", "1.5 MiB", "17179869183.9 GiB"]);
    }
}
