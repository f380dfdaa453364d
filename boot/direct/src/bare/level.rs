//! From EL3, where a board without firmware of its own begins, to EL2 or, where
//! there is none, EL1: what firmware would have done before.

use core::arch::{asm, global_asm};

use boot_direct::known;

global_asm!(
    ".section .text.level, \"ax\"",
    ".global heliograph_leave_el3",
    "heliograph_leave_el3:",
    // SCR_EL3: non-secure, reserved ones, no smc (nobody answers), hvc, AArch64,
    // the secure timer, pointer authentication.
    "movz x0, #0x0db1",
    "movk x0, #0x3, lsl #16",
    "msr scr_el3, x0",
    "msr cptr_el3, xzr",
    "msr mdcr_el3, xzr",
    "mov x2, sp",
    "mrs x1, id_aa64pfr0_el1",
    "ubfx x1, x1, #8, #4", // EL2
    "cbz x1, 1f",
    "mov x0, #(1 << 31)", // HCR_EL2.RW
    "msr hcr_el2, x0",
    "movz x0, #0x0830", // SCTLR_EL2: reserved ones, all off.
    "movk x0, #0x30c5, lsl #16",
    "msr sctlr_el2, x0",
    "msr sp_el1, x2",
    "mov x0, #0x3c9", // EL2 with its own stack, all masked.
    "b 2f",
    "1:",
    "movz x0, #0x0800", // SCTLR_EL1, likewise.
    "movk x0, #0x30d0, lsl #16",
    "msr sctlr_el1, x0",
    "mov x0, #0x3c5", // EL1 with its own stack, all masked.
    "2:",
    "msr spsr_el3, x0",
    "adr x0, 3f",
    "msr elr_el3, x0",
    "isb",
    "eret",
    "3:",
    "mov sp, x2",
    "ret",
    ".previous",
);

unsafe extern "C" {
    fn heliograph_leave_el3();
}

/// Rate of the counter of a BCM2711, in Hz, which nobody told it at EL3.
const COUNTER_HZ: u64 = 54_000_000;

/// Physical address of a BCM2711's local registers, and the offset of the
/// counter's prescaler, which firmware sets to 1 (BCM2711 ARM Peripherals,
/// 6.5.2).
const LOCAL: u64 = 0xff80_0000;
const PRESCALER: u64 = 0x08;

/// Hands the interrupts to the non-secure side and leaves EL3.
///
/// # Safety
/// This runs at EL3; at the two addresses there are a GICv2's distributor and
/// CPU interface; the board has a BCM2711 if `is_bcm2711` says so. Nothing else
/// uses any of it.
pub unsafe fn leave(controller: (u64, u64), is_bcm2711: bool) {
    // SAFETY: by the caller's promise. The code that leaves EL3 returns to its
    // caller with the same stack, and changes no register beyond those that a
    // call may change, which is declared.
    unsafe {
        hand_on_interrupts(controller);
        start_counter(is_bcm2711);
        if known::is_likely(midr()) {
            // CPUECTLR_EL1.SMPEN: the caches of a Cortex-A72 work with others
            // (Arm 100095, 4.3.67).
            asm!("mrs {0}, s3_1_c15_c2_1", "orr {0}, {0}, #(1 << 6)",
                "msr s3_1_c15_c2_1, {0}", "isb", out(reg) _, options(nostack));
        }
        heliograph_leave_el3();
    }
}

/// MIDR_EL1: which processor this is.
pub fn midr() -> u64 {
    let midr: u64;
    // SAFETY: reads a register that EL1 and above may read.
    unsafe { asm!("mrs {}, midr_el1", out(reg) midr, options(nomem, nostack, preserves_flags)) };
    midr
}

/// Puts every interrupt into group 1, and lets both groups through (Arm IHI
/// 0048B, 4.3 and 4.4).
unsafe fn hand_on_interrupts((distributor, interface): (u64, u64)) {
    const BOTH_GROUPS: u32 = 0b11;
    const TYPE: u64 = 0x004;
    const GROUP: u64 = 0x080;
    const MASK: u64 = 0x004;
    let register = |base: u64, offset: u64| {
        core::ptr::with_exposed_provenance_mut::<u32>((base + offset) as usize)
    };
    // SAFETY: by the promise of `leave`.
    unsafe {
        let words = u64::from(register(distributor, TYPE).read_volatile() & 0x1f) + 1;
        for word in 0..words {
            register(distributor, GROUP + 4 * word).write_volatile(u32::MAX);
        }
        register(interface, MASK).write_volatile(0xff);
        register(interface, 0).write_volatile(BOTH_GROUPS);
        register(distributor, 0).write_volatile(BOTH_GROUPS);
    }
}

/// Says how fast the counter runs, where nobody has.
unsafe fn start_counter(is_bcm2711: bool) {
    let rate: u64;
    // SAFETY: reads a register that every level may read.
    unsafe { asm!("mrs {}, cntfrq_el0", out(reg) rate, options(nomem, nostack, preserves_flags)) };
    if rate != 0 || !is_bcm2711 {
        return;
    }
    let local =
        |offset: u64| core::ptr::with_exposed_provenance_mut::<u32>((LOCAL + offset) as usize);
    // SAFETY: by the promise of `leave`, these are a BCM2711's registers; EL3
    // may set the rate.
    unsafe {
        local(0).write_volatile(0);
        local(PRESCALER).write_volatile(0x8000_0000);
        asm!("msr cntfrq_el0, {}", in(reg) COUNTER_HZ, options(nostack, preserves_flags));
    }
}
