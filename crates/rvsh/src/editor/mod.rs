//! The line editor: bytes of a terminal in, lines out.
//!
//! It knows the keys that a terminal of the ANSI kind sends: printable
//! characters in UTF-8, backspace, the arrows, home, end, delete, and the
//! control keys of other shells (^A ^E ^B ^F ^D ^K ^U ^W ^P ^N ^C ^L), and tab.
//! Other bytes, whatever they are, change nothing. A line that does not fit is
//! refused as a whole: half a command is another command.
//!
//! What it holds is bounded ([`Editor::LINE_MAX`] bytes a line, [`HISTORY`]
//! lines), and so is what it echoes for one byte. Characters are taken to be
//! one column wide.

mod history;
mod keys;
mod line;

use alloc::string::String;
use core::fmt::Write;

pub use history::HISTORY;
use history::History;
use keys::{Key, Keys};
use line::Line;

use crate::complete::Completion;

/// What came of a byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A line, to be executed; then [`Editor::show`] prompts for the next.
    Line(String),
    /// ^C. The line is dropped and the next one prompted for.
    Interrupt,
    /// Tab. What [`complete`](crate::complete) makes of this, the line up to
    /// the cursor, is for [`Editor::offer`]; until then nothing has changed.
    Complete(String),
}

/// The state between two bytes.
#[derive(Clone, Debug)]
pub struct Editor {
    prompt: &'static str,
    keys: Keys,
    line: Line,
    history: History,
    /// The line did not fit; it is ignored until it ends.
    is_overlong: bool,
}

/// Erases from the cursor to the end of the row.
const ERASE_REST: &str = "\x1b[K";
const BELL: &str = "\x07";
const NEW_ROW: &str = "\r\n";

impl Editor {
    /// Longest line, in bytes.
    pub const LINE_MAX: usize = 512;

    /// Most bytes of echo for one byte of input: a line drawn again, its
    /// prompt, and some cursor movement.
    pub const ECHO_MAX: usize = 2 * Self::LINE_MAX;

    /// Most choices shown at one time.
    pub const CHOICES: usize = 64;

    /// An empty line. Nothing is echoed yet: see [`Self::show`].
    pub fn new(prompt: &'static str) -> Self {
        Self {
            prompt,
            keys: Keys::default(),
            line: Line::default(),
            history: History::default(),
            is_overlong: false,
        }
    }

    /// Takes a byte and shows what to echo to `echo`, with CR LF at the end of
    /// rows.
    pub fn feed(&mut self, byte: u8, echo: &mut dyn FnMut(&str)) -> Option<Input> {
        let key = self.keys.feed(byte)?;
        let mut out = String::new();
        let input = self.press(key, &mut out);
        if !out.is_empty() {
            echo(&out);
        }
        input
    }

    /// Puts in what a completion has for certain; where that is nothing, shows
    /// the first [`Editor::CHOICES`] choices.
    pub fn offer(&mut self, completion: &Completion, echo: &mut dyn FnMut(&str)) {
        let Completion { rest, choices } = completion;
        let mut out = String::new();
        if choices.is_empty() {
            out.push_str(BELL);
        } else if rest.is_empty() {
            list(choices, &mut out);
            self.draw(&mut out);
        }
        for character in rest.chars() {
            if !self.line.insert(character, Self::LINE_MAX) {
                out.push_str(BELL);
                break;
            }
            out.push(character);
        }
        if !rest.is_empty() {
            self.draw_rest(&mut out);
        }
        echo(&out);
    }

    /// Draws prompt and line again, after something else was printed.
    pub fn show(&self, echo: &mut dyn FnMut(&str)) {
        let mut out = String::new();
        self.draw(&mut out);
        echo(&out);
    }

    /// Takes prompt and line off the screen, to print something else there.
    pub fn hide(&self, echo: &mut dyn FnMut(&str)) {
        echo("\r");
        echo(ERASE_REST);
    }

    fn press(&mut self, key: Key, out: &mut String) -> Option<Input> {
        if self.is_overlong {
            return self.press_overlong(key, out);
        }
        match key {
            Key::Enter => return Some(self.enter(out)),
            Key::Interrupt => return Some(self.interrupt(out)),
            Key::Character(character) => self.insert(character, out),
            Key::Backspace => self.remove(Line::left, out),
            Key::Delete => self.remove(|_| Some(0), out),
            Key::KillWord => self.remove(Line::word_left, out),
            Key::KillLine => {
                self.line = Line::default();
                self.draw(out);
            }
            Key::KillRest => {
                self.line.truncate();
                out.push_str(ERASE_REST);
            }
            Key::Left => self.step(Line::left, out),
            Key::Right => self.step(Line::right, out),
            Key::Home => self.step(Line::home, out),
            Key::End => self.step(Line::end, out),
            Key::Up => self.recall(History::older, out),
            Key::Down => self.recall(History::newer, out),
            Key::Redraw => self.draw(out),
            Key::Complete => return Some(Input::Complete(self.line.before().into())),
            Key::Unknown => out.push_str(BELL),
        }
        None
    }

