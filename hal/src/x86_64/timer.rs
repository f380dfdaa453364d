//! Time: the timestamp counter, and a deadline by the local APIC.
//!
//! Both count at rates that nothing on a PC states reliably, so they are
//! measured once, against the ACPI PM timer where the FADT names one, else
//! against channel 2 of the 8254. CPUID leaf 0x15 is believed where it is
//! complete.

use core::arch::x86_64::_rdtsc;
use core::sync::atomic::{AtomicU64, Ordering};

use x86_64::instructions::interrupts::without_interrupts;
use x86_64::instructions::port::Port;
use x86_64::registers::model_specific::Msr;

use super::cpu::cpuid;
use super::interrupt;
use crate::acpi::fadt::Fadt;
use crate::acpi::{Register, Space};
use crate::traits;

/// Rate of the PM timer in Hz (ACPI 6.5, 4.8.3.3).
const PM_TIMER_HZ: u64 = 3_579_545;
/// Rate of the 8254 in Hz.
const PIT_HZ: u64 = 1_193_182;
/// How long the rates are measured, in ms.
const MEASURE_MS: u64 = 10;

const TSC_DEADLINE: u32 = 0x6e0;

/// Counts of the TSC in a second; zero before it was measured.
static TSC_HZ: AtomicU64 = AtomicU64::new(0);
/// Counts of the APIC timer in a second; zero where deadlines are used.
static APIC_HZ: AtomicU64 = AtomicU64::new(0);
/// Deadline in ns, `u64::MAX` for none.
static DEADLINE: AtomicU64 = AtomicU64::new(u64::MAX);
/// The latest time that was given out.
static LATEST: AtomicU64 = AtomicU64::new(0);

/// The clock and its deadline.
pub struct Timer {
    source: &'static str,
}

impl Timer {
    /// Measures the rates. The local APIC is enabled.
    pub fn start(fadt: &Fadt) -> Self {
        let (tsc_hz, apic_hz, mut source) = match fadt.pm_timer {
            Some(Register { space: Space::Port, address }) => match u16::try_from(address) {
                Ok(port) if pm_timer_counts(port) => {
                    let (tsc, apic) = measure(|| wait_by_pm_timer(port, fadt.pm_timer_is_wide));
                    (tsc, apic, "TSC by PM timer")
                }
                _ => by_pit(),
            },
            _ => by_pit(),
        };
        let stated = stated_tsc_hz();
        if stated.is_some() {
            source = "TSC by CPUID";
        }
        TSC_HZ.store(stated.unwrap_or(tsc_hz).max(1), Ordering::Relaxed);
        if has_deadlines() {
            interrupt::use_deadlines();
        } else {
            APIC_HZ.store(apic_hz.max(1), Ordering::Relaxed);
        }
        Self { source }
    }

    /// Rate in Hz and where it was taken from.
    pub fn describe(&self) -> (u64, &'static str) {
        (TSC_HZ.load(Ordering::Relaxed), self.source)
    }
}

impl traits::Timer for Timer {
    fn now_ns(&self) -> u64 {
        now_ns()
    }

    fn arm(&mut self, deadline_ns: u64) {
        without_interrupts(|| {
            DEADLINE.store(deadline_ns, Ordering::Relaxed);
            program(deadline_ns);
        });
    }
}

/// Nanoseconds by the timestamp counter; zero before it was measured.
pub fn now_ns() -> u64 {
    let hz = TSC_HZ.load(Ordering::Relaxed);
    if hz == 0 {
        return 0;
    }
    let ns = u128::from(tsc()) * 1_000_000_000 / u128::from(hz);
    // Some machines let the counter step back when they wake; time does not.
    let ns = ns as u64;
    LATEST.fetch_max(ns, Ordering::Relaxed).max(ns)
}

/// Called for the timer's interrupt: whether the deadline has passed. If the
/// hardware could not count that far, it is started again.
pub fn expired() -> bool {
    let deadline = DEADLINE.load(Ordering::Relaxed);
    if now_ns() < deadline {
        program(deadline);
        return false;
    }
    DEADLINE.store(u64::MAX, Ordering::Relaxed);
    true
}

