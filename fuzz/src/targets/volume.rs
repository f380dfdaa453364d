//! The disk that an audit reads: a partition table and a FAT volume. The input
//! says what is not as `fatfs` made it: a place, a length, and the bytes there.

use std::io::{Cursor, Write};
use std::sync::LazyLock;

use fatfs::{FatType, FileSystem, FormatVolumeOptions, FsOptions};
use helio::image;

/// Bytes in front of the volume, and of it.
const START: usize = 512;
const LENGTH: usize = 40 << 10;

static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut volume = Cursor::new(vec![0; LENGTH]);
    let options = FormatVolumeOptions::new().fat_type(FatType::Fat12).bytes_per_cluster(512);
    fatfs::format_volume(&mut volume, options).unwrap();
    let system = FileSystem::new(&mut volume, FsOptions::new()).unwrap();
    system.root_dir().create_dir("EFI").unwrap();
    for (path, length) in [("EFI/a long name.efi", 2_000), ("KERNEL.ELF", 5_000)] {
        system.root_dir().create_file(path).unwrap().write_all(&vec![1; length]).unwrap();
    }
    system.unmount().unwrap();
    let mut disk = vec![0; START];
    let sectors = u32::try_from(LENGTH / 512).unwrap();
    disk[450] = 0x0c;
    disk[454] = 1;
    disk[458..462].copy_from_slice(&sectors.to_le_bytes());
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    disk.extend(volume.into_inner());
    disk
});

pub(crate) fn fuzz(input: &[u8]) {
    read(input);
    let mut disk = GOOD.clone();
    let mut rest = input;
    while let [low, high, length, more @ ..] = rest {
        let (bytes, more) = more.split_at(more.len().min((*length).into()));
        let at = usize::from(u16::from_le_bytes([*low, *high])) % disk.len();
        disk.iter_mut().skip(at).zip(bytes).for_each(|(old, new)| *old = *new);
        rest = more;
    }
    let files = read(&disk);
    assert!(!input.is_empty() || files == Some(2));
}

/// How many files there are.
fn read(disk: &[u8]) -> Option<usize> {
    let range = image::partition(disk).ok()?;
    let volume = &disk[range];
    let read = |volume: &[u8]| match image::read_back(volume) {
        Ok(files) => {
            assert!(files.iter().map(|file| file.bytes.len()).sum::<usize>() <= volume.len());
            Some(files.len())
        }
        Err(damage) => {
            assert!(!damage.to_string().contains(char::is_control));
            None
        }
    };
    // A disk that is a volume is looked at as one, too.
    read(disk);
    read(volume)
}