    /// While a line is too long only its end counts.
    fn press_overlong(&mut self, key: Key, out: &mut String) -> Option<Input> {
        match key {
            Key::Enter => {
                let limit = Self::LINE_MAX;
                // Writing to a String does not fail.
                let _ = write!(
                    out,
                    "{NEW_ROW}The line is longer than {limit} bytes and was not run.{NEW_ROW}"
                );
                self.reset();
                self.draw(out);
                None
            }
            Key::Interrupt => Some(self.interrupt(out)),
            Key::KillLine => {
                self.reset();
                self.draw(out);
                None
            }
            _ => None,
        }
    }

    fn reset(&mut self) {
        self.is_overlong = false;
        self.line = Line::default();
        self.history.leave();
    }

    fn enter(&mut self, out: &mut String) -> Input {
        out.push_str(NEW_ROW);
        let line = core::mem::take(&mut self.line).into_text();
        self.history.add(&line);
        Input::Line(line)
    }

    fn interrupt(&mut self, out: &mut String) -> Input {
        self.reset();
        out.push_str("^C");
        out.push_str(NEW_ROW);
        self.draw(out);
        Input::Interrupt
    }

    fn insert(&mut self, character: char, out: &mut String) {
        if !self.line.insert(character, Self::LINE_MAX) {
            self.is_overlong = true;
            out.push_str(BELL);
            return;
        }
        out.push(character);
        self.draw_rest(out);
    }

    /// Moves the cursor left by as many characters as `by` says, and removes
    /// those; for none, removes the one under the cursor.
    fn remove(&mut self, by: fn(&mut Line) -> Option<usize>, out: &mut String) {
        let Some(columns) = by(&mut self.line) else { return out.push_str(BELL) };
        if !self.line.remove(columns.max(1)) {
            return out.push_str(BELL);
        }
        back(columns, out);
        out.push_str(ERASE_REST);
        self.draw_rest(out);
    }

    /// Moves the cursor by a number of columns, left if the new place is left
    /// of the old one.
    fn step(&mut self, by: fn(&mut Line) -> Option<usize>, out: &mut String) {
        let before = self.line.rest().len();
        let Some(columns) = by(&mut self.line) else { return out.push_str(BELL) };
        if self.line.rest().len() > before {
            back(columns, out);
        } else if columns > 0 {
            let _ = write!(out, "\x1b[{columns}C");
        }
    }

    fn recall(&mut self, which: fn(&mut History, &str) -> Option<String>, out: &mut String) {
        match which(&mut self.history, self.line.text()) {
            Some(text) => {
                self.line = Line::from(text);
                self.draw(out);
            }
            None => out.push_str(BELL),
        }
    }

    /// Prompt, line and cursor on an erased row.
    fn draw(&self, out: &mut String) {
        out.push('\r');
        out.push_str(ERASE_REST);
        out.push_str(self.prompt);
        out.push_str(self.line.before());
        self.draw_rest(out);
    }

    /// What is right of the cursor, with the cursor back in its place.
    fn draw_rest(&self, out: &mut String) {
        let rest = self.line.rest();
        out.push_str(rest);
        back(rest.chars().count(), out);
    }
}

/// Choices in rows below the line.
fn list(choices: &[String], out: &mut String) {
    const WIDTH: usize = 79;
    let mut column = 0;
    out.push_str(NEW_ROW);
    for choice in choices.iter().take(Editor::CHOICES) {
        let width = choice.chars().count();
        if column > 0 && column + 2 + width > WIDTH {
            out.push_str(NEW_ROW);
            column = 0;
        }
        if column > 0 {
            out.push_str("  ");
            column += 2;
        }
        out.push_str(choice);
        column += width;
    }
    if let Some(rest @ 1..) = choices.len().checked_sub(Editor::CHOICES) {
        let _ = write!(out, "{NEW_ROW}and {rest} more");
    }
    out.push_str(NEW_ROW);
}

/// Moves the cursor left.
fn back(columns: usize, out: &mut String) {
    let _ = match columns {
        0 => Ok(()),
        1 => out.write_char('\x08'),
        _ => write!(out, "\x1b[{columns}D"),
    };
}

#[cfg(test)]
mod tests;
