//! The log on a disk or a partition of its own: appended in whole sectors.

use crate::recorder::Device;
use alloc::vec::Vec;
use core::fmt;
use witness::{
    BootId,
    frame::{
        Frame, FrameError, FrameKind, HEADER_SIZE,
        disk::{SECTOR, header_sector, pad},
    },
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

/// A disk that the log can be read back from.
pub trait Readable: Sectors {
    /// Reads whole sectors, the first of them `sector`.
    fn read(&mut self, sector: u64, bytes: &mut [u8]) -> Result<(), Self::Error>;
}

/// Why the log cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskError<E> {
    /// The disk failed.
    Disk(E),
    /// The disk has no room left.
    Full,
    /// What is read back is not what was written.
    Changed,
}

impl<E: fmt::Display> fmt::Display for DiskError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(error) => write!(f, "the log disk failed: {error}"),
            Self::Full => f.write_str("the log disk is full"),
            Self::Changed => f.write_str("the log disk does not give back what was written"),
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

impl<S: Readable> DiskLog<S> {
    /// Reads the log back, from its first frame, and gives those frames that
    /// make it up: all records, and the last checkpoint and manifest.
    ///
    /// # Errors
    /// [`DiskError::Disk`], or [`DiskError::Changed`] for a frame that does
    /// not hold.
    pub fn read_back(&mut self, frame: &mut dyn FnMut(&[u8])) -> Result<(), DiskError<S::Error>> {
        let mut last = Last::default();
        let mut buffer: Vec<u8> = Vec::new();
        for sector in (1..self.next).step_by(CHUNK) {
            let count = usize::try_from(self.next - sector).map_or(CHUNK, |left| left.min(CHUNK));
            let old = buffer.len();
            buffer.resize(old + count * SECTOR, 0);
            self.sectors.read(sector, buffer.get_mut(old..).unwrap_or_default())?;
            let mut at = 0;
            loop {
                let rest = buffer.get(at..).unwrap_or_default();
                // Everything before is whole sectors, so this counts as on disk.
                let filler = rest.len() % SECTOR;
                if filler < HEADER_SIZE && rest.iter().take(filler).all(|byte| *byte == 0) {
                    at += filler;
                }
                let rest = buffer.get(at..).unwrap_or_default();
                match Frame::parse(rest) {
                    Ok((found, length)) if found.boot == self.boot => {
                        last.take(found.kind, rest.get(..length).unwrap_or_default(), frame);
                        at += length;
                    }
                    Err(FrameError::Truncated) => break,
                    // Not even its header is there.
                    Err(_) if rest.len() < HEADER_SIZE => break,
                    _ => return Err(DiskError::Changed),
                }
            }
            buffer.drain(..at);
        }
        if !buffer.is_empty() {
            return Err(DiskError::Changed);
        }
        last.checkpoint.iter().chain(&last.manifest).for_each(|it| frame(it));
        Ok(())
    }
}

/// Sectors that are read at once.
const CHUNK: usize = 128;

/// The last frames of the kinds of which only those count.
#[derive(Default)]
struct Last {
    checkpoint: Option<Vec<u8>>,
    manifest: Option<Vec<u8>>,
}

impl Last {
    fn take(&mut self, kind: FrameKind, bytes: &[u8], frame: &mut dyn FnMut(&[u8])) {
        match kind {
            FrameKind::Entries => {
                frame(bytes);
                // The log went on.
                self.manifest = None;
            }
            FrameKind::Checkpoint => self.checkpoint = Some(bytes.into()),
            FrameKind::Manifest => self.manifest = Some(bytes.into()),
            FrameKind::Pad => {}
        }
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

    impl Readable for &mut Memory {
        fn read(&mut self, sector: u64, bytes: &mut [u8]) -> Result<(), Infallible> {
            let at = sector as usize * SECTOR;
            bytes.copy_from_slice(&self.bytes[at..at + bytes.len()]);
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
    fn what_is_read_back_is_the_log() {
        let mut memory = Memory { bytes: vec![0xff; 4096 * SECTOR], steps: vec![] };
        let mut log = log();
        let mut recorder = recorder(&mut memory);
        // Commits of every size up to a few frames, so that frames end
        // everywhere in a sector.
        for count in 0..300 {
            for _ in 0..=count % 7 {
                write_one(&mut log);
            }
            recorder.commit(&mut log).unwrap();
        }
        let mut collector = Collector::new();
        let mut frames = 0;
        let read = recorder.device().read_back(&mut |bytes| {
            let (frame, length) = Frame::parse(bytes).unwrap();
            assert_eq!(length, bytes.len());
            frames += 1;
            collector.push(&frame).unwrap();
        });
        read.unwrap();
        let collected = collector.finish();
        let (size, note) = (log.size() as usize, recorder.checkpoint().map(str::to_string));
        assert_eq!((collected.entries.len(), collected.covered), (size, size));
        assert_eq!((collected.checkpoint, frames), (note, 301));
        recorder.device().sectors.bytes[40 * SECTOR] ^= 1;
        assert_eq!(recorder.device().read_back(&mut |_| {}), Err(DiskError::Changed));
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
