//! The line being edited: text and a cursor between two characters.

use alloc::string::String;

/// Text and cursor.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    text: String,
    /// In bytes, always between two characters.
    cursor: usize,
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self { cursor: text.len(), text }
    }
}

impl Line {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// What is left of the cursor.
    pub(super) fn before(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    /// What is right of the cursor.
    pub(super) fn rest(&self) -> &str {
        self.text.get(self.cursor..).unwrap_or_default()
    }

    /// Puts a character before the cursor, unless the line would be longer
    /// than `limit` bytes.
    pub(super) fn insert(&mut self, character: char, limit: usize) -> bool {
        let fits = self.text.len() + character.len_utf8() <= limit;
        if fits {
            self.text.insert(self.cursor, character);
            self.cursor += character.len_utf8();
        }
        fits
    }

    /// Removes this many characters right of the cursor. False if there are
    /// none.
    pub(super) fn remove(&mut self, count: usize) -> bool {
        let bytes: usize = self.rest().chars().take(count).map(char::len_utf8).sum();
        self.text.drain(self.cursor..self.cursor + bytes);
        bytes > 0
    }

    /// Removes everything right of the cursor.
    pub(super) fn truncate(&mut self) {
        self.text.truncate(self.cursor);
    }

    // Each of these moves the cursor and says by how many columns, or does
    // nothing at the end of its way.

    pub(super) fn left(&mut self) -> Option<usize> {
        self.cursor -= self.before().chars().next_back()?.len_utf8();
        Some(1)
    }

    pub(super) fn right(&mut self) -> Option<usize> {
        self.cursor += self.rest().chars().next()?.len_utf8();
        Some(1)
    }

    pub(super) fn home(&mut self) -> Option<usize> {
        let columns = self.before().chars().count();
        self.cursor = 0;
        Some(columns)
    }

    pub(super) fn end(&mut self) -> Option<usize> {
        let columns = self.rest().chars().count();
        self.cursor = self.text.len();
        Some(columns)
    }

    /// To the beginning of the word left of the cursor.
    pub(super) fn word_left(&mut self) -> Option<usize> {
        let before = self.before();
        let word = before.trim_end();
        let start = word.rfind(char::is_whitespace).map_or(0, |at| {
            at + word.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
        });
        let columns = before.get(start..).unwrap_or_default().chars().count();
        self.cursor = start;
        (columns > 0).then_some(columns)
    }
}
