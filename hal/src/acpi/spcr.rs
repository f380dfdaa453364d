//! SPCR: the serial console ("Serial Port Console Redirection Table",
//! revision 4, Microsoft).

use super::madt::{self, Signal};
use super::{Register, Space, u8_at, u32_at};

/// What the kernel uses of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spcr {
    /// The kind of UART.
    pub kind: Kind,
    /// Its registers.
    pub registers: Register,
    /// Its global system interrupt, if it has one.
    pub interrupt: Option<u32>,
    /// Its interrupt at the 8259s of a PC, if it has one.
    pub legacy_interrupt: Option<u8>,
}

/// Kinds of UART that the kernel drives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 16550 or compatible.
    Ns16550,
    /// Arm PL011, or the SBSA subset of it.
    Pl011,
    /// Another, by its number.
    Other(u8),
}

impl Spcr {
    /// Reads the table; `None` where it is too short or names no address.
    pub fn parse(table: &[u8]) -> Option<Self> {
        let kind = match u8_at(table, 36)? {
            0 | 1 | 0x12 => Kind::Ns16550,
            3 | 0x0d | 0x0e => Kind::Pl011,
            other => Kind::Other(other),
        };
        let registers = Register::at(table, 40)?;
        // Bit 0 of the interrupt type is the old 8259, which has no global
        // system interrupt.
        let how = u8_at(table, 52)?;
        let interrupt = if how & !1 != 0 { u32_at(table, 54) } else { None };
        let legacy_interrupt = if how & 1 != 0 { u8_at(table, 53) } else { None };
        Some(Self { kind, registers, interrupt, legacy_interrupt })
    }

    /// The first of the eight ports, and the interrupt by this MADT, of a 16550
    /// that is reached by ports.
    pub fn on_ports(&self, madt: &[u8]) -> Option<(u16, Option<(u32, Signal)>)> {
        if self.kind != Kind::Ns16550 || self.registers.space != Space::Port {
            return None;
        }
        let first = u16::try_from(self.registers.address).ok()?;
        first.checked_add(7)?;
        let global = self.interrupt.map(|interrupt| (interrupt, madt::signal(madt, interrupt)));
        let isa = || self.legacy_interrupt.map(|source| madt::isa(madt, source));
        Some((first, global.or_else(isa)))
    }
}
