//! Progress on long steps, on stderr: a spinner at a terminal, one line a
//! step elsewhere, nothing with `--json`.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::Output;

/// One step that may take long. Dropping it takes the spinner away.
pub struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Begins a step.
    pub fn start(output: Output, what: &str) -> Self {
        if output.is_json() {
            return Self { bar: None };
        }
        if !std::io::stderr().is_terminal() {
            output.remark(what);
            return Self { bar: None };
        }
        let bar = ProgressBar::new_spinner().with_message(what.to_owned());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar: Some(bar) }
    }

    /// Takes the spinner away; other text may follow.
    pub fn finish(self) {}
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
