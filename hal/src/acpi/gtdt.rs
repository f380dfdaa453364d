//! GTDT: the interrupts of Arm's generic timer (ACPI 6.5, 5.2.25).

use super::u32_at;

/// A timer's interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerInterrupt {
    /// Global system interrupt, which is the GIC's interrupt number.
    pub interrupt: u32,
    /// Edge triggered rather than level triggered.
    pub edge: bool,
    /// Active low rather than high.
    pub low: bool,
}

/// What the kernel uses of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gtdt {
    /// The non-secure EL1 physical timer.
    pub physical: TimerInterrupt,
    /// The virtual timer.
    pub virtual_: TimerInterrupt,
    /// The EL2 timer.
    pub hypervisor: TimerInterrupt,
}

impl Gtdt {
    /// Reads the table; `None` where it is too short.
    pub fn parse(table: &[u8]) -> Option<Self> {
        let timer = |at| {
            let flags = u32_at(table, at + 4)?;
            Some(TimerInterrupt {
                interrupt: u32_at(table, at)?,
                edge: flags & 1 != 0,
                low: flags & 2 != 0,
            })
        };
        Some(Self { physical: timer(56)?, virtual_: timer(64)?, hypervisor: timer(72)? })
    }
}
