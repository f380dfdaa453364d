//! The stream over a UART, as lines between whatever else is printed.
//!
//! A line is the record separator 0x1E, `HG `, base64, and a line feed. The
//! base64 holds the frame's number, the offset of this part in the frame, and
//! up to 720 bytes of it. A line may begin in the middle of a line of console
//! text, never within another. Nothing else may print 0x1E: the kernel
//! replaces it in what tasks print.

use super::{Frame, FrameError, HEADER_SIZE, PAYLOAD_MAX};
use crate::base64;
use alloc::{string::String, vec::Vec};

/// Begins a line.
pub const SEPARATOR: u8 = 0x1e;

/// Follows the separator.
const LABEL: &[u8] = b"HG ";

/// Most bytes of a frame in one line.
pub const PART: usize = 720;

/// Bytes before the part: frame number and offset.
const PREFIX: usize = 8;

/// Longest content of a line: label, base64 and a carriage return.
const LINE_MAX: usize = LABEL.len() + (PREFIX + PART).div_ceil(3) * 4 + 1;

/// Writes frames as lines. Frames are numbered from 0 in each boot.
#[derive(Default)]
pub struct Writer {
    next: u32,
}

impl Writer {
    /// A writer at the beginning of a boot.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends whole frames, as [`super::Frames::take`] gives them, line by
    /// line.
    pub fn send(&mut self, mut frames: &[u8], send: &mut dyn FnMut(&[u8])) {
        while let Ok((_, length)) = Frame::parse(frames) {
            let (frame, rest) = frames.split_at(length);
            for (offset, part) in (0u32..).step_by(PART).zip(frame.chunks(PART)) {
                let mut raw = Vec::with_capacity(PREFIX + part.len());
                raw.extend_from_slice(&self.next.to_le_bytes());
                raw.extend_from_slice(&offset.to_le_bytes());
                raw.extend_from_slice(part);
                let mut line = String::with_capacity(LINE_MAX + 1);
                line.push(char::from(SEPARATOR));
                line.push_str("HG ");
                base64::encode_into(&raw, &mut line);
                line.push('\n');
                send(line.as_bytes());
            }
            self.next = self.next.wrapping_add(1);
            frames = rest;
        }
    }
}

/// What a reader finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Console text.
    Console(&'a [u8]),
    /// A boot's first line. What was lost before it is another boot's.
    Start,
    /// A whole frame.
    Frame(Frame<'a>),
    /// Lines are missing or damaged: at least one frame is lost.
    Lost,
    /// A frame came whole but does not hold.
    Damaged(FrameError),
}

/// Takes lines and console text apart again, byte by byte.
#[derive(Default)]
pub struct Reader {
    /// Content of the line that is being read, without the separator.
    line: Option<Vec<u8>>,
    /// Bytes of the frame that is being read.
    frame: Vec<u8>,
    /// Number of the frame that is being read, or comes next.
    number: u32,
}

impl Reader {
    /// A reader at the beginning of a boot, or before it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes and shows what they complete.
    pub fn push(&mut self, bytes: &[u8], visit: &mut dyn FnMut(Piece<'_>)) {
        let mut text_from = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            let Some(line) = &mut self.line else {
                if byte == SEPARATOR {
                    show(&bytes[text_from..at], visit);
                    self.line = Some(Vec::new());
                }
                continue;
            };
            let is_line = LABEL.starts_with(line) || line.starts_with(LABEL);
            if byte == b'\n' && line.starts_with(LABEL) {
                let line = core::mem::take(line);
                self.line = None;
                text_from = at + 1;
                self.take_line(&line, visit);
            } else if byte == SEPARATOR {
                // The line before was cut off.
                let line = core::mem::take(line);
                self.give_up(&line, visit);
                self.line = Some(Vec::new());
            } else if byte == b'\n' || !is_line || line.len() >= LINE_MAX {
                let line = core::mem::take(line);
                self.line = None;
                text_from = at;
                self.give_up(&line, visit);
            } else {
                line.push(byte);
            }
        }
        if self.line.is_none() {
            show(&bytes[text_from..], visit);
        }
    }

    /// A line that is none: shows it as text. If it had begun like one, a
    /// frame is lost, which the next line's number or offset will tell too.
    fn give_up(&mut self, line: &[u8], visit: &mut dyn FnMut(Piece<'_>)) {
        show(line, visit);
        if line.starts_with(LABEL) {
            self.lose(visit);
        }
    }

    fn lose(&mut self, visit: &mut dyn FnMut(Piece<'_>)) {
        self.frame.clear();
        visit(Piece::Lost);
    }

    fn take_line(&mut self, line: &[u8], visit: &mut dyn FnMut(Piece<'_>)) {
        let encoded = line.strip_prefix(LABEL).unwrap_or_default();
        let encoded = encoded.strip_suffix(b"\r").unwrap_or(encoded);
        let raw = core::str::from_utf8(encoded).ok().and_then(base64::decode);
        let Some((number, offset, part)) = raw.as_deref().and_then(split) else {
            return self.lose(visit);
        };
        if number == 0 && offset == 0 {
            // A boot begins; what went before it was another.
            self.number = 0;
            self.frame.clear();
            visit(Piece::Start);
        }
        if number != self.number || offset as usize != self.frame.len() {
            self.lose(visit);
            self.number = number;
            if offset != 0 {
                return;
            }
        }
        self.frame.extend_from_slice(part);
        self.complete(visit);
    }

    fn complete(&mut self, visit: &mut dyn FnMut(Piece<'_>)) {
        let whole = match self.frame.get(24..28).and_then(|bytes| bytes.try_into().ok()) {
            Some(length) => HEADER_SIZE.saturating_add(u32::from_le_bytes(length) as usize),
            None => return,
        };
        if self.frame.len() < whole && whole <= HEADER_SIZE + PAYLOAD_MAX {
            return;
        }
        let frame = core::mem::take(&mut self.frame);
        self.number = self.number.wrapping_add(1);
        visit(match Frame::parse(&frame) {
            Ok((parsed, length)) if length == frame.len() => Piece::Frame(parsed),
            Ok(_) => Piece::Damaged(FrameError::Payload),
            Err(error) => Piece::Damaged(error),
        });
    }
}

fn show(text: &[u8], visit: &mut dyn FnMut(Piece<'_>)) {
    if !text.is_empty() {
        visit(Piece::Console(text));
    }
}

fn split(raw: &[u8]) -> Option<(u32, u32, &[u8])> {
    let (number, rest) = raw.split_first_chunk()?;
    let (offset, part) = rest.split_first_chunk()?;
    let is_sound = !part.is_empty() && part.len() <= PART;
    is_sound.then(|| (u32::from_le_bytes(*number), u32::from_le_bytes(*offset), part))
}
