//! `helio replay`: makes a run again and compares it with its log.

mod shown;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use machine::Cell;
use witness::checkpoint;
use witness::record::{Kind, Record};
use witness::verify::Expected;

use crate::error::{HelioError, Result};
use crate::exit::ExitCode;
use crate::keys::{DeviceKey, Role, Store};
use crate::log::show::Decoder;
use crate::log::{Folder, folder};
use crate::output::Output;
use crate::progress::Progress;
use crate::replay::look::Look;
use crate::replay::{self, Extent, Inputs, NoStart, TrustFile, Verdict, prompt};
use crate::snapshot::{self, Snapshot};
use crate::terminal::Raw;
use crate::verify::{Finding, verify_folder};
use crate::{file, keys};
use shown::Shown;

/// Make a run again from its package and its log's events, and compare every
/// record.
#[derive(Debug, Args)]
pub struct Replay {
    /// The log's folder.
    log: PathBuf,
    /// The package that ran.
    #[arg(long, required_unless_present = "from")]
    package: Option<PathBuf>,
    /// Begin at this snapshot, to which the log must commit, without what came
    /// before.
    #[arg(long, conflicts_with_all = ["package", "snapshots"])]
    from: Option<PathBuf>,
    /// Write the snapshot of each state root in the log to this folder.
    #[arg(long)]
    snapshots: Option<PathBuf>,
    /// The device's public key: a PEM file, or a verifier key
    /// (name+id+base64) [default: KEYS/device.pub.pem].
    #[arg(long)]
    key: Option<String>,
    /// Folder of the keys and the trust file.
    #[arg(long, default_value = super::KEYS)]
    keys: PathBuf,
    /// The trust file that was used [default: KEYS/trust.note, if it was that
    /// one].
    #[arg(long)]
    trust: Option<PathBuf>,
    /// A package that an operator mounted; may be given more than once.
    #[arg(long, value_name = "PACKAGE")]
    mounted: Vec<PathBuf>,
    /// Stop when every record before this one is there.
    #[arg(long)]
    until: Option<u64>,
    /// Open the machine's shell where the replay stands at its end, to look;
    /// Ctrl-] leaves.
    #[arg(long)]
    shell: bool,
}

impl Replay {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        if self.shell && output.is_json() {
            return Err(HelioError::input(
                "replay",
                "--shell",
                "its answers are not one JSON object",
                "leave --json out; the shell's own commands take -j",
            ));
        }
        let package = self.package.as_deref().map(file::read).transpose()?;
        let snapshot = self.from.as_deref().map(snapshot::read).transpose()?;
        let trust = self.trust_file()?;
        let trust = match (&self.trust, &trust) {
            (Some(_), Some(file)) => TrustFile::Given(file),
            (None, Some(file)) => TrustFile::Perhaps(file),
            (_, None) => TrustFile::Unknown,
        };
        let mounted: Vec<_> =
            self.mounted.iter().map(|path| file::read(path)).collect::<Result<_>>()?;
        let checking = Progress::start(output, "verifying the log");
        let log = folder::read(&self.log)?;
        let finding = verify_folder(&log, self.device_key()?, Expected::default());
        checking.finish();
        match replay::extent(&finding) {
            Some((records, extent)) => {
                let end = usize::try_from(records).ok();
                let entries = end.and_then(|end| log.entries.get(..end)).unwrap_or(&log.entries);
                let sound =
                    Sound { log: &log, finding: &finding, entries, extent, mounted: &mounted };
                let package = package.as_deref().unwrap_or_default();
                let inputs = Inputs { package, trust, keeps_journals: self.snapshots.is_some() };
                self.replay(output, &sound, snapshot.as_ref(), inputs)
            }
            None => {
                output.show(&Shown::unverified(&finding, &log));
                Ok(match finding.exit_code() {
                    // The folder is whole, and yet there is nothing to replay.
                    ExitCode::Success => ExitCode::Incomplete,
                    code => code,
                })
            }
        }
    }

    /// Replays what verifies.
    fn replay(
        &self,
        output: Output,
        sound: &Sound<'_>,
        snapshot: Option<&Snapshot>,
        inputs: Inputs<'_>,
    ) -> Result<ExitCode> {
        let Sound { log, finding, entries, extent, mounted } = *sound;
        let decoder = || Decoder::new(log);
        let began = Instant::now();
        let started = match snapshot {
            Some(snapshot) => replay::restore(entries, extent, snapshot, inputs),
            None => replay::start(entries, extent, inputs),
        };
        let mut replay = match started {
            Ok(replay) => replay,
            Err(NoStart::Gap(gap)) => {
                let verdict = Verdict::NotReproducible(gap);
                output.show(&Shown::new(&verdict, 0, finding, decoder));
                return Ok(exit_code(&verdict));
            }
            Err(NoStart::NotALog) => {
                return Err(self.wrong("the log's first records are not those of a log"));
            }
            Err(NoStart::Trust(error)) => return Err(self.wrong(error)),
            Err(NoStart::NotCommitted { record, committed }) => {
                return Err(self.foreign(record, committed.is_some()));
            }
            Err(NoStart::Snapshot(error)) => return Err(self.wrong(error)),
        };
        replay.driver.give(mounted);
        let verdict = self.drive(output, &mut replay, entries)?;
        let took = began.elapsed();
        let cell = replay.driver.cell();
        let verdict = replay::conclude(verdict, cell, finding, &replay.assumed);
        let report = Shown::new(&verdict, replay.driver.equal(), finding, decoder);
        let report = report.took(took).stands(cell).assuming(&replay.assumed);
        output.show(&report.from(snapshot.map(|snapshot| snapshot.record)));
        if self.shell {
            let name = checkpoint::split_origin(&finding.report.facts.origin);
            let name = name.map_or("", |(name, _)| name);
            open(&Look::new(&replay, entries, name, log.checkpoint.as_deref()))?;
        }
        Ok(exit_code(&verdict))
    }

    /// Runs the machine to its end, or to where it is to stop, and shows how
    /// far it is.
    fn drive(
        &self,
        output: Output,
        replay: &mut replay::Replay<'_>,
        entries: &[Vec<u8>],
    ) -> Result<Verdict> {
        let records = replay.driver.records();
        let goal = self.until.map_or(records, |until| until.min(records));
        let bar = Progress::counted(output, "replaying", goal);
        let mut shown = 0;
        let mut written = Written::new(self.snapshots.as_deref(), entries);
        let mut progress = |equal: u64, cell: &Cell| {
            written.look(cell);
            // To look at the clock costs more than some slices.
            if equal >= shown + 64 {
                bar.reached(equal);
                shown = equal;
            }
        };
        let ran = replay.driver.run(self.until, &mut progress);
        bar.finish();
        written.finish(output)?;
        ran.map_err(|failure| HelioError::Failed {
            what: "the replay".into(),
            reason: failure.to_string(),
            advice: "run it where there is more memory".into(),
        })
    }

    fn device_key(&self) -> Result<DeviceKey> {
        match &self.key {
            Some(key) => DeviceKey::parse(key),
            None => Ok(keys::read_public(&Store::at(&self.keys).public_path(Role::Device))?.into()),
        }
    }

    /// The trust file that was given, or else the key store's, if there is one.
    fn trust_file(&self) -> Result<Option<Vec<u8>>> {
        match &self.trust {
            Some(path) => file::read(path).map(Some),
            None => {
                let path = Store::at(&self.keys).trust_path();
                path.is_file().then(|| file::read(&path)).transpose()
            }
        }
    }

    fn foreign(&self, record: u64, has_root: bool) -> HelioError {
        let reason = match has_root {
            true => format!("record {record} of the log commits to another state"),
            false => format!("record {record} of the log commits to no state"),
        };
        let path = self.from.as_deref().unwrap_or(Path::new("")).display();
        let advice = "give a snapshot of this log: `helio replay --snapshots` writes them";
        HelioError::input("snapshot", path, reason, advice)
    }

    fn wrong(&self, reason: impl std::fmt::Display) -> HelioError {
        let advice = "it verifies, but no machine starts so";
        HelioError::input("replay", self.log.display(), reason, advice)
    }
}

