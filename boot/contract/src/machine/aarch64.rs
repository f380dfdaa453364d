//! Entry on AArch64, in the state of base revision 6: the MMU on with tables
//! of the loader's, exceptions masked, floating point disabled, every general
//! register 0.
//!
//! From EL1 the kernel is entered at EL1. From EL2 it is entered at EL2 with
//! the virtualization host extensions where the processor has them, as the
//! protocol says, and otherwise at EL1: the protocol leaves that case out, but
//! a Raspberry Pi 4 starts so. The MMU may be on, with a table that maps this
//! code at its physical address, or off.

use core::arch::{asm, global_asm};

use crate::PAGE;

/// Attribute 0: normal memory, write-back, allocating on reads and writes.
/// The others are unused.
const MAIR: u64 = 0xff;

/// MMU, caches and stack alignment checks on (bits 0, 2, 12, 3, 4); the bits
/// that the protocol names besides.
const SCTLR: u64 = 1 << 0 | 1 << 2 | 1 << 12 | 1 << 3 | 1 << 4 | 0x30d0_0980;

const E2H: u64 = 1 << 34;
const TGE: u64 = 1 << 27;
const RW: u64 = 1 << 31;
const SWIO: u64 = 1 << 1;
/// Pointer authentication at EL1 is not trapped; without effect before
/// Armv8.3.
const API_APK: u64 = 1 << 41 | 1 << 40;

/// Debug, SError, IRQ and FIQ masked; the stack pointer is SP_EL0.
const SPSR_EL1T: u64 = 0x3c4;
const SPSR_EL2T: u64 = 0x3c8;

global_asm!(
    // On one page, as it is shorter than its alignment.
    ".p2align 9",
    ".global heliograph_switch",
    "heliograph_switch:",
    "msr daifset, #0xf",
    // All that is needed, before memory is seen without caches.
    "ldp x1, x2, [x0, #0]",   // lower, upper
    "ldp x3, x4, [x0, #16]",  // mair, tcr
    "ldp x5, x6, [x0, #32]",  // sctlr, entry
    "ldp x7, x8, [x0, #48]",  // stack, hcr
    "ldp x9, x10, [x0, #64]", // spsr, way
    "msr spsel, #1",
    "cbz x10, 3f",
    // At EL2. Its own translation goes, whatever comes.
    "mrs x11, sctlr_el2",
    "bic x11, x11, #1",
    "bic x11, x11, #4",
    "msr sctlr_el2, x11",
    "isb",
    "tlbi alle2",
    "tlbi alle1",
    "dsb sy",
    "msr hcr_el2, x8",
    "isb",
    "msr hstr_el2, xzr",
    "msr cntvoff_el2, xzr",
    // Counters and timers are not trapped: the same two bits with E2H and
    // without.
    "mov x11, #3",
    "msr cnthctl_el2, x11",
    "cmp x10, #2",
    "b.eq 4f",
    // Way 1: down to EL1, whose registers are set from here.
    "mov x11, #0x33ff", // CPTR_EL2 without E2H: reserved ones, no trap.
    "msr cptr_el2, x11",
    "mrs x11, midr_el1",
    "msr vpidr_el2, x11",
    "mrs x11, mpidr_el1",
    "msr vmpidr_el2, x11",
    // EL1 has all event counters there are.
    "mrs x11, mdcr_el2",
    "and x11, x11, #0x1f",
    "msr mdcr_el2, x11",
    // ID_AA64PFR0_EL1.GIC: with system registers for the interrupt
    // controller, EL1 may choose them (ICC_SRE_EL2, ICH_HCR_EL2).
    "mrs x11, id_aa64pfr0_el1",
    "ubfx x11, x11, #24, #4",
    "cbz x11, 2f",
    "mrs x11, s3_4_c12_c9_5",
    "orr x11, x11, #0xf",
    "msr s3_4_c12_c9_5, x11",
    "isb",
    "msr s3_4_c12_c11_0, xzr",
    "2:",
    "msr elr_el2, x6",
    "msr spsr_el2, x9",
    "b 5f",
    // Way 0: stays at EL1, with its old translation off.
    "3:",
    "mrs x11, sctlr_el1",
    "bic x11, x11, #1",
    "bic x11, x11, #4",
    "msr sctlr_el1, x11",
    "isb",
    "msr elr_el1, x6",
    "msr spsr_el1, x9",
    "b 5f",
    // Way 2: stays at EL2, where the names of EL1 now mean EL2's registers.
    "4:",
    "msr cptr_el2, xzr",
    "msr elr_el2, x6",
    "msr spsr_el2, x9",
    "5:",
    "msr cpacr_el1, xzr",
    "msr mair_el1, x3",
    "msr tcr_el1, x4",
    "msr ttbr0_el1, x1",
    "msr ttbr1_el1, x2",
    "isb",
    "tlbi vmalle1",
    "ic iallu",
    "dsb sy",
    "isb",
    "msr sctlr_el1, x5",
    "isb",
    "msr sp_el0, x7",
    "mov x0, xzr",
    "mov x1, xzr",
    "mov x2, xzr",
    "mov x3, xzr",
    "mov x4, xzr",
    "mov x5, xzr",
    "mov x6, xzr",
    "mov x7, xzr",
    "mov x8, xzr",
    "mov x9, xzr",
    "mov x10, xzr",
    "mov x11, xzr",
    "mov x12, xzr",
    "mov x13, xzr",
    "mov x14, xzr",
    "mov x15, xzr",
    "mov x16, xzr",
    "mov x17, xzr",
    "mov x18, xzr",
    "mov x19, xzr",
    "mov x20, xzr",
    "mov x21, xzr",
    "mov x22, xzr",
    "mov x23, xzr",
    "mov x24, xzr",
    "mov x25, xzr",
    "mov x26, xzr",
    "mov x27, xzr",
    "mov x28, xzr",
    "mov x29, xzr",
    "mov x30, xzr",
    "eret",
    // An error if the code is longer than that.
    ".org heliograph_switch + 512",
);

