//! The log on a disk or a partition of its own: appended in whole sectors.

use crate::recorder::Device;
use alloc::vec::Vec;
use core::fmt;
use witness::{
    BootId,
    frame::disk::{SECTOR, header_sector, pad},
};

/// What the log needs of a disk.
pub trait Sectors {
    /// Why the disk failed.
    type Error;

    /// Size in sectors of [`SECTOR`] bytes.
    fn count(&self) -> u64;
    /// Writes whole sectors, the first of them to `sector`.
    fn write(&mut self, sector: u64, bytes: &[u8]) -> Result<(), Self::Error>;
    /// Returns once what was written survives a loss of power, if the disk
    /// can do that.
    fn flush(&mut self) -> Result<(), Self::Error>;
}

/// Why the log cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskError<E> {
    /// The disk failed.
    Disk(E),
    /// The disk has no room left.
    Full,
}

impl<E: fmt::Display> fmt::Display for DiskError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(error) => write!(f, "the log disk failed: {error}"),
            Self::Full => f.write_str("the log disk is full"),
        }
    }
}

impl<E> From<E> for DiskError<E> {
    fn from(error: E) -> Self {
        Self::Disk(error)
    }
}

/// A disk with a log on it that grows.
pub struct DiskLog<S> {
    sectors: S,
    boot: BootId,
    next: u64,
}

impl<S: Sectors> DiskLog<S> {
    /// Begins a log: sector 0 is overwritten, and what an older log left
    /// behind it is told apart by its boot id.
    pub fn begin(mut sectors: S, boot: BootId) -> Result<Self, DiskError<S::Error>> {
        if sectors.count() < 2 {
            return Err(DiskError::Full);
        }
        sectors.write(0, &header_sector(&boot))?;
        sectors.flush()?;
        Ok(Self { sectors, boot, next: 1 })
    }

    /// Sectors used, and sectors there are.
    pub fn usage(&self) -> (u64, u64) {
        (self.next, self.sectors.count())
    }
}

impl<S: Sectors> Device for DiskLog<S> {
    type Error = DiskError<S::Error>;

    fn append(&mut self, mut frames: Vec<u8>) -> Result<(), Self::Error> {
        if frames.is_empty() {
            return Ok(());
        }
        pad(&mut frames, &self.boot);
        let count = (frames.len() / SECTOR) as u64;
        let end = self.next.checked_add(count).ok_or(DiskError::Full)?;
        if end > self.sectors.count() {
            return Err(DiskError::Full);
        }
        self.sectors.write(self.next, &frames)?;
        self.next = end;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(self.sectors.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Failure, Recorder};
    use alloc::{string::ToString, vec};
    use core::convert::Infallible;
    use witness::{
        Draft, Hasher, Log,
        frame::{Collector, disk::DiskReader},
        key,
        note::SigningKey,
        record::{Genesis, Short},
        sha256,
    };

    const BOOT: BootId = [7; 16];

    /// A disk that remembers the order of writes and flushes.
    struct Memory {
        bytes: Vec<u8>,
        steps: Vec<&'static str>,
    }

    impl Sectors for &mut Memory {
        type Error = Infallible;

        fn count(&self) -> u64 {
            (self.bytes.len() / SECTOR) as u64
        }

        fn write(&mut self, sector: u64, bytes: &[u8]) -> Result<(), Infallible> {
            let at = sector as usize * SECTOR;
            self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
            self.steps.push("write");
            Ok(())
        }

        fn flush(&mut self) -> Result<(), Infallible> {
            self.steps.push("flush");
            Ok(())
        }
    }

    fn log() -> Log {
        Log::new(Hasher(sha256::software), 8)
    }

    fn write_one(log: &mut Log) {
        let reservation = log.reserve().unwrap();
        let profile = Short::new(b"test").unwrap();
        log.write(
            reservation,
            &Draft::genesis(Genesis { package: [1; 32], seed: 2, state_root: [3; 32], profile }),
        );
    }

    fn recorder(memory: &mut Memory) -> Recorder<DiskLog<&mut Memory>> {
        let disk = DiskLog::begin(memory, BOOT).unwrap();
        Recorder::new(disk, BOOT, "device/test".to_string(), SigningKey::from_bytes(&[9; 32]))
    }

    #[test]
    fn records_are_flushed_before_the_checkpoint_over_them_is_written() {
        let mut memory = Memory { bytes: vec![0xff; 64 * SECTOR], steps: vec![] };
        let mut log = log();
        write_one(&mut log);
        recorder(&mut memory).commit(&mut log).unwrap();
        assert_eq!(memory.steps, ["write", "flush", "write", "flush", "write", "flush"]);

        let mut collector = Collector::new();
        for frame in DiskReader::open(&memory.bytes).unwrap() {
            collector.push(&frame).unwrap();
        }
        let collected = collector.finish();
        assert_eq!((collected.entries.len(), collected.covered), (1, 1));
        let note = collected.checkpoint.unwrap();
        let public = key::public(&SigningKey::from_bytes(&[9; 32]));
        let verifier = witness::note::VerifierKey::new("device/test", &public).unwrap();
        assert!(witness::note::open(&note, &[verifier]).is_ok());
    }

    #[test]
    fn nothing_new_is_not_committed_again() {
        let mut memory = Memory { bytes: vec![0; 64 * SECTOR], steps: vec![] };
        let mut log = log();
        write_one(&mut log);
        let mut recorder = recorder(&mut memory);
        recorder.commit(&mut log).unwrap();
        let used = recorder.device().usage();
        recorder.commit(&mut log).unwrap();
        assert_eq!(recorder.device().usage(), used);
    }

    #[test]
    fn a_full_disk_refuses_and_keeps_what_it_has() {
        let mut memory = Memory { bytes: vec![0; 3 * SECTOR], steps: vec![] };
        let mut log = log();
        write_one(&mut log);
        let mut recorder = recorder(&mut memory);
        recorder.commit(&mut log).unwrap();
        write_one(&mut log);
        assert_eq!(recorder.commit(&mut log), Err(Failure::Device(DiskError::Full)));
    }

    #[test]
    fn a_disk_without_room_for_a_log_is_refused() {
        let mut memory = Memory { bytes: vec![0; SECTOR], steps: vec![] };
        assert!(matches!(DiskLog::begin(&mut memory, BOOT), Err(DiskError::Full)));
    }
}
