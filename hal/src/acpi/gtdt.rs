//! GTDT: the interrupts of Arm's generic timer (ACPI 6.5, 5.2.25).

use super::u32_at;

/// What the kernel uses of the table: global system interrupts, which are the
/// GIC's interrupt numbers. How they are signalled it need not know, for the
/// timers' are private interrupts, whose trigger is what the processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gtdt {
    /// The virtual timer's.
    pub virtual_: u32,
    /// The EL2 timer's.
    pub hypervisor: u32,
}

impl Gtdt {
    /// Reads the table; `None` where it is too short.
    pub fn parse(table: &[u8]) -> Option<Self> {
        Some(Self { virtual_: u32_at(table, 64)?, hypervisor: u32_at(table, 72)? })
    }
}
