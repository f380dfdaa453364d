//! Running in QEMU.

use std::path::Path;
use std::sync::atomic::Ordering;

use witness::hex;
use witness::verify::Expected;

use crate::arch::Arch;
use crate::console::{Escapes, Filter};
use crate::error::{HelioError, Result};
use crate::file;
use crate::image::Spec;
use crate::output::Output;
use crate::progress::Progress;
use crate::qemu::{End, Ended, MachineStatus, Run as Running};
use crate::session::{self, CONSOLE, Conclusion, emulated};
use crate::symbolize::Symbols;
use crate::terminal::{self, Raw};

use super::{Run, show};

impl Run {
    pub(super) fn in_qemu(
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
    if stays {
        output.remark("Ctrl-] leaves the machine");
    }
    let raw = stays.then(Raw::enter);
    let input = if stays { machine.take_input() } else { None };
    let left = input.map(|input| terminal::forward(input, machine.process()));
    let mut starting = Some(Progress::start(output, &format!("starting the {arch} machine")));
    let mut ended = machine.wait(|bytes| {
        let text = filter.pass(bytes);
        if !text.is_empty() {
            // The first text takes the spinner's line.
            starting = None;
            show(output, &text);
        }
    })?;
    drop(raw);
    if left.is_some_and(|left| left.load(Ordering::SeqCst)) {
        ended.end = End::Left;
        output.say("");
    }
    Ok(ended)
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
