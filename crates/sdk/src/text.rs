//! Text in a fixed buffer.

use core::fmt;

/// UTF-8 text of at most `CAPACITY` bytes, without an allocator.
#[derive(Clone, Debug)]
pub struct Text<const CAPACITY: usize> {
    bytes: [u8; CAPACITY],
    length: usize,
}

impl<const CAPACITY: usize> Text<CAPACITY> {
    /// No text.
    pub const fn new() -> Self {
        Self { bytes: [0; CAPACITY], length: 0 }
    }

    /// The bytes so far.
    pub fn as_bytes(&self) -> &[u8] {
        // The length never exceeds the capacity; an empty slice, not a panic,
        // keeps the formatting of a panic message out of small payloads.
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// The text so far.
    pub fn as_str(&self) -> &str {
        // Only whole characters are pushed and removed.
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// Forgets the text.
    pub fn clear(&mut self) {
        self.length = 0;
    }

    /// Adds as many whole characters as fit and returns the others.
    pub fn push_some<'a>(&mut self, text: &'a str) -> &'a str {
        let room = CAPACITY - self.length;
        let (fits, rest) = text.split_at(text.floor_char_boundary(room));
        if let Some(into) = self.bytes.get_mut(self.length..self.length + fits.len()) {
            into.copy_from_slice(fits.as_bytes());
            self.length += fits.len();
        }
        rest
    }

    /// Removes the first `length` bytes, or all of fewer. The cut must be
    /// between characters; after a line end it is.
    pub(crate) fn remove_first(&mut self, length: usize) {
        let length = length.min(self.length);
        self.bytes.copy_within(length..self.length, 0);
        self.length -= length;
    }
}

impl<const CAPACITY: usize> Default for Text<CAPACITY> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const CAPACITY: usize> fmt::Write for Text<CAPACITY> {
    /// Fails where the text is cut at the end of the buffer.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.push_some(text).is_empty() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::fmt::Write;

    #[test]
    fn text_is_cut_between_characters() {
        let mut text = Text::<4>::new();
        assert_eq!(text.push_some("aé€"), "€");
        assert_eq!(text.as_str(), "aé");
        assert!(text.write_str("zz").is_err());
        assert_eq!(text.as_str(), "aéz");
        text.remove_first(1);
        assert_eq!(text.as_str(), "éz");
        text.remove_first(9);
        assert_eq!(text.as_str(), "");
    }
}
