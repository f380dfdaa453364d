//! What a person sees of a machine's serial port.
//!
//! Three kinds of bytes share the port: text of the kernel, the shell and the
//! tasks; log frames, each on a line that begins with 0x1E; and escape codes
//! with which firmware clears the screen and places the cursor. A person is
//! shown the first.

/// Begins a line that carries a part of the log (`docs/FORMAT.md`).
const FRAME_MARK: u8 = 0x1E;

const ESCAPE: u8 = 0x1B;

/// Longest control sequence that is waited for.
const SEQUENCE_MAX: usize = 32;

/// Which escape codes pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escapes {
    /// None: for files and pipes.
    Drop,
    /// Those a line editor needs; not those that clear or move about the
    /// whole screen.
    KeepEditing,
}

/// Strips a stream of everything not meant for people, piece by piece.
#[derive(Clone, Debug)]
pub struct Filter {
    escapes: Escapes,
    state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Text,
    Frame,
    Sequence(Vec<u8>),
}

impl Filter {
    /// A filter at the beginning of a stream.
    pub fn new(escapes: Escapes) -> Self {
        Self { escapes, state: State::Text }
    }

    /// The part of `bytes` that is shown.
    pub fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut shown = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            self.step(byte, &mut shown);
        }
        shown
    }

    fn step(&mut self, byte: u8, shown: &mut Vec<u8>) {
        match &mut self.state {
            State::Frame => {
                if byte == b'\n' {
                    self.state = State::Text;
                }
            }
            State::Text => match byte {
                FRAME_MARK => self.state = State::Frame,
                ESCAPE => self.state = State::Sequence(vec![byte]),
                // QEMU and firmware pad with NUL; a terminal ignores it.
                0 => {}
                _ => shown.push(byte),
            },
            State::Sequence(sequence) => {
                sequence.push(byte);
                if is_complete(sequence) || sequence.len() >= SEQUENCE_MAX {
                    if self.escapes == Escapes::KeepEditing && is_editing(sequence) {
                        shown.extend_from_slice(sequence);
                    }
                    self.state = State::Text;
                }
            }
        }
    }
}

/// Whether an escape sequence has its last byte (ECMA-48, 5.3 and 5.4).
fn is_complete(sequence: &[u8]) -> bool {
    match sequence {
        [_, b'[', .., last] if sequence.len() > 2 => (0x40..=0x7E).contains(last),
        [_, b'['] => false,
        _ => true,
    }
}

/// Cursor left and right, erase in line, colours and the like; not: clear the
/// screen, place the cursor, set a mode.
fn is_editing(sequence: &[u8]) -> bool {
    matches!(sequence, [_, b'[', .., b'C' | b'D' | b'G' | b'K' | b'P' | b'@' | b'm'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(escapes: Escapes, bytes: &[u8]) -> Vec<u8> {
        Filter::new(escapes).pass(bytes)
    }

    #[test]
    fn frames_and_firmware_codes_are_not_shown() {
        let stream = b"\x1b[2J\x1b[01;01H\x1b[=3hboot\r\n\x1eHG QUJD\nresult 1\n\x1eHG x\r\nend";
        assert_eq!(all(Escapes::Drop, stream), b"boot\r\nresult 1\nend");
        assert_eq!(all(Escapes::KeepEditing, stream), b"boot\r\nresult 1\nend");
    }

    #[test]
    fn line_editing_passes_at_a_terminal() {
        assert_eq!(all(Escapes::KeepEditing, b"ab\x1b[D\x1b[Kc"), b"ab\x1b[D\x1b[Kc");
        assert_eq!(all(Escapes::Drop, b"ab\x1b[D\x1b[Kc"), b"abc");
    }

    #[test]
    fn pieces_do_not_matter() {
        let stream = b"a\x1b[1mb\x1eHG frame\nc\x1b[2Jd\x1bMe";
        let whole = all(Escapes::KeepEditing, stream);
        let mut filter = Filter::new(Escapes::KeepEditing);
        let bytewise: Vec<u8> = stream.iter().flat_map(|&b| filter.pass(&[b])).collect();
        assert_eq!(whole, bytewise);
        assert_eq!(whole, b"a\x1b[1mbcde");
    }
}
