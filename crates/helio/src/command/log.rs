//! `helio log`: brings a log home and shows it.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use witness::{BootId, hex};

use crate::error::{HelioError, Result};
use crate::exit::ExitCode;
use crate::log::show::{Decoder, Full, Line};
use crate::log::{folder, import};
use crate::output::Output;

/// Import and show witness logs.
#[derive(Debug, Args)]
pub struct Log {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Turn a log disk, or a capture of the serial port, into a folder of
    /// C2SP tlog-tiles.
    Import {
        /// The disk image or the capture.
        source: PathBuf,
        /// The folder to write.
        #[arg(short, long)]
        output: PathBuf,
        /// Take this boot, 32 hexadecimal digits, not the last one.
        #[arg(long, value_parser = boot_id)]
        boot: Option<BootId>,
    },
    /// Show the records of a log, or all about one of them.
    Show {
        /// The log's folder.
        log: PathBuf,
        /// Number of the record.
        record: Option<u64>,
    },
}

fn boot_id(text: &str) -> core::result::Result<BootId, String> {
    hex::decode(text).ok_or_else(|| "give 32 lower-case hexadecimal digits".into())
}

#[derive(Serialize)]
struct ImportedLog {
    log: PathBuf,
    boot: String,
    records: usize,
    complete: bool,
    remarks: Vec<String>,
}

#[derive(Serialize)]
struct Records {
    records: Vec<Line>,
}

#[derive(Serialize)]
#[serde(transparent)]
struct One {
    record: Line,
}

impl Log {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        match self.action {
            Action::Import { source, output: path, boot } => {
                let imported = import(&source, boot)?;
                folder::write(&path, &imported.log)?;
                output.show(&ImportedLog {
                    log: path,
                    boot: imported.log.boot.map_or_else(String::new, |boot| hex::encode(&boot)),
                    records: imported.log.entries.len(),
                    complete: imported.log.manifest.is_some(),
                    remarks: imported.remarks,
                });
            }
            Action::Show { log, record } => show(output, log, record)?,
        }
        Ok(ExitCode::Success)
    }
}

fn show(output: Output, path: PathBuf, wanted: Option<u64>) -> Result<()> {
    let log = folder::read(&path)?;
    let decoder = Decoder::new(&log);
    let lines = || (0..).zip(&log.entries).map(|(index, entry)| decoder.line(index, entry));
    let Some(index) = wanted else {
        output.show(&Records { records: lines().collect() });
        return Ok(());
    };
    let found = usize::try_from(index).ok().and_then(|at| log.entries.get(at));
    let Some(entry) = found else {
        return Err(HelioError::input(
            "log",
            path.display(),
            format_args!("there is no record {index}: it has {}", log.entries.len()),
            "give a smaller number",
        ));
    };
    output.show(&One { record: decoder.line(index, entry) });
    Ok(())
}

impl fmt::Display for ImportedLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { log, boot, records, complete, remarks } = self;
        let end = if *complete { "" } else { ", without the end of the run" };
        write!(f, "{}  {records} records of boot {boot}{end}", log.display())?;
        remarks.iter().try_for_each(|remark| write!(f, "\n  {remark}"))
    }
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
