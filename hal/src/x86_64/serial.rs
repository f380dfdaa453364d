//! A 16550 UART on I/O ports (PC16550D data sheet).
//!
//! Transmission waits for the device; reception is by interrupt into a ring,
//! from which the console is read.

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

/// Whether the UART was found, once it was looked for.
static PRESENT: Once<bool> = Once::new();
/// What was received and not read yet.
static RECEIVED_BYTES: Mutex<Ring<8192>> = Mutex::new(Ring::new());

fn read(register: u16) -> u8 {
    // SAFETY: COM1's ports belong to a UART or to nothing (see `pc`), and
    // reading its registers touches no memory.
    unsafe { Port::<u8>::new(COM1 + register).read() }
}

fn write(register: u16, value: u8) {
    // SAFETY: as in `read`; what the UART then does are bytes on a wire and
    // interrupts, whose handler is installed before they are enabled.
    unsafe { Port::<u8>::new(COM1 + register).write(value) }
}

/// Whether there is a UART; it is set up the first time this is asked.
pub fn is_present() -> bool {
    *PRESENT.call_once(start)
}

/// Probes for the UART by its scratch register and sets it up: 115200 baud,
/// 8 bits, no parity, FIFOs on, no interrupts. Says whether it is there.
fn start() -> bool {
    for pattern in [0x5a, 0xa5] {
        write(SCRATCH, pattern);
        if read(SCRATCH) != pattern {
            return false;
        }
    }
    write(INTERRUPT_ENABLE, 0);
    write(LINE_CONTROL, 0x80); // Divisor latch.
    write(DATA, 1);
    write(INTERRUPT_ENABLE, 0);
    write(LINE_CONTROL, 0x03);
    // FIFOs on and cleared, interrupt from one byte on: a key is to be seen
    // when it is typed.
    write(FIFO_CONTROL, 0x07);
    // DTR, RTS, and OUT2, which lets the interrupt out on a PC.
    write(MODEM_CONTROL, 0x0b);
    true
}

/// Sends bytes, waiting for the device where it has to.
pub fn send(bytes: &[u8]) {
    for chunk in bytes.chunks(FIFO) {
        // Bounded, so that a dead line can't hold a panic message for good:
        // at 9600 baud a full FIFO takes 17 ms, far less than this.
        for _ in 0..10_000_000 {
            if read(LINE_STATUS) & TRANSMITTER_EMPTY != 0 {
                break;
            }
        }
        for &byte in chunk {
            write(DATA, byte);
        }
    }
}

/// Takes what the device has received. Called with interrupts disabled.
pub fn receive() {
    let mut ring = RECEIVED_BYTES.lock();
    // Bounded by what can sensibly be there: a device that always says
    // "received" must not hold the processor.
    for _ in 0..1024 {
        if read(LINE_STATUS) & RECEIVED == 0 {
            return;
        }
        // A full ring loses the byte, as a full FIFO would.
        let _ = ring.push(read(DATA));
    }
}

/// The console on COM1.
pub struct Serial;

impl Console for Serial {
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
        write(INTERRUPT_ENABLE, 1);
    }
}
