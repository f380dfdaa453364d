//! A FAT32 volume from a list of files, and what is on one.

mod read;

use std::collections::BTreeSet;
use std::io::{self, Cursor, Write};

use fatfs::{Date, DateTime, FatType, FileSystem, FormatVolumeOptions, FsOptions, Time};

pub use read::{Damage, read_back};

/// A file on the volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Path from the volume's root, with slashes.
    pub path: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// Bytes in a sector and in a cluster. With the smallest cluster a volume is
/// FAT32 from 33 MiB on, which every firmware reads.
const SECTOR: u32 = 512;

/// Smallest volume, in bytes.
const LEAST: u64 = 47 << 20;

/// Room left for files that somebody adds, and for directories, in bytes.
const ROOM: u64 = 8 << 20;

/// "HELI": the volume's serial number.
const VOLUME_ID: u32 = 0x4845_4C49;

/// When every file was written: no clock reaches an image.
#[derive(Debug)]
struct FixedTime;

impl fatfs::TimeProvider for FixedTime {
    fn get_current_date(&self) -> Date {
        Date { year: 2020, month: 1, day: 1 }
    }

    fn get_current_date_time(&self) -> DateTime {
        let time = Time { hour: 0, min: 0, sec: 0, millis: 0 };
        DateTime { date: self.get_current_date(), time }
    }
}

static FIXED_TIME: FixedTime = FixedTime;

/// A volume that holds the files, a whole number of MiB long.
pub(super) fn format(files: &[Entry]) -> io::Result<Vec<u8>> {
    let content: u64 = files.iter().map(|file| file.bytes.len() as u64).sum();
    let length = (content + ROOM).max(LEAST).next_multiple_of(1 << 20);
    let length = usize::try_from(length).map_err(io::Error::other)?;
    let mut volume = Cursor::new(vec![0; length]);
    let options = FormatVolumeOptions::new()
        .fat_type(FatType::Fat32)
        .bytes_per_cluster(SECTOR)
        .volume_id(VOLUME_ID)
        .volume_label(*b"HELIOGRAPH ");
    fatfs::format_volume(&mut volume, options)?;
    let system = FileSystem::new(&mut volume, FsOptions::new().time_provider(&FIXED_TIME))?;
    let mut folders = BTreeSet::new();
    for file in files {
        make_folders(&system, &file.path, &mut folders)?;
        let mut out = system.root_dir().create_file(&file.path)?;
        out.write_all(&file.bytes)?;
        out.flush()?;
    }
    system.unmount()?;
    Ok(volume.into_inner())
}

type Volume<'a> = FileSystem<&'a mut Cursor<Vec<u8>>>;

fn make_folders(system: &Volume<'_>, path: &str, made: &mut BTreeSet<String>) -> io::Result<()> {
    for (at, _) in path.match_indices('/') {
        if made.insert(path[..at].to_owned()) {
            system.root_dir().create_dir(&path[..at])?;
        }
    }
    Ok(())
}
