//! A run inside this process: the same cell, without a machine around it.
//!
//! The order is the kernel's: a slice runs, its records go to the device and
//! under a signed checkpoint, and only then is anything shown. The device is
//! a file of the same format as a log disk, so that what comes after does not
//! know where the run was.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use durable::disk::{DiskError, DiskLog, Sectors};
use durable::{Failure, Recorder};
use machine::{Boot, Cell, Effect, Input, Step};
use witness::frame::disk::SECTOR;
use witness::manifest::{End, RunManifest, TaskEnd};
use witness::note::SigningKey;
use witness::record::{Arch, Board, EventKind, Flags, MachineFacts};
use witness::{BootId, Hasher, Trust, checkpoint, key};

use crate::error::{HelioError, Result};

/// Largest log, in sectors of 512 bytes: 16 GiB. The file takes no more room
/// than was written.
const SECTORS_MAX: u64 = 1 << 25;

/// What a hosted run is started with.
pub struct Start {
    /// The package's file.
    pub package: Vec<u8>,
    /// Whom the cell believes.
    pub trust: Trust,
    /// Signs checkpoints and the manifest.
    pub device_key: SigningKey,
    /// The verifier's nonce.
    pub nonce: Option<[u8; 32]>,
    /// Names this run.
    pub boot: BootId,
}

/// What a hosted run came to.
#[derive(Clone, Debug)]
pub struct Ran {
    /// How the tasks ended.
    pub tasks: Vec<TaskEnd>,
    /// What was refused, a line each.
    pub reports: Vec<String>,
    /// Whether the package was taken and did everything asked for.
    pub succeeded: bool,
}

/// Runs a package to its end, with its log on a disk file at `disk`; what its
/// tasks write to the console goes to `show` once it is in the log.
///
/// # Errors
/// The log cannot be written, or the process has no memory left.
pub fn run(start: Start, disk: &Path, show: &mut dyn FnMut(&[u8])) -> Result<Ran> {
    run_fed(start, disk, show, &mut |_| false)
}

/// The same, with something to feed it: `feed` is asked whenever only an event
/// can help, may admit one, and says whether it did. The log has room then.
///
/// # Errors
/// As [`run`].
pub fn run_fed(
    start: Start,
    disk: &Path,
    show: &mut dyn FnMut(&[u8]),
    feed: &mut dyn FnMut(&mut Cell) -> bool,
) -> Result<Ran> {
    let failed = |failure: Failure<DiskError<io::Error>>| match failure {
        Failure::Device(DiskError::Disk(source)) => HelioError::write(disk, source),
        other => HelioError::Failed {
            what: "the log".into(),
            reason: other.to_string(),
            advice: "give the package a smaller budget of records".into(),
        },
    };
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(disk)
        .map_err(|source| HelioError::write(disk, source))?;
    let facts = facts(&start);
    let public = key::public(&start.device_key);
    let name = match start.trust.device(&public) {
        Ok(named) => named.name.clone(),
        Err(_) => checkpoint::default_device_name(&public),
    };
    let origin = checkpoint::origin(&name, &start.boot);
    let log = DiskLog::begin(DiskFile(file), start.boot).map_err(|it| failed(it.into()))?;
    let mut recorder = Recorder::new(log, start.boot, origin, start.device_key.clone());

    let mut cell = Cell::start(Boot {
        package: &start.package,
        trust: start.trust.clone(),
        hasher: Hasher::SOFTWARE,
        facts,
        memory_limit: u64::MAX,
        keeps_journals: false,
    });
    let mut reports = cell.take_reports();
    recorder.commit(cell.log_mut()).map_err(failed)?;
    let end = loop {
        let step = cell.step();
        let effects = cell.effects();
        match effects.is_empty() {
            true => recorder.collect(cell.log_mut()).map_err(failed)?,
            false => recorder.commit(cell.log_mut()).map_err(failed)?,
        }
        for Effect::Console { bytes, .. } in effects {
            show(&bytes);
        }
        reports.extend(cell.take_reports());
        match step {
            Step::Ran | Step::SealFirst => {}
            Step::Finished => break End::Finished,
            Step::Failed(failure) => {
                return Err(HelioError::Failed {
                    what: "the cell".into(),
                    reason: failure.to_string(),
                    advice: "run it where there is more memory".into(),
                });
            }
            Step::Waiting { until: Some(_) } => {
                cell.jump();
            }
            Step::Waiting { until: None } if feed(&mut cell) => {}
            Step::Waiting { until: None } if cell.is_idle() => break End::Finished,
            Step::Waiting { until: None } => {
                // The tasks wait for input, and nobody is there to give any.
                reports.push("the tasks wait for input that a hosted run does not have".into());
                // The log has just been sealed, so there is room.
                let _ = cell.admit(Input::new(EventKind::Shutdown, &[]));
                break End::PowerOff;
            }
        }
    };
    recorder.commit(cell.log_mut()).map_err(failed)?;
    let tasks = cell.outcomes();
    let describe = |records, root| RunManifest {
        arch: facts.arch,
        board: facts.board,
        boot_id: start.boot,
        development_keys: start.trust.development,
        device_key: public,
        end,
        package: Hasher::SOFTWARE.hash(&start.package),
        profile: abi::profile::NAME.into(),
        records,
        root,
        tasks: tasks.clone(),
    };
    recorder.close(describe).map_err(failed)?;
    let succeeded = cell.is_success();
    Ok(Ran { tasks, reports, succeeded })
}

fn facts(start: &Start) -> MachineFacts {
    let development = match start.trust.development {
        true => Flags::DEVELOPMENT_KEYS,
        false => Flags::NONE,
    };
    MachineFacts {
        nonce: start.nonce,
        previous_checkpoint: [0; 32],
        boot_id: start.boot,
        kernel: [0; 32],
        loader: [0; 32],
        trust: start.trust.digest,
        device_key: key::public(&start.device_key),
        serial: 0,
        arch: Arch::Hosted,
        board: Board::Hosted,
        flags: Flags::TO_DISK | development,
    }
}

/// A file as a disk. It is not flushed, and leaf 1 says so: a host that loses
/// power loses the run as well.
struct DiskFile(File);

impl Sectors for DiskFile {
    type Error = io::Error;

    fn count(&self) -> u64 {
        SECTORS_MAX
    }

    fn write(&mut self, sector: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, sector * SECTOR as u64)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
