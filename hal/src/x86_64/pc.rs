//! The board: a PC, of which QEMU's q35 is one.
//!
//! What ACPI describes is taken from there. The console it may describe in
//! AML alone, which is not run; where it does (no SPCR, or one for a UART that
//! is not reached by ports) COM1 is looked for at the place every PC has had
//! it, and probed before it is used. So it is before ACPI can be read.

/// Number of the board in the machine record.
pub const BOARD: u8 = 1;

/// First port of COM1, the PC's legacy default.
pub const COM1: u16 = 0x3f8;

/// ISA interrupt of COM1.
pub const COM1_INTERRUPT: u8 = 4;

/// Port of QEMU's isa-debug-exit device where the emulator is started with
/// `-device isa-debug-exit,iobase=0xf4,iosize=0x04`.
pub const DEBUG_EXIT: u16 = 0xf4;
