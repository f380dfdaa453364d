//! The stream in which a log leaves the machine.
//!
//! Records, checkpoints and the manifest travel in frames: 32 bytes of header
//! with a checksum that finds damage, and a payload. The same frames go to a
//! disk ([`disk`]), in whole sectors, and over a UART ([`uart`]), as lines of
//! text between whatever else is printed. Nothing here is evidence: that is
//! what the signed notes inside are for.

mod collect;
pub mod disk;
pub mod uart;

pub use collect::{Collected, Collector, OrderError};

use crate::{BootId, record::RECORD_MAX, tiles};
use alloc::vec::Vec;
use core::fmt;

/// First bytes of every frame.
pub const MAGIC: [u8; 4] = *b"HGF1";

/// Bytes of a frame's header.
pub const HEADER_SIZE: usize = 32;

/// Most bytes of a frame's payload.
pub const PAYLOAD_MAX: usize = 1 << 20;

/// At about this many bytes of records a frame is closed: damage costs little
/// and the header weighs nothing.
const BATCH: usize = 16 << 10;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameKind {
    /// Records, each after its length in two bytes, big-endian.
    Entries = 1,
    /// A signed checkpoint over all records so far.
    Checkpoint = 2,
    /// The signed manifest: the run has ended.
    Manifest = 3,
    /// Zeros.
    Pad = 4,
}

impl FrameKind {
    /// The kind with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Entries,
            2 => Self::Checkpoint,
            3 => Self::Manifest,
            4 => Self::Pad,
            _ => return None,
        })
    }
}

/// A frame, borrowed from the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it carries.
    pub kind: FrameKind,
    /// The boot it belongs to.
    pub boot: BootId,
    /// The payload.
    pub payload: &'a [u8],
}

/// Why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// They do not begin like one.
    Magic,
    /// They end before it does.
    Truncated,
    /// A header field has no meaning.
    Header,
    /// The checksum is wrong.
    Checksum,
    /// The payload is not what the kind says.
    Payload,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Magic => "no frame begins here",
            Self::Truncated => "the frame is cut off",
            Self::Header => "the frame's header is damaged",
            Self::Checksum => "the frame is damaged",
            Self::Payload => "the frame's payload is not what its type says",
        })
    }
}

impl core::error::Error for FrameError {}

impl<'a> Frame<'a> {
    /// The frame at the start of `bytes`, and its length in bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<(Self, usize), FrameError> {
        if !bytes.starts_with(&MAGIC) {
            return Err(FrameError::Magic);
        }
        let (header, rest) = bytes.split_at_checked(HEADER_SIZE).ok_or(FrameError::Truncated)?;
        let kind = FrameKind::from_number(header[4]).ok_or(FrameError::Header)?;
        let length = field(header, 24) as usize;
        if header[5..8] != [0; 3] || length > PAYLOAD_MAX {
            return Err(FrameError::Header);
        }
        let payload = rest.get(..length).ok_or(FrameError::Truncated)?;
        if crc32(&[&header[4..28], payload]) != field(header, 28) {
            return Err(FrameError::Checksum);
        }
        let mut boot = BootId::default();
        boot.copy_from_slice(&header[8..24]);
        let frame = Self { kind, boot, payload };
        if frame.is_well_formed() {
            Ok((frame, HEADER_SIZE + length))
        } else {
            Err(FrameError::Payload)
        }
    }

    fn is_well_formed(&self) -> bool {
        match self.kind {
            FrameKind::Entries => {
                !self.payload.is_empty() && crate::tiles::split_bundle(self.payload).is_some()
            }
            FrameKind::Checkpoint | FrameKind::Manifest => self.text().is_some(),
            FrameKind::Pad => self.payload.iter().all(|&byte| byte == 0),
        }
    }

    /// The payload as text.
    pub fn text(&self) -> Option<&'a str> {
        core::str::from_utf8(self.payload).ok()
    }

    /// Appends the frame to `out`; `false`, and nothing, if the payload is
    /// longer than [`PAYLOAD_MAX`].
    fn append(&self, out: &mut Vec<u8>) -> bool {
        let Ok(length) = u32::try_from(self.payload.len()) else { return false };
        if self.payload.len() > PAYLOAD_MAX {
            return false;
        }
        let mut checked = [0; 24];
        checked[0] = self.kind as u8;
        checked[4..20].copy_from_slice(&self.boot);
        checked[20..].copy_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&checked);
        out.extend_from_slice(&crc32(&[&checked, self.payload]).to_le_bytes());
        out.extend_from_slice(self.payload);
        true
    }
}

fn field(header: &[u8], at: usize) -> u32 {
    header
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// Puts frames together, records first in batches.
///
/// Fed by [`crate::Log::seal`], then a checkpoint, then [`Frames::take`]: the
/// bytes go to the device as they are.
pub struct Frames {
    boot: BootId,
    bytes: Vec<u8>,
    batch: Vec<u8>,
}

impl Frames {
    /// Frames of one boot.
    pub fn new(boot: BootId) -> Self {
        Self { boot, bytes: Vec::new(), batch: Vec::new() }
    }

    /// Adds a sealed record.
    pub fn entry(&mut self, record: &[u8]) {
        debug_assert!(record.len() <= RECORD_MAX);
        if self.batch.len() + 2 + record.len() > BATCH {
            self.close();
        }
        tiles::append_entry(&mut self.batch, record);
    }

    /// Adds a checkpoint over all records so far; `false` if it is longer
    /// than a frame can be.
    pub fn checkpoint(&mut self, note: &str) -> bool {
        self.note(FrameKind::Checkpoint, note)
    }

    /// Adds the manifest, after the last checkpoint; `false` if it is longer
    /// than a frame can be.
    pub fn manifest(&mut self, note: &str) -> bool {
        self.note(FrameKind::Manifest, note)
    }

    fn note(&mut self, kind: FrameKind, note: &str) -> bool {
        self.close();
        Frame { kind, boot: self.boot, payload: note.as_bytes() }.append(&mut self.bytes)
    }

    fn close(&mut self) {
        if !self.batch.is_empty() {
            let frame = Frame { kind: FrameKind::Entries, boot: self.boot, payload: &self.batch };
            frame.append(&mut self.bytes);
            self.batch.clear();
        }
    }

    /// All frames added since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        self.close();
        core::mem::take(&mut self.bytes)
    }
}

/// CRC-32 as in IEEE 802.3 (reflected, polynomial 0xEDB88320), over the parts
/// one after the other. Bit by bit: a log is small beside what else is done
/// to each of its bytes.
fn crc32(parts: &[&[u8]]) -> u32 {
    let mut crc = u32::MAX;
    for byte in parts.iter().copied().flatten() {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let carry = crc & 1;
            crc = (crc >> 1) ^ (0xedb8_8320 * carry);
        }
    }
    !crc
}
