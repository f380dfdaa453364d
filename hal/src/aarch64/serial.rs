//! Arm PrimeCell UART, PL011 (Arm DDI 0183, revision r1p5).
//!
//! Transmission waits for the device; reception is by interrupt into a ring,
//! from which the console is read. The firmware has set the line's speed,
//! which also says that there is a clock: it is left alone.

use core::sync::atomic::{AtomicU64, Ordering};

use spin::Mutex;

use super::cpu::without_interrupts;
use super::registers::Registers;
use crate::ring::Ring;
use crate::traits::Console;

/// Bytes of registers in use.
pub const LENGTH: u64 = 0x48;

/// Register offsets (3.2, "Summary of registers").
const DATA: u64 = 0x00;
const FLAGS: u64 = 0x18;
const LINE_CONTROL: u64 = 0x2c;
const CONTROL: u64 = 0x30;
const FIFO_LEVEL: u64 = 0x34;
const INTERRUPT_MASK: u64 = 0x38;
const INTERRUPT_CLEAR: u64 = 0x44;

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

/// Where the registers are mapped; zero before they are.
static BASE: AtomicU64 = AtomicU64::new(0);
/// What was received and not read yet.
static RECEIVED: Mutex<Ring<8192>> = Mutex::new(Ring::new());

fn registers() -> Option<Registers> {
    let base = BASE.load(Ordering::Relaxed);
    if base == 0 {
        return None;
    }
    // SAFETY: `use_at` stored the address by the promise it asks for.
    Some(unsafe { Registers::new(base, LENGTH) })
}

/// Uses the UART whose registers are mapped at `base`, with no interrupts.
///
/// # Safety
/// As for [`Registers::new`], with [`LENGTH`] bytes; the mapping stays until
/// this is called again.
pub unsafe fn use_at(base: u64) {
    BASE.store(base, Ordering::Relaxed);
    let Some(uart) = registers() else { return };
    uart.write(INTERRUPT_MASK, 0);
    uart.write(INTERRUPT_CLEAR, 0x7ff);
    if uart.read(CONTROL) & ENABLED != ENABLED {
        uart.write(LINE_CONTROL, EIGHT_BITS_FIFO);
        uart.write(CONTROL, ENABLED);
    }
}

/// Whether there is a UART to use.
pub fn is_in_use() -> bool {
    BASE.load(Ordering::Relaxed) != 0
}

/// Uses no UART any more.
pub fn forget() {
    BASE.store(0, Ordering::Relaxed);
}

/// Sends bytes, waiting for the device where it has to; nothing where there
/// is none.
pub fn send(bytes: &[u8]) {
    let Some(uart) = registers() else { return };
    for &byte in bytes {
        // Bounded, so that a dead line can't hold a panic message for good:
        // at 9600 baud a byte takes 1 ms, far less than this.
        for _ in 0..10_000_000 {
            if uart.read(FLAGS) & TRANSMIT_FULL == 0 {
                break;
            }
        }
        uart.write(DATA, u32::from(byte));
    }
}

/// Takes what the device has received. Called with interrupts disabled.
pub fn receive() {
    let Some(uart) = registers() else { return };
    let mut ring = RECEIVED.lock();
    // Before looking, not after: a byte that comes between the last look and
    // this would never be heard of, for the request is made when the FIFO
    // fills, not while it is filled.
    uart.write(INTERRUPT_CLEAR, RECEIVE_INTERRUPTS);
    // Bounded by what can sensibly be there: a device that always says
    // "received" must not hold the processor.
    for _ in 0..1024 {
        if uart.read(FLAGS) & RECEIVE_EMPTY != 0 {
            break;
        }
        // Bits 8 to 11 are errors of the line. A full ring loses the byte, as
        // a full FIFO would.
        let _ = ring.push(uart.read(DATA) as u8);
    }
}

/// The console.
pub struct Serial;

impl Console for Serial {
    fn write(&mut self, bytes: &[u8]) {
        send(bytes);
    }

    fn read(&mut self) -> Option<u8> {
        without_interrupts(|| {
            receive();
            RECEIVED.lock().pop()
        })
    }

    fn enable_receive_interrupt(&mut self) {
        let Some(uart) = registers() else { return };
        // At an eighth of the FIFO; a single key comes by the timeout.
        uart.write(FIFO_LEVEL, 0);
        uart.write(INTERRUPT_MASK, RECEIVE_INTERRUPTS);
    }
}
