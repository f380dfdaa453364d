//! The last lines that the kernel said, for whoever asks later.
//!
//! They take the same room from the start, so that the first line of all can
//! be kept, before there is a heap.

use core::fmt::{self, Write};

/// Lines that are kept.
pub const KEPT: usize = 128;

/// Longest text that is kept of a line, in bytes; the rest of it is not.
pub const LONGEST: usize = 240;

/// A line that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// How many lines were said before it.
    pub number: u64,
    /// The machine's clock, in ns; zero before there was one.
    pub time_ns: u64,
    /// Whether somebody should look into it.
    pub is_warning: bool,
    /// What was said.
    pub text: &'a str,
}

/// The last [`KEPT`] lines.
pub struct Messages {
    lines: [Line; KEPT],
    /// How many lines were ever said.
    count: u64,
}

#[derive(Clone, Copy)]
struct Line {
    time_ns: u64,
    is_warning: bool,
    length: usize,
    text: [u8; LONGEST],
}

impl Messages {
    /// None yet.
    pub const fn new() -> Self {
        const EMPTY: Line = Line { time_ns: 0, is_warning: false, length: 0, text: [0; LONGEST] };
        Self { lines: [EMPTY; KEPT], count: 0 }
    }

    /// Keeps a line, in the place of the oldest where there is no other.
    pub fn push(&mut self, time_ns: u64, is_warning: bool, text: fmt::Arguments<'_>) {
        let line = &mut self.lines[place(self.count)];
        (line.time_ns, line.is_warning, line.length) = (time_ns, is_warning, 0);
        // What does not fit is an error to `fmt`, and left out here.
        let _ = line.write_fmt(text);
        self.count += 1;
    }

    /// Those that are kept, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = Message<'_>> {
        (self.count.saturating_sub(KEPT as u64)..self.count).map(|number| {
            let line = &self.lines[place(number)];
            let text = str::from_utf8(&line.text[..line.length]).unwrap_or_default();
            Message { number, time_ns: line.time_ns, is_warning: line.is_warning, text }
        })
    }
}

impl Default for Messages {
    fn default() -> Self {
        Self::new()
    }
}

/// Where the line of this number is.
fn place(number: u64) -> usize {
    (number % KEPT as u64) as usize
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.text[self.length..];
        let fits = text.floor_char_boundary(room.len());
        room[..fits].copy_from_slice(&text.as_bytes()[..fits]);
        self.length += fits;
        if fits < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_in_order() {
        let mut messages = Messages::new();
        assert_eq!(messages.iter().next(), None);
        for number in 0..KEPT as u64 + 3 {
            messages.push(number * 10, number == 5, format_args!("line {number}"));
        }
        let kept: Vec<_> = messages.iter().collect();
        assert_eq!(kept.len(), KEPT);
        let first = Message { number: 3, time_ns: 30, is_warning: false, text: "line 3" };
        assert_eq!(kept[0], first);
        assert!(kept[2].is_warning && !kept[3].is_warning);
        assert_eq!(kept[KEPT - 1].text, format!("line {}", KEPT + 2));
    }

    #[test]
    fn of_a_long_line_whole_characters_are_kept() {
        let mut messages = Messages::new();
        messages.push(0, false, format_args!("x{}", "é".repeat(LONGEST)));
        messages.push(0, false, format_args!("short"));
        let kept: Vec<_> = messages.iter().map(|message| message.text).collect();
        assert_eq!(kept, [format!("x{}", "é".repeat((LONGEST - 1) / 2)).as_str(), "short"]);
    }
}
