//! Running in QEMU.

use std::path::Path;
use std::sync::atomic::Ordering;

use witness::hex;
use witness::verify::Expected;

use crate::arch::Arch;
use crate::console::{Escapes, Filter};
use crate::error::{HelioError, Result};
use crate::exit::ExitCode;
use crate::file;
use crate::image::Spec;
use crate::output::Output;
use crate::progress::Progress;
use crate::qemu::{End, Ended, MachineStatus, Run as Running};
use crate::session::emulated::Way;
use crate::session::{self, CONSOLE, emulated};
use crate::symbolize::Symbols;
use crate::terminal::{self, Raw};

use super::{Run, report, show};

impl Run {
    pub(super) fn in_qemu(
        &self,
        output: Output,
        package: Vec<u8>,
        expected: Expected,
        out: &Path,
    ) -> Result<ExitCode> {
        if self.no_disk && self.boot == Way::Card {
            return Err(HelioError::input(
                "run",
                "--no-disk",
                "the card that is booted from is the log's disk too",
                "leave --no-disk out, or use another --boot",
            ));
        }
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
        let bring_home = |console: &[u8]| {
            let checking = Progress::start(output, "bringing the log home and verifying it");
            file::write(&out.join(CONSOLE), console)?;
            let disk = if self.no_disk { Vec::new() } else { file::read(&disk)? };
            let home = session::conclude(&[&disk, console], out, self.device_key()?, expected);
            checking.finish();
            home
        };
        // What was reported at the prompt: the checkpoint and the exit code.
        let mut reported = None;
        let ended = watch(machine.start()?, output, stays, self.arch, |console| {
            if output.is_json() {
                return;
            }
            match bring_home(console) {
                Ok(home) => {
                    let checkpoint = home.log.checkpoint.clone();
                    reported = Some((checkpoint, report(output, End::Waits, home, console)));
                    output.say("");
                }
                Err(error) => output.fail(&error),
            }
        })?;
        if let Some(backtrace) = backtrace(&self.parts.symbols_path(self.arch), &ended) {
            output.say(&backtrace);
        }
        if matches!(ended.end, End::Qemu(_)) {
            return Err(HelioError::Failed {
                what: "QEMU".into(),
                reason: format!("{}: {}", ended.end, last_line(&ended.errors)),
                advice: "see whether this QEMU is version 7.2 or later".into(),
            });
        }
        let home = bring_home(&ended.console).map_err(|error| with_end(error, &ended))?;
        let Some((checkpoint, before)) = reported else {
            return Ok(report(output, ended.end, home, &ended.console));
        };
        if ended.end == End::Left && checkpoint == home.log.checkpoint {
            return Ok(before);
        }
        let after = report(output, ended.end, home, &ended.console);
        Ok(if before == ExitCode::Success { after } else { before })
    }

    fn spec(&self, package: Vec<u8>, nonce: [u8; 32], stays: bool) -> Result<Spec> {
        let mut words = format!("nonce={}", hex::encode(&nonce));
        if stays {
            words += " end=shell";
        }
        if !self.cmdline.trim().is_empty() {
            words = format!("{words} {}", self.cmdline.trim());
        }
        if !stays {
            // Whatever the configuration says: nobody is there.
            words += " end=off";
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

/// How the line begins that the kernel says when its log is whole and nothing
/// but its prompt follows.
const LOG_IS_WHOLE: &str = "[kernel] nothing is left to do";

/// Shows a machine's console until it ends. When the log is whole, calls
/// `at_prompt` with everything said so far; what comes then is shown after it.
fn watch(
    mut machine: Running,
    output: Output,
    stays: bool,
    arch: Arch,
    mut at_prompt: impl FnMut(&[u8]),
) -> Result<Ended> {
    let escapes = if stays { Escapes::KeepEditing } else { Escapes::Drop };
    let mut filter = Filter::new(escapes);
    if stays {
        output.remark("Ctrl-] leaves the machine");
    }
    let raw = stays.then(Raw::enter);
    let input = if stays { machine.take_input() } else { None };
    let left = input.map(|input| terminal::forward(input, machine.process()));
    let mut starting = Some(Progress::start(output, &format!("starting the {arch} machine")));
    let mut line = Vec::new();
    while let Some(bytes) = machine.read() {
        let text = filter.pass(&bytes);
        if !text.is_empty() {
            // The first text takes the spinner's line.
            starting = None;
        }
        for part in text.split_inclusive(|&byte| byte == b'\n') {
            show(output, part);
            line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                if line.starts_with(LOG_IS_WHOLE.as_bytes()) {
                    at_prompt(machine.console());
                }
                line.clear();
            }
        }
    }
    let mut ended = machine.wait()?;
    drop(starting);
    drop(raw);
    if left.is_some_and(|left| left.load(Ordering::SeqCst)) {
        ended.end = End::Left;
        output.say("");
    }
    Ok(ended)
}

/// The names behind the backtrace of a machine that crashed.
fn backtrace(symbols: &Path, ended: &Ended) -> Option<String> {
    let End::Machine(status) = ended.end else { return None };
    if matches!(status, MachineStatus::Success | MachineStatus::TaskFailed) {
        return None;
    }
    let text = String::from_utf8_lossy(&ended.console);
    let report = &text[text.find("backtrace:")?..];
    let names = Symbols::read(symbols).ok()?.annotate(report).ok()?;
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
