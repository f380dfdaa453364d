//! From a disk, or a capture of a serial port, to a log.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use witness::BootId;
use witness::frame::disk::{DISK_MAGIC, DiskEnd, DiskReader, SECTOR};
use witness::frame::uart::{Piece, Reader};
use witness::frame::{Collected, Collector, Frame};
use witness::hex;

use crate::error::{HelioError, Result};
use crate::{file, image};

/// A log from a stream, with what was odd about the stream.
#[derive(Clone, Debug, Default)]
pub struct Imported {
    /// The log.
    pub log: Collected,
    /// One sentence for each thing that was left out.
    pub remarks: Vec<String>,
}

/// Reads the log in a disk, the image of one or a serial capture, whichever it
/// is: of a disk with partitions, the one that is the log's. Where a capture
/// holds several boots, the last one counts, or `boot`.
///
/// # Errors
/// A file without a single record of a log.
pub fn import(path: &Path, boot: Option<BootId>) -> Result<Imported> {
    let bytes = read(path)?;
    from_bytes(&bytes, boot).ok_or_else(|| {
        let reason = match boot {
            Some(boot) => format!("no log of boot {}", hex::encode(&boot)),
            None => "no log in it".into(),
        };
        HelioError::input(
            "log import",
            path.display(),
            reason,
            "give the log disk, or a capture of the serial port from power-on",
        )
    })
}

/// Reads a file; of a disk with a partition for the log, that partition, for
/// the rest of a card may be large.
fn read(path: &Path) -> Result<Vec<u8>> {
    let mut sector = Vec::new();
    let unreadable = |source| HelioError::read(path, source);
    let mut file = File::open(path).map_err(unreadable)?;
    file.by_ref().take(SECTOR as u64).read_to_end(&mut sector).map_err(unreadable)?;
    let Some(range) = image::log_partition(&sector) else { return file::read(path) };
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(range.start)).map_err(unreadable)?;
    file.take(range.end - range.start).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// The same from bytes; `None` where there is no record.
pub fn from_bytes(bytes: &[u8], boot: Option<BootId>) -> Option<Imported> {
    let bytes = match image::log_partition(bytes) {
        Some(range) => {
            let start = usize::try_from(range.start).ok()?;
            let end = usize::try_from(range.end).ok()?.min(bytes.len());
            bytes.get(start..end)?
        }
        None => bytes,
    };
    let imported = match bytes.starts_with(&DISK_MAGIC) {
        true => from_disk(bytes)?,
        false => from_uart(bytes, boot),
    };
    let is_wanted = boot.is_none() || imported.log.boot == boot;
    (is_wanted && !imported.log.entries.is_empty()).then(|| imported.without_uncovered())
}

fn from_disk(bytes: &[u8]) -> Option<Imported> {
    let mut reader = DiskReader::open(bytes)?;
    let mut collector = Collector::new();
    let mut remarks = Vec::new();
    loop {
        let at = reader.position();
        let Some(frame) = reader.next() else { break };
        if let Err(error) = collector.push(&frame) {
            remarks.push(format!("stopped at byte {at}: {error}"));
            break;
        }
    }
    if let Some(DiskEnd::Damaged(error)) = reader.end() {
        remarks.push(format!("stopped at byte {}: {error}", reader.position()));
    }
    Some(Imported { log: collector.finish(), remarks })
}

/// One boot in a capture.
#[derive(Default)]
pub struct Boot {
    collector: Collector,
    remarks: Vec<String>,
    damaged: bool,
}

impl Boot {
    /// What has come of its log.
    pub fn log(&self) -> &Collected {
        self.collector.log()
    }

    /// Its log, without records that nobody has signed.
    pub fn imported(&self) -> Imported {
        Imported { log: self.log().clone(), remarks: self.remarks.clone() }.without_uncovered()
    }
}

/// The boots in a capture, as it comes.
#[derive(Default)]
pub struct Capture {
    boots: Vec<Boot>,
    /// Lines were lost since the last frame.
    lost: bool,
    /// A boot has begun since the last frame.
    begun: bool,
}

fn from_uart(bytes: &[u8], wanted: Option<BootId>) -> Imported {
    let mut capture = Capture::default();
    Reader::new().push(bytes, &mut |piece| capture.take(&piece));
    capture.end();
    let boots = capture.boots;
    let chosen = match wanted {
        Some(_) => boots.iter().rposition(|it| it.log().boot == wanted),
        None => boots.iter().rposition(|it| !it.log().entries.is_empty()),
    };
    let Some(chosen) = chosen.and_then(|at| boots.get(at)) else { return Imported::default() };
    let others = boots.len() - 1;
    let mut remarks = chosen.remarks.clone();
    if others > 0 {
        remarks.push(format!("the capture also holds {others} other boots"));
    }
    Imported { log: chosen.log().clone(), remarks }
}

impl Capture {
    /// Takes what a reader found next.
    pub fn take(&mut self, piece: &Piece<'_>) {
        match piece {
            Piece::Console(_) => {}
            Piece::Lost | Piece::Damaged(_) => self.lost = true,
            Piece::Start => self.begin(),
            Piece::Frame(frame) => self.place(frame),
        }
    }

    /// The boot that the last frame was of.
    pub fn boot(&self) -> Option<&Boot> {
        self.boots.last()
    }

    /// Takes out the boots that ended: all but the last, which alone can grow.
    pub fn take_ended(&mut self) -> Vec<Boot> {
        let ended = self.boots.len().saturating_sub(1);
        self.boots.drain(..ended).collect()
    }

    /// A boot begins. Its first frame may never come.
    fn begin(&mut self) {
        self.end();
        self.begun = true;
    }

    /// What comes next is not of the last boot. What was lost before it is.
    fn end(&mut self) {
        if std::mem::take(&mut self.lost)
            && !self.begun
            && let Some(boot) = self.boots.last_mut()
        {
            boot.remarks.push("lines of the log are missing or damaged at the end".into());
        }
    }

    fn place(&mut self, frame: &Frame<'_>) {
        let is_other = |last: &Boot| last.collector.log().boot.is_some_and(|it| it != frame.boot);
        if std::mem::take(&mut self.begun) || self.boots.last().is_none_or(is_other) {
            self.boots.push(Boot::default());
        }
        let lost = std::mem::take(&mut self.lost);
        let Some(boot) = self.boots.last_mut() else { return };
        if lost && !boot.damaged {
            boot.collector.gap();
            boot.damaged = true;
            let count = boot.collector.log().entries.len();
            boot.remarks.push(format!("lines are missing or damaged after record {count}"));
        }
        if let Err(error) = boot.collector.push(frame)
            && !std::mem::replace(&mut boot.damaged, true)
        {
            boot.remarks.push(error.to_string());
        }
    }
}

impl Imported {
    /// Drops records that no checkpoint covers: nobody has signed them.
    fn without_uncovered(mut self) -> Self {
        let extra = self.log.entries.len() - self.log.covered;
        if self.log.checkpoint.is_some() && extra > 0 {
            self.log.entries.truncate(self.log.covered);
            self.remarks.push(format!("{extra} records after the last checkpoint are left out"));
        }
        self
    }
}
