//! `helio log show` and `helio log tail`: records, decoded.

use std::fmt;

use clap::Args;
use serde::Serialize;

use crate::error::{HelioError, Result};
use crate::exit::ExitCode;
use crate::log::show::{Decoder, Full, Line};
use crate::log::{Folder, Opened, Source};
use crate::output::Output;

/// Show the records of a log, or all about one of them.
#[derive(Debug, Args)]
pub(super) struct Show {
    #[command(flatten)]
    source: Source,
    /// Number of the record.
    record: Option<u64>,
}

/// Show the last records of a log.
#[derive(Debug, Args)]
pub(super) struct Tail {
    #[command(flatten)]
    source: Source,
    /// How many records.
    #[arg(short = 'n', long, default_value_t = 10)]
    lines: usize,
}

#[derive(Serialize)]
struct Records {
    /// How many the log has.
    total: usize,
    records: Vec<Line>,
    remarks: Vec<String>,
}

#[derive(Serialize)]
#[serde(transparent)]
struct One {
    record: Line,
}

impl Show {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        let opened = self.source.open()?;
        let Some(index) = self.record else {
            return records(output, opened, usize::MAX);
        };
        let entry = entry(&self.source, &opened.log, index)?;
        output.show(&One { record: Decoder::new(&opened.log).line(index, entry) });
        Ok(ExitCode::Success)
    }
}

impl Tail {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        records(output, self.source.open()?, self.lines)
    }
}

/// Shows the last `count` records.
fn records(output: Output, opened: Opened, count: usize) -> Result<ExitCode> {
    let Opened { log, remarks } = opened;
    let decoder = Decoder::new(&log);
    let total = log.entries.len();
    let first = total.saturating_sub(count);
    let last = (0u64..).zip(&log.entries).skip(first);
    let records = last.map(|(index, entry)| decoder.line(index, entry)).collect();
    remarks.iter().for_each(|remark| output.remark(remark));
    output.show(&Records { total, records, remarks });
    Ok(ExitCode::Success)
}

/// A record of a log.
pub(super) fn entry<'a>(source: &Source, log: &'a Folder, index: u64) -> Result<&'a [u8]> {
    let found = usize::try_from(index).ok().and_then(|at| log.entries.get(at));
    found.map(Vec::as_slice).ok_or_else(|| {
        HelioError::input(
            "log",
            source.path.display(),
            format_args!("there is no record {index}: it has {}", log.entries.len()),
            "give a smaller number",
        )
    })
}

impl fmt::Display for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.records.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl fmt::Display for One {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Full(&self.record).fmt(f)
    }
}
