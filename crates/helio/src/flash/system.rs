//! What the system knows of its disks, and what it uses them for.
//!
//! Read from `/proc` and `/sys`, as text, and from nowhere else: the same code
//! looks at a folder with made-up disks in the tests.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{HelioError, Result};

/// Where the system tells of itself.
#[derive(Clone, Debug)]
pub struct System {
    proc: PathBuf,
    sys: PathBuf,
}

/// A block device's number: major and minor.
pub type Number = (u32, u32);

/// A whole disk, or a partition of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Its name below `/dev`.
    pub name: String,
    /// Maker and model, as the disk says; may be empty.
    pub model: String,
    /// Its size in bytes; 0 if there is no medium.
    pub bytes: u64,
    /// Whether it can be taken out.
    pub is_removable: bool,
    /// Whether it refuses to be written to.
    pub is_read_only: bool,
    /// The disk that this is a partition of.
    pub whole: Option<String>,
    /// Names of its partitions.
    pub partitions: Vec<String>,
    /// What it, its partitions, or anything built on them is in use for.
    pub uses: Vec<Use>,
}

/// A use of a disk that forbids writing to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    /// A file system on it is mounted.
    Mounted {
        /// The device that is.
        device: String,
        /// Where.
        at: String,
    },
    /// The system swaps to it.
    Swap {
        /// The device it swaps to.
        device: String,
    },
    /// Another device is made of it: a logical volume, an array, an encrypted
    /// disk.
    Part {
        /// The device that is used.
        device: String,
        /// The device that uses it.
        of: String,
    },
}

/// Where the system itself is mounted.
const SYSTEM_MOUNTS: [&str; 5] = ["/", "/boot", "/boot/efi", "/efi", "/usr"];

impl Use {
    /// Whether the running system itself needs it.
    pub fn is_systems(&self) -> bool {
        match self {
            Self::Mounted { at, .. } => SYSTEM_MOUNTS.contains(&at.as_str()),
            Self::Swap { .. } => true,
            Self::Part { .. } => false,
        }
    }
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mounted { device, at } => write!(f, "{device} is mounted at {at}"),
            Self::Swap { device } => write!(f, "the system swaps to {device}"),
            Self::Part { device, of } => write!(f, "{device} is a part of {of}"),
        }
    }
}

/// A block device, with the names it is known by below `/dev`.
struct Node {
    name: String,
    names: Vec<String>,
    number: Option<Number>,
}

impl System {
    /// This one.
    pub fn here() -> Self {
        Self::at(Path::new("/"))
    }

    /// One whose `/proc` and `/sys` lie below this folder.
    pub fn at(root: &Path) -> Self {
        Self { proc: root.join("proc"), sys: root.join("sys") }
    }

    /// The disk with this number.
    ///
    /// # Errors
    /// The system knows none, or does not say what is needed to judge it.
    pub fn disk(&self, number: Number) -> Result<Disk> {
        let (major, minor) = number;
        let link = self.sys.join(format!("dev/block/{major}:{minor}"));
        let folder = link.canonicalize().map_err(|source| HelioError::read(&link, source))?;
        let name = name_of(&folder);
        let is_partition = folder.join("partition").exists();
        let whole = folder.parent().filter(|_| is_partition).map(name_of);
        let sectors = read_number(&folder.join("size"))?;
        let about = |file: &str| {
            fs::read_to_string(folder.join(file)).unwrap_or_default().trim().to_owned()
        };
        let model = format!("{} {}", about("device/vendor"), about("device/model"));
        Ok(Disk {
            model: if model.trim().is_empty() { about("device/name") } else { model.trim().into() },
            // The size is in units of 512 bytes, whatever a sector has.
            bytes: sectors.saturating_mul(512),
            is_removable: read_number(&folder.join("removable")).is_ok_and(|it| it != 0),
            is_read_only: read_number(&folder.join("ro"))? != 0,
            partitions: partitions(&folder)?.iter().map(|folder| name_of(folder)).collect(),
            uses: self.uses(&folder)?,
            whole,
            name,
        })
    }

    /// The loop device that a file is in use by, if any is.
    pub fn loop_device(&self, file: &Path) -> Option<String> {
        let entries = fs::read_dir(self.sys.join("block")).ok()?;
        let mut folders = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let found = folders.find(|folder| {
            let backing = fs::read_to_string(folder.join("loop/backing_file"));
            backing.is_ok_and(|backing| Path::new(backing.trim_end_matches('\n')) == file)
        })?;
        Some(name_of(&found))
    }

