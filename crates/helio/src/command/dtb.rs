//! `helio dtb`: what the kernel would make of a device tree.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::device_tree::{Processor, Range, Report};
use crate::error::{HelioError, Result};
use crate::exit::ExitCode;
use crate::file;
use crate::output::Output;

/// Check a device tree and show what the kernel would use of it.
///
/// The tree is read by the code that runs on the machine. The exit code is 1
/// where something is missing without which the kernel does not start.
#[derive(Debug, Args)]
pub struct Dtb {
    /// The flattened device tree (.dtb).
    file: PathBuf,
}

#[derive(Serialize)]
struct Shown {
    file: PathBuf,
    fit: bool,
    #[serde(flatten)]
    report: Report,
}

impl Dtb {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        let report = Report::of(&file::read(&self.file)?).map_err(|reason| {
            HelioError::input(
                "device tree",
                self.file.display(),
                reason,
                "give a flattened tree, such as `dtc -O dtb` or QEMU's dumpdtb makes",
            )
        })?;
        let fit = report.is_fit();
        output.show(&Shown { file: self.file, fit, report });
        Ok(if fit { ExitCode::Success } else { ExitCode::Failed })
    }
}

/// The name of a line and what is on it.
fn line(f: &mut fmt::Formatter<'_>, name: &str, text: impl fmt::Display) -> fmt::Result {
    writeln!(f, "  {name:<11} {text}")
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, report, .. } = self;
        let model = report.model.as_deref().unwrap_or("a machine without a name");
        writeln!(
            f,
            "{}  {model}, {} bytes of version {}",
            file.display(),
            report.bytes,
            report.version
        )?;
        line(f, "board", report.compatible.join(", "))?;
        for range in &report.memory {
            line(f, "memory", Memory(range))?;
        }
        line(f, "", format_args!("{} MiB are free", report.usable_bytes >> 20))?;
        for processor in &report.processors {
            line(f, "processor", Words(processor))?;
        }
        self.devices(f)?;
        let chosen = &report.chosen;
        if let Some(text) = &chosen.command_line {
            line(f, "kernel line", text)?;
        }
        if let Some((start, end)) = chosen.initrd {
            line(f, "archive", format_args!("{:#x} to {:#x}", start.0, end.0))?;
        }
        line(f, "entropy", if chosen.has_entropy { "rng-seed" } else { "none" })?;
        if report.missing.is_empty() {
            return write!(f, "nothing is missing");
        }
        writeln!(f, "missing:")?;
        for lack in &report.missing {
            writeln!(f, "  {:<9} {}: {}", lack.need.name(), lack.what, lack.consequence)?;
            writeln!(f, "            {}", lack.advice)?;
        }
        f.write_str(if self.fit { "the kernel runs with it" } else { "the kernel does not start" })
    }
}

impl Shown {
    fn devices(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let devices = &self.report.devices;
        match &devices.uart {
            Some(uart) => {
                let interrupt = match uart.interrupt {
                    Some(line) => format!("interrupt {line}"),
                    None => "no interrupt".into(),
                };
                let stdout = if uart.is_stdout { ", named by /chosen" } else { "" };
                let text = format!("{} at {:#x}, {interrupt}{stdout}", uart.name, uart.base.0);
                line(f, "UART", text)?;
            }
            None => line(f, "UART", "none")?,
        }
        match &devices.controller {
            Some(gic) => {
                let (first, second) = (gic.distributor, gic.second);
                let text = format!(
                    "{} at {:#x} ({:#x} bytes) and {:#x} ({:#x} bytes)",
                    gic.version, first.base.0, first.bytes, second.base.0, second.bytes
                );
                line(f, "interrupts", text)?;
            }
            None => line(f, "interrupts", "none")?,
        }
        let timer = devices.timer;
        let stated = if timer.is_stated { "" } else { ", taken for granted" };
        let (at_1, at_2) = (timer.virtual_interrupt, timer.hypervisor_interrupt);
        line(f, "timer", format_args!("interrupt {at_1} at EL1, {at_2} at EL2{stated}"))?;
        let watchdog = || devices.watchdog.map(|at| format!("the watchdog at {:#x}", at.0));
        let power = devices.psci.map(|way| format!("PSCI by {way}")).or_else(watchdog);
        line(f, "power", power.unwrap_or_else(|| "none".into()))?;
        for slot in &devices.card_slots {
            line(f, "card slot", format_args!("at {:#x}", slot.0))?;
        }
        let pci = devices.pci.map_or("none".into(), |pci| {
            format!("at {:#x}, buses {} to {}", pci.base.0, pci.buses.0, pci.buses.1)
        });
        line(f, "PCI", pci)?;
        line(f, "virtio", format_args!("{} devices", devices.virtio))
    }
}

struct Memory<'a>(&'a Range);

impl fmt::Display for Memory<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Range { base, bytes, is_usable } = self.0;
        let end = base.0.saturating_add(*bytes);
        write!(f, "{:#x} to {end:#x}, {} KiB", base.0, bytes >> 10)?;
        if *is_usable { Ok(()) } else { f.write_str(" reserved") }
    }
}

struct Words<'a>(&'a Processor);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Processor { name, compatible, enable_method, .. } = self.0;
        write!(f, "{name}: {}", compatible.join(", "))?;
        enable_method.iter().try_for_each(|method| write!(f, ", started by {method}"))
    }
}
