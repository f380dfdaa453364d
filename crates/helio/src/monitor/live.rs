//! A machine's stream, taken apart as it comes.

use witness::frame::uart::{Piece, Reader};
use witness::frame::{Collected, FrameKind};
use witness::{BootId, tiles};

use crate::log::show::{Decoder, Line};
use crate::log::stream::{Boot, Capture, Imported};

/// Something that came.
#[derive(Clone, Debug)]
pub enum Event {
    /// Text of the console.
    Console(Vec<u8>),
    /// The first frame of a boot.
    Boot(BootId),
    /// A record that continues the log.
    Record(Box<Line>),
    /// A record that came after a gap: its number is not known, and it is not
    /// part of the log that is kept.
    Stray(Box<Line>),
    /// A checkpoint over this many records.
    Checkpoint(usize),
    /// The manifest: the run has ended.
    End,
    /// Lines are missing or damaged. What comes after them cannot be placed.
    Lost,
}

/// The stream.
#[derive(Default)]
pub struct Live {
    reader: Reader,
    capture: Capture,
    decoder: Decoder,
    /// The logs of boots that ended since they were last taken.
    ended: Vec<Imported>,
}

impl Live {
    /// The beginning of a stream, or some place in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes and tells what they complete.
    pub fn push(&mut self, bytes: &[u8], tell: &mut dyn FnMut(Event)) {
        let Self { reader, capture, decoder, ended } = self;
        reader.push(bytes, &mut |piece| match piece {
            Piece::Console(text) => tell(Event::Console(text.to_vec())),
            Piece::Lost | Piece::Damaged(_) => {
                capture.take(&piece);
                tell(Event::Lost);
            }
            Piece::Start => capture.take(&piece),
            Piece::Frame(frame) => {
                let before = capture.boot().map_or(0, |it| it.log().entries.len());
                let was_none = capture.boot().is_none();
                capture.take(&piece);
                let old = capture.take_ended();
                let is_new = was_none || !old.is_empty();
                let logs = old.iter().map(Boot::imported);
                ended.extend(logs.filter(|it| !it.log.entries.is_empty()));
                if is_new {
                    *decoder = Decoder::default();
                    tell(Event::Boot(frame.boot));
                }
                let before = if is_new { 0 } else { before };
                let Some(current) = capture.boot() else { return };
                let log = current.log();
                match frame.kind {
                    FrameKind::Entries => {
                        let new = log.entries.get(before..).unwrap_or_default();
                        let strays = if new.is_empty() { frame.payload } else { &[] };
                        for (index, entry) in (before as u64..).zip(new) {
                            decoder.learn(index, entry);
                            tell(Event::Record(Box::new(decoder.line(index, entry))));
                        }
                        for entry in tiles::split_bundle(strays).unwrap_or_default() {
                            tell(Event::Stray(Box::new(decoder.line(0, entry))));
                        }
                    }
                    FrameKind::Checkpoint if log.covered == log.entries.len() => {
                        tell(Event::Checkpoint(log.covered));
                    }
                    FrameKind::Manifest if log.manifest.is_some() => tell(Event::End),
                    _ => {}
                }
            }
        });
    }

    /// The connection broke off: what was begun will not be completed.
    pub fn break_off(&mut self, tell: &mut dyn FnMut(Event)) {
        self.push(b"\n", &mut |event| {
            if !matches!(event, Event::Console(_)) {
                tell(event);
            }
        });
    }

    /// The logs of boots that ended since this was last asked for.
    pub fn take_ended(&mut self) -> Vec<Imported> {
        std::mem::take(&mut self.ended)
    }

    /// What has come of the log of the boot that goes on.
    pub fn log(&self) -> Option<&Collected> {
        self.capture.boot().map(|boot| boot.log())
    }

    /// The same, to be kept.
    pub fn imported(&self) -> Option<Imported> {
        let imported = self.capture.boot()?.imported();
        (!imported.log.entries.is_empty()).then_some(imported)
    }
}
