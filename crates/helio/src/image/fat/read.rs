//! Reading a FAT volume, by Microsoft's "FAT: General Overview of On-Disk
//! Format", 1.03.
//!
//! It may be damaged, or made to trap its reader, so this is our own: no number
//! in it is believed before it was compared with what is there, and a cluster
//! that is read is paid for, so that nothing goes in circles for long.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;

use super::Entry;

/// Deepest folder that is looked at.
const DEPTH_MAX: usize = 16;

/// Bytes of an entry of a folder.
const SLOT: usize = 32;

/// What is wrong with a disk or a volume, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The part of it.
    pub place: String,
    /// What is wrong there.
    pub reason: &'static str,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place.escape_debug(), self.reason)
    }
}

impl std::error::Error for Damage {}

impl Damage {
    /// Of a part of a disk or volume.
    pub(in crate::image) fn at(place: impl Into<String>, reason: &'static str) -> Self {
        Self { place: place.into(), reason }
    }
}

type Result<T> = std::result::Result<T, Damage>;

/// The files of a volume, sorted by path.
///
/// # Errors
/// Says what is wrong with the volume, and where in it.
pub fn read_back(volume: &[u8]) -> Result<Vec<Entry>> {
    let volume = Volume::open(volume).map_err(|reason| Damage::at("boot sector", reason))?;
    // No two files or folders can share a cluster.
    let mut budget = volume.clusters;
    let mut entries = Vec::new();
    let mut folders = vec![(String::new(), volume.root.clone(), 0)];
    while let Some((folder, start, depth)) = folders.pop() {
        let in_folder = |reason| Damage::at(format!("folder /{folder}"), reason);
        let slots = volume.folder(start, &mut budget).map_err(in_folder)?;
        for found in names(&slots) {
            let path = match folder.as_str() {
                "" => found.name,
                folder => format!("{folder}/{}", found.name),
            };
            if found.is_folder {
                if depth == DEPTH_MAX {
                    return Err(Damage::at(format!("folder /{path}"), "it is too deep"));
                }
                folders.push((path, Start::Cluster(found.cluster), depth + 1));
            } else {
                let read = volume.file(found.cluster, found.length, &mut budget);
                let bytes = read.map_err(|reason| Damage::at(format!("file /{path}"), reason))?;
                entries.push(Entry { path, bytes });
            }
        }
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

/// How wide an entry of the allocation table is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Fat12,
    Fat16,
    Fat32,
}

/// Where a folder begins.
#[derive(Clone)]
enum Start {
    /// The root of FAT12 and FAT16 has a place of its own, in bytes.
    Fixed(Range<usize>),
    Cluster(u32),
}

struct Volume<'a> {
    bytes: &'a [u8],
    kind: Kind,
    /// The first copy of the allocation table.
    table: &'a [u8],
    /// Where cluster 2 begins, in bytes.
    data: usize,
    cluster_bytes: usize,
    /// Number of clusters; the first one is cluster 2.
    clusters: u32,
    root: Start,
}

impl<'a> Volume<'a> {
    fn open(bytes: &'a [u8]) -> std::result::Result<Self, &'static str> {
        const OUTSIDE: &str = "it describes a volume that is longer than the partition";
        let short = |at: usize| number(bytes, at, 2);
        let long = |at: usize| number(bytes, at, 4);
        if bytes.get(510..512) != Some(&[0x55, 0xaa]) {
            return Err("it has no signature: this is no FAT volume");
        }
        let sector = short(11);
        if !matches!(sector, 512 | 1024 | 2048 | 4096) {
            return Err("the size of a sector is none that there is");
        }
        let per_cluster = number(bytes, 13, 1);
        let (reserved, copies, slots) = (short(14), number(bytes, 16, 1), short(17));
        if !per_cluster.is_power_of_two() || reserved == 0 || copies == 0 {
            return Err("its numbers are those of no FAT volume");
        }
        let (sectors, table) = (first_of(short(19), long(32)), first_of(short(22), long(36)));
        // All of these are below 2^32, so no product or sum overflows.
        let root = (reserved + copies * table) * sector;
        let data = root + (slots * SLOT as u64).next_multiple_of(sector);
        let (cluster_bytes, length) = (per_cluster * sector, sectors * sector);
        if length > bytes.len() as u64 || data > length {
            return Err(OUTSIDE);
        }
        let clusters = (length - data) / cluster_bytes;
        let kind = match clusters {
            // Only FAT32 has no other place for the size of its table.
            _ if short(22) == 0 => Kind::Fat32,
            ..4085 => Kind::Fat12,
            _ => Kind::Fat16,
        };
        let size = |number: u64| usize::try_from(number).map_err(|_| OUTSIDE);
        let table = size(reserved * sector)?..size((reserved + table) * sector)?;
        Ok(Self {
            bytes,
            kind,
            table: bytes.get(table).ok_or(OUTSIDE)?,
            data: size(data)?,
            cluster_bytes: size(cluster_bytes)?,
            // A FAT32 entry has 28 bits.
            clusters: u32::try_from(clusters).unwrap_or(u32::MAX).min(0x0fff_fff5),
            root: match kind {
                Kind::Fat32 => Start::Cluster(long(44) as u32),
                _ => Start::Fixed(size(root)?..size(data)?),
            },
        })
    }

    /// The bytes of a folder.
    fn folder(&self, start: Start, budget: &mut u32) -> std::result::Result<Vec<u8>, &'static str> {
        match start {
            Start::Fixed(range) => Ok(self.bytes.get(range).unwrap_or_default().to_vec()),
            Start::Cluster(first) => self.chain(first, None, budget),
        }
    }

