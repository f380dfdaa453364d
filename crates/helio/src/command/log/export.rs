//! `helio log export`: a log in a form that other tools read.

use std::fmt::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;
use witness::frame::Collected;

use crate::error::{HelioError, Result};
use crate::exit::ExitCode;
use crate::file;
use crate::log::prove::{Leaves, Unprovable};
use crate::log::show::Decoder;
use crate::log::{Folder, Source, folder, object};
use crate::output::Output;

/// Write a log as tlog-tiles, or as one JSON object a record.
///
/// The records are written as they are; `helio verify` says what they are
/// worth. Tiles are written only of records that the log's checkpoint is over.
#[derive(Debug, Args)]
pub(super) struct Export {
    #[command(flatten)]
    source: Source,
    /// The form.
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// Where it goes: for tiles a folder, for JSON lines a file [default:
    /// JSON lines go to stdout].
    #[arg(short, long)]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    /// A folder of C2SP tlog-tiles, with checkpoint and manifest.
    Tiles,
    /// A line a record: a JSON object with every field, by name.
    Jsonl,
}

#[derive(Serialize)]
struct Exported {
    output: PathBuf,
    format: Format,
    records: usize,
    remarks: Vec<String>,
}

impl Export {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        let opened = self.source.open()?;
        let log = opened.log;
        let path = match (self.format, self.output) {
            (Format::Jsonl, None) => {
                opened.remarks.iter().for_each(|remark| output.remark(remark));
                output.raw(&lines(&log));
                return Ok(ExitCode::Success);
            }
            (Format::Tiles, None) => {
                return Err(HelioError::input(
                    "log export",
                    "--output",
                    "is missing: tiles are a folder of files",
                    "add -o FOLDER",
                ));
            }
            (_, Some(path)) => path,
        };
        let records = log.entries.len();
        match self.format {
            Format::Jsonl => file::write(&path, lines(&log).as_bytes())?,
            Format::Tiles => tiles(&self.source.path, log, &path)?,
        }
        let (format, remarks) = (self.format, opened.remarks);
        output.show(&Exported { output: path, format, records, remarks });
        Ok(ExitCode::Success)
    }
}

/// Each record as a line.
fn lines(log: &Folder) -> String {
    let decoder = Decoder::new(log);
    let mut lines = String::new();
    for (index, entry) in (0..).zip(&log.entries) {
        // Writing to a text does not fail.
        let _ = writeln!(lines, "{}", object::object(index, entry, &decoder));
    }
    lines
}

fn tiles(source: &Path, log: Folder, path: &Path) -> Result<()> {
    let whole = Leaves::of(&log).map(drop);
    let odd = log.unlisted.first().or(log.miscounted.as_ref());
    let wrong = match (whole, odd) {
        // A stream that broke off has records, and nobody's signature.
        (Ok(()) | Err(Unprovable::NoCheckpoint), None) => None,
        (Err(error), _) => Some(error.to_string()),
        (Ok(()), Some(file)) => Some(format!("{} is not as it must be", file.display())),
    };
    if let Some(wrong) = wrong {
        let advice =
            "`helio verify` says what is wrong; --format jsonl takes the records as they are";
        return Err(HelioError::input("log export", source.display(), wrong, advice));
    }
    let Folder { entries, checkpoint, manifest, .. } = log;
    let covered = if checkpoint.is_some() { entries.len() } else { 0 };
    folder::write(path, &Collected { boot: None, entries, covered, checkpoint, manifest })
}

impl fmt::Display for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { output, format, records, remarks } = self;
        let form = match format {
            Format::Tiles => "tlog-tiles",
            Format::Jsonl => "lines of JSON",
        };
        write!(f, "{}  {records} records as {form}", output.display())?;
        remarks.iter().try_for_each(|remark| write!(f, "\n  {remark}"))
    }
}
