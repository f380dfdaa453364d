//! The loader's messages, on the PL011 that the device tree names.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicU64, Ordering};

/// Physical address of the UART; zero while there is none.
static UART: AtomicU64 = AtomicU64::new(0);

/// Offsets of its registers: data, flags, control (Arm DDI 0183, chapter 3).
const DATA: u64 = 0x00;
const FLAGS: u64 = 0x18;
const CONTROL: u64 = 0x30;
const TRANSMITTER_FULL: u32 = 1 << 5;
const ENABLED_TRANSMITTER: u32 = 1 << 0 | 1 << 8;

/// Uses the UART at a physical address from now on.
///
/// # Safety
/// There is a PL011, and nobody else uses it.
pub unsafe fn use_at(address: u64) {
    let control = register(address, CONTROL);
    // SAFETY: the caller's promise; enabling it leaves all settings as they
    // were made by firmware.
    unsafe { control.write_volatile(control.read_volatile() | ENABLED_TRANSMITTER) };
    UART.store(address, Ordering::Relaxed);
}

/// Prints a line.
pub fn say(text: fmt::Arguments<'_>) {
    let uart = UART.load(Ordering::Relaxed);
    if uart != 0 {
        // A UART takes everything.
        let _ = write!(Uart(uart), "[loader] {text}\r\n");
    }
}

struct Uart(u64);

impl Write for Uart {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let (flags, data) = (register(self.0, FLAGS), register(self.0, DATA));
        for byte in text.bytes() {
            // SAFETY: `use_at`'s caller promised that the UART is there.
            unsafe {
                while flags.read_volatile() & TRANSMITTER_FULL != 0 {}
                data.write_volatile(byte.into());
            }
        }
        Ok(())
    }
}

fn register(uart: u64, offset: u64) -> *mut u32 {
    core::ptr::with_exposed_provenance_mut((uart + offset) as usize)
}
