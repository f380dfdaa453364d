//! From frames back to a log.

use super::{Frame, FrameKind};
use crate::{BootId, checkpoint::Checkpoint, note, tiles};
use alloc::{string::String, vec::Vec};
use core::fmt;

/// What a stream held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// The boot, if there was a frame.
    pub boot: Option<BootId>,
    /// The records, in order: all that came, also beyond the last checkpoint.
    pub entries: Vec<Vec<u8>>,
    /// How many of them the last checkpoint covers.
    pub covered: usize,
    /// The last checkpoint.
    pub checkpoint: Option<String>,
    /// The last manifest, if no records follow it.
    pub manifest: Option<String>,
}

/// Why a frame cannot follow those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderError {
    /// It belongs to another boot.
    OtherBoot,
    /// A checkpoint does not say how many records came before it.
    Checkpoint,
    /// The manifest does not follow a checkpoint.
    Manifest,
    /// Frames were lost before it.
    Gap,
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherBoot => "the frame belongs to another boot",
            Self::Checkpoint => "the checkpoint is not over the records before it",
            Self::Manifest => "the manifest does not follow a checkpoint",
            Self::Gap => "frames are missing",
        })
    }
}

impl core::error::Error for OrderError {}

/// Puts a log together, frame by frame.
#[derive(Default)]
pub struct Collector {
    log: Collected,
    has_gap: bool,
}

impl Collector {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that frames were lost: what comes later cannot be placed.
    pub fn gap(&mut self) {
        self.has_gap = true;
    }

    /// Takes the next frame. One that is refused ends the log: what comes
    /// later cannot be placed.
    pub fn push(&mut self, frame: &Frame<'_>) -> Result<(), OrderError> {
        let placed = self.place(frame);
        self.has_gap |= placed.is_err();
        placed
    }

    fn place(&mut self, frame: &Frame<'_>) -> Result<(), OrderError> {
        let log = &mut self.log;
        if log.boot.is_some_and(|boot| boot != frame.boot) {
            return Err(OrderError::OtherBoot);
        }
        if self.has_gap {
            return Err(OrderError::Gap);
        }
        if frame.kind == FrameKind::Pad {
            return Ok(());
        }
        // `Frame::parse` has checked that payloads are what the kind says.
        match frame.kind {
            FrameKind::Entries => {
                let entries = tiles::split_bundle(frame.payload).unwrap_or_default();
                log.entries.extend(entries.into_iter().map(Vec::from));
                // The log goes on: a manifest over its beginning says no more
                // how it ended.
                log.manifest = None;
            }
            FrameKind::Checkpoint => {
                let note = frame.text().filter(|note| size(note) == Some(log.entries.len() as u64));
                log.checkpoint = Some(note.ok_or(OrderError::Checkpoint)?.into());
                log.covered = log.entries.len();
            }
            FrameKind::Manifest => {
                if log.checkpoint.is_none() || log.covered != log.entries.len() {
                    return Err(OrderError::Manifest);
                }
                log.manifest = frame.text().map(String::from);
            }
            FrameKind::Pad => {}
        }
        log.boot = Some(frame.boot);
        Ok(())
    }

    /// What has come so far.
    pub fn log(&self) -> &Collected {
        &self.log
    }

    /// What has come.
    pub fn finish(self) -> Collected {
        self.log
    }
}

/// The size a checkpoint claims; its signature is checked by who verifies.
fn size(checkpoint: &str) -> Option<u64> {
    let parsed = note::parse(checkpoint).ok()?;
    Checkpoint::parse(parsed.text).map(|checkpoint| checkpoint.size)
}
