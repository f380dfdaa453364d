//! `helio symbolize`: names for the addresses in a trap report.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::error::{HelioError, Result};
use crate::exit::ExitCode;
use crate::file;
use crate::output::Output;
use crate::symbolize::Symbols;

/// Name the functions in a trap report, read from stdin or a file.
#[derive(Debug, Args)]
pub struct Symbolize {
    /// The kernel that wrote the report, with its symbols: `make` puts it beside
    /// kernel.elf as kernel.debug.
    kernel: PathBuf,
    /// The report; stdin if none is given.
    report: Option<PathBuf>,
}

#[derive(Serialize)]
struct Annotated {
    report: String,
}

impl Symbolize {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        let symbols = Symbols::read(&self.kernel)?;
        let bytes = match &self.report {
            Some(path) => file::read(path)?,
            None => {
                let mut bytes = Vec::new();
                std::io::stdin()
                    .read_to_end(&mut bytes)
                    .map_err(|error| HelioError::read(Path::new("stdin"), error))?;
                bytes
            }
        };
        let report = symbols.annotate(&String::from_utf8_lossy(&bytes))?;
        output.show(&Annotated { report });
        Ok(ExitCode::Success)
    }
}

impl fmt::Display for Annotated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report)
    }
}
