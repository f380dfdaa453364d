//! The generic timer (Arm ARM, "The Generic Timer"): a counter that never goes back,
//! and one comparator.
//!
//! At EL1 the comparator is the virtual one, for a hypervisor may keep the
//! physical one to itself. At EL2 the names of the physical one reach the
//! EL2 physical timer (Arm ARM, HCR_EL2.E2H), and its interrupt is
//! another one.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use aarch64_cpu::asm::barrier;
use aarch64_cpu::registers::{
    CNTFRQ_EL0, CNTP_CTL_EL0, CNTP_CVAL_EL0, CNTV_CTL_EL0, CNTV_CVAL_EL0, CNTVCT_EL0, Readable,
    Writeable,
};

use super::{cpu, ticks};
use crate::traits::{self, DiscoverError};

/// Rate of the counter in Hz; zero before [`Timer::start`].
static FREQUENCY: AtomicU64 = AtomicU64::new(0);
/// Whether the comparator is that of EL2.
static IS_HOST: AtomicBool = AtomicBool::new(false);

/// The clock and its deadline.
pub struct Timer;

impl Timer {
    /// Reads the rate and disarms the comparator.
    pub fn start() -> Result<Self, DiscoverError> {
        let frequency = CNTFRQ_EL0.get();
        if frequency == 0 {
            return Err(DiscoverError::Missing("rate of the generic timer"));
        }
        FREQUENCY.store(frequency, Ordering::Relaxed);
        IS_HOST.store(cpu::is_host(), Ordering::Relaxed);
        disarm();
        Ok(Self)
    }

    /// Rate in Hz and which comparator is used.
    pub fn describe(&self) -> (u64, &'static str) {
        let name = if IS_HOST.load(Ordering::Relaxed) { "EL2 timer" } else { "virtual timer" };
        (FREQUENCY.load(Ordering::Relaxed), name)
    }
}

impl traits::Timer for Timer {
    fn now_ns(&self) -> u64 {
        now_ns()
    }

    fn arm(&mut self, deadline_ns: u64) {
        // The comparator holds a count, not a distance: a deadline in the
        // past raises the interrupt at once (Arm ARM, "Operation of the CompareValue
        // views of the timers").
        let count = ticks::from_ns(deadline_ns, FREQUENCY.load(Ordering::Relaxed));
        if IS_HOST.load(Ordering::Relaxed) {
            CNTP_CVAL_EL0.set(count);
            CNTP_CTL_EL0.write(CNTP_CTL_EL0::ENABLE::SET);
        } else {
            CNTV_CVAL_EL0.set(count);
            CNTV_CTL_EL0.write(CNTV_CTL_EL0::ENABLE::SET);
        }
        barrier::isb(barrier::SY);
    }
}

/// Nanoseconds by the counter; zero before the timer was started.
pub fn now_ns() -> u64 {
    // A counter read may otherwise be done early (Arm ARM, CNTVCT_EL0).
    barrier::isb(barrier::SY);
    ticks::to_ns(CNTVCT_EL0.get(), FREQUENCY.load(Ordering::Relaxed))
}

/// Whether the deadline that is armed has passed.
pub fn is_due() -> bool {
    // The status lags behind what the comparator was given, until a context
    // synchronization event.
    barrier::isb(barrier::SY);
    if IS_HOST.load(Ordering::Relaxed) {
        CNTP_CTL_EL0.is_set(CNTP_CTL_EL0::ISTATUS)
    } else {
        CNTV_CTL_EL0.is_set(CNTV_CTL_EL0::ISTATUS)
    }
}

/// Lets the comparator raise no interrupt until the timer is armed again: its
/// line stays active until then, and would interrupt for ever.
pub fn disarm() {
    if IS_HOST.load(Ordering::Relaxed) {
        CNTP_CTL_EL0.write(CNTP_CTL_EL0::ENABLE::CLEAR);
    } else {
        CNTV_CTL_EL0.write(CNTV_CTL_EL0::ENABLE::CLEAR);
    }
    barrier::isb(barrier::SY);
}