fn program(deadline_ns: u64) {
    let apic_hz = APIC_HZ.load(Ordering::Relaxed);
    if apic_hz == 0 {
        let hz = u128::from(TSC_HZ.load(Ordering::Relaxed));
        let count = (u128::from(deadline_ns) * hz).div_ceil(1_000_000_000);
        // Zero would disarm it; a count in the past raises it at once.
        let count = u64::try_from(count).unwrap_or(u64::MAX).max(1);
        // SAFETY: `has_deadlines` said that the register is there, and the
        // vector it leads to has its handler.
        unsafe { Msr::new(TSC_DEADLINE).write(count) };
        return;
    }
    let left = u128::from(deadline_ns.saturating_sub(now_ns()));
    let count = (left * u128::from(apic_hz)).div_ceil(1_000_000_000);
    interrupt::start_countdown(u32::try_from(count).unwrap_or(u32::MAX).max(1));
}

fn tsc() -> u64 {
    // SAFETY: every x86_64 processor has the instruction, and the kernel runs
    // where it is not forbidden.
    unsafe { _rdtsc() }
}

/// CPUID.1:ECX bit 24.
fn has_deadlines() -> bool {
    cpuid(1, 0).ecx & 1 << 24 != 0
}

/// The TSC's rate by CPUID leaf 0x15, where crystal and ratio are given.
fn stated_tsc_hz() -> Option<u64> {
    let leaf = cpuid(0x15, 0);
    if leaf.eax == 0 || leaf.ebx == 0 || leaf.ecx == 0 {
        return None;
    }
    Some(u64::from(leaf.ecx) * u64::from(leaf.ebx) / u64::from(leaf.eax))
}

/// Rates of TSC and APIC timer while `wait` passes, which says how long it
/// took as counts and their rate.
fn measure(wait: impl FnOnce() -> (u64, u64)) -> (u64, u64) {
    interrupt::start_silent_countdown();
    let (tsc_before, apic_before) = (tsc(), interrupt::countdown());
    let (counts, hz) = wait();
    let (tsc_after, apic_after) = (tsc(), interrupt::countdown());
    let rate = |counted: u64| {
        let rate = u128::from(counted) * u128::from(hz) / u128::from(counts.max(1));
        rate as u64
    };
    (
        rate(tsc_after.wrapping_sub(tsc_before)),
        rate(u64::from(apic_before.wrapping_sub(apic_after))),
    )
}

fn read_pm_timer(port: u16) -> u32 {
    // SAFETY: the FADT says that this port is the PM timer, which reading
    // does not change.
    unsafe { Port::<u32>::new(port).read() }
}

/// Whether it moves at all: a timer that stands still must not hang the boot.
fn pm_timer_counts(port: u16) -> bool {
    let first = read_pm_timer(port);
    (0..100_000).any(|_| read_pm_timer(port) != first)
}

fn wait_by_pm_timer(port: u16, wide: bool) -> (u64, u64) {
    let mask = if wide { u32::MAX } else { 0x00ff_ffff };
    let start = read_pm_timer(port);
    loop {
        let counts = u64::from(read_pm_timer(port).wrapping_sub(start) & mask);
        if counts >= PM_TIMER_HZ * MEASURE_MS / 1000 {
            return (counts, PM_TIMER_HZ);
        }
    }
}

fn by_pit() -> (u64, u64, &'static str) {
    let (tsc, apic) = measure(wait_by_pit);
    (tsc, apic, "TSC by PIT")
}

/// Lets channel 2 count once with the speaker off, watching its output in
/// port 0x61 (8254 data sheet, mode 0).
fn wait_by_pit() -> (u64, u64) {
    let counts = PIT_HZ * MEASURE_MS / 1000;
    let mut gate = Port::<u8>::new(0x61);
    let mut command = Port::<u8>::new(0x43);
    let mut channel = Port::<u8>::new(0x42);
    // SAFETY: these ports are the PC's 8254 and its gate; channel 2 drives
    // only the speaker, which stays off (bit 1).
    unsafe {
        let before = gate.read();
        gate.write(before & !3 | 1);
        command.write(0b1011_0000);
        channel.write(counts as u8);
        channel.write((counts >> 8) as u8);
        // Bounded, for a machine without one: about a second of port reads.
        for _ in 0..1_000_000 {
            if gate.read() & 0x20 != 0 {
                break;
            }
        }
        gate.write(before);
    }
    (counts, PIT_HZ)
}
