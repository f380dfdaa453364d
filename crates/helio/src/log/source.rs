//! A log, wherever it lies: a folder, a log disk or a capture of a serial port.

use std::path::{Path, PathBuf};

use clap::Args;
use witness::frame::Collected;
use witness::record::{Body, Record};
use witness::{BootId, hex};

use super::{Folder, folder, import};
use crate::error::{HelioError, Result};

/// Names a log on a command line.
#[derive(Clone, Debug, Args)]
pub struct Source {
    /// The log: a folder of tiles, a log disk, or a capture of the serial
    /// port.
    #[arg(value_name = "LOG")]
    pub path: PathBuf,
    /// Take this boot, 32 hexadecimal digits, not the last one.
    #[arg(long, value_parser = boot_id)]
    pub boot: Option<BootId>,
}

/// A boot id on a command line.
pub fn boot_id(text: &str) -> core::result::Result<BootId, String> {
    hex::decode(text).ok_or_else(|| "give 32 lower-case hexadecimal digits".into())
}

/// A log that was read. Nothing in it has been verified.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    /// The log.
    pub log: Folder,
    /// One sentence for each thing that was left out on the way.
    pub remarks: Vec<String>,
}

impl Source {
    /// Reads the log.
    ///
    /// # Errors
    /// A file or folder that is no log, or not of the boot that is wanted.
    pub fn open(&self) -> Result<Opened> {
        open(&self.path, self.boot)
    }
}

/// Reads the log at `path`, of which a capture may hold several.
///
/// # Errors
/// A file or folder that is no log, or not of the boot that is wanted.
pub fn open(path: &Path, boot: Option<BootId>) -> Result<Opened> {
    if !path.is_dir() {
        let imported = import(path, boot)?;
        return Ok(Opened { log: imported.log.into(), remarks: imported.remarks });
    }
    let log = folder::read(path)?;
    if boot.is_some_and(|boot| boot_of(&log) != Some(boot)) {
        return Err(HelioError::input(
            "log",
            path.display(),
            "the folder holds the log of another boot",
            "leave --boot out: a folder holds one log",
        ));
    }
    Ok(Opened { log, remarks: Vec::new() })
}

/// The boot that record 1 names.
fn boot_of(log: &Folder) -> Option<BootId> {
    match Record::decode(log.entries.get(1)?).ok()?.body {
        Body::Machine(facts) => Some(facts.boot_id),
        _ => None,
    }
}

impl From<Collected> for Folder {
    /// The log as a folder of it would be read, but for the tiles: a stream
    /// has none.
    fn from(log: Collected) -> Self {
        let Collected { entries, checkpoint, manifest, .. } = log;
        Self { entries, checkpoint, manifest, ..Self::default() }
    }
}
