//! The loader's messages, on the UART that the device tree names.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use boot_direct::known;
use boot_direct::tree::{Console, Uart as Kind};

/// Physical address of the UART; zero while there is none.
static UART: AtomicU64 = AtomicU64::new(0);
/// Whether it is a mini-UART.
static IS_MINI: AtomicBool = AtomicBool::new(false);

/// Offset of the data register of either.
const DATA: u64 = 0x00;

/// Offsets of a PL011's registers (Arm DDI 0183, chapter 3).
const FLAGS: u64 = 0x18;
const WHOLE_DIVISOR: u64 = 0x24;
const FRACTIONAL_DIVISOR: u64 = 0x28;
const LINE_CONTROL: u64 = 0x2c;
const CONTROL: u64 = 0x30;
const TRANSMITTER_FULL: u32 = 1 << 5;
const EIGHT_BITS_FIFO: u32 = 0b11 << 5 | 1 << 4;
const ENABLED_TRANSMITTER: u32 = 1 << 0 | 1 << 8;

/// Offset of the mini-UART's line status, and: there is room to send (BCM2711
/// ARM Peripherals, 2.2).
const LINE_STATUS: u64 = 0x14;
const ROOM: u32 = 1 << 5;

/// How often is looked whether a byte can be sent: a line that is dead must
/// not keep the machine from starting, or from going off. A byte takes 87 us,
/// and a look, without caches, a tenth of one.
const LOOKS: u32 = 200_000;

/// Uses a UART from now on.
///
/// # Safety
/// It is there, and nobody else uses it.
pub unsafe fn use_at(console: Console) {
    let Console { uart, address } = console;
    if uart == Kind::Pl011 {
        let control = register(address, CONTROL);
        // SAFETY: the caller's promise; enabling it leaves all settings as
        // they were made by firmware.
        unsafe { control.write_volatile(control.read_volatile() | ENABLED_TRANSMITTER) };
    }
    IS_MINI.store(uart == Kind::Mini, Ordering::Relaxed);
    UART.store(address, Ordering::Relaxed);
}

/// Uses the PL011 of the board that is known, which nobody may have set up:
/// pins 14 and 15 become its (BCM2711 ARM Peripherals, 5.3), and it gets 115200
/// baud from the 48 MHz that firmware gives it.
///
/// # Safety
/// The board is that one, and nobody else uses it.
pub unsafe fn use_known() {
    const SELECT_10_TO_19: u64 = 0x04;
    let select = register(known::GPIO, SELECT_10_TO_19);
    // SAFETY: the caller's promise.
    unsafe {
        let others = select.read_volatile() & !(0o77 << 12);
        select.write_volatile(others | 0o44 << 12);
        register(known::PL011, CONTROL).write_volatile(0);
        register(known::PL011, WHOLE_DIVISOR).write_volatile(26);
        register(known::PL011, FRACTIONAL_DIVISOR).write_volatile(3);
        register(known::PL011, LINE_CONTROL).write_volatile(EIGHT_BITS_FIFO);
        use_at(Console { uart: Kind::Pl011, address: known::PL011 });
    }
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
        let data = register(self.0, DATA);
        let (status, bit, when_ready) = match IS_MINI.load(Ordering::Relaxed) {
            true => (register(self.0, LINE_STATUS), ROOM, ROOM),
            false => (register(self.0, FLAGS), TRANSMITTER_FULL, 0),
        };
        for byte in text.bytes() {
            for _ in 0..LOOKS {
                // SAFETY: `use_at`'s caller promised that the UART is there.
                if unsafe { status.read_volatile() } & bit == when_ready {
                    break;
                }
            }
            // SAFETY: as above.
            unsafe { data.write_volatile(byte.into()) };
        }
        Ok(())
    }
}

fn register(uart: u64, offset: u64) -> *mut u32 {
    core::ptr::with_exposed_provenance_mut((uart + offset) as usize)
}
