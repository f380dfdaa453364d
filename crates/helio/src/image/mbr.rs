//! An MBR disk with one partition.

use std::io::Cursor;
use std::ops::Range;

use mbrman::{BOOT_ACTIVE, CHS, MBR, MBRPartitionEntry};

use crate::error::{HelioError, Result};

/// Bytes in a sector.
const SECTOR: usize = 512;

/// Where the partition begins, in sectors: 1 MiB, which leaves room for
/// Limine's second stage and suits every medium's erase block.
const START: u32 = 2048;

/// The disk's signature, "HELI".
const SIGNATURE: [u8; 4] = *b"HELI";

/// Partition type "EFI system partition".
const EFI_SYSTEM: u8 = 0xEF;

/// A disk with `volume` as its one, active partition.
pub(super) fn wrap(volume: &[u8]) -> Result<Vec<u8>> {
    let sectors = u32::try_from(volume.len() / SECTOR).map_err(|_| too_large(volume.len()))?;
    let start = START as usize * SECTOR;
    let mut disk = vec![0; start];
    disk.extend_from_slice(volume);
    let mut cursor = Cursor::new(disk);
    let mut mbr = MBR::new_from(&mut cursor, SECTOR as u32, SIGNATURE).map_err(odd)?;
    mbr[1] = MBRPartitionEntry {
        boot: BOOT_ACTIVE,
        first_chs: CHS::empty(),
        sys: EFI_SYSTEM,
        last_chs: CHS::empty(),
        starting_lba: START,
        sectors,
    };
    mbr.write_into(&mut cursor).map_err(odd)?;
    Ok(cursor.into_inner())
}

/// Where the boot partition of a disk lies, in bytes.
///
/// # Errors
/// A disk without an MBR, or whose first partition is not inside it.
pub fn partition(disk: &[u8]) -> Result<Range<usize>> {
    let mbr = MBR::read_from(&mut Cursor::new(disk), SECTOR as u32).map_err(odd)?;
    let entry = &mbr[1];
    let start = entry.starting_lba as usize * SECTOR;
    let end = start.saturating_add(entry.sectors as usize * SECTOR);
    if entry.is_unused() || end > disk.len() {
        return Err(HelioError::input(
            "image",
            "partition table",
            "the first partition is not inside the disk",
            "give a disk image that helio made",
        ));
    }
    Ok(start..end)
}

fn odd(error: mbrman::Error) -> HelioError {
    HelioError::input("image", "partition table", error, "give a disk image that helio made")
}

fn too_large(length: usize) -> HelioError {
    HelioError::input(
        "image",
        "partition",
        format_args!("{length} bytes are more than an MBR disk holds"),
        "make the package smaller",
    )
}
