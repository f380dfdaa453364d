//! What is printed at the end of a run.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::denials::Denials;
use crate::command::verify::Shown;
use crate::qemu::End;
use crate::session::Conclusion;

/// What a run comes to.
#[derive(Serialize)]
pub(super) struct Summary {
    end: String,
    succeeded: bool,
    log: PathBuf,
    checkpoint: Option<String>,
    #[serde(skip)]
    shown: bool,
    remarks: Vec<String>,
    denials: Denials,
    #[serde(flatten)]
    finding: Shown,
}

impl Summary {
    /// Of a run that left `console` on its serial port.
    pub(super) fn new(end: End, succeeded: bool, conclusion: Conclusion, console: &[u8]) -> Self {
        let bad = conclusion.bad_record();
        let console = String::from_utf8_lossy(console);
        let signature = conclusion.log.checkpoint.as_ref().and_then(|note| note.lines().last());
        Self {
            end: end.to_string(),
            succeeded,
            denials: Denials::of(&conclusion),
            finding: Shown::new(&conclusion.finding, bad),
            log: conclusion.path,
            shown: signature.is_some_and(|line| console.contains(line)),
            checkpoint: conclusion.log.checkpoint,
            remarks: conclusion.remarks,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The kernel says it at the end of a run.
        if let Some(checkpoint) = self.checkpoint.as_ref().filter(|_| !self.shown) {
            writeln!(f, "\nsigned checkpoint:")?;
            checkpoint.lines().try_for_each(|line| writeln!(f, "  {line}"))?;
        }
        self.denials.fmt(f)?;
        writeln!(f, "\nlog {}: {}", self.log.display(), self.end)?;
        self.remarks.iter().try_for_each(|remark| writeln!(f, "  {remark}"))?;
        self.finding.fmt(f)
    }
}
