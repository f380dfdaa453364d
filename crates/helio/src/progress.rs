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
        let template = "{spinner} {msg} {wide_bar} {pos}/{len} records, {per_sec} ({elapsed})";
        Self::measured(output, what, records, template)
    }

    /// Begins a step that goes through so many bytes.
    pub fn bytes(output: Output, what: &str, bytes: u64) -> Self {
        let template = "{spinner} {msg} {wide_bar} {bytes}/{total_bytes}, {bytes_per_sec} ({eta})";
        Self::measured(output, what, bytes, template)
    }

    fn measured(output: Output, what: &str, length: u64, template: &str) -> Self {
        let progress = Self::start(output, what);
        if let Some(bar) = &progress.bar {
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_length(length);
        }
        progress
    }

    /// Shows how many of them are done.
    pub fn reached(&self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
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
