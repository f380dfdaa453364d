//! The machine's shell over a replayed machine. It only looks: what a run did
//! is in its log, and nobody can add to it afterwards.

use std::io::{self, Read, Write};

use rvsh::{Action, Editor, Input, View};

use crate::terminal::LEAVE;

/// What is in front of a line: another one than on a machine that runs.
const PROMPT: &str = "replay> ";

/// What a command that would change the machine is answered.
const REFUSED: &str = "This machine is replayed from its log: it can be looked at, not changed. \
                       Ctrl-] leaves.";

/// What is answered to a wish for the log.
const AT_HAND: &str = "The log is in a folder already: `helio log` shows and exports it.";

/// Answers lines until the input ends, or Ctrl-] is pressed.
///
/// # Errors
/// Input or output fails.
pub fn serve(view: &dyn View, mut keys: impl Read, out: &mut impl Write) -> io::Result<()> {
    let mut editor = Editor::new(PROMPT);
    let mut said = String::new();
    editor.show(&mut |text| said.push_str(text));
    let mut buffer = [0; 256];
    loop {
        out.write_all(said.as_bytes())?;
        out.flush()?;
        said.clear();
        let count = keys.read(&mut buffer)?;
        let typed = buffer.get(..count).unwrap_or_default();
        for &key in typed {
            if key == LEAVE {
                return leave(&said, out);
            }
            let echoed = editor.feed(key, &mut |text| said.push_str(text));
            let Some(input) = echoed else { continue };
            match input {
                Input::Line(line) => answer(&line, view, &mut said),
                Input::Interrupt => {}
                Input::Complete(before) => {
                    let completion = rvsh::complete(&before, view);
                    editor.offer(&completion, &mut |text| said.push_str(text));
                    continue;
                }
            }
            editor.show(&mut |text| said.push_str(text));
        }
        if count == 0 {
            return leave(&said, out);
        }
    }
}

fn answer(line: &str, view: &dyn View, said: &mut String) {
    let answer = rvsh::execute(line, view);
    let text = match &answer.action {
        None => &answer.text,
        Some(Action::Export) => AT_HAND,
        Some(_) => REFUSED,
    };
    for line in text.lines() {
        said.push_str(line);
        said.push_str("\r\n");
    }
}

fn leave(said: &str, out: &mut impl Write) -> io::Result<()> {
    out.write_all(said.as_bytes())?;
    out.write_all(b"\r\n")?;
    out.flush()
}
