//! The log between console text: any bytes, cut anywhere, and frames that
//! were sent and damaged on the way.

use crate::{input::Input, world};
use witness::frame::Collector;
use witness::frame::{
    Frame, FrameError, Frames,
    uart::{Piece, Reader, Writer},
};

/// A piece that does not borrow; console text is collected.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Read {
    Console(Vec<u8>),
    Start,
    Frame(u8, [u8; 16], Vec<u8>),
    Lost,
    Damaged(FrameError),
}

pub(crate) fn fuzz(input: &[u8]) {
    let mut input = Input::new(input);
    let cut = usize::from(input.u8()).max(1);
    let bytes = match input.u8() & 1 {
        0 => input.take(usize::MAX).to_vec(),
        _ => damaged(&mut input),
    };
    let whole = read(&bytes, bytes.len().max(1));
    assert_eq!(read(&bytes, cut), whole, "read in parts of {cut}");
    let shown: usize = whole.iter().map(Read::console).sum();
    assert!(shown <= bytes.len());
}

impl Read {
    fn console(&self) -> usize {
        if let Self::Console(text) = self { text.len() } else { 0 }
    }
}

fn read(bytes: &[u8], cut: usize) -> Vec<Read> {
    let mut reader = Reader::new();
    let mut collector = Collector::new();
    let mut all: Vec<Read> = Vec::new();
    for part in bytes.chunks(cut) {
        reader.push(part, &mut |piece| {
            let piece = match piece {
                Piece::Console(text) => {
                    if let Some(Read::Console(before)) = all.last_mut() {
                        before.extend_from_slice(text);
                        return;
                    }
                    Read::Console(text.to_vec())
                }
                Piece::Start => Read::Start,
                Piece::Lost => {
                    collector.gap();
                    Read::Lost
                }
                Piece::Damaged(error) => Read::Damaged(error),
                Piece::Frame(frame) => {
                    let _ = collector.push(&frame);
                    let Frame { kind, boot, payload } = frame;
                    Read::Frame(kind as u8, boot, payload.to_vec())
                }
            };
            all.push(piece);
        });
    }
    let log = collector.finish();
    assert!(log.covered <= log.entries.len());
    assert!(log.manifest.is_none() || log.checkpoint.is_some());
    all
}

/// Lines as a machine sends them, with console text in between, of which some
/// bytes are changed and some lines left out.
fn damaged(input: &mut Input<'_>) -> Vec<u8> {
    let mut frames = Frames::new(world::BOOT);
    for _ in 0..input.u8() % 8 {
        match input.u8() % 4 {
            0 => drop(frames.checkpoint(&String::from_utf8_lossy(input.counted()))),
            1 => drop(frames.manifest(&String::from_utf8_lossy(input.counted()))),
            _ => {
                let entry = input.counted();
                (0..=input.u8()).for_each(|_| frames.entry(entry));
            }
        }
    }
    let mut sent = Vec::new();
    let left_out = input.u32();
    let mut number: u32 = 0;
    Writer::new().send(&frames.take(), &mut |line| {
        if left_out.rotate_right(number) & 7 != 7 {
            sent.extend_from_slice(line);
        }
        number += 1;
    });
    while !input.is_empty() {
        let at = usize::from(input.u16()) % (sent.len() + 1);
        let text = input.counted();
        let over = match input.u8() & 1 {
            0 => at..at,
            _ => at..sent.len().min(at + text.len()),
        };
        sent.splice(over, text.iter().copied());
    }
    sent
}