/// The snapshots that are written on the way.
struct Written<'a> {
    folder: Option<&'a Path>,
    entries: &'a [Vec<u8>],
    last: Option<u64>,
    paths: Vec<PathBuf>,
    failed: Option<HelioError>,
}

impl<'a> Written<'a> {
    fn new(folder: Option<&'a Path>, entries: &'a [Vec<u8>]) -> Self {
        Self { folder, entries, last: None, paths: Vec::new(), failed: None }
    }

    /// Writes one where the log's next record commits to it.
    fn look(&mut self, cell: &Cell) {
        let Some(folder) = self.folder.filter(|_| cell.is_root_due() && self.failed.is_none())
        else {
            return;
        };
        let next = cell.size();
        let entry = usize::try_from(next).ok().and_then(|at| self.entries.get(at));
        let record = entry.and_then(|entry| Record::decode(entry).ok());
        if record.is_none_or(|record| record.kind() != Kind::StateRoot) || self.last == Some(next) {
            return;
        }
        self.last = Some(next);
        match snapshot::write(folder, cell) {
            Ok(path) => self.paths.push(path),
            Err(error) => self.failed = Some(error),
        }
    }

    fn finish(self, output: Output) -> Result<()> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.paths.iter().for_each(|path| output.say(&format!("snapshot {}", path.display())));
        if self.folder.is_some() && self.paths.is_empty() {
            output.say("no snapshot: nothing that was replayed commits to a state");
        }
        Ok(())
    }
}

/// A log that verifies, as far as it does.
struct Sound<'a> {
    log: &'a Folder,
    finding: &'a Finding,
    entries: &'a [Vec<u8>],
    extent: Extent,
    mounted: &'a [Vec<u8>],
}

/// The status `helio` exits with.
fn exit_code(verdict: &Verdict) -> ExitCode {
    match verdict {
        Verdict::Equal | Verdict::Stopped => ExitCode::Success,
        Verdict::Incomplete => ExitCode::Incomplete,
        Verdict::Diverged(_) => ExitCode::Diverged,
        Verdict::NotReproducible(_) => ExitCode::NotReproducible,
    }
}

/// Opens the shell on stdin and stdout.
fn open(look: &Look<'_>) -> Result<()> {
    let raw = Raw::enter();
    let served = prompt::serve(look, io::stdin().lock(), &mut io::stdout().lock());
    drop(raw);
    match served {
        // A reader that went away has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(HelioError::write(Path::new("stdout"), error))
        }
        _ => io::stdout().flush().map_err(|error| HelioError::write(Path::new("stdout"), error)),
    }
}
