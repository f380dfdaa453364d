//! Verification of a log folder: `witness::verify` plus what only a folder
//! can have wrong.

use std::fmt;
use std::path::{Path, PathBuf};

use witness::verify::{self, Evidence, Expected, Report, Verdict};
use witness::{Hash, Hasher, tiles};

use crate::error::Result;
use crate::exit::ExitCode;
use crate::keys::DeviceKey;
use crate::log::{Folder, folder};

/// What a verification of a folder found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Verdict and facts about the records and notes.
    pub report: Report,
    /// What is wrong with the folder itself, where the records hold.
    pub folder: Option<FolderFault>,
    /// The name that the key is for, where that is not the log's.
    pub other_name: Option<String>,
}

/// What is wrong with a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FolderFault {
    /// A file that does not belong there.
    Unlisted(PathBuf),
    /// A file that must be there is not.
    Missing(PathBuf),
    /// A bundle has more or fewer records than its name says.
    Bundle(PathBuf),
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

/// Verifies the log in `path`, signed by the device with this key.
///
/// # Errors
/// Only where there is no log to be verified.
pub fn verify(
    path: &Path,
    device_key: impl Into<DeviceKey>,
    expected: Expected,
) -> Result<Finding> {
    Ok(verify_folder(&folder::read(path)?, device_key, expected))
}

/// The same for a folder that was read.
pub fn verify_folder(
    log: &Folder,
    device_key: impl Into<DeviceKey>,
    expected: Expected,
) -> Finding {
    let key = device_key.into();
    let evidence = Evidence {
        checkpoint: log.checkpoint.as_deref(),
        manifest: log.manifest.as_deref(),
        leaves: log.leaves.as_deref(),
    };
    let entries = log.entries.iter().map(Vec::as_slice);
    let report = verify::verify(Hasher::SOFTWARE, key.public, expected, entries, evidence);
    let origin = &report.facts.origin;
    // What has no checkpoint is by nobody.
    let is_other = !origin.is_empty() && !key.is_for(origin);
    let other_name = key.name().filter(|_| is_other).map(str::to_owned);
    Finding { folder: fault(log), report, other_name }
}

/// What the folder shows, damage before gaps.
fn fault(log: &Folder) -> Option<FolderFault> {
    if let Some(path) = log.unlisted.first() {
        return Some(FolderFault::Unlisted(path.clone()));
    }
    if let Some(path) = &log.miscounted {
        return Some(FolderFault::Bundle(path.clone()));
    }
    let hasher = Hasher::SOFTWARE;
    // Where level 0 is whole, the verifier has compared it with the root.
    let leaves = log
        .leaves
        .clone()
        .unwrap_or_else(|| log.entries.iter().map(|entry| hasher.leaf(entry)).collect::<Vec<_>>());
    let differs = |(tile, bytes): &&(tiles::Tile, Vec<u8>)| {
        let is_whole = bytes.len() as u64 == tile.width * size_of::<Hash>() as u64;
        !is_whole || tile.hashes(hasher, &leaves).is_some_and(|hashes| !bytes.starts_with(&hashes))
    };
    if let Some((tile, _)) = log.tiles.iter().find(differs) {
        return Some(FolderFault::Tile(tile.path().into()));
    }
    log.missing.clone().map(FolderFault::Missing)
}

impl Finding {
    /// The verdict in one word. Records and notes speak first: they can say
    /// which record is bad.
    pub fn word(&self) -> Word {
        match (&self.report.verdict, &self.folder) {
            (Verdict::Forged { .. }, _) => Word::Forged,
            (_, Some(fault)) if !matches!(fault, FolderFault::Missing(_)) => Word::Forged,
            (Verdict::WrongKey { .. }, _) => Word::WrongKey,
            _ if self.other_name.is_some() => Word::WrongKey,
            (Verdict::Verified, None) => Word::Verified,
            _ => Word::Incomplete,
        }
    }

    /// The verdict in one sentence.
    pub fn sentence(&self) -> String {
        if let (Word::WrongKey, Some(name)) = (self.word(), &self.other_name) {
            let origin = &self.report.facts.origin;
            return format!("wrong key: the given one is for {name}, the log is {origin}");
        }
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
            Self::Bundle(path) => {
                write!(f, "{} does not hold as many records as it must", path.display())
            }
            Self::Tile(path) => write!(f, "{} does not follow from the records", path.display()),
        }
    }
}
