//! A run from its start to the verdict on its log.
//!
//! [`emulated`] runs a machine in QEMU, [`hosted`] the same cell inside this
//! process. Both leave a stream of log frames behind, which [`conclude`]
//! brings home and verifies: nothing about a run is believed because of where
//! it ran.

pub mod emulated;
pub mod hosted;

use std::path::{Path, PathBuf};

use witness::verify::Expected;

use crate::error::{HelioError, Result};
use crate::file;
use crate::log::show::{Decoder, Line};
use crate::log::{Folder, Imported, folder, stream};
use crate::verify::{Finding, verify_folder};

/// Where a run's log goes, below its folder.
pub const LOG: &str = "log";

/// The log disk, below the run's folder.
pub const DISK: &str = "log.raw";

/// Every byte of the serial port, below the run's folder.
pub const CONSOLE: &str = "console.log";

/// The package that ran, below the run's folder: a replay needs it.
pub const PACKAGE: &str = "package.rvf";

/// A log that came home.
#[derive(Debug)]
pub struct Conclusion {
    /// Its folder.
    pub path: PathBuf,
    /// Its content.
    pub log: Folder,
    /// What was odd about the stream.
    pub remarks: Vec<String>,
    /// What the verification found.
    pub finding: Finding,
}

/// Takes the log from the first of `streams` that holds one, puts it into the
/// run's folder and verifies it there.
///
/// # Errors
/// No stream holds a log; the folder cannot be written.
pub fn conclude(
    streams: &[&[u8]],
    run: &Path,
    device_key: [u8; 32],
    expected: Expected,
) -> Result<Conclusion> {
    let found = streams.iter().find_map(|bytes| stream::from_bytes(bytes, None));
    let Imported { log, remarks } = found.ok_or_else(|| HelioError::Failed {
        what: "the machine".into(),
        reason: "left no log behind".into(),
        advice: format!("see {} for what it said", run.join(CONSOLE).display()),
    })?;
    let path = run.join(LOG);
    folder::write(&path, &log)?;
    // Read back what was written: that is what the user takes away.
    let log = folder::read(&path)?;
    let finding = verify_folder(&log, device_key, expected);
    Ok(Conclusion { path, log, remarks, finding })
}

impl Conclusion {
    /// The record that the verdict is about, decoded.
    pub fn bad_record(&self) -> Option<Line> {
        let index = self.finding.bad_record()?;
        let entry = self.log.entries.get(usize::try_from(index).ok()?)?;
        Some(Decoder::new(&self.log).line(index, entry))
    }
}

/// Removes what an earlier run left, so that nothing old can be taken for
/// new.
pub fn clear(run: &Path) -> Result<()> {
    file::make_folder(run)?;
    for name in [LOG, CONSOLE, DISK, PACKAGE] {
        let path = run.join(name);
        let removed = match path.is_dir() {
            true => std::fs::remove_dir_all(&path),
            false if path.exists() => std::fs::remove_file(&path),
            false => Ok(()),
        };
        removed.map_err(|source| HelioError::write(&path, source))?;
    }
    Ok(())
}
