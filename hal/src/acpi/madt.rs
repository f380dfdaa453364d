//! MADT: which interrupt controllers there are (ACPI 6.5, 5.2.12).

use super::{u8_at, u16_at, u32_at, u64_at};

/// One structure of the table, of the kinds that the kernel uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// An I/O APIC.
    IoApic {
        /// Physical address of its registers.
        address: u64,
        /// Global system interrupt of its first input.
        first_interrupt: u32,
    },
    /// An ISA interrupt that arrives somewhere else than at its own number.
    Override {
        /// The ISA interrupt, 0 to 15.
        source: u8,
        /// The global system interrupt.
        interrupt: u32,
        /// How it is signalled.
        signal: Signal,
    },
    /// The local APICs are not where the header says.
    LocalApicAddress(u64),
    /// A processor's GIC interface.
    GicCpu {
        /// Physical address of the GICv2 CPU interface, zero for GICv3.
        interface: u64,
        /// Physical address of the GICv3 redistributor, zero if it is in a
        /// range of [`Entry::GicRedistributors`].
        redistributor: u64,
    },
    /// The GIC distributor.
    GicDistributor {
        /// Physical address of its registers.
        address: u64,
        /// Version 1 to 4, zero for unknown.
        version: u8,
    },
    /// A range of GICv3 redistributors.
    GicRedistributors {
        /// Physical address of the first.
        address: u64,
        /// Length of the range in bytes.
        length: u32,
    },
}

/// How an interrupt line is signalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Active low rather than high.
    pub low: bool,
    /// Level triggered rather than edge triggered.
    pub level: bool,
}

impl Signal {
    /// What ISA devices do where nothing else is said.
    pub const ISA: Self = Self { low: false, level: false };

    /// What PCI devices do.
    pub const PCI: Self = Self { low: true, level: true };

    /// "MPS INTI flags" (table 5.26); "as the bus does" means ISA's way.
    fn from_flags(flags: u16) -> Self {
        Self { low: flags & 3 == 3, level: flags >> 2 & 3 == 3 }
    }
}

/// Physical address of the local APIC, by the header alone.
pub fn local_apic(table: &[u8]) -> Option<u64> {
    u32_at(table, 36).map(u64::from)
}

/// The global system interrupt that an ISA interrupt arrives at, and how it is
/// signalled.
pub fn isa(table: &[u8], isa: u8) -> (u32, Signal) {
    let moved = overrides(table).find(|(source, ..)| *source == isa);
    moved.map_or((isa.into(), Signal::ISA), |(_, interrupt, signal)| (interrupt, signal))
}

/// How a global system interrupt is signalled of which nothing else is said:
/// as its ISA interrupt is, or beyond those as PCI does.
pub fn signal(table: &[u8], interrupt: u32) -> Signal {
    let moved = overrides(table).find(|(_, other, _)| *other == interrupt);
    let usual = if interrupt < 16 { Signal::ISA } else { Signal::PCI };
    moved.map_or(usual, |(_, _, signal)| signal)
}

fn overrides(table: &[u8]) -> impl Iterator<Item = (u8, u32, Signal)> {
    entries(table).filter_map(|entry| match entry {
        Entry::Override { source, interrupt, signal } => Some((source, interrupt, signal)),
        _ => None,
    })
}

/// The structures of the table, as far as they are whole.
pub fn entries(table: &[u8]) -> impl Iterator<Item = Entry> {
    let mut rest = table.get(44..).unwrap_or(&[]);
    core::iter::from_fn(move || {
        loop {
            let length = usize::from(u8_at(rest, 1)?);
            // A length below two would never get to the end of the table.
            if length < 2 {
                return None;
            }
            let (entry, after) = rest.split_at_checked(length)?;
            rest = after;
            if let Some(entry) = decode(entry) {
                return Some(entry);
            }
        }
    })
}

fn decode(entry: &[u8]) -> Option<Entry> {
    Some(match u8_at(entry, 0)? {
        1 => Entry::IoApic {
            address: u64::from(u32_at(entry, 4)?),
            first_interrupt: u32_at(entry, 8)?,
        },
        2 => Entry::Override {
            source: u8_at(entry, 3)?,
            interrupt: u32_at(entry, 4)?,
            signal: Signal::from_flags(u16_at(entry, 8)?),
        },
        5 => Entry::LocalApicAddress(u64_at(entry, 4)?),
        11 => Entry::GicCpu {
            interface: u64_at(entry, 32)?,
            redistributor: u64_at(entry, 60).unwrap_or(0),
        },
        12 => Entry::GicDistributor {
            address: u64_at(entry, 8)?,
            version: u8_at(entry, 20).unwrap_or(0),
        },
        14 => Entry::GicRedistributors { address: u64_at(entry, 4)?, length: u32_at(entry, 12)? },
        _ => return None,
    })
}