    fn file(
        &self,
        first: u32,
        length: usize,
        budget: &mut u32,
    ) -> std::result::Result<Vec<u8>, &'static str> {
        match (first, length) {
            (_, 0) => Ok(Vec::new()),
            _ => self.chain(first, Some(length), budget),
        }
    }

    /// What is in the clusters from this one on: so many bytes, or all.
    fn chain(
        &self,
        first: u32,
        length: Option<usize>,
        budget: &mut u32,
    ) -> std::result::Result<Vec<u8>, &'static str> {
        let mut bytes = Vec::new();
        let mut next = Some(first);
        while let Some(cluster) = next {
            *budget = budget.checked_sub(1).ok_or("its clusters go in circles")?;
            let number = cluster.checked_sub(2).filter(|number| *number < self.clusters);
            let number = number.ok_or("it goes on in a cluster that the volume does not have")?;
            let at = self.data + number as usize * self.cluster_bytes;
            bytes
                .extend_from_slice(self.bytes.get(at..at + self.cluster_bytes).unwrap_or_default());
            if length.is_some_and(|length| bytes.len() >= length) {
                break;
            }
            next = self.after(cluster)?;
        }
        match length {
            Some(length) if bytes.len() < length => {
                Err("it has fewer clusters than its length takes")
            }
            Some(length) => {
                bytes.truncate(length);
                Ok(bytes)
            }
            None => Ok(bytes),
        }
    }

    /// The cluster that follows, by the allocation table; `None` at the end.
    fn after(&self, cluster: u32) -> std::result::Result<Option<u32>, &'static str> {
        let at = cluster as usize;
        let (at, width, end) = match self.kind {
            Kind::Fat12 => (at + at / 2, 2, 0xff8),
            Kind::Fat16 => (at * 2, 2, 0xfff8),
            Kind::Fat32 => (at * 4, 4, 0x0fff_fff8),
        };
        let entry =
            self.table.get(at..at + width).ok_or("the allocation table has no place for it")?;
        let entry = number(entry, 0, width) as u32;
        let next = match self.kind {
            Kind::Fat12 if cluster.is_multiple_of(2) => entry & 0xfff,
            Kind::Fat12 => entry >> 4,
            Kind::Fat16 => entry,
            Kind::Fat32 => entry & 0x0fff_ffff,
        };
        Ok((next < end).then_some(next))
    }
}

