//! The kernel's command line.

use core::fmt::{self, Write};

use crate::refusal::Refusal;

/// Longest line, in bytes. The answers have room for it.
pub const LENGTH_MAX: usize = 3 << 10;

/// A line that is being put together.
#[derive(Debug)]
pub struct Line {
    bytes: [u8; LENGTH_MAX],
    length: usize,
}

impl Line {
    /// What the loader says, then the words of the device tree. A kernel takes
    /// a word that is given twice as it was given first, so nobody can claim
    /// here that signatures were checked.
    pub fn compose(entropy: Option<&[u8]>, words: &[u8]) -> Result<Self, Refusal> {
        let mut line = Self { bytes: [0; LENGTH_MAX], length: 0 };
        line.fill(entropy, words).map_err(|fmt::Error| Refusal::CommandLine)?;
        Ok(line)
    }

    /// The line.
    pub fn text(&self) -> &str {
        let bytes = self.bytes.get(..self.length).unwrap_or_default();
        core::str::from_utf8(bytes).unwrap_or_default()
    }

    fn fill(&mut self, entropy: Option<&[u8]>, words: &[u8]) -> fmt::Result {
        self.write_str("loader.checked=0")?;
        if let Some(seed) = entropy {
            self.write_str(" entropy=")?;
            seed.iter().try_for_each(|byte| write!(self, "{byte:02x}"))?;
        }
        // A property of the tree ends with a zero byte.
        let is_gap = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
        for word in words.split(is_gap).filter(|word| !word.is_empty()) {
            if !word.iter().all(u8::is_ascii_graphic) {
                return Err(fmt::Error);
            }
            self.write_char(' ')?;
            self.write_str(core::str::from_utf8(word).map_err(|_| fmt::Error)?)?;
        }
        Ok(())
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.length..).ok_or(fmt::Error)?;
        room.get_mut(..text.len()).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length += text.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loaders_words_come_first() {
        let line = Line::compose(Some(&[0xab, 1]), b"  test=1\tloader.checked=1 \0").unwrap();
        assert_eq!(line.text(), "loader.checked=0 entropy=ab01 test=1 loader.checked=1");
        assert_eq!(Line::compose(None, b"").unwrap().text(), "loader.checked=0");
    }

    #[test]
    fn what_cannot_be_a_line_is_refused() {
        let refusal = |words: &str| Line::compose(None, words.as_bytes()).map(drop);
        assert_eq!(refusal("a\u{1b}b"), Err(Refusal::CommandLine));
        assert_eq!(refusal("ä"), Err(Refusal::CommandLine));
        assert_eq!(refusal(&"x".repeat(LENGTH_MAX)), Err(Refusal::CommandLine));
        assert_eq!(refusal(&"x".repeat(LENGTH_MAX - 17)), Ok(()));
    }
}
