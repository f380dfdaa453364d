//! A 16550 UART on I/O ports (PC16550D data sheet).
//!
//! Transmission waits for the device; reception is by interrupt into a ring,
//! from which the console is read.

use core::sync::atomic::{AtomicU16, Ordering};

use spin::{Mutex, Once};
use x86_64::instructions::interrupts::without_interrupts;
use x86_64::instructions::port::Port;

use super::pc::COM1;
use crate::ring::Ring;
use crate::traits::Console;

/// Register offsets.
const DATA: u16 = 0;
const INTERRUPT_ENABLE: u16 = 1;
const FIFO_CONTROL: u16 = 2;
const LINE_CONTROL: u16 = 3;
const MODEM_CONTROL: u16 = 4;
const LINE_STATUS: u16 = 5;
const SCRATCH: u16 = 7;

const RECEIVED: u8 = 1;
const TRANSMITTER_EMPTY: u8 = 1 << 5;
/// Bytes the transmit FIFO takes when it is empty.
const FIFO: usize = 16;

/// First port of the UART in use; zero where there is none, or none was looked
/// for yet.
static BASE: AtomicU16 = AtomicU16::new(0);
/// Whether COM1 was there, once it was looked for.
static LOOKED: Once<bool> = Once::new();
/// What was received and not read yet.
static RECEIVED_BYTES: Mutex<Ring<8192>> = Mutex::new(Ring::new());

/// The eight ports of a UART, by the first. Only this module makes one, of
/// ports that are a UART's or nothing's: COM1's (see [`super::pc`]), or those
/// that ACPI names as a UART's.
#[derive(Clone, Copy)]
struct Uart(u16);

impl Uart {
    /// The one in use. Ports that nothing is at read as ones, "received" among
    /// them, so nobody may go by what they say.
    fn current() -> Option<Self> {
        base().map(Self)
    }

    fn read(self, register: u16) -> u8 {
        // SAFETY: the ports belong to a UART or to nothing, and reading its
        // registers touches no memory.
        unsafe { Port::<u8>::new(self.0.wrapping_add(register)).read() }
    }

    fn write(self, register: u16, value: u8) {
        // SAFETY: as in `read`; what the UART then does are bytes on a wire and
        // interrupts, whose handler is installed before they are enabled.
        unsafe { Port::<u8>::new(self.0.wrapping_add(register)).write(value) }
    }

    /// Probes for the UART by its scratch register and sets it up: 115200
    /// baud, 8 bits, no parity, FIFOs on, no interrupts. Says whether it is
    /// there.
    fn start(self) -> bool {
        for pattern in [0x5a, 0xa5] {
            self.write(SCRATCH, pattern);
            if self.read(SCRATCH) != pattern {
                return false;
            }
        }
        self.write(INTERRUPT_ENABLE, 0);
        self.write(LINE_CONTROL, 0x80); // Divisor latch.
        self.write(DATA, 1);
        self.write(INTERRUPT_ENABLE, 0);
        self.write(LINE_CONTROL, 0x03);
        // FIFOs on and cleared, interrupt from one byte on: a key is to be seen
        // when it is typed.
        self.write(FIFO_CONTROL, 0x07);
        // DTR, RTS, and OUT2, which lets the interrupt out on a PC.
        self.write(MODEM_CONTROL, 0x0b);
        true
    }
}

/// Looks for COM1, the first time this is called, and says whether there is a
/// UART.
pub fn early() -> bool {
    LOOKED.call_once(|| use_at(COM1));
    base().is_some()
}

/// First port of the UART in use, if there is one.
pub fn base() -> Option<u16> {
    Some(BASE.load(Ordering::Relaxed)).filter(|&base| base != 0)
}

/// Uses the UART at these eight ports, which belong to one or to nothing, and no
/// other any more. Says whether it is there.
pub fn use_at(first: u16) -> bool {
    if base() == Some(first) {
        return true;
    }
    let is_there = Uart(first).start();
    BASE.store(if is_there { first } else { 0 }, Ordering::Relaxed);
    is_there
}

/// Sends bytes, waiting for the device where it has to; nothing where there is
/// none.
pub fn send(bytes: &[u8]) {
    let Some(uart) = Uart::current() else { return };
    for chunk in bytes.chunks(FIFO) {
        // Bounded, so that a dead line can't hold a panic message for good:
        // at 9600 baud a full FIFO takes 17 ms, far less than this.
        for _ in 0..10_000_000 {
            if uart.read(LINE_STATUS) & TRANSMITTER_EMPTY != 0 {
                break;
            }
        }
        for &byte in chunk {
            uart.write(DATA, byte);
        }
    }
}

/// Takes what the device has received. Called with interrupts disabled.
pub fn receive() {
    let Some(uart) = Uart::current() else { return };
    let mut ring = RECEIVED_BYTES.lock();
    // Bounded by what can sensibly be there: a device that always says
    // "received" must not hold the processor.
    for _ in 0..1024 {
        if uart.read(LINE_STATUS) & RECEIVED == 0 {
            return;
        }
        // A full ring loses the byte, as a full FIFO would.
        let _ = ring.push(uart.read(DATA));
    }
}

/// The console.
pub struct Serial;

impl Console for Serial {
    fn is_present(&self) -> bool {
        base().is_some()
    }

    fn write(&mut self, bytes: &[u8]) {
        send(bytes);
    }

    fn read(&mut self) -> Option<u8> {
        without_interrupts(|| {
            receive();
            RECEIVED_BYTES.lock().pop()
        })
    }

    fn enable_receive_interrupt(&mut self) {
        if let Some(uart) = Uart::current() {
            uart.write(INTERRUPT_ENABLE, 1);
        }
    }
}
