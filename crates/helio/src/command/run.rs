//! `helio run`: runs a package and verifies what it left behind.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use witness::verify::Expected;
use witness::{BootId, Hasher, hex};

use crate::arch::Arch;
use crate::console::{Escapes, Filter};
use crate::error::{HelioError, Result};
use crate::exit::ExitCode;
use crate::image::Spec;
use crate::output::Output;
use crate::progress::Progress;
use crate::qemu::{End, Ended, MachineStatus, Run as Running};
use crate::session::emulated::{self, Way};
use crate::session::hosted::Start;
use crate::session::{self, CONSOLE, Conclusion, DISK, hosted};
use crate::symbolize::Symbols;
use crate::terminal::{self, Raw};
use crate::{file, keys};

use super::image::{Parts, read_built};
use super::verify::{Shown, nonce};

/// Run a package, in QEMU or in this process, and verify its log.
#[derive(Debug, Args)]
pub struct Run {
    /// The payload: a package that `make` built.
    #[arg(default_value = "regress")]
    payload: String,
    /// A package file in its place.
    #[arg(long, conflicts_with = "payload")]
    package: Option<PathBuf>,
    /// The architecture.
    #[arg(long, value_enum, default_value_t = Arch::X86_64)]
    arch: Arch,
    /// How the kernel is started.
    #[arg(long, value_enum, default_value_t = Way::Uefi)]
    boot: Way,
    /// Run in this process, without QEMU.
    #[arg(long, conflicts_with_all = ["arch", "boot", "interactive"])]
    hosted: bool,
    #[command(flatten)]
    parts: Parts,
    /// The nonce that must be in the log, 64 hexadecimal digits; by default a
    /// fresh one.
    #[arg(long, value_parser = nonce)]
    nonce: Option<[u8; 32]>,
    /// More words for the kernel's command line.
    #[arg(long, default_value = "")]
    cmdline: String,
    /// Folder for the log and everything else [default: BUILD/run/ARCH].
    #[arg(long)]
    out: Option<PathBuf>,
    /// Stay at the shell's prompt when the tasks have ended; Ctrl-] leaves.
    /// The default at a terminal.
    #[arg(long)]
    interactive: bool,
    /// Power off when the tasks have ended. The default elsewhere.
    #[arg(long, conflicts_with = "interactive")]
    batch: bool,
    /// Seconds after which the machine is ended; 0 for never [default: 300,
    /// or never at a prompt].
    #[arg(long)]
    timeout: Option<u64>,
    /// Send the log over the serial port, not to a disk.
    #[arg(long, conflicts_with = "hosted")]
    no_disk: bool,
}

impl Run {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        let package = match &self.package {
            Some(path) => file::read(path)?,
            None => {
                let path = emulated::package_path(self.parts.build(), &self.payload);
                read_built(&path, "make payloads")?
            }
        };
        let mut nonce = [0; 32];
        keys::random(&mut nonce)?;
        let nonce = self.nonce.unwrap_or(nonce);
        let expected = Expected {
            package: Some(Hasher::SOFTWARE.hash(&package)),
            nonce: Some(nonce),
            trust: Some(Hasher::SOFTWARE.hash(&file::read(&self.parts.trust_path())?)),
            kernel: None,
        };
        let out = self.folder();
        session::clear(&out)?;
        let (end, conclusion) = match self.hosted {
            true => self.in_process(output, package, expected, &out)?,
            false => self.in_qemu(output, package, expected, &out)?,
        };
        let verdict = conclusion.finding.exit_code();
        let console = file::read(&out.join(CONSOLE))?;
        output.show(&Summary::new(&end, conclusion, &console));
        Ok(match verdict {
            ExitCode::Success if !end.is_success() => ExitCode::Failed,
            verdict => verdict,
        })
    }

    fn folder(&self) -> PathBuf {
        let name = if self.hosted { "hosted" } else { self.arch.name() };
        self.out.clone().unwrap_or_else(|| self.parts.build().join("run").join(name))
    }

    fn device_key(&self) -> Result<[u8; 32]> {
        keys::read_public(&self.parts.device_key_path())
    }

    fn in_qemu(
        &self,
        output: Output,
        package: Vec<u8>,
        expected: Expected,
        out: &Path,
    ) -> Result<(End, Conclusion)> {
        let stays = self.interactive || !self.batch && !output.is_json() && terminal::is_attended();
        let spec = self.spec(package, expected.nonce.unwrap_or_default(), stays)?;
        let building = Progress::start(output, "building the boot disk");
        let direct = self.parts.direct_image_path(self.arch);
        let mut machine = emulated::machine(self.boot, &spec, &direct, out)?;
        building.finish();
        let seconds = self.timeout.unwrap_or(if stays { 0 } else { BATCH_SECONDS });
        if let Some(limit) = emulated::limit(seconds) {
            machine = machine.limit(limit);
        }
        if self.no_disk {
            machine = machine.without_log_disk();
        }
        let disk = machine.log_disk_path();
        let ended = watch(machine.start()?, output, stays, self.arch)?;
        file::write(&out.join(CONSOLE), &ended.console)?;
        if let Some(backtrace) = backtrace(&self.parts.kernel_path(self.arch), &ended) {
            output.say(&backtrace);
        }
        if matches!(ended.end, End::Qemu(_)) {
            return Err(HelioError::Failed {
                what: "QEMU".into(),
                reason: format!("{}: {}", ended.end, last_line(&ended.errors)),
                advice: "see whether this QEMU is version 7.2 or later".into(),
            });
        }
        let checking = Progress::start(output, "bringing the log home and verifying it");
        let disk = if self.no_disk { Vec::new() } else { file::read(&disk)? };
        let streams = [disk.as_slice(), &ended.console];
        let conclusion = session::conclude(&streams, out, self.device_key()?, expected)
            .map_err(|error| with_end(error, &ended))?;
        checking.finish();
        Ok((ended.end, conclusion))
    }

    fn in_process(
        &self,
        output: Output,
        package: Vec<u8>,
        expected: Expected,
        out: &Path,
    ) -> Result<(End, Conclusion)> {
        let mut boot = BootId::default();
        keys::random(&mut boot)?;
        let start = Start {
            package,
            trust: self.parts.trust()?,
            device_key: keys::read_private(&self.parts.device_key_path())?,
            nonce: expected.nonce,
            boot,
        };
        let disk = out.join(DISK);
        let (mut console, mut filter) = (Vec::new(), Filter::new(Escapes::Drop));
        let ran = hosted::run(start, &disk, &mut |bytes| {
            console.extend_from_slice(bytes);
            show(output, &filter.pass(bytes));
        })?;
        file::write(&out.join(CONSOLE), &console)?;
        ran.reports.iter().for_each(|report| output.say(report));
        let status = match ran.succeeded() {
            true => MachineStatus::Success,
            false => MachineStatus::TaskFailed,
        };
        let disk = file::read(&disk)?;
        let conclusion = session::conclude(&[&disk], out, self.device_key()?, expected)?;
        Ok((End::Machine(status), conclusion))
    }

    fn spec(&self, package: Vec<u8>, nonce: [u8; 32], stays: bool) -> Result<Spec> {
        let mut words = format!("nonce={}", hex::encode(&nonce));
        if stays {
            words += " end=shell";
        }
        if !self.cmdline.trim().is_empty() {
            words = format!("{words} {}", self.cmdline.trim());
        }
        let mut spec = match self.boot.loader() {
            Some(loader) => self.parts.gather(self.arch, loader, &words)?,
            None => self.parts.gather_direct(self.arch, &words)?,
        };
        spec.package = Some(package);
        Ok(spec)
    }
}

