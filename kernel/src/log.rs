//! The witness log on this machine's device: a disk, or the UART.
//!
//! There is one, behind a lock of its own, so that a panic can still end the
//! log in order: what was committed before it stays evidence, and the
//! manifest says how the run ended.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use durable::disk::{DiskError, DiskLog, Readable, Sectors};
use durable::{Device, Failure, Recorder};
use hal::traits::{BlockDevice, BlockError};
use spin::{Mutex, MutexGuard};
use witness::frame::uart;
use witness::manifest::{End, RunManifest};

use crate::{Disk, console, heap};

/// Why the log cannot go on.
pub type LogFailure = Failure<DiskError<Broken>>;

/// The log's writer, and what its manifest will say.
pub struct Writer {
    /// Seals, signs and sends.
    pub recorder: Recorder<LogDevice>,
    /// The manifest as far as it is known; size, root and end are filled in
    /// when it is signed.
    pub manifest: RunManifest,
}

impl Writer {
    /// Ends the log with a manifest that says how.
    pub fn close(&mut self, end: End) -> Result<Option<String>, LogFailure> {
        let manifest = self.manifest.clone();
        self.recorder.close(|records, root| RunManifest { end, records, root, ..manifest })
    }
}

static WRITER: Mutex<Option<Writer>> = Mutex::new(None);

/// Puts the writer in its place, once.
pub fn install(writer: Writer) {
    *WRITER.lock() = Some(writer);
}

/// The writer's place.
pub fn writer() -> MutexGuard<'static, Option<Writer>> {
    WRITER.lock()
}

/// Ends the log because the kernel panicked, if whoever panicked was not in
/// the middle of writing it or of allocating. Says whether it is closed.
pub fn last_words() -> bool {
    if heap::is_busy() {
        return false;
    }
    let Some(mut guard) = WRITER.try_lock() else { return false };
    let Some(writer) = guard.as_mut() else { return false };
    matches!(writer.close(End::Panic), Ok(Some(_)))
}

/// Where frames go.
#[allow(clippy::large_enum_variant, reason = "there is one of it")]
pub enum LogDevice {
    /// A disk of its own.
    Disk(DiskLog<LogDisk>),
    /// The console's UART, as lines between other text. Sent is all that
    /// flushed can mean there.
    Uart(uart::Writer),
}

impl Device for LogDevice {
    type Error = DiskError<Broken>;

    fn append(&mut self, frames: Vec<u8>) -> Result<(), Self::Error> {
        match self {
            Self::Disk(disk) => disk.append(frames),
            Self::Uart(writer) => {
                writer.send(&frames, &mut console::write);
                Ok(())
            }
        }
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        match self {
            Self::Disk(disk) => disk.flush(),
            Self::Uart(_) => Ok(()),
        }
    }
}

/// Sends the log that is on a disk out by the console, framed as it would be
/// without a disk. Says whether there is one.
pub fn export() -> Result<bool, LogFailure> {
    let mut guard = writer();
    let Some(LogDevice::Disk(disk)) = guard.as_mut().map(|writer| writer.recorder.device()) else {
        return Ok(false);
    };
    let mut lines = uart::Writer::new();
    disk.read_back(&mut |frame| lines.send(frame, &mut console::write))?;
    Ok(true)
}

/// A disk of the HAL as the log wants it.
pub struct LogDisk(pub Disk);

/// How a disk failed, as something to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken(BlockError);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            BlockError::OutOfRange => "a sector beyond its end was asked for",
            BlockError::BadLength => "half a sector was asked for",
            BlockError::Device => "it reports an error",
            BlockError::TimedOut => "it does not answer",
        })
    }
}

impl Sectors for LogDisk {
    type Error = Broken;

    fn count(&self) -> u64 {
        self.0.sectors()
    }

    fn write(&mut self, sector: u64, bytes: &[u8]) -> Result<(), Broken> {
        self.0.write(sector, bytes).map_err(Broken)
    }

    fn flush(&mut self) -> Result<(), Broken> {
        self.0.flush().map_err(Broken)
    }
}

impl Readable for LogDisk {
    fn read(&mut self, sector: u64, bytes: &mut [u8]) -> Result<(), Broken> {
        self.0.read(sector, bytes).map_err(Broken)
    }
}
