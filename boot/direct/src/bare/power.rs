//! Switching off by PSCI (Arm DEN 0022, section 5.1.9), where there is one.

use core::arch::asm;
use core::sync::atomic::{AtomicU8, Ordering};

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
    loop {
        // SAFETY: waits.
        unsafe { asm!("wfe", options(nomem, nostack, preserves_flags)) };
    }
}
