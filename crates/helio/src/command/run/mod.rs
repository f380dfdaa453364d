//! `helio run`: runs a package and verifies what it left behind.

mod denials;
mod emulated;
mod hosted;
mod program;
mod summary;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use witness::Hasher;
use witness::manifest::{Outcome, TaskEnd};
use witness::verify::Expected;

use crate::arch::Arch;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output::Output;
use crate::qemu::End;
use crate::session::emulated::{Way, package_path};
use crate::session::{self, Conclusion};
use crate::{file, keys};

use super::image::{Parts, read_built};
use super::verify::nonce;
use program::Program;
use summary::Summary;

/// Run a package or a WebAssembly program, in QEMU or in this process, and
/// verify its log.
#[derive(Debug, Args)]
pub struct Run {
    /// The payload: a package that `make` built, or a path of a package or of a
    /// WebAssembly program.
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
    #[command(flatten)]
    program: Program,
}

impl Run {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        let package = self.package_bytes()?;
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
        file::write(&out.join(session::PACKAGE), &package)?;
        match self.hosted {
            true => self.in_process(output, package, expected, &out),
            false => self.in_qemu(output, package, expected, &out),
        }
    }

    fn package_bytes(&self) -> Result<Vec<u8>> {
        let is_path = self.payload.contains('/') || self.payload.ends_with(".wasm");
        let (path, bytes) = match &self.package {
            Some(path) => (path.clone(), file::read(path)?),
            None if is_path => (self.payload.clone().into(), file::read(self.payload.as_ref())?),
            None => {
                let path = package_path(self.parts.build(), &self.payload);
                let bytes = read_built(&path, "make payloads")?;
                (path, bytes)
            }
        };
        self.program.package(&path, bytes, &self.parts.store())
    }

    fn folder(&self) -> PathBuf {
        let name = if self.hosted { "hosted" } else { self.arch.name() };
        self.out.clone().unwrap_or_else(|| self.parts.build().join("run").join(name))
    }

    fn device_key(&self) -> Result<[u8; 32]> {
        keys::read_public(&self.parts.device_key_path())
    }
}

/// Says what a run came to that left `console` on its serial port.
fn report(output: Output, end: End, conclusion: Conclusion, console: &[u8]) -> ExitCode {
    let verdict = conclusion.finding.exit_code();
    let succeeded = has_succeeded(end, &conclusion);
    output.show(&Summary::new(end, succeeded, conclusion, console));
    match verdict {
        ExitCode::Success if !succeeded => ExitCode::Failed,
        verdict => verdict,
    }
}

/// Whether the machine did what was asked of it. One that was left or reset,
/// or waits, has said so in its manifest at most.
fn has_succeeded(end: End, conclusion: &Conclusion) -> bool {
    let is_good = |task: &TaskEnd| task.outcome == Outcome::Exit && task.code == 0;
    let manifest = conclusion.finding.report.facts.manifest.as_ref();
    match end {
        End::Silent | End::Left | End::Waits => {
            manifest.is_some_and(|it| it.tasks.iter().all(is_good))
        }
        _ => end.is_success(),
    }
}

/// Shows console text, unless results are JSON.
fn show(output: Output, text: &[u8]) {
    if !output.is_json() {
        let mut out = std::io::stdout();
        // A reader that went away does not end the run.
        let _ = out.write_all(text).and_then(|()| out.flush());
    }
}
