//! What a command says: as text for people, or as one JSON object with
//! `--json`.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;

use serde::Serialize;
use serde_json::json;

use crate::error::{HelioError, Result};

/// Why something did not get to stdout, which the process has one of.
static LOST: Mutex<Option<io::Error>> = Mutex::new(None);

/// Where results go.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
}

impl Output {
    /// Results as text, or as JSON.
    pub const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether results are JSON, so that nothing else may go to stdout.
    pub const fn is_json(self) -> bool {
        self.json
    }

    /// Prints a result.
    pub fn show(self, result: &(impl Serialize + Display)) {
        if self.json {
            self.line(&json!(result).to_string());
        } else {
            let text = result.to_string();
            self.line(text.trim_end_matches('\n'));
        }
    }

    /// Prints text that is the same with `--json`: lines that are JSON
    /// already. It ends in a line feed, or is empty.
    pub fn raw(self, text: &str) {
        if let Some(text) = text.strip_suffix('\n') {
            self.line(text);
        }
    }

    /// Prints text for people; nothing with `--json`.
    pub fn say(self, text: &str) {
        if !self.json {
            self.line(text);
        }
    }

    /// Prints a remark for people, to stderr; nothing with `--json`.
    pub fn remark(self, text: &str) {
        if !self.json {
            // Nothing is left to do where stderr is gone.
            let _ = writeln!(io::stderr(), "helio: {text}");
        }
    }

    /// Prints an error: as text to stderr, as JSON to stdout.
    pub fn fail(self, error: &HelioError) {
        if self.json {
            let error = json!({
                "error": {
                    "stage": error.stage(),
                    "object": error.object(),
                    "reason": error.reason(),
                    "advice": error.advice(),
                }
            });
            self.line(&error.to_string());
        } else {
            // Nothing is left to do where stderr is gone.
            let _ = writeln!(io::stderr(), "helio: {error}");
        }
    }

    fn line(self, text: &str) {
        if let Err(error) = writeln!(io::stdout(), "{text}")
            // A reader that went away (`helio log show | head`) is no error.
            && error.kind() != io::ErrorKind::BrokenPipe
            && let Ok(mut lost) = LOST.lock()
        {
            lost.get_or_insert(error);
        }
    }

    /// Whether all results got to where they were to go.
    pub fn finish(self) -> Result<()> {
        let lost = LOST.lock().ok().and_then(|mut lost| lost.take());
        lost.map_or(Ok(()), |error| Err(HelioError::write(Path::new("stdout"), error)))
    }
}
