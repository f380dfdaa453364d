//! A partition of a disk, by the partition table that PCs have always had.
//!
//! A card that a board boots from has other things on it than the log, so the
//! log gets a partition of its own and never a byte outside it.

use crate::traits::{BlockDevice, BlockError, SECTOR_SIZE};
use crate::virtio::is_for_log;

/// Type of the log's partition: "data that is no file system", which no
/// system mounts, formats or mends.
pub const LOG_PARTITION: u8 = 0xda;

/// Where the table begins in sector 0, and what the sector ends with.
const TABLE: usize = 446;
const SIGNATURE: [u8; 2] = [0x55, 0xaa];

/// A range of sectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// First sector.
    pub start: u64,
    /// Number of sectors, at least one.
    pub count: u64,
}

/// The first partition of a type, by a disk's sector 0. `None` where there is
/// no table, or no such partition, or it is not on a disk of `sectors`.
pub fn find(sector: &[u8; SECTOR_SIZE], kind: u8, sectors: u64) -> Option<Extent> {
    if !sector.ends_with(&SIGNATURE) {
        return None;
    }
    let entries = sector.get(TABLE..SECTOR_SIZE - SIGNATURE.len())?.chunks_exact(16);
    let mut wanted = entries.filter(|entry| entry.get(4) == Some(&kind));
    let entry = wanted.next()?;
    let start = u64::from(u32::from_le_bytes(*entry.get(8..)?.first_chunk()?));
    let count = u64::from(u32::from_le_bytes(*entry.get(12..)?.first_chunk()?));
    let is_inside = start > 0 && count > 0 && start + count <= sectors;
    is_inside.then_some(Extent { start, count })
}

/// A part of a disk as a disk.
pub struct Partition<D> {
    disk: D,
    extent: Extent,
}

impl<D: BlockDevice> Partition<D> {
    /// The log's partition of a disk. `None` where there is none, where the
    /// disk cannot be read, or where something else than a log lies in it.
    pub fn for_log(mut disk: D) -> Option<Self> {
        let mut sector = [0; SECTOR_SIZE];
        disk.read(0, &mut sector).ok()?;
        let extent = find(&sector, LOG_PARTITION, disk.sectors())?;
        disk.read(extent.start, &mut sector).ok()?;
        is_for_log(&[], &sector).then_some(Self { disk, extent })
    }

    /// The disk it is on.
    pub fn disk(&self) -> &D {
        &self.disk
    }

    /// The sector on the disk, if `bytes` from there on are in the partition.
    fn place(&self, sector: u64, bytes: usize) -> Result<u64, BlockError> {
        if bytes == 0 || !bytes.is_multiple_of(SECTOR_SIZE) {
            return Err(BlockError::BadLength);
        }
        match sector.checked_add((bytes / SECTOR_SIZE) as u64) {
            Some(end) if end <= self.extent.count => Ok(self.extent.start + sector),
            _ => Err(BlockError::OutOfRange),
        }
    }
}

impl<D: BlockDevice> BlockDevice for Partition<D> {
    fn sectors(&self) -> u64 {
        self.extent.count
    }

    fn read(&mut self, sector: u64, buffer: &mut [u8]) -> Result<(), BlockError> {
        let sector = self.place(sector, buffer.len())?;
        self.disk.read(sector, buffer)
    }

    fn write(&mut self, sector: u64, buffer: &[u8]) -> Result<(), BlockError> {
        let sector = self.place(sector, buffer.len())?;
        self.disk.write(sector, buffer)
    }

    fn flush(&mut self) -> Result<(), BlockError> {
        self.disk.flush()
    }

    fn can_flush(&self) -> bool {
        self.disk.can_flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosted::Disk;
    use crate::virtio::LOG_MAGIC;

    /// A disk of 100 sectors with a partition.
    fn disk(kind: u8, start: u32, count: u32) -> Disk {
        let mut disk = Disk::new(100);
        // The second entry, behind one of another type.
        disk.contents[TABLE + 4] = 0x0c;
        let entry = &mut disk.contents[TABLE + 16..][..16];
        entry[4] = kind;
        entry[8..12].copy_from_slice(&start.to_le_bytes());
        entry[12..16].copy_from_slice(&count.to_le_bytes());
        disk.contents[510..512].copy_from_slice(&SIGNATURE);
        disk
    }

    #[test]
    fn what_is_written_stays_inside_the_partition() {
        let mut part = Partition::for_log(disk(LOG_PARTITION, 40, 10)).unwrap();
        assert_eq!(part.sectors(), 10);
        part.write(0, &[1; SECTOR_SIZE]).unwrap();
        part.write(8, &[2; 2 * SECTOR_SIZE]).unwrap();
        let mut back = [0; SECTOR_SIZE];
        part.read(9, &mut back).unwrap();
        assert_eq!(back, [2; SECTOR_SIZE]);
        for (sector, bytes) in [(10, 1), (9, 2), (u64::MAX, 1)] {
            let result = part.write(sector, &vec![3; bytes * SECTOR_SIZE]);
            assert_eq!(result, Err(BlockError::OutOfRange));
        }
        assert_eq!(part.write(0, &[0; 100]), Err(BlockError::BadLength));
        let contents = &part.disk().contents;
        let sector = |at: usize| contents[at * SECTOR_SIZE];
        assert_eq!([39, 40, 48, 49, 50].map(sector), [0, 1, 2, 2, 0]);
    }

    #[test]
    fn a_partition_is_taken_if_it_is_the_logs_and_holds_nothing_else() {
        assert!(Partition::for_log(disk(0x83, 40, 10)).is_none());
        let mut foreign = disk(LOG_PARTITION, 40, 10);
        foreign.contents[40 * SECTOR_SIZE] = 7;
        assert!(Partition::for_log(foreign).is_none());
        let mut log = disk(LOG_PARTITION, 40, 10);
        log.contents[40 * SECTOR_SIZE..][..16].copy_from_slice(LOG_MAGIC);
        assert!(Partition::for_log(log).is_some());
    }

    #[test]
    fn a_partition_that_is_not_on_the_disk_is_none() {
        for (start, count) in [(0, 10), (40, 0), (40, 61), (u32::MAX, u32::MAX)] {
            assert!(Partition::for_log(disk(LOG_PARTITION, start, count)).is_none());
        }
        let mut unsigned = disk(LOG_PARTITION, 40, 10);
        unsigned.contents[511] = 0;
        assert!(Partition::for_log(unsigned).is_none());
    }
}
