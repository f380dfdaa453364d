//! `helio log import`: from a disk or a capture to a folder.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use witness::{BootId, hex};

use crate::error::Result;
use crate::exit::ExitCode;
use crate::log::source::boot_id;
use crate::log::{folder, import};
use crate::output::Output;

/// Turn a log disk, or a capture of the serial port, into a folder of C2SP
/// tlog-tiles.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The disk image or the capture.
    source: PathBuf,
    /// The folder to write.
    #[arg(short, long)]
    output: PathBuf,
    /// Take this boot, 32 hexadecimal digits, not the last one.
    #[arg(long, value_parser = boot_id)]
    boot: Option<BootId>,
}

#[derive(Serialize)]
struct Imported {
    log: PathBuf,
    boot: String,
    records: usize,
    complete: bool,
    remarks: Vec<String>,
}

impl Import {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        let imported = import(&self.source, self.boot)?;
        folder::write(&self.output, &imported.log)?;
        output.show(&Imported {
            log: self.output,
            boot: imported.log.boot.map_or_else(String::new, |boot| hex::encode(&boot)),
            records: imported.log.entries.len(),
            complete: imported.log.manifest.is_some(),
            remarks: imported.remarks,
        });
        Ok(ExitCode::Success)
    }
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { log, boot, records, complete, remarks } = self;
        let end = if *complete { "" } else { ", without the end of the run" };
        write!(f, "{}  {records} records of boot {boot}{end}", log.display())?;
        remarks.iter().try_for_each(|remark| write!(f, "\n  {remark}"))
    }
}
