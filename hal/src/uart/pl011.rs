//! Arm PrimeCell UART, PL011 (Arm DDI 0183, revision r1p5), and the part of
//! one that SBSA asks for.

use super::Uart;
use super::baud::Pl011Divisor;
use crate::registers::RegisterBlock;

/// Bytes of registers in use.
pub const LENGTH: u64 = 0x48;

/// Register offsets (3.2, "Summary of registers").
const DATA: u64 = 0x00;
const FLAGS: u64 = 0x18;
const WHOLE_DIVISOR: u64 = 0x24;
const FRACTIONAL_DIVISOR: u64 = 0x28;
const LINE_CONTROL: u64 = 0x2c;
const CONTROL: u64 = 0x30;
const FIFO_LEVEL: u64 = 0x34;
const INTERRUPT_MASK: u64 = 0x38;
const INTERRUPT_CLEAR: u64 = 0x44;

/// FLAGS: sending.
const BUSY: u32 = 1 << 3;
/// FLAGS: nothing received.
const RECEIVE_EMPTY: u32 = 1 << 4;
/// FLAGS: no room to send.
const TRANSMIT_FULL: u32 = 1 << 5;
/// LINE_CONTROL: 8 bits, FIFOs on.
const EIGHT_BITS_FIFO: u32 = 0b11 << 5 | 1 << 4;
/// CONTROL: enabled, sending and receiving.
const ENABLED: u32 = 1 | 1 << 8 | 1 << 9;
/// Interrupts: received, and received but the FIFO's level not reached.
const RECEIVE_INTERRUPTS: u32 = 1 << 4 | 1 << 6;

/// How often is looked whether the line has gone quiet.
const LOOKS: u32 = 1_000_000;

/// A PL011.
#[derive(Clone, Copy, Debug)]
pub struct Pl011<R>(pub R);

impl<R: RegisterBlock> Pl011<R> {
    /// Sets its speed: 8 bits, no parity, one stop bit (3.3.7 has the order:
    /// the divisors count when the line control is written).
    pub fn set_speed(&self, divisor: Pl011Divisor) {
        for _ in 0..LOOKS {
            if self.0.read(FLAGS) & BUSY == 0 {
                break;
            }
        }
        self.0.write(CONTROL, 0);
        self.0.write(WHOLE_DIVISOR, divisor.whole.into());
        self.0.write(FRACTIONAL_DIVISOR, divisor.fraction.into());
        self.0.write(LINE_CONTROL, EIGHT_BITS_FIFO);
        self.0.write(CONTROL, ENABLED);
    }
}

impl<R: RegisterBlock> Uart for Pl011<R> {
    fn start(&self) {
        self.0.write(INTERRUPT_MASK, 0);
        self.0.write(INTERRUPT_CLEAR, 0x7ff);
        if self.0.read(CONTROL) & ENABLED != ENABLED {
            self.0.write(LINE_CONTROL, EIGHT_BITS_FIFO);
            self.0.write(CONTROL, ENABLED);
        }
    }

    fn can_send(&self) -> bool {
        self.0.read(FLAGS) & TRANSMIT_FULL == 0
    }

    fn send(&self, byte: u8) {
        self.0.write(DATA, byte.into());
    }

    fn receive(&self) -> Option<u8> {
        // Bits 8 to 11 are errors of the line.
        (self.0.read(FLAGS) & RECEIVE_EMPTY == 0).then(|| self.0.read(DATA) as u8)
    }

    fn acknowledge(&self) {
        self.0.write(INTERRUPT_CLEAR, RECEIVE_INTERRUPTS);
    }

    fn enable_receive_interrupt(&self) {
        // At an eighth of the FIFO; a single key comes by the timeout.
        self.0.write(FIFO_LEVEL, 0);
        self.0.write(INTERRUPT_MASK, RECEIVE_INTERRUPTS);
    }
}
