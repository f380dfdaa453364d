//! Interrupts, faults and panics: what the port calls back.

use core::fmt::{self, Write};
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hal::traits::{Cpu, ExitStatus, Fault, Handlers, Interrupt, Platform};
use kernel::report;

use crate::console::{self, show};
use crate::{Machine, idle};

/// What the port calls.
pub static HANDLERS: Handlers = Handlers { interrupt, fault };

/// Interrupts that nobody asked for.
static SPURIOUS: AtomicU64 = AtomicU64::new(0);

fn interrupt(interrupt: Interrupt) {
    match interrupt {
        Interrupt::Timer => idle::timer_fired(),
        Interrupt::Console => idle::console_fired(),
        Interrupt::Spurious => {
            SPURIOUS.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// How many interrupts came that nobody asked for.
pub fn spurious() -> u64 {
    SPURIOUS.load(Ordering::Relaxed)
}

fn fault(fault: &Fault<'_>) -> ! {
    console::replay();
    show(format_args!("{}", Report(fault)));
    Machine::emergency_off(report::exit_status(&fault.kind))
}

/// A fault's report as something to display.
struct Report<'a, 'b>(&'a Fault<'b>);

impl fmt::Display for Report<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report::fault(f, self.0, hal::backtrace::walk)?;
        f.write_str("the machine is switched off")
    }
}

/// Set by the first panic: one in its report must not start another.
static PANICKING: AtomicBool = AtomicBool::new(false);

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    <Machine as Platform>::Cpu::disable_interrupts();
    if PANICKING.swap(true, Ordering::Relaxed) {
        Machine::emergency_write(b"\r\n[kernel] panic while reporting a panic\r\n");
        Machine::emergency_off(ExitStatus::Panic)
    }
    console::replay();
    let frame = <Machine as Platform>::Cpu::frame_pointer();
    show(format_args!("{}", PanicReport { info, frame }));
    if crate::log::last_words() {
        show(format_args!("the log is closed: what it holds is signed"));
    }
    Machine::emergency_off(ExitStatus::Panic)
}

struct PanicReport<'a, 'b> {
    info: &'a PanicInfo<'b>,
    frame: u64,
}

impl fmt::Display for PanicReport<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panic: {}", self.info.message())?;
        if let Some(place) = self.info.location() {
            write!(f, " ({}:{})", place.file(), place.line())?;
        }
        f.write_char('\n')?;
        report::backtrace(f, None, self.frame, hal::backtrace::walk)?;
        f.write_str("the machine is switched off")
    }
}