    fn uses(&self, folder: &Path) -> Result<Vec<Use>> {
        let mut uses = Vec::new();
        let mut nodes = Vec::new();
        let mut seen = BTreeSet::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            if !seen.insert(folder.clone()) {
                continue;
            }
            let device = name_of(&folder);
            folders.extend(partitions(&folder)?);
            for holder in entries(&folder.join("holders"))? {
                let of = name_of(&holder);
                uses.push(Use::Part { device: device.clone(), of: of.clone() });
                // What a holder is used for, the disk is used for.
                if let Ok(above) = self.sys.join("block").join(of).canonicalize() {
                    folders.push(above);
                }
            }
            nodes.push(node(&folder, device));
        }
        uses.extend(self.mounts(&nodes)?);
        uses.extend(self.swaps(&nodes)?);
        uses.sort_by_key(|it| !it.is_systems());
        Ok(uses)
    }

    /// The mounts of these devices: by number, and by name for those file
    /// systems (btrfs) that show a number of their own.
    fn mounts(&self, nodes: &[Node]) -> Result<Vec<Use>> {
        let path = self.proc.join("self/mountinfo");
        let text = fs::read_to_string(&path).map_err(|source| HelioError::read(&path, source))?;
        let mounted = |line: &str| {
            // proc(5): id, parent, number, root, mount point, …, " - ", file
            // system, source, …
            let (fields, rest) = line.split_once(" - ")?;
            let mut fields = fields.split(' ').skip(2);
            let number = parse_number(fields.next()?);
            let at = unescaped(fields.nth(1)?);
            let source = unescaped(rest.split(' ').nth(1)?);
            let node = nodes.iter().find(|node| {
                node.number.is_some() && node.number == number || node.is_called(&source)
            })?;
            Some(Use::Mounted { device: node.name.clone(), at })
        };
        Ok(text.lines().filter_map(mounted).collect())
    }

    fn swaps(&self, nodes: &[Node]) -> Result<Vec<Use>> {
        let path = self.proc.join("swaps");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            // A kernel without swap has no such file.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(HelioError::read(&path, source)),
        };
        let swap = |line: &str| {
            let source = unescaped(line.split_whitespace().next()?);
            let node = nodes.iter().find(|node| node.is_called(&source))?;
            Some(Use::Swap { device: node.name.clone() })
        };
        Ok(text.lines().skip(1).filter_map(swap).collect())
    }
}

impl Node {
    fn is_called(&self, source: &str) -> bool {
        source.strip_prefix("/dev/").is_some_and(|name| self.names.iter().any(|it| it == name))
    }
}

fn node(folder: &Path, name: String) -> Node {
    let mut names = vec![name.clone()];
    if let Ok(mapped) = fs::read_to_string(folder.join("dm/name")) {
        names.push(format!("mapper/{}", mapped.trim()));
    }
    let number = fs::read_to_string(folder.join("dev")).ok();
    let number = number.and_then(|text| parse_number(text.trim()));
    Node { name, names, number }
}

/// Folders of a disk's partitions, sorted.
fn partitions(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = entries(folder)?;
    found.retain(|path| path.join("partition").exists());
    Ok(found)
}

/// What lies in a folder, sorted; nothing where there is no such folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(HelioError::read(folder, source)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(|source| HelioError::read(folder, source))?.path());
    }
    paths.sort();
    Ok(paths)
}