unsafe extern "C" {
    fn heliograph_switch(registers: &Registers) -> !;
}

/// What the switch reads, in the order it reads it.
#[repr(C)]
struct Registers {
    lower: u64,
    upper: u64,
    mair: u64,
    tcr: u64,
    sctlr: u64,
    entry: u64,
    stack: u64,
    hcr: u64,
    spsr: u64,
    way: u64,
}

const _: () = assert!(core::mem::offset_of!(Registers, way) == 72);

/// How the kernel is entered.
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// Physical address of the top table for the lower half of addresses. It
    /// maps [`switch_page`] at its own address, to be executed.
    pub lower: u64,
    /// Physical address of the top table for the upper half: what the protocol
    /// says.
    pub upper: u64,
    /// Where the kernel begins.
    pub entry: u64,
    /// First byte after the stack, in the direct map; a multiple of 16.
    pub stack_top: u64,
}

/// Physical address of the page that the switch of tables runs on.
pub fn switch_page() -> u64 {
    let start = heliograph_switch as *const () as u64;
    start - start % PAGE
}

/// The exception level this runs at.
pub fn exception_level() -> u64 {
    let level: u64;
    // SAFETY: reads a register that EL1 and above may read.
    unsafe { asm!("mrs {}, CurrentEL", out(reg) level, options(nomem, nostack, preserves_flags)) };
    level >> 2 & 3
}

/// Jumps to the kernel.
///
/// # Safety
/// 1. This runs at EL1 or EL2, and is mapped at its physical address if the
///    MMU is on.
/// 2. `state` is as its fields say. If the caches are on, the kernel and the
///    page of the switch have been written back with [`write_back`]; if they
///    are off, that was done for all that the kernel will use, before and
///    after it was written.
/// 3. Nothing else uses the machine.
pub unsafe fn enter(state: State) -> ! {
    let (way, hcr, spsr) = match (exception_level(), has_host_extensions()) {
        (2, true) => (2, E2H | TGE | RW | SWIO, SPSR_EL2T),
        (2, false) => (1, RW | API_APK, SPSR_EL1T),
        _ => (0, 0, SPSR_EL1T),
    };
    let State { lower, upper, entry, stack_top: stack } = state;
    let registers = Registers {
        lower,
        upper,
        mair: MAIR,
        tcr: tcr(),
        sctlr: SCTLR,
        entry,
        stack,
        hcr,
        spsr,
        way,
    };
    // SAFETY: by 1 the registers of the way may be set, and the switch goes on
    // when the MMU is off; by 2 it goes on when the MMU is on again, and the
    // kernel's memory is what the tables say.
    unsafe { heliograph_switch(&registers) }
}

/// Both halves have 48 bits, pages of 4 KiB, and are walked through the
/// caches, inner shareable.
fn tcr() -> u64 {
    const SIZE: u64 = 16 | 16 << 16;
    const INNER_WRITE_BACK: u64 = 1 << 8 | 1 << 24;
    const OUTER_WRITE_BACK: u64 = 1 << 10 | 1 << 26;
    const INNER_SHAREABLE: u64 = 3 << 12 | 3 << 28;
    const UPPER_4_KIB: u64 = 2 << 30;
    let features: u64;
    // SAFETY: reads a register that EL1 and above may read.
    unsafe {
        asm!("mrs {}, id_aa64mmfr0_el1", out(reg) features, options(nomem, nostack, preserves_flags))
    };
    // PARange counts as IPS does.
    let physical_size = (features & 0xf) << 32;
    SIZE | INNER_WRITE_BACK | OUTER_WRITE_BACK | INNER_SHAREABLE | UPPER_4_KIB | physical_size
}

/// ID_AA64MMFR1_EL1.VH.
fn has_host_extensions() -> bool {
    let features: u64;
    // SAFETY: reads a register that EL1 and above may read.
    unsafe {
        asm!("mrs {}, id_aa64mmfr1_el1", out(reg) features, options(nomem, nostack, preserves_flags))
    };
    features >> 8 & 0xf != 0
}

/// Writes a range of memory back from the data caches, and drops it there, so
/// that whoever looks at memory without caches sees it.
///
/// # Safety
/// The range is memory that may be accessed.
pub unsafe fn write_back(start: u64, length: u64) {
    let types: u64;
    // SAFETY: reads a register that EL1 and above may read.
    unsafe { asm!("mrs {}, ctr_el0", out(reg) types, options(nomem, nostack, preserves_flags)) };
    // DminLine: words in the smallest line, as a power of two.
    let line = 4_u64 << (types >> 16 & 0xf);
    let end = start.saturating_add(length);
    let mut at = start - start % line;
    while at < end {
        // SAFETY: by the caller's promise the address may be accessed; what
        // memory holds does not change for who looks through the caches.
        unsafe { asm!("dc civac, {}", in(reg) at, options(nostack, preserves_flags)) };
        at += line;
    }
    // SAFETY: a barrier.
    unsafe { asm!("dsb sy", options(nostack, preserves_flags)) };
}
