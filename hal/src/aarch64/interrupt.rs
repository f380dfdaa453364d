//! Interrupts: which there are, and what they are for.
//!
//! Two are in use: the timer and the console.

use core::sync::atomic::{AtomicU32, Ordering};

use spin::Once;

use super::describe::Controller;
use super::gic2::Gic2;
use super::gic3::{self, Gic3};
use super::registers::Registers;
use super::{serial, timer};
use crate::traits::{DiscoverError, Interrupt, Line, PageTables, Source};
use crate::window::Window;

/// No interrupt has this number.
const NONE: u32 = u32::MAX;

static TIMER: AtomicU32 = AtomicU32::new(NONE);
static CONSOLE: AtomicU32 = AtomicU32::new(NONE);

/// How pending interrupts are taken.
static TAKER: Once<Taker> = Once::new();

enum Taker {
    V2(Gic2),
    /// By system registers, which need nothing.
    V3,
}

/// The controller, for letting interrupts through.
pub enum Gic {
    /// Version 2.
    V2(Gic2),
    /// Version 3 or 4.
    V3(Gic3),
}

impl Gic {
    /// Starts the controller with every interrupt disabled.
    pub fn start<P: PageTables>(
        window: &mut Window<'_, P>,
        controller: Controller,
    ) -> Result<Self, DiscoverError> {
        match controller {
            Controller::V2 { distributor, interface } => {
                let distributor_at = window.device(distributor.base, distributor.size)?;
                let interface_at = window.device(interface.base, interface.size)?;
                // SAFETY: the window mapped those ranges as device registers
                // for good, and RAM it refuses to map so.
                let (distributor, interface) = unsafe {
                    (
                        Registers::new(distributor_at, distributor.size),
                        Registers::new(interface_at, interface.size),
                    )
                };
                let gic = Gic2::start(distributor, interface);
                TAKER.call_once(|| Taker::V2(gic));
                Ok(Self::V2(gic))
            }
            Controller::V3 { distributor, redistributors } => {
                let distributor_at = window.device(distributor.base, distributor.size)?;
                let redistributors_at = window.device(redistributors.base, redistributors.size)?;
                // SAFETY: as above; this is called once.
                let gic =
                    unsafe { Gic3::start(distributor_at, redistributors_at, redistributors.size)? };
                TAKER.call_once(|| Taker::V3);
                Ok(Self::V3(gic))
            }
        }
    }

    /// Lets the timer's interrupt through.
    pub fn enable_timer(&mut self, line: u32) -> Result<(), DiscoverError> {
        TIMER.store(line, Ordering::Relaxed);
        self.enable(line)
    }

    /// Lets the console's interrupt through.
    pub fn enable_console(&mut self, line: u32) -> Result<(), DiscoverError> {
        CONSOLE.store(line, Ordering::Relaxed);
        self.enable(line)
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::V2(_) => "GICv2",
            Self::V3(_) => "GICv3",
        }
    }

    /// Both devices hold their line for as long as they want something.
    fn enable(&mut self, line: u32) -> Result<(), DiscoverError> {
        match self {
            Self::V2(gic) => {
                gic.enable(line);
                Ok(())
            }
            Self::V3(gic) => gic.enable(line),
        }
    }
}

/// Takes every pending interrupt and tells the kernel what it was for.
/// Called with interrupts disabled.
pub fn take(handler: fn(Interrupt)) {
    match TAKER.get() {
        Some(Taker::V2(gic)) => {
            while let Some(token) = gic.acknowledge() {
                handler(quiet(token & 0x3ff));
                gic.end(token);
            }
        }
        Some(Taker::V3) => {
            while let Some(line) = gic3::acknowledge() {
                handler(quiet(line));
                gic3::end(line);
            }
        }
        None => handler(Interrupt::Spurious),
    }
}

/// Shows both interrupts, by their INTIDs.
pub fn in_use(controller: &'static str, show: &mut dyn FnMut(Source)) {
    for (interrupt, line) in [(Interrupt::Timer, &TIMER), (Interrupt::Console, &CONSOLE)] {
        let line = line.load(Ordering::Relaxed);
        if line != NONE {
            show(Source { interrupt, controller, line: Line(line) });
        }
    }
}

/// Has the device give up its line, and says what it wanted.
fn quiet(line: u32) -> Interrupt {
    if line == TIMER.load(Ordering::Relaxed) {
        // It may have been raised for a deadline that was replaced meanwhile:
        // the next one must not be lost with it.
        if timer::is_due() {
            timer::disarm();
            Interrupt::Timer
        } else {
            Interrupt::Spurious
        }
    } else if line == CONSOLE.load(Ordering::Relaxed) {
        serial::receive();
        Interrupt::Console
    } else {
        Interrupt::Spurious
    }
}
