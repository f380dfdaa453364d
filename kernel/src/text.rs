//! What console text looks like.
//!
//! Two kinds of text share the line: the kernel's own, each line of which
//! begins with [`PREFIX`], and what tasks write. A task must not be able to
//! speak as the kernel, nor to start a log frame (which begins with 0x1E), nor
//! to confuse a terminal: its bytes go through [`TaskText`].

use core::fmt;

/// Begins each line of the kernel's own.
pub const PREFIX: &str = "[kernel] ";

/// Writes the kernel's own lines: each begins with [`PREFIX`] and ends with
/// CR LF, as terminals on a serial line want it.
pub struct KernelText<'a> {
    out: &'a mut dyn FnMut(&[u8]),
    at_start: bool,
}

impl<'a> KernelText<'a> {
    /// Text that begins on a new line.
    pub fn new(out: &'a mut dyn FnMut(&[u8])) -> Self {
        Self { out, at_start: true }
    }
}

impl fmt::Write for KernelText<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive('\n') {
            if self.at_start {
                (self.out)(PREFIX.as_bytes());
            }
            let line = part.strip_suffix('\n');
            (self.out)(line.unwrap_or(part).as_bytes());
            self.at_start = line.is_some();
            if self.at_start {
                (self.out)(b"\r\n");
            }
        }
        Ok(())
    }
}

/// Passes on what a task writes, made harmless.
///
/// Control bytes other than CR, LF and TAB become `\xNN`, ESC among them: an
/// escape sequence could move the cursor onto a line of the kernel's. So do
/// the controls from 0x80 to 0x9F, as single bytes and as U+0080 to U+009F,
/// which some terminals obey. Other bytes of UTF-8 text pass. A line that
/// begins with `[kernel]` gets its `]` written as `\x5d`.
#[derive(Clone, Debug)]
pub struct TaskText {
    /// How many bytes of `[kernel` the line has begun with; `None` once it
    /// has begun with something else.
    matched: Option<usize>,
    /// The last UTF-8 lead byte.
    lead: u8,
    /// Continuation bytes that it still asks for.
    continuation: u8,
    /// The line has begun and not ended.
    is_open: bool,
}

/// What a task's line must not begin with, up to its last byte.
const MARK: &[u8] = b"[kernel";

impl Default for TaskText {
    fn default() -> Self {
        Self::new()
    }
}

impl TaskText {
    /// Text that begins on a new line.
    pub const fn new() -> Self {
        Self { matched: Some(0), lead: 0, continuation: 0, is_open: false }
    }

    /// Passes `bytes` on to `out`.
    pub fn write(&mut self, bytes: &[u8], out: &mut dyn FnMut(&[u8])) {
        // Harmless bytes go out in runs: a UART takes a FIFO full at a time.
        let mut run = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            let harmless = self.is_harmless(byte);
            let closes_mark = byte == b']' && self.matched == Some(MARK.len());
            self.follow(byte);
            if harmless && !closes_mark && byte != b'\n' {
                continue;
            }
            out(&bytes[run..at]);
            run = at + 1;
            if byte == b'\n' {
                out(b"\r\n");
            } else {
                let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble & 15)];
                out(&[b'\\', b'x', digit(byte >> 4), digit(byte)]);
            }
        }
        out(&bytes[run..]);
    }

    /// Ends the line, if one is open, so that somebody else can begin one.
    pub fn end_line(&mut self, out: &mut dyn FnMut(&[u8])) {
        if self.is_open {
            self.write(b"\n", out);
        }
    }

    fn is_harmless(&mut self, byte: u8) -> bool {
        if self.continuation > 0 && byte & 0xc0 == 0x80 {
            self.continuation -= 1;
            // 0xC2 leads U+0080 to U+00BF, of which the first half are controls.
            return self.lead != 0xc2 || byte >= 0xa0;
        }
        self.lead = byte;
        self.continuation = match byte {
            0xc2..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf4 => 3,
            _ => 0,
        };
        matches!(byte, b'\r' | b'\n' | b'\t' | 0x20..=0x7e | 0xc2..=0xf4)
    }

    /// Keeps track of how the line begins. CR begins one too, for the cursor
    /// is back at the margin.
    fn follow(&mut self, byte: u8) {
        self.is_open = byte != b'\n';
        self.matched = match (byte, self.matched) {
            (b'\r' | b'\n', _) => Some(0),
            (_, Some(matched)) if MARK.get(matched) == Some(&byte) => Some(matched + 1),
            _ => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::fmt::Write;

    fn kernel(text: &[&str]) -> String {
        let mut bytes = Vec::new();
        let mut out = |part: &[u8]| bytes.extend_from_slice(part);
        let mut lines = KernelText::new(&mut out);
        for part in text {
            lines.write_str(part).unwrap();
        }
        String::from_utf8(bytes).unwrap()
    }

    fn task(writes: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut text = TaskText::new();
        for part in writes {
            text.write(part, &mut |part| bytes.extend_from_slice(part));
        }
        bytes
    }

    #[test]
    fn every_line_of_the_kernel_is_marked() {
        assert_eq!(kernel(&["a", "b\nc", "\n\n"]), "[kernel] ab\r\n[kernel] c\r\n[kernel] \r\n");
    }

    #[test]
    fn ordinary_text_of_a_task_passes() {
        let text = "R² = 0.995\tαβγ \u{a0}bold 🌞";
        assert_eq!(task(&[text.as_bytes()]), text.as_bytes());
        assert_eq!(task(&[b"a\nb"]), b"a\r\nb");
    }

    #[test]
    fn no_task_can_begin_a_log_frame_or_a_kernel_line() {
        assert_eq!(task(&[b"\x1eHG 00"]), b"\\x1eHG 00");
        assert_eq!(task(&[b"[ker", b"nel] ok\n[kernel]"]), b"[kernel\\x5d ok\r\n[kernel\\x5d");
        assert_eq!(task(&[b"x\r[kernel] "]), b"x\r[kernel\\x5d ");
        assert_eq!(task(&[b"x [kernel] [kern]"]), b"x [kernel] [kern]");
    }

    #[test]
    fn a_line_is_ended_once_and_only_if_it_is_open() {
        let mut bytes = Vec::new();
        let mut out = |part: &[u8]| bytes.extend_from_slice(part);
        let mut text = TaskText::new();
        text.end_line(&mut out);
        text.write(b"a\nb", &mut out);
        text.end_line(&mut out);
        text.end_line(&mut out);
        assert_eq!(bytes, b"a\r\nb\r\n");
    }

    #[test]
    fn no_task_can_command_the_terminal() {
        assert_eq!(task(&[b"\x1b[m[kernel] ok"]), b"\\x1b[m[kernel] ok");
        assert_eq!(task(&[b"\x9b2J"]), b"\\x9b2J");
        // U+009B, also when it comes in two writes.
        assert_eq!(task(&[b"\xc2", b"\x9b2J"]), b"\xc2\\x9b2J");
    }

    #[test]
    fn every_single_byte_comes_out_harmless() {
        for byte in 0..=255u8 {
            let out = task(&[b"x", &[byte], b" "]);
            let bad =
                |byte: &u8| !matches!(byte, 0x20..=0x7e | b'\r' | b'\n' | b'\t' | 0xc2..=0xf4);
            assert!(!out.iter().any(bad), "{byte:#x} became {out:x?}");
        }
    }
}
