//! The stream on a disk or a partition of its own.
//!
//! Sector 0 says whose log begins in sector 1. Every flush ends at a sector
//! boundary, so that what is flushed is never written again. What lies behind
//! the end may be an older log; the boot id in every frame tells them apart.

use super::{Frame, FrameError, FrameKind, HEADER_SIZE};
use crate::BootId;
use alloc::vec::Vec;

/// Bytes of a sector.
pub const SECTOR: usize = 512;

/// First bytes of sector 0.
pub const DISK_MAGIC: [u8; 16] = *b"HELIOGRAPH LOG 1";

/// Sector 0 of a log.
pub fn header_sector(boot: &BootId) -> [u8; SECTOR] {
    let mut sector = [0; SECTOR];
    sector[..16].copy_from_slice(&DISK_MAGIC);
    sector[16..32].copy_from_slice(boot);
    sector
}

/// Fills `frames` up to a sector boundary: with a pad frame, or with zeros
/// where its header does not fit.
pub fn pad(frames: &mut Vec<u8>, boot: &BootId) {
    let room = frames.len().next_multiple_of(SECTOR) - frames.len();
    if let Some(payload) = room.checked_sub(HEADER_SIZE) {
        let zeros = [0; SECTOR];
        let payload = zeros.get(..payload).unwrap_or_default();
        Frame { kind: FrameKind::Pad, boot: *boot, payload }.append(frames);
    } else {
        frames.resize(frames.len() + room, 0);
    }
}

/// What stands where a log on a disk ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskEnd {
    /// Zeros, or the end of the disk.
    Blank,
    /// A frame of another boot, or anything that is not a frame: an older
    /// use of the disk.
    OldContent,
    /// The beginning of a frame of this boot that does not hold: a write cut
    /// off by a loss of power, or damage.
    Damaged(FrameError),
}

/// Walks the frames of a disk's content.
pub struct DiskReader<'a> {
    bytes: &'a [u8],
    at: usize,
    boot: BootId,
    end: Option<DiskEnd>,
}

impl<'a> DiskReader<'a> {
    /// Reads sector 0; `None` if it is not that of a log.
    pub fn open(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.get(..SECTOR)?;
        let boot: BootId = header.get(16..32)?.try_into().ok()?;
        (header == header_sector(&boot)).then_some(Self { bytes, at: SECTOR, boot, end: None })
    }

    /// The boot whose log this is.
    pub fn boot(&self) -> BootId {
        self.boot
    }

    /// Where the next frame would begin, in bytes from the start.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Why there is no next frame; `None` while there may be one.
    pub fn end(&self) -> Option<DiskEnd> {
        self.end
    }

    fn stop(&mut self, end: DiskEnd) -> Option<Frame<'a>> {
        self.end = Some(end);
        None
    }
}

impl<'a> Iterator for DiskReader<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        if self.end.is_some() {
            return None;
        }
        // Where a flush ended less than a header before a boundary, zeros fill
        // up; a frame never begins with one.
        let filler = self.at.next_multiple_of(SECTOR) - self.at;
        if filler < HEADER_SIZE {
            let zeros = self.bytes.get(self.at..self.at + filler).unwrap_or_default();
            if zeros.iter().all(|&byte| byte == 0) {
                self.at += zeros.len();
            }
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match Frame::parse(rest) {
            Ok((frame, _)) if frame.boot != self.boot => self.stop(DiskEnd::OldContent),
            Ok((frame, length)) => {
                self.at += length;
                Some(frame)
            }
            Err(error) => {
                let is_ours = rest.get(8..24) == Some(&self.boot) && error != FrameError::Magic;
                let sector = &rest[..rest.len().min(SECTOR)];
                let is_at_boundary = self.at.is_multiple_of(SECTOR);
                self.stop(if is_at_boundary && sector.iter().all(|&byte| byte == 0) {
                    DiskEnd::Blank
                } else if is_ours || !is_at_boundary {
                    // Within a sector of ours nothing old can stand.
                    DiskEnd::Damaged(error)
                } else {
                    DiskEnd::OldContent
                })
            }
        }
    }
}
