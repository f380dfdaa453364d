//! Switching off and restarting: by semihosting where the command line says
//! that an emulator listens, else by PSCI (Arm DEN 0022), else by a BCM2711's
//! watchdog.

use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use super::cpu;
use super::describe::Conduit;
use super::registers::Registers;
use crate::bcm2711::watchdog::{self, Watchdog};
use crate::boot;
use crate::traits::{self, ExitStatus};

/// PSCI's function SYSTEM_OFF.
const SYSTEM_OFF: u64 = 0x8400_0008;
/// PSCI's function SYSTEM_RESET.
const SYSTEM_RESET: u64 = 0x8400_0009;

/// Semihosting operation SYS_EXIT_EXTENDED ("Semihosting for AArch32 and
/// AArch64").
const EXIT_EXTENDED: u64 = 0x20;
/// ADP_Stopped_ApplicationExit: an ordinary end, with a status.
const APPLICATION_EXIT: u64 = 0x2_0026;

/// Whether semihosting calls are answered.
static IS_HOSTED: AtomicBool = AtomicBool::new(false);
/// How PSCI is called: 0 not at all, 1 by `hvc`, 2 by `smc`.
static CONDUIT: AtomicU8 = AtomicU8::new(0);
/// Where the watchdog's registers are mapped; zero for none.
static WATCHDOG: AtomicU64 = AtomicU64::new(0);

/// Reads the command line: `semihosting=1` says that semihosting calls are
/// answered. Without it they would be undefined instructions.
pub fn read_command_line(command_line: &str) {
    let hosted = boot::word(command_line, "semihosting") == Some("1");
    IS_HOSTED.store(hosted, Ordering::Relaxed);
}

/// Learns how the firmware is called.
pub fn use_conduit(conduit: Option<Conduit>) {
    let number = match conduit {
        None => 0,
        Some(Conduit::Hypervisor) => 1,
        Some(Conduit::SecureMonitor) => 2,
    };
    CONDUIT.store(number, Ordering::Relaxed);
}

/// Learns where the watchdog's registers are mapped.
///
/// # Safety
/// As for [`Registers::new`], with [`watchdog::LENGTH`] bytes; the mapping
/// stays until this is called again, or [`forget_watchdog`].
pub unsafe fn use_watchdog(base: u64) {
    WATCHDOG.store(base, Ordering::Relaxed);
}

/// Uses no watchdog any more.
pub fn forget_watchdog() {
    WATCHDOG.store(0, Ordering::Relaxed);
}

fn watchdog() -> Option<Watchdog<Registers>> {
    let base = WATCHDOG.load(Ordering::Relaxed);
    // SAFETY: `use_watchdog` stored the address by the promise it asks for.
    (base != 0).then(|| Watchdog(unsafe { Registers::new(base, watchdog::LENGTH) }))
}

/// Switches off. An emulator ends with the status that the PC's debug exit
/// device would give: twice its value plus one.
pub fn off(status: ExitStatus) -> ! {
    // Once: where nobody answers, the instruction faults, and the report of
    // that ends here again.
    if IS_HOSTED.swap(false, Ordering::Relaxed) {
        exit(u64::from(ExitStatus::BASE + status as u8) << 1 | 1);
    }
    call(SYSTEM_OFF);
    if let Some(watchdog) = watchdog() {
        watchdog.halt();
    }
    cpu::halt()
}

/// Restarts.
pub fn reboot() -> ! {
    call(SYSTEM_RESET);
    if let Some(watchdog) = watchdog() {
        watchdog.restart();
    }
    cpu::halt()
}

fn exit(status: u64) {
    let block = [APPLICATION_EXIT, status];
    // SAFETY: the command line says that the emulator answers: it reads the
    // operation from w0 and the two words x1 points to, and ends. Should it
    // return, it has changed x0 at most.
    unsafe {
        core::arch::asm!(
            "hlt #0xf000",
            inout("x0") EXIT_EXTENDED => _,
            in("x1") &raw const block,
            options(nostack),
        );
    }
}

/// Calls a function of the firmware that does not return where it works.
fn call(function: u64) {
    let conduit = CONDUIT.load(Ordering::Relaxed);
    // SAFETY: tree or FADT said that PSCI is called this way. By the SMC
    // calling convention (Arm DEN 0028) the callee may change x0 to x17
    // and keeps everything else; both functions take no arguments.
    unsafe {
        match conduit {
            1 => core::arch::asm!("hvc #0", inout("x0") function => _, clobber_abi("C")),
            2 => core::arch::asm!("smc #0", inout("x0") function => _, clobber_abi("C")),
            _ => {}
        }
    }
}

/// Off and reboot.
pub struct Power;

impl traits::Power for Power {
    fn off(&mut self, status: ExitStatus) -> ! {
        off(status)
    }

    fn reboot(&mut self) -> ! {
        reboot()
    }
}
