//! What a tree lacks, and what becomes of a machine without it.

use hal::device_tree::DeviceTree;
use serde::Serialize;

use super::{Address, Report};

/// How much something is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// The machine does not start without it.
    Required,
    /// It starts, and something of it does not work.
    Wanted,
    /// Another value is used in its place.
    Optional,
}

impl Need {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Wanted => "wanted",
            Self::Optional => "optional",
        }
    }
}

/// Something that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lack {
    /// How much it is needed.
    pub need: Need,
    /// What it is.
    pub what: String,
    /// What happens without it.
    pub consequence: String,
    /// What to do about it.
    pub advice: String,
}

/// Compatible names of what the kernel drives, for the advice.
const GIC: &str = "give a node compatible with arm,gic-v3, arm,gic-400 or arm,cortex-a15-gic \
                   that has its registers: distributor first";
const UART: &str = "give a node compatible with arm,pl011 or arm,sbsa-uart with its registers, \
                    and name it in /chosen stdout-path";

/// Adds what is missing to the report.
pub(super) fn find(tree: &DeviceTree<'_>, report: &mut Report) {
    let mut found = Vec::new();
    let mut lack = |need, what: &str, consequence: &str, advice: &str| {
        found.push(Lack {
            need,
            what: what.into(),
            consequence: consequence.into(),
            advice: advice.into(),
        });
    };
    use Need::{Optional, Required, Wanted};
    if report.usable_bytes == 0 {
        lack(
            Required,
            "memory",
            "the direct loader finds no room for the kernel",
            "give a node with device_type = \"memory\" and its ranges in reg",
        );
    }
    match &report.devices.controller {
        None => lack(Required, "an interrupt controller", "the kernel's start fails", GIC),
        Some(gic) => {
            for (part, registers) in [("first", gic.distributor), ("second", gic.second)] {
                if registers.bytes == 0 {
                    let what = format!("a length of the interrupt controller's {part} registers");
                    lack(Required, &what, "the kernel cannot map them: its start fails", GIC);
                } else if is_memory(report, registers.base) {
                    let what = format!("a place of the interrupt controller's {part} registers");
                    let consequence = "they are where memory is: the kernel's start fails";
                    lack(Required, &what, consequence, GIC);
                }
            }
        }
    }
    match &report.devices.uart {
        None => lack(
            Wanted,
            "a UART",
            "no console and no shell; without a log disk, no log either",
            UART,
        ),
        Some(uart) => {
            if uart.interrupt.is_none() {
                lack(
                    Wanted,
                    "the UART's interrupt",
                    "the console prints, but does not see what is typed",
                    "give its interrupts, three cells each, with the GIC as interrupt-parent",
                );
            }
            if is_memory(report, uart.base) {
                lack(
                    Required,
                    "a place of the UART's registers",
                    "they are where memory is: the kernel's start fails",
                    UART,
                );
            }
            if tree.stdout().is_some() && !uart.is_stdout {
                lack(
                    Optional,
                    "a console that the kernel drives in /chosen stdout-path",
                    "the first UART that it does drive is the console",
                    UART,
                );
            }
        }
    }
    if report.devices.psci.is_none() && report.devices.watchdog.is_none() {
        lack(
            Wanted,
            "PSCI",
            "the machine cannot switch itself off or start again",
            "give a node compatible with arm,psci-1.0 or arm,psci-0.2 and its method, hvc or smc",
        );
    }
    let has_slot = !report.devices.card_slots.is_empty();
    if report.devices.pci.is_none() && report.devices.virtio == 0 && !has_slot {
        lack(
            Wanted,
            "PCI and virtio",
            "there can be no log disk: the log leaves by the UART, which proves no durability",
            "give a node compatible with pci-host-ecam-generic or virtio,mmio",
        );
    }
    if !report.devices.timer.is_stated {
        lack(
            Optional,
            "the generic timer",
            "interrupts 27 (virtual) and 26 (EL2) are taken for granted",
            "give a node compatible with arm,armv8-timer and its four interrupts",
        );
    }
    if report.processors.is_empty() {
        lack(
            Optional,
            "processors",
            "nothing: the kernel runs on the one it is started on",
            "give /cpus with a cpu node each",
        );
    }
    if report.chosen.command_line.is_none() {
        lack(
            Required,
            "a command line that can be read",
            "the direct loader refuses to start",
            "make /chosen bootargs printable ASCII of at most 3 KiB",
        );
    }
    if !report.chosen.has_entropy {
        lack(
            Optional,
            "random bytes",
            "boots are told apart by the processor's generator, or where it has none by the time",
            "give 32 bytes or more as rng-seed in /chosen",
        );
    }
    report.missing.append(&mut found);
}

fn is_memory(report: &Report, at: Address) -> bool {
    let holds = |base: u64, bytes: u64| at.0.checked_sub(base).is_some_and(|past| past < bytes);
    report.memory.iter().any(|range| range.is_usable && holds(range.base.0, range.bytes))
}
