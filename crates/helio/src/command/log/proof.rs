//! `helio log prove` and `helio log check-proof`: that one record is in a log,
//! for who has not the log.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use witness::proof::InclusionProof;
use witness::{Hasher, hex};

use super::show::entry;
use crate::error::{HelioError, Result};
use crate::exit::ExitCode;
use crate::file;
use crate::keys::DeviceKey;
use crate::log::Source;
use crate::log::prove::{self, Leaves, Worth};
use crate::log::show::{Decoder, Line};
use crate::output::Output;

/// Prove that a record is in a log: write a C2SP tlog-proof.
#[derive(Debug, Args)]
pub(super) struct Prove {
    #[command(flatten)]
    source: Source,
    /// Number of the record.
    #[arg(value_name = "N")]
    index: u64,
    /// Where the proof goes [default: stdout].
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Write the record's bytes here, which the proof is about and does not
    /// hold.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

/// Check a C2SP tlog-proof: that a record is in the log of a device.
#[derive(Debug, Args)]
pub(super) struct CheckProof {
    /// The proof.
    proof: PathBuf,
    /// The record's bytes, as `helio log prove --record` writes them.
    record: PathBuf,
    /// The device's public key: a PEM file, or a verifier key
    /// (name+id+base64).
    #[arg(long)]
    key: String,
}

#[derive(Serialize)]
struct Proved {
    index: u64,
    id: String,
    origin: String,
    size: u64,
    proof: String,
    output: Option<PathBuf>,
    record: Option<PathBuf>,
}

impl Prove {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        let log = self.source.open()?.log;
        let record = entry(&self.source, &log, self.index)?;
        let made = Leaves::of(&log).and_then(|leaves| Ok((leaves.inclusion(self.index)?, leaves)));
        let (proof, leaves) = made.map_err(|error| {
            HelioError::input("log prove", self.source.path.display(), error, error.advice())
        })?;
        let proof = proof.text();
        if let Some(path) = &self.record {
            file::write(path, record)?;
        }
        if let Some(path) = &self.output {
            file::write(path, proof.as_bytes())?;
        }
        output.show(&Proved {
            index: self.index,
            id: hex::encode(&Hasher::SOFTWARE.leaf(record)),
            origin: leaves.checkpoint.origin.into(),
            size: leaves.checkpoint.size,
            proof,
            output: self.output,
            record: self.record,
        });
        Ok(ExitCode::Success)
    }
}

#[derive(Serialize)]
struct Checked {
    verdict: Worth,
    reason: Option<String>,
    index: u64,
    origin: String,
    size: u64,
    record: Line,
}

impl CheckProof {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        let key = DeviceKey::parse(&self.key)?;
        let text = file::read_text("proof", &self.proof)?;
        let record = file::read(&self.record)?;
        let wrong = |error| {
            let advice = "give a file that `helio log prove` or another C2SP tool wrote";
            HelioError::input("proof", self.proof.display(), error, advice)
        };
        let proof = InclusionProof::parse(&text).map_err(wrong)?;
        let (checkpoint, verdict, error) = prove::check(&proof, &record, &key).map_err(wrong)?;
        output.show(&Checked {
            verdict,
            reason: error.map(|error| error.to_string()),
            index: proof.index,
            origin: checkpoint.origin.into(),
            size: checkpoint.size,
            record: Decoder::default().line(proof.index, &record),
        });
        Ok(verdict.exit_code())
    }
}

impl fmt::Display for Proved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(output) = &self.output else { return f.write_str(&self.proof) };
        let Self { index, size, origin, .. } = self;
        write!(f, "{}  record {index} of {size} of {origin}", output.display())?;
        match &self.record {
            Some(record) => write!(f, "\n{}  the record", record.display()),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verdict, index, size, origin, .. } = self;
        let reason = self.reason.as_deref().unwrap_or_default();
        match verdict {
            Worth::Holds => {
                writeln!(f, "holds: this is record {index} of the {size} of {origin}")?;
                write!(f, "{}", self.record)
            }
            Worth::WrongKey => write!(f, "wrong key: {reason}; the proof names {origin}"),
            Worth::Forged => write!(f, "forged or damaged: {reason}"),
        }
    }
}