/// A little-endian number; zero where there are no such bytes.
fn number(bytes: &[u8], at: usize, width: usize) -> u64 {
    let bytes = bytes.get(at..at + width).unwrap_or_default();
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The number in its old place, or else in the newer, wider one.
fn first_of(old: u64, new: u64) -> u64 {
    if old == 0 { new } else { old }
}

/// A file or folder, as its folder has it.
struct Named {
    name: String,
    is_folder: bool,
    cluster: u32,
    length: usize,
}

/// What a folder lists, but for itself and the one above.
fn names(slots: &[u8]) -> Vec<Named> {
    const DELETED: u8 = 0xe5;
    const LONG: u64 = 0x0f;
    const LABEL: u64 = 0x08;
    const FOLDER: u64 = 0x10;
    let mut found = Vec::new();
    let mut long = LongName::default();
    for slot in slots.chunks_exact(SLOT) {
        let attributes = number(slot, 11, 1);
        match slot.first() {
            None | Some(0) => break,
            Some(&DELETED) => long = LongName::default(),
            Some(_) if attributes & 0x3f == LONG => long.add(slot),
            Some(_) if attributes & LABEL != 0 => long = LongName::default(),
            Some(_) => {
                let name = std::mem::take(&mut long).of(slot).unwrap_or_else(|| short_name(slot));
                if name != "." && name != ".." {
                    found.push(Named {
                        name,
                        is_folder: attributes & FOLDER != 0,
                        cluster: (number(slot, 20, 2) << 16 | number(slot, 26, 2)) as u32,
                        length: number(slot, 28, 4) as usize,
                    });
                }
            }
        }
    }
    found
}

/// The parts of a long name, which stand before its short one, the last first.
#[derive(Default)]
struct LongName {
    units: VecDeque<u16>,
    checksum: u64,
}

impl LongName {
    fn add(&mut self, slot: &[u8]) {
        const LAST: u64 = 0x40;
        if number(slot, 0, 1) & LAST != 0 {
            *self = Self { units: VecDeque::new(), checksum: number(slot, 13, 1) };
        }
        let places = (1..11).step_by(2).chain((14..26).step_by(2)).chain((28..32).step_by(2));
        for at in places.rev() {
            self.units.push_front(number(slot, at, 2) as u16);
        }
    }

    /// The name, if it belongs to this short one.
    fn of(mut self, slot: &[u8]) -> Option<String> {
        let rotate = |sum: u8, byte: &u8| sum.rotate_right(1).wrapping_add(*byte);
        let checksum = slot.iter().take(11).fold(0, rotate);
        let units = self.units.make_contiguous().split(|unit| *unit == 0).next()?;
        let name = String::from_utf16_lossy(units);
        (!name.is_empty() && self.checksum == u64::from(checksum)).then_some(name)
    }
}

/// A name of eight and three characters. Windows says in two bits which of the
/// two are in lower case.
fn short_name(slot: &[u8]) -> String {
    let part = |range: Range<usize>, lower: u64| {
        let bytes = slot.get(range).unwrap_or_default().trim_ascii_end();
        let name = String::from_utf8_lossy(bytes);
        if number(slot, 12, 1) & lower != 0 { name.to_lowercase() } else { name.into_owned() }
    };
    match (part(0..8, 0x08), part(8..11, 0x10)) {
        (stem, extension) if extension.is_empty() => stem,
        (stem, extension) => format!("{stem}.{extension}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};

    /// A volume with files whose names are short, long, and in another script.
    fn volume(kind: fatfs::FatType, length: usize) -> (Vec<u8>, Vec<Entry>) {
        let mut volume = Cursor::new(vec![0; length]);
        let options = fatfs::FormatVolumeOptions::new().fat_type(kind).bytes_per_cluster(512);
        fatfs::format_volume(&mut volume, options).unwrap();
        let system = fatfs::FileSystem::new(&mut volume, fatfs::FsOptions::new()).unwrap();
        for folder in ["EFI", "EFI/a folder with a long name", "nothing"] {
            system.root_dir().create_dir(folder).unwrap();
        }
        let files = [
            ("EFI/a folder with a long name/größer als acht.txt", 1_500),
            ("EFI/a folder with a long name/one more", 0),
            ("KERNEL.ELF", 5_000),
            ("lower.txt", 512),
        ];
        let entries = files.map(|(path, length)| {
            let bytes: Vec<u8> = (0..length).map(|at: u32| (at % 251) as u8).collect();
            system.root_dir().create_file(path).unwrap().write_all(&bytes).unwrap();
            Entry { path: path.into(), bytes }
        });
        system.root_dir().create_file("deleted").unwrap();
        system.root_dir().remove("deleted").unwrap();
        system.unmount().unwrap();
        (volume.into_inner(), entries.into())
    }

    #[test]
    fn what_others_wrote_is_read() {
        use fatfs::FatType::{Fat12, Fat16, Fat32};
        for (kind, length) in [(Fat12, 100 << 10), (Fat16, 4 << 20), (Fat32, 40 << 20)] {
            let (volume, files) = volume(kind, length);
            assert_eq!(read_back(&volume), Ok(files), "{kind:?}");
        }
    }

    #[test]
    fn damage_is_told_with_its_place() {
        let (good, _) = volume(fatfs::FatType::Fat12, 100 << 10);
        let told = |at: usize, bytes: &[u8]| {
            let mut bad = good.clone();
            bad[at..at + bytes.len()].copy_from_slice(bytes);
            read_back(&bad).unwrap_err().to_string()
        };
        let find = |name: &[u8]| good.windows(11).position(|it| it == name).unwrap();
        let kernel = find(b"KERNEL  ELF");
        let nowhere = "file /KERNEL.ELF: it goes on in a cluster that the volume does not have";
        assert_eq!(told(510, b"no"), "boot sector: it has no signature: this is no FAT volume");
        assert_eq!(told(11, &[0, 0]), "boot sector: the size of a sector is none that there is");
        assert_eq!(told(13, &[0]), "boot sector: its numbers are those of no FAT volume");
        let longer = "boot sector: it describes a volume that is longer than the partition";
        assert_eq!(told(19, &[0xff, 0xff]), longer);
        assert_eq!(told(kernel + 26, &[0xf0, 0x0f]), nowhere);
        assert_eq!(told(kernel + 26, &[0, 0]), nowhere);
        let length = "file /KERNEL.ELF: it has fewer clusters than its length takes";
        assert_eq!(told(kernel + 28, &[0xff, 0xff]), length);
        // The folder has itself for a file, the file the folder's cluster.
        let folder = find(b"EFI        ");
        let own = [good[folder + 26], good[folder + 27]];
        let inner = good.windows(32).position(|it| it.starts_with(b"AFOLDE~1") && it[11] == 0x10);
        let circle = told(inner.unwrap() + 26, &own);
        assert!(circle.ends_with("too deep") || circle.ends_with("go in circles"), "{circle}");
        assert_eq!(read_back(&[]).unwrap_err().place, "boot sector");
    }
}
