//! Switching off by PSCI (Arm DEN 0022, section 5.1.9) or by a BCM2711's
//! watchdog, where there is one.

use core::arch::asm;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use boot_direct::tree::Conduit;

/// How to call PSCI: 0 not at all, 1 by hvc, 2 by smc.
static CONDUIT: AtomicU8 = AtomicU8::new(0);

/// Uses a conduit from now on.
pub fn use_conduit(conduit: Conduit) {
    let number = match conduit {
        Conduit::Hypervisor => 1,
        Conduit::Secure => 2,
    };
    CONDUIT.store(number, Ordering::Relaxed);
}

/// Physical address of the watchdog; zero for none.
static WATCHDOG: AtomicU64 = AtomicU64::new(0);

/// Uses a BCM2711's watchdog from now on.
///
/// # Safety
/// At the address there is one.
pub unsafe fn use_watchdog(address: u64) {
    WATCHDOG.store(address, Ordering::Relaxed);
}

/// Switches off, or stops where that cannot be done.
pub fn off() -> ! {
    const SYSTEM_OFF: u64 = 0x8400_0008;
    match CONDUIT.load(Ordering::Relaxed) {
        // SAFETY: the device tree says that PSCI answers this call; nothing
        // of the loader is needed after it.
        1 => unsafe { asm!("hvc #0", inout("x0") SYSTEM_OFF => _, clobber_abi("C")) },
        // SAFETY: as above.
        2 => unsafe { asm!("smc #0", inout("x0") SYSTEM_OFF => _, clobber_abi("C")) },
        _ => {}
    }
    let watchdog = WATCHDOG.load(Ordering::Relaxed);
    if watchdog != 0 {
        // SAFETY: `use_watchdog`'s caller promised that it is there.
        unsafe { halt(watchdog) };
    }
    loop {
        // SAFETY: waits.
        unsafe { asm!("wfe", options(nomem, nostack, preserves_flags)) };
    }
}

/// Has firmware restart the board from partition 63, which says to halt.
///
/// # Safety
/// At the address there is a BCM2711's watchdog.
unsafe fn halt(watchdog: u64) {
    const PASSWORD: u32 = 0x5a00_0000;
    // Status, time, control: partition, ticks, full restart.
    let steps = [(0x20, 0x555), (0x24, 10), (0x1c, 0x20)];
    for (offset, value) in steps {
        let register = core::ptr::with_exposed_provenance_mut::<u32>((watchdog + offset) as usize);
        // SAFETY: the caller's promise; nothing of the loader is needed after.
        unsafe { register.write_volatile(PASSWORD | value) };
    }
}
