//! `helio diff`: whether two runs did the same, or one log goes on where
//! another ends.

mod prefix;

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::diff::{Difference, diff};
use crate::error::{HelioError, Result};
use crate::exit::ExitCode;
use crate::log::show::{Decoder, Line};
use crate::log::{Folder, source};
use crate::output::Output;

/// Compare the records of two runs, all but leaf 1; or show that a log is the
/// beginning of another.
#[derive(Debug, Args)]
pub struct Diff {
    /// A log: a folder, a log disk or a capture of the serial port.
    a: PathBuf,
    /// Another.
    b: PathBuf,
    /// Compare all records of two logs of one boot, by a consistency proof of
    /// their checkpoints: is A the beginning of B?
    #[arg(long)]
    prefix: bool,
    /// The device's public key, which both checkpoints must be signed by: a
    /// PEM file, or a verifier key (name+id+base64).
    #[arg(long, requires = "prefix")]
    key: Option<String>,
}

#[derive(Serialize)]
struct Compared {
    equal: bool,
    compared: u64,
    first: Option<u64>,
    a: Option<Line>,
    b: Option<Line>,
    #[serde(skip)]
    names: (PathBuf, PathBuf),
}

impl Diff {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        let (a, b) = (records(&self.a)?, records(&self.b)?);
        if self.prefix {
            return prefix::run(output, (&self.a, &a), (&self.b, &b), self.key.as_deref());
        }
        let names = (self.a, self.b);
        let (compared, code) = match diff(&a, &b) {
            Difference::None { compared } => (
                Compared { equal: true, compared, first: None, a: None, b: None, names },
                ExitCode::Success,
            ),
            Difference::At { index } => (
                Compared {
                    equal: false,
                    compared: index.saturating_sub(1),
                    first: Some(index),
                    a: line(&a, index),
                    b: line(&b, index),
                    names,
                },
                ExitCode::Failed,
            ),
        };
        output.show(&compared);
        Ok(code)
    }
}

/// A log that has something to compare.
fn records(path: &Path) -> Result<Folder> {
    let log = source::open(path, None)?.log;
    if log.entries.is_empty() {
        return Err(HelioError::input(
            "diff",
            path.display(),
            "the log has no records",
            "give a log with its `tile/entries`",
        ));
    }
    Ok(log)
}

fn line(log: &Folder, index: u64) -> Option<Line> {
    let entry = log.entries.get(usize::try_from(index).ok()?)?;
    Some(Decoder::new(log).line(index, entry))
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(index) = self.first else {
            return write!(f, "equal: {} records, all but leaf 1", self.compared);
        };
        writeln!(f, "the logs part at record {index}")?;
        for (name, line) in [(&self.names.0, &self.a), (&self.names.1, &self.b)] {
            match line {
                Some(line) => writeln!(f, "{}\n{line}", name.display())?,
                None => writeln!(f, "{}\n        ends before it", name.display())?,
            }
        }
        Ok(())
    }
}
