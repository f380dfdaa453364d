//! The console: one UART, whichever kind the machine has for it.
//!
//! Transmission waits for the device; reception is by interrupt into a ring,
//! from which the console is read. The firmware has set the line's speed,
//! which also says that there is a clock: it is left alone.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use spin::Mutex;

use super::cpu::without_interrupts;
use super::describe::UartKind;
use super::registers::Registers;
use crate::ring::Ring;
use crate::traits::Console;
use crate::uart::bcm_mini::{self, BcmMini};
use crate::uart::pl011::{self, Pl011};
use crate::uart::{Uart, baud};

/// Speed of the console, where it is set here.
const BAUD: u32 = 115_200;

/// Where the registers are mapped; zero before they are.
static BASE: AtomicU64 = AtomicU64::new(0);
/// Whether they are a mini-UART's.
static IS_MINI: AtomicBool = AtomicBool::new(false);
/// Whether the line took nothing the last time it was waited for.
static IS_STUCK: AtomicBool = AtomicBool::new(false);
/// What was received and not read yet.
static RECEIVED: Mutex<Ring<8192>> = Mutex::new(Ring::new());

/// Bytes of registers in use.
pub const fn length(kind: UartKind) -> u64 {
    match kind {
        UartKind::Pl011 => pl011::LENGTH,
        UartKind::BcmMini => bcm_mini::LENGTH,
    }
}

/// A UART of either kind.
enum Port {
    Pl011(Pl011<Registers>),
    Mini(BcmMini<Registers>),
}

impl Port {
    /// The one in use.
    fn current() -> Option<Self> {
        let base = BASE.load(Ordering::Relaxed);
        if base == 0 {
            return None;
        }
        // SAFETY: `use_at` stored address and kind by the promise it asks for.
        Some(unsafe {
            match IS_MINI.load(Ordering::Relaxed) {
                false => Self::Pl011(Pl011(Registers::new(base, pl011::LENGTH))),
                true => Self::Mini(BcmMini(Registers::new(base, bcm_mini::LENGTH))),
            }
        })
    }

    fn uart(&self) -> &dyn Uart {
        match self {
            Self::Pl011(uart) => uart,
            Self::Mini(uart) => uart,
        }
    }
}

/// Uses the UART whose registers are mapped at `base`, with no interrupts.
///
/// # Safety
/// As for [`Registers::new`], with the [`length`] of its kind; the mapping
/// stays until this is called again.
pub unsafe fn use_at(kind: UartKind, base: u64) {
    IS_MINI.store(kind == UartKind::BcmMini, Ordering::Relaxed);
    BASE.store(base, Ordering::Relaxed);
    if let Some(port) = Port::current() {
        port.uart().start();
    }
}

/// Sets the console's speed to 115200 baud from the rate of its clock. Where
/// the clock cannot give that, the speed stays; a mini-UART's does if it has
/// one, for what firmware says of its clock may be another moment's.
pub fn set_speed(clock_hz: u32) {
    match Port::current() {
        Some(Port::Pl011(uart)) => {
            if let Some(divisor) = baud::pl011(clock_hz, BAUD) {
                uart.set_speed(divisor);
            }
        }
        Some(Port::Mini(uart)) if uart.has_speed() => {}
        Some(Port::Mini(uart)) => {
            if let Some(divisor) = baud::bcm_mini(clock_hz, BAUD) {
                uart.set_speed(divisor);
            }
        }
        None => {}
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
    let Some(port) = Port::current() else { return };
    let uart = port.uart();
    for &byte in bytes {
        // Bounded, so that a dead line can't hold a panic message for good:
        // at 9600 baud a byte takes 1 ms, far less than this. A line that was
        // waited for in vain is waited for less, or a UART that nobody set up
        // would hold the machine for a second each byte.
        let looks = if IS_STUCK.load(Ordering::Relaxed) { 10_000 } else { 10_000_000 };
        let is_ready = (0..looks).any(|_| uart.can_send());
        IS_STUCK.store(!is_ready, Ordering::Relaxed);
        uart.send(byte);
    }
}

/// Takes what the device has received. Called with interrupts disabled.
pub fn receive() {
    let Some(port) = Port::current() else { return };
    let uart = port.uart();
    let mut ring = RECEIVED.lock();
    // Before looking, not after: a byte that comes between the last look and
    // this would never be heard of, for the request is made when the FIFO
    // fills, not while it is filled.
    uart.acknowledge();
    // Bounded by what can sensibly be there: a device that always says
    // "received" must not hold the processor.
    for _ in 0..1024 {
        let Some(byte) = uart.receive() else { break };
        // A full ring loses the byte, as a full FIFO would.
        let _ = ring.push(byte);
    }
}

/// The console.
pub struct Serial;

impl Console for Serial {
    fn is_present(&self) -> bool {
        is_in_use()
    }

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
        if let Some(port) = Port::current() {
            port.uart().enable_receive_interrupt();
        }
    }
}