/// Time limit of a run that nobody watches.
const BATCH_SECONDS: u64 = 300;

/// Shows a machine's console until it ends.
fn watch(mut machine: Running, output: Output, stays: bool, arch: Arch) -> Result<Ended> {
    let escapes = if stays { Escapes::KeepEditing } else { Escapes::Drop };
    let mut filter = Filter::new(escapes);
    let _raw = stays.then(Raw::enter);
    if stays && let Some(input) = machine.take_input() {
        terminal::forward(input, machine.process());
    }
    let mut starting = Some(Progress::start(output, &format!("starting the {arch} machine")));
    machine.wait(|bytes| {
        let text = filter.pass(bytes);
        if !text.is_empty() {
            // The first text takes the spinner's line.
            starting = None;
            show(output, &text);
        }
    })
}

/// Shows console text, unless results are JSON.
fn show(output: Output, text: &[u8]) {
    if !output.is_json() {
        let mut out = std::io::stdout();
        // A reader that went away does not end the run.
        let _ = out.write_all(text).and_then(|()| out.flush());
    }
}

/// The names behind the backtrace of a machine that crashed.
fn backtrace(kernel: &Path, ended: &Ended) -> Option<String> {
    let End::Machine(status) = ended.end else { return None };
    if matches!(status, MachineStatus::Success | MachineStatus::TaskFailed) {
        return None;
    }
    let text = String::from_utf8_lossy(&ended.console);
    let report = &text[text.find("backtrace:")?..];
    let names = Symbols::read(kernel).ok()?.annotate(report).ok()?;
    Some(format!("\nthe same with names:\n{names}"))
}

/// An error about the log, with what is known about the machine's end.
fn with_end(error: HelioError, ended: &Ended) -> HelioError {
    match error {
        HelioError::Failed { what, reason, advice } => {
            HelioError::Failed { what, reason: format!("{reason}: {}", ended.end), advice }
        }
        other => other,
    }
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or("it said nothing")
}

/// What a run comes to.
#[derive(Serialize)]
struct Summary {
    end: String,
    succeeded: bool,
    log: PathBuf,
    checkpoint: Option<String>,
    #[serde(skip)]
    shown: bool,
    remarks: Vec<String>,
    #[serde(flatten)]
    finding: Shown,
}

impl Summary {
    fn new(end: &End, conclusion: Conclusion, console: &[u8]) -> Self {
        let bad = conclusion.bad_record();
        let console = String::from_utf8_lossy(console);
        let signature = conclusion.log.checkpoint.as_ref().and_then(|note| note.lines().last());
        Self {
            end: end.to_string(),
            succeeded: end.is_success(),
            finding: Shown::new(&conclusion.finding, bad),
            log: conclusion.path,
            shown: signature.is_some_and(|line| console.contains(line)),
            checkpoint: conclusion.log.checkpoint,
            remarks: conclusion.remarks,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The kernel says it at the end of a run.
        if let Some(checkpoint) = self.checkpoint.as_ref().filter(|_| !self.shown) {
            writeln!(f, "\nsigned checkpoint:")?;
            checkpoint.lines().try_for_each(|line| writeln!(f, "  {line}"))?;
        }
        writeln!(f, "\nlog {}: {}", self.log.display(), self.end)?;
        self.remarks.iter().try_for_each(|remark| writeln!(f, "  {remark}"))?;
        self.finding.fmt(f)
    }
}
