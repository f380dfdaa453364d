//! An MBR disk with one partition, or with a second one for the log.

use std::io::Cursor;
use std::ops::Range;

use hal::partition::{self, LOG_PARTITION};
use mbrman::{BOOT_ACTIVE, BOOT_INACTIVE, CHS, MBR, MBRPartitionEntry};

use super::Damage;
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

/// Partition type "FAT32 with logical addresses", which a Raspberry Pi's boot
/// loader looks for.
const FAT32: u8 = 0x0C;

/// What a disk with a GUID partition table has as its first partition, for
/// those who know only this kind of table (UEFI 2.10, 5.2.3).
const GUID_TABLE: u8 = 0xEE;

/// Where sector 0 has the type of the first partition.
const FIRST_TYPE: usize = 446 + 4;

/// A disk with `volume` as its one, active partition.
pub(super) fn wrap(volume: &[u8]) -> Result<Vec<u8>> {
    let entry = entry(BOOT_ACTIVE, EFI_SYSTEM, START, volume.len())?;
    assemble(volume, &[entry])
}

/// A disk with `volume` as its active partition and one of at least `log_bytes`
/// for the log behind it: the disk up to the log, and how long it is with the
/// log, a power of two.
pub(super) fn with_log(volume: &[u8], log_bytes: u64) -> Result<(Vec<u8>, u64)> {
    let too_large = || too_large(volume.len());
    let log_bytes = usize::try_from(log_bytes).map_err(|_| too_large())?;
    let log_start = START as usize * SECTOR + volume.len();
    let length = log_start.checked_add(log_bytes).ok_or_else(too_large)?;
    let length = length.checked_next_power_of_two().ok_or_else(too_large)?;
    let log_sector = u32::try_from(log_start / SECTOR).map_err(|_| too_large())?;
    let boot = entry(BOOT_ACTIVE, FAT32, START, volume.len())?;
    let log = entry(BOOT_INACTIVE, LOG_PARTITION, log_sector, length - log_start)?;
    Ok((assemble(volume, &[boot, log])?, length as u64))
}

fn entry(boot: u8, sys: u8, starting_lba: u32, bytes: usize) -> Result<MBRPartitionEntry> {
    let sectors = u32::try_from(bytes / SECTOR).map_err(|_| too_large(bytes))?;
    let (first_chs, last_chs) = (CHS::empty(), CHS::empty());
    Ok(MBRPartitionEntry { boot, first_chs, sys, last_chs, starting_lba, sectors })
}

fn assemble(volume: &[u8], entries: &[MBRPartitionEntry]) -> Result<Vec<u8>> {
    let mut disk = vec![0; START as usize * SECTOR];
    disk.extend_from_slice(volume);
    let mut cursor = Cursor::new(disk);
    let mut mbr = MBR::new_from(&mut cursor, SECTOR as u32, SIGNATURE).map_err(odd)?;
    for (number, entry) in (1..).zip(entries) {
        mbr[number] = entry.clone();
    }
    mbr.write_into(&mut cursor).map_err(odd)?;
    Ok(cursor.into_inner())
}

/// Where the log's partition lies, in bytes, by a disk's first sector. `None`
/// where there is none: what begins otherwise is no disk with partitions.
pub fn log_partition(first_sector: &[u8]) -> Option<Range<u64>> {
    let sector = first_sector.first_chunk::<SECTOR>()?;
    let extent = partition::find(sector, LOG_PARTITION, u64::MAX)?;
    let start = extent.start * SECTOR as u64;
    Some(start..start + extent.count * SECTOR as u64)
}

/// Where the boot partition of a disk lies, in bytes.
///
/// # Errors
/// A disk without an MBR, or whose first partition is not inside it.
pub fn partition(disk: &[u8]) -> std::result::Result<Range<usize>, Damage> {
    let damage = |reason| Damage::at("partition table", reason);
    let sector = disk.first_chunk::<SECTOR>().ok_or(damage("the disk has not even one sector"))?;
    let kind = sector[FIRST_TYPE];
    if kind == GUID_TABLE {
        return Err(damage("it is of the GUID kind, and helio's images have the older one"));
    }
    let found = partition::find(sector, kind, (disk.len() / SECTOR) as u64);
    let found = found.ok_or(damage("there is no first partition inside the disk"))?;
    // Inside the disk, so no longer than it.
    let start = found.start as usize * SECTOR;
    Ok(start..start + found.count as usize * SECTOR)
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
