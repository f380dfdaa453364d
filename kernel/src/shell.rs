//! The shell on the console: keys in, text out. What it may do is in `rvsh`.

use rvsh::{Action, Editor, Input, View};

use crate::console;

/// What is in front of a line.
const PROMPT: &str = "helio> ";

/// The line being typed, and whether there is a prompt on the screen.
pub struct Shell {
    editor: Editor,
    is_open: bool,
}

impl Shell {
    /// A shell that shows no prompt before the first key.
    pub fn new() -> Self {
        Self { editor: Editor::new(PROMPT), is_open: false }
    }

    /// Shows the prompt, from now on.
    pub fn open(&mut self) {
        self.is_open = true;
        self.show();
    }

    /// Takes the prompt off the screen, so that something else can be said.
    pub fn hide(&self) {
        if self.is_open {
            self.editor.hide(&mut echo);
        }
    }

    /// Puts the prompt back.
    pub fn show(&self) {
        if self.is_open {
            self.editor.show(&mut echo);
        }
    }

    /// Takes a byte. Where it ends a line, answers it and says what is to be
    /// done; the caller shows the prompt again when it is.
    pub fn feed(&mut self, byte: u8, view: &dyn View) -> Option<Action> {
        if !self.is_open {
            self.open();
        }
        match self.editor.feed(byte, &mut echo)? {
            Input::Line(line) => {
                let answer = rvsh::execute(&line, view);
                for line in answer.text.lines() {
                    echo(line);
                    echo("\r\n");
                }
                if answer.action.is_none() {
                    self.show();
                }
                answer.action
            }
            Input::Interrupt => {
                self.show();
                None
            }
            Input::Complete(before) => {
                self.editor.offer(&rvsh::complete(&before, view), &mut echo);
                None
            }
        }
    }
}

fn echo(text: &str) {
    console::write(text.as_bytes());
}
