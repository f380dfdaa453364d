//! `helio replay`: makes a run again and compares it with its log.

mod shown;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use witness::checkpoint;
use witness::verify::Expected;

use crate::error::{HelioError, Result};
use crate::exit::ExitCode;
use crate::keys::{Role, Store};
use crate::log::show::Decoder;
use crate::log::{Folder, folder};
use crate::output::Output;
use crate::progress::Progress;
use crate::replay::look::Look;
use crate::replay::{self, Extent, Inputs, NoStart, TrustFile, Verdict, prompt};
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
    #[arg(long)]
    package: PathBuf,
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
        let package = file::read(&self.package)?;
        let trust = self.trust_file()?;
        let trust = match (&self.trust, &trust) {
            (Some(_), Some(file)) => TrustFile::Given(file),
            (None, Some(file)) => TrustFile::Perhaps(file),
            (_, None) => TrustFile::Unknown,
        };
        let checking = Progress::start(output, "verifying the log");
        let log = folder::read(&self.log)?;
        let finding = verify_folder(&log, self.device_key()?, Expected::default());
        checking.finish();
        match replay::extent(&finding) {
            Some((records, extent)) => {
                let end = usize::try_from(records).ok();
                let entries = end.and_then(|end| log.entries.get(..end)).unwrap_or(&log.entries);
                let sound = Sound { log: &log, finding: &finding, entries, extent };
                self.replay(output, &sound, Inputs { package: &package, trust })
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
    fn replay(&self, output: Output, sound: &Sound<'_>, inputs: Inputs<'_>) -> Result<ExitCode> {
        let Sound { log, finding, entries, extent } = *sound;
        let decoder = || Decoder::new(log);
        let began = Instant::now();
        let mut replay = match replay::start(entries, extent, inputs) {
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
        };
        let verdict = self.drive(output, &mut replay)?;
        let took = began.elapsed();
        let cell = replay.driver.cell();
        let verdict = replay::conclude(verdict, cell, finding, &replay.assumed);
        let report = Shown::new(&verdict, replay.driver.equal(), finding, decoder);
        output.show(&report.took(took).stands(cell).assuming(&replay.assumed));
        if self.shell {
            let name = checkpoint::split_origin(&finding.report.facts.origin);
            let name = name.map_or("", |(name, _)| name);
            open(&Look::new(&replay, entries, name))?;
        }
        Ok(exit_code(&verdict))
    }

    /// Runs the machine to its end, or to where it is to stop, and shows how
    /// far it is.
    fn drive(&self, output: Output, replay: &mut replay::Replay<'_>) -> Result<Verdict> {
        let records = replay.driver.records();
        let goal = self.until.map_or(records, |until| until.min(records));
        let bar = Progress::counted(output, "replaying", goal);
        let mut shown = 0;
        let mut progress = |equal: u64| {
            // To look at the clock costs more than some slices.
            if equal >= shown + 64 {
                bar.reached(equal);
                shown = equal;
            }
        };
        let ran = replay.driver.run(self.until, &mut progress);
        bar.finish();
        ran.map_err(|failure| HelioError::Failed {
            what: "the replay".into(),
            reason: failure.to_string(),
            advice: "run it where there is more memory".into(),
        })
    }

    fn device_key(&self) -> Result<[u8; 32]> {
        match &self.key {
            Some(key) => keys::parse_public(key),
            None => keys::read_public(&Store::at(&self.keys).public_path(Role::Device)),
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

    fn wrong(&self, reason: impl std::fmt::Display) -> HelioError {
        let advice = "it verifies, but no machine starts so";
        HelioError::input("replay", self.log.display(), reason, advice)
    }
}

/// A log that verifies, as far as it does.
struct Sound<'a> {
    log: &'a Folder,
    finding: &'a Finding,
    entries: &'a [Vec<u8>],
    extent: Extent,
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
