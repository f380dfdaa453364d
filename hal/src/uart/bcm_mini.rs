//! The mini-UART of Broadcom's BCM283x and BCM2711 (BCM2711 ARM Peripherals,
//! 2.2): registers much like a 16550's, eight bits, no parity.
//!
//! Its speed follows the clock of the VideoCore, which firmware holds still
//! where it set this UART up (`enable_uart=1`).

use super::Uart;
use crate::registers::RegisterBlock;

/// Bytes of registers.
pub const LENGTH: u64 = 0x40;

/// Register offsets from AUX_MU_IO_REG.
const DATA: u64 = 0x00;
const INTERRUPT_ENABLE: u64 = 0x04;
const INTERRUPT_IDENTIFY: u64 = 0x08;
const LINE_CONTROL: u64 = 0x0c;
const LINE_STATUS: u64 = 0x14;
const CONTROL: u64 = 0x20;
const DIVISOR: u64 = 0x28;

/// INTERRUPT_ENABLE: something was received. The manual's tables have bit 0 and
/// the transmitter's exchanged, and bit 2, without which nothing is ever raised,
/// as one without a meaning, says the list of its errata.
const RECEIVE_INTERRUPT: u32 = 0b101;
/// INTERRUPT_IDENTIFY, written: forget what is in both FIFOs.
const CLEAR_FIFOS: u32 = 0b110;
/// LINE_CONTROL: eight bits, which take both bits here.
const EIGHT_BITS: u32 = 0b11;
/// LINE_STATUS: received; room to send.
const RECEIVED: u32 = 1 << 0;
const TRANSMIT_ROOM: u32 = 1 << 5;
/// CONTROL: receiving and sending.
const ENABLED: u32 = 0b11;

/// A mini-UART.
#[derive(Clone, Copy, Debug)]
pub struct BcmMini<R>(pub R);

impl<R: RegisterBlock> BcmMini<R> {
    /// Whether somebody has set its speed.
    pub fn has_speed(&self) -> bool {
        self.0.read(DIVISOR) != 0
    }

    /// Sets its speed, by a divisor of [`super::baud::bcm_mini`].
    pub fn set_speed(&self, divisor: u16) {
        self.0.write(CONTROL, 0);
        self.0.write(LINE_CONTROL, EIGHT_BITS);
        self.0.write(INTERRUPT_IDENTIFY, CLEAR_FIFOS);
        self.0.write(DIVISOR, divisor.into());
        self.0.write(CONTROL, ENABLED);
    }
}

impl<R: RegisterBlock> Uart for BcmMini<R> {
    fn start(&self) {
        self.0.write(INTERRUPT_ENABLE, 0);
        self.0.write(LINE_CONTROL, EIGHT_BITS);
        self.0.write(CONTROL, ENABLED);
    }

    fn can_send(&self) -> bool {
        self.0.read(LINE_STATUS) & TRANSMIT_ROOM != 0
    }

    fn send(&self, byte: u8) {
        self.0.write(DATA, byte.into());
    }

    fn receive(&self) -> Option<u8> {
        (self.0.read(LINE_STATUS) & RECEIVED != 0).then(|| self.0.read(DATA) as u8)
    }

    fn acknowledge(&self) {
        // The line is quiet once everything received has been taken.
    }

    fn enable_receive_interrupt(&self) {
        self.0.write(INTERRUPT_ENABLE, RECEIVE_INTERRUPT);
    }
}
