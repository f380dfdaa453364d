//! Progress on long steps, on stderr: a spinner at a terminal, or a bar where
//! there is something to count; one line a step elsewhere, nothing with
//! `--json`.

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

    /// Begins a step that goes through so many records.
    pub fn counted(output: Output, what: &str, records: u64) -> Self {
        let progress = Self::start(output, what);
        if let Some(bar) = &progress.bar {
            let template = "{spinner} {msg} {wide_bar} {pos}/{len} records, {per_sec} ({elapsed})";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_length(records);
        }
        progress
    }

    /// Shows how many of them are done.
    pub fn reached(&self, records: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(records);
        }
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
