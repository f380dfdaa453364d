//! `helio trim`: a kernel's file without its debug information.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::error::Result;
use crate::exit::ExitCode;
use crate::file;
use crate::output::Output;
use crate::trim::trim;

/// Leave only what is loaded of a kernel's file; `symbolize` wants the whole.
#[derive(Debug, Args)]
pub struct Trim {
    /// The kernel, as cargo built it.
    kernel: PathBuf,
    /// Where the kernel that boots goes.
    #[arg(short, long)]
    output: PathBuf,
}

#[derive(Serialize)]
struct Trimmed {
    kernel: PathBuf,
    bytes: usize,
}

impl Trim {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        let trimmed = trim(&self.kernel, &file::read(&self.kernel)?)?;
        file::write(&self.output, &trimmed)?;
        output.show(&Trimmed { kernel: self.output, bytes: trimmed.len() });
        Ok(ExitCode::Success)
    }
}

impl fmt::Display for Trimmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {} bytes", self.kernel.display(), self.bytes)
    }
}
