//! Verification of a log folder: `witness::verify` plus what only a folder
//! can have wrong.

use std::fmt;
use std::path::{Path, PathBuf};

use witness::verify::{self, Evidence, Expected, Report, Verdict};
use witness::{Hasher, tiles};

use crate::error::Result;
use crate::exit::ExitCode;
use crate::log::{Folder, folder};

/// What a verification of a folder found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Verdict and facts about the records and notes.
    pub report: Report,
    /// What is wrong with the folder itself, where the records hold.
    pub folder: Option<FolderFault>,
}

/// What is wrong with a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FolderFault {
    /// A file that does not belong there.
    Unlisted(PathBuf),
    /// A file that must be there is not.
    Missing(PathBuf),
    /// A tile is not the one that follows from the records.
    Tile(PathBuf),
}

/// The verdict in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "as in the exit codes")]
pub enum Word {
    Verified,
    Forged,
    Incomplete,
    WrongKey,
}

/// Verifies the log in `path`, signed by the device with this public key.
///
/// # Errors
/// Only where there is no log to be verified.
pub fn verify(path: &Path, device_key: [u8; 32], expected: Expected) -> Result<Finding> {
    Ok(verify_folder(&folder::read(path)?, device_key, expected))
}

/// The same for a folder that was read.
pub fn verify_folder(log: &Folder, device_key: [u8; 32], expected: Expected) -> Finding {
    let evidence = Evidence {
        checkpoint: log.checkpoint.as_deref(),
        manifest: log.manifest.as_deref(),
        leaves: log.leaves.as_deref(),
    };
    let entries = log.entries.iter().map(Vec::as_slice);
    let report = verify::verify(Hasher::SOFTWARE, device_key, expected, entries, evidence);
    Finding { folder: fault(log), report }
}

fn fault(log: &Folder) -> Option<FolderFault> {
    if let Some(path) = log.unlisted.first() {
        return Some(FolderFault::Unlisted(path.clone()));
    }
    if let Some(path) = log.missing.first() {
        return Some(FolderFault::Missing(path.clone()));
    }
    // Level 0 is the verifier's own concern, and was compared with the root.
    let Some(leaves) = &log.leaves else {
        return Some(FolderFault::Tile(first_tile().into()));
    };
    let differs = |(tile, bytes): &&(tiles::Tile, Vec<u8>)| {
        tile.hashes(Hasher::SOFTWARE, leaves).as_ref() != Some(bytes)
    };
    log.upper.iter().find(differs).map(|(tile, _)| FolderFault::Tile(tile.path().into()))
}

fn first_tile() -> String {
    String::from("tile/0")
}

impl Finding {
    /// The verdict in one word. Records and notes speak first: they can say
    /// which record is bad.
    pub fn word(&self) -> Word {
        match (&self.report.verdict, &self.folder) {
            (Verdict::Forged { .. }, _) => Word::Forged,
            (_, Some(FolderFault::Unlisted(_) | FolderFault::Tile(_))) => Word::Forged,
            (Verdict::WrongKey { .. }, _) => Word::WrongKey,
            (Verdict::Incomplete { .. }, _) | (_, Some(FolderFault::Missing(_))) => {
                Word::Incomplete
            }
            (Verdict::Verified, None) => Word::Verified,
        }
    }

    /// The verdict in one sentence.
    pub fn sentence(&self) -> String {
        let forged = matches!(self.report.verdict, Verdict::Forged { .. });
        match (&self.folder, self.word()) {
            (Some(fault), Word::Forged) if !forged => format!("forged or damaged: {fault}"),
            (Some(fault), Word::Incomplete) if self.report.verdict == Verdict::Verified => {
                format!("incomplete: {fault}")
            }
            _ => self.report.verdict.to_string(),
        }
    }

    /// The record that the verdict is about, where it is about one.
    pub fn bad_record(&self) -> Option<u64> {
        match self.report.verdict {
            Verdict::Forged { part: verify::Part::Record(index), .. } => Some(index),
            _ => None,
        }
    }

    /// The status `helio` exits with.
    pub fn exit_code(&self) -> ExitCode {
        match self.word() {
            Word::Verified => ExitCode::Success,
            Word::Forged => ExitCode::Forged,
            Word::Incomplete => ExitCode::Incomplete,
            Word::WrongKey => ExitCode::WrongKey,
        }
    }
}

impl fmt::Display for FolderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlisted(path) => write!(f, "{} does not belong there", path.display()),
            Self::Missing(path) => write!(f, "{} is missing", path.display()),
            Self::Tile(path) => write!(f, "{} does not follow from the records", path.display()),
        }
    }
}
