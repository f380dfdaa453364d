//! Waiting without spinning.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hal::traits::{Cpu, Platform};

use crate::{Kernel, Machine};

type Processor = <Machine as Platform>::Cpu;

static TIMER: AtomicU64 = AtomicU64::new(0);
static CONSOLE: AtomicBool = AtomicBool::new(false);
static CONSOLE_COUNT: AtomicU64 = AtomicU64::new(0);

/// The armed deadline has passed.
pub fn timer_fired() {
    TIMER.fetch_add(1, Ordering::Relaxed);
}

/// The console's interrupt came: it has bytes.
pub fn console_fired() {
    CONSOLE_COUNT.fetch_add(1, Ordering::Relaxed);
    look_at_console();
}

/// Has the next sleep end at once, to look at the console.
pub fn look_at_console() {
    CONSOLE.store(true, Ordering::Relaxed);
}

/// How often the console's interrupt came.
pub fn console_interrupts() -> u64 {
    CONSOLE_COUNT.load(Ordering::Relaxed)
}

/// How often the timer's interrupt came.
pub fn timer_interrupts() -> u64 {
    TIMER.load(Ordering::Relaxed)
}

/// Why the processor was woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// The time has come.
    Time,
    /// The console has bytes to read.
    Console,
}

/// Puts the processor to sleep until `deadline_ns` or until the console has
/// bytes. Interrupts are taken while it sleeps and as they were afterwards.
pub fn wait(kernel: &mut Kernel, deadline_ns: u64) -> Wake {
    let were_enabled = Processor::disable_interrupts();
    let timer = kernel.platform.timer();
    timer.arm(deadline_ns);
    // With interrupts disabled nothing can come between looking and sleeping:
    // it would end the sleep at once.
    let wake = loop {
        if CONSOLE.swap(false, Ordering::Relaxed) {
            break Wake::Console;
        }
        if timer.now_ns() >= deadline_ns {
            break Wake::Time;
        }
        Processor::wait_for_interrupt();
    };
    if were_enabled {
        Processor::enable_interrupts();
    }
    wake
}
