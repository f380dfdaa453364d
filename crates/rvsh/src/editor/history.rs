//! Lines entered before.

use alloc::collections::VecDeque;
use alloc::string::String;

/// Most lines remembered.
pub const HISTORY: usize = 32;

/// Lines, oldest first, and a place among them while one looks back.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    lines: VecDeque<String>,
    /// How many lines back; zero is the line being written.
    back: usize,
    /// The line being written, kept while one looks back.
    draft: String,
}

impl History {
    /// Remembers a line, unless it is blank or the same as the last one.
    pub(super) fn add(&mut self, line: &str) {
        self.leave();
        if line.trim().is_empty() || self.lines.back().is_some_and(|last| last == line) {
            return;
        }
        if self.lines.len() == HISTORY {
            self.lines.pop_front();
        }
        self.lines.push_back(line.into());
    }

    /// Goes back to the line being written, which is forgotten.
    pub(super) fn leave(&mut self) {
        self.back = 0;
        self.draft = String::new();
    }

    /// The line before the one shown; `current` is kept if it is the draft.
    pub(super) fn older(&mut self, current: &str) -> Option<String> {
        let place = self.lines.len().checked_sub(self.back + 1)?;
        if self.back == 0 {
            self.draft = current.into();
        }
        self.back += 1;
        self.lines.get(place).cloned()
    }

    /// The line after the one shown, at last the draft.
    pub(super) fn newer(&mut self, _current: &str) -> Option<String> {
        self.back = self.back.checked_sub(1)?;
        match self.back {
            0 => Some(core::mem::take(&mut self.draft)),
            back => self.lines.get(self.lines.len().checked_sub(back)?).cloned(),
        }
    }
}
