//! MCFG: where PCI configuration space is mapped (PCI Firmware
//! Specification 3.3, 4.1.2).

use super::{u8_at, u16_at, u64_at};

/// A range of buses whose configuration space is in memory ("ECAM").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Physical address of bus zero's configuration space, also where the
    /// range begins with another bus.
    pub base: u64,
    /// Segment group.
    pub group: u16,
    /// First bus.
    pub first_bus: u8,
    /// Last bus.
    pub last_bus: u8,
}

/// The ranges that the table lists.
pub fn segments(table: &[u8]) -> impl Iterator<Item = Segment> {
    table.get(44..).unwrap_or(&[]).chunks_exact(16).filter_map(|entry| {
        let segment = Segment {
            base: u64_at(entry, 0)?,
            group: u16_at(entry, 8)?,
            first_bus: u8_at(entry, 10)?,
            last_bus: u8_at(entry, 11)?,
        };
        (segment.first_bus <= segment.last_bus).then_some(segment)
    })
}