fn name_of(folder: &Path) -> String {
    folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn read_number(path: &Path) -> Result<u64> {
    let text = fs::read_to_string(path).map_err(|source| HelioError::read(path, source))?;
    text.trim().parse().map_err(|error| {
        HelioError::input("flash", path.display(), error, "report it: the system's disks look odd")
    })
}

fn parse_number(text: &str) -> Option<Number> {
    let (major, minor) = text.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// A field in which blanks and backslashes are three octal digits.
fn unescaped(field: &str) -> String {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) if first == b'\\' => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine with a system disk (an encrypted root on a logical volume,
    /// and swap), a card with one mounted partition, and an idle card.
    fn machine() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let disk = |name: &str, minor: u32, sectors: u64| {
            put(&format!("sys/block/{name}/dev"), &format!("8:{minor}\n"));
            put(&format!("sys/block/{name}/size"), &format!("{sectors}\n"));
            put(&format!("sys/block/{name}/ro"), "0\n");
            put(&format!("sys/block/{name}/removable"), "1\n");
            link(root.path(), &format!("8:{minor}"), name);
        };
        let partition = |disk: &str, number: u32, minor: u32| {
            let name = format!("{disk}{number}");
            put(&format!("sys/block/{disk}/{name}/dev"), &format!("8:{minor}\n"));
            put(&format!("sys/block/{disk}/{name}/partition"), "1\n");
            put(&format!("sys/block/{disk}/{name}/size"), "2048\n");
            put(&format!("sys/block/{disk}/{name}/ro"), "0\n");
            link(root.path(), &format!("8:{minor}"), &format!("{disk}/{name}"));
        };
        disk("sda", 0, 1 << 21);
        partition("sda", 1, 1);
        partition("sda", 2, 2);
        partition("sda", 3, 3);
        put("sys/block/sda/sda2/holders/dm-0/x", "");
        put("sys/block/dm-0/dev", "253:0\n");
        put("sys/block/dm-0/dm/name", "crypt\n");
        put("sys/block/dm-0/holders/dm-1/x", "");
        put("sys/block/dm-1/dev", "253:1\n");
        put("sys/block/dm-1/dm/name", "root volume\n");
        disk("sdb", 16, 1 << 20);
        partition("sdb", 1, 17);
        put("sys/block/sdb/device/vendor", "Kingston\n");
        put("sys/block/sdb/device/model", "DataTraveler 3.0\n");
        disk("sdc", 32, 4096);
        put("sys/block/loop3/loop/backing_file", "/somewhere/card.img\n");
        put(
            "proc/self/mountinfo",
            "21 1 0:44 /@ / rw - btrfs /dev/mapper/root\\040volume rw\n\
             22 21 8:1 / /boot/efi rw,relatime shared:7 - vfat /dev/sda1 rw\n\
             23 21 8:17 / /media/my\\040card rw - vfat /dev/sdb1 rw\n\
             24 21 0:5 / /proc rw - proc proc rw\n",
        );
        put("proc/swaps", "Filename Type Size Used Priority\n/dev/sda3 partition 1 0 -2\n");
        root
    }

    fn link(root: &Path, number: &str, to: &str) {
        let folder = root.join("sys/dev/block");
        fs::create_dir_all(&folder).unwrap();
        std::os::unix::fs::symlink(format!("../../block/{to}"), folder.join(number)).unwrap();
    }

    #[test]
    fn the_systems_disk_is_known_through_every_layer() {
        let root = machine();
        let disk = System::at(root.path()).disk((8, 0)).unwrap();
        assert_eq!(disk.partitions, ["sda1", "sda2", "sda3"]);
        let said: Vec<_> = disk.uses.iter().map(Use::to_string).collect();
        for use_ in [
            "dm-1 is mounted at /",
            "sda1 is mounted at /boot/efi",
            "the system swaps to sda3",
            "sda2 is a part of dm-0",
            "dm-0 is a part of dm-1",
        ] {
            assert!(said.iter().any(|it| it == use_), "{use_}: {said:?}");
        }
        assert!(disk.uses[0].is_systems());
    }

    #[test]
    fn a_mounted_card_an_idle_one_and_a_partition_are_told_apart() {
        let root = machine();
        let system = System::at(root.path());
        let mounted = system.disk((8, 16)).unwrap();
        assert_eq!(mounted.model, "Kingston DataTraveler 3.0");
        assert_eq!(mounted.bytes, 512 << 20);
        let at = "/media/my card".to_owned();
        assert_eq!(mounted.uses, [Use::Mounted { device: "sdb1".into(), at }]);
        assert!(!mounted.uses[0].is_systems());
        let idle = system.disk((8, 32)).unwrap();
        assert_eq!((idle.bytes, &idle.uses, &idle.whole), (2 << 20, &Vec::new(), &None));
        assert_eq!(system.disk((8, 17)).unwrap().whole.as_deref(), Some("sdb"));
        assert!(system.disk((9, 9)).is_err());
    }

    #[test]
    fn a_file_behind_a_loop_device_is_found() {
        let root = machine();
        let system = System::at(root.path());
        assert_eq!(system.loop_device(Path::new("/somewhere/card.img")).unwrap(), "loop3");
        assert_eq!(system.loop_device(Path::new("/somewhere/else.img")), None);
    }
}
