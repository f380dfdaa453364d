//! Page tables of the processor: building them and changing to them.
//!
//! Which entries the loader's tables have left in the TLB is unknown, and
//! tables may not be exchanged under a running processor where blocks and
//! pages differ (Arm ARM, "break-before-make sequence"). So the change is made
//! with the MMU off, by code that is mapped at its own physical address for
//! that moment.

use aarch64_cpu::asm::barrier;
use aarch64_cpu::registers::{ID_AA64MMFR0_EL1, ID_AA64MMFR1_EL1, MAIR_EL1, Readable, TCR_EL1};

use super::cpu::field;
use super::descriptor::{Descriptor, MAIR, identity_page, normal_attribute};
use super::early;
use crate::table::{Format, Tables};
use crate::traits::{self, FrameSource, MapError, PAGE_SIZE, Protection};

/// Page tables for the upper half of the address space.
pub struct PageTables {
    tables: Tables<Descriptor>,
    /// Frames for the four tables that map one page at its physical address.
    identity: [u64; 4],
    hhdm_offset: u64,
}

impl traits::PageTables for PageTables {
    fn new(frames: &mut dyn FrameSource) -> Result<Self, MapError> {
        let tables = Tables::new(frames)?;
        let mut identity = [0; 4];
        for frame in &mut identity {
            *frame = frames.allocate().ok_or(MapError::OutOfFrames)?;
        }
        Ok(Self { tables, identity, hhdm_offset: frames.hhdm_offset() })
    }

    fn map(
        &mut self,
        frames: &mut dyn FrameSource,
        virtual_address: u64,
        physical_address: u64,
        length: u64,
        protection: Protection,
    ) -> Result<(), MapError> {
        self.tables.map(frames, virtual_address, physical_address, length, protection)
    }

    fn translate(&self, virtual_address: u64) -> Option<(u64, Protection)> {
        self.tables.translate(virtual_address)
    }

    unsafe fn activate(&mut self) {
        let code = change_tables as *const () as u64;
        let Some((physical, _)) = self.tables.translate(code) else {
            // The caller promises that the running code is mapped.
            return;
        };
        let loader_memory = normal_attribute(MAIR_EL1.get());
        self.map_identity(physical, loader_memory);
        publish_tables();

        let loader_tcr = TCR_EL1.get();
        let change = Change {
            offset: code.wrapping_sub(physical),
            identity: self.identity[0],
            loader_tcr: loader_tcr & !TCR_LOWER_FIELDS | TCR_LOWER,
            // The attribute the identity page has under the loader stays.
            mair: MAIR | 0xff << (8 * loader_memory),
            tcr: TCR_LOWER | TCR_UPPER | physical_size(),
            upper: self.tables.root(),
            sctlr: SCTLR | if has_pan() { 0 } else { SCTLR_SPAN },
            lower: early::lower_half(),
            lower_off: if early::lower_half() == 0 { TCR_LOWER_OFF } else { 0 },
        };
        // SAFETY: the caller promises that the tables map what is in use, at
        // the addresses it is used at. The function keeps to registers from
        // the point where the loader's tables go to that where these are in
        // force, changes no register that the call may not change, and its
        // code lies within one page (it is aligned to more than its length),
        // which `map_identity` mapped. Interrupts are masked, so nothing else
        // runs meanwhile.
        unsafe { change_tables(&change) };

        if has_pan() {
            // SAFETY: PSTATE.PAN, which ID_AA64MMFR1_EL1 says is there (MSR
            // PAN, #1), forbids access to pages of EL0; there are none.
            unsafe { core::arch::asm!(".inst 0xd500419f", options(nostack, preserves_flags)) };
        }
    }
}

impl PageTables {
    /// One page at its physical address, readable and executable, with the
    /// loader's attribute number for ordinary memory.
    fn map_identity(&mut self, physical: u64, attribute: u64) {
        for (level, &table) in (0..4u32).rev().zip(&self.identity) {
            let slot = (physical >> (12 + 9 * level)) % 512;
            let entry = match self.identity.get(4 - level as usize) {
                Some(&next) => Descriptor::table(next),
                None => identity_page(physical, attribute),
            };
            for index in 0..512 {
                let address = self.hhdm_offset + table + 8 * index;
                let value = if index == slot { entry } else { 0 };
                // SAFETY: the frame is this object's alone, and reachable
                // here by `FrameSource`'s promise; the slot is within it.
                unsafe {
                    core::ptr::with_exposed_provenance_mut::<u64>(address as usize)
                        .write_volatile(value);
                }
            }
        }
    }
}

/// Has the table walker see entries that were written, and what follows use
/// them (Arm ARM, "Ordering of memory accesses from translation table walks": a
/// store to a table needs a DSB, and the instructions after it an ISB).
pub fn publish_tables() {
    barrier::dsb(barrier::ISHST);
    barrier::isb(barrier::SY);
}

/// TCR_EL1 for the lower half: T0SZ = 16 (48 bits), write-back memory for the
/// walks, inner shareable, 4 KiB granule (TG0 = 0).
const TCR_LOWER: u64 = 16 | 0b01 << 8 | 0b01 << 10 | 0b11 << 12;
/// All fields of the lower half: T0SZ, EPD0, IRGN0, ORGN0, SH0, TG0, TBI0.
const TCR_LOWER_FIELDS: u64 = 0xffff | 1 << 37;
/// EPD0: no walks for the lower half.
const TCR_LOWER_OFF: u64 = 1 << 7;
/// The same for the upper half; TG1 has another code for 4 KiB (0b10).
const TCR_UPPER: u64 = 16 << 16 | 0b01 << 24 | 0b01 << 26 | 0b11 << 28 | 0b10 << 30;

/// SCTLR_EL1: MMU (M), data and instruction cache (C, I), stack pointer
/// alignment (SA, SA0), nothing both writable and executable (WXN), and the
/// bits that are one for the behaviour of Armv8.0: EOS, TSCXT, EIS, nTLSMD,
/// LSMAOE. Alignment of ordinary accesses is not checked.
const SCTLR: u64 = 1
    | 1 << 2
    | 1 << 3
    | 1 << 4
    | 1 << 11
    | 1 << 12
    | 1 << 19
    | 1 << 20
    | 1 << 22
    | 1 << 28
    | 1 << 29;
/// SPAN: PSTATE.PAN is left alone by exceptions; reads as one without PAN.
const SCTLR_SPAN: u64 = 1 << 23;

/// TCR_EL1.IPS (bits 34:32): as many physical address bits as the processor
/// has, up to the 48 that entries hold.
fn physical_size() -> u64 {
    field(ID_AA64MMFR0_EL1.get(), 0).min(5) << 32
}

/// ID_AA64MMFR1_EL1.PAN, bits 23:20.
pub fn has_pan() -> bool {
    field(ID_AA64MMFR1_EL1.get(), 20) != 0
}

/// What [`change_tables`] needs, in the order in which it loads it.
#[repr(C)]
struct Change {
    /// Virtual minus physical address of its code.
    offset: u64,
    /// Tables that map its code at its physical address.
    identity: u64,
    /// The loader's TCR_EL1 with the lower half on.
    loader_tcr: u64,
    mair: u64,
    tcr: u64,
    /// The new tables.
    upper: u64,
    sctlr: u64,
    /// Tables of the lower half for afterwards, or zero,
    lower: u64,
    /// and then the bit that switches it off.
    lower_off: u64,
}

const _: () = {
    assert!(size_of::<Change>() == 9 * 8);
    assert!(PAGE_SIZE == 4096);
};

unsafe extern "C" {
    fn change_tables(change: &Change);
}

core::arch::global_asm!(
    r#"
    .section .text.paging, "ax"
    .global change_tables
    .hidden change_tables
    .balign 512
change_tables:
    ldp x1, x2, [x0]
    ldp x3, x4, [x0, #16]
    ldp x5, x6, [x0, #32]
    ldp x7, x8, [x0, #48]
    ldr x9, [x0, #64]

    // The code is fetched past the data cache in a moment.
    adr x10, change_tables
    add x11, x10, #512
1:  dc cvac, x10
    add x10, x10, #16
    cmp x10, x11
    b.lo 1b
    dsb sy

    // The lower half: off, emptied, and on again with the identity page.
    orr x10, x3, #(1 << 7)
    msr tcr_el1, x10
    isb
    msr ttbr0_el1, x2
    tlbi vmalle1
    dsb nsh
    isb
    msr tcr_el1, x3
    isb

    // On at the physical address.
    adr x10, 2f
    sub x10, x10, x1
    adr x11, 3f
    br x10

2:  mrs x10, sctlr_el1
    bic x10, x10, #1
    msr sctlr_el1, x10
    isb
    tlbi vmalle1
    ic iallu
    dsb nsh
    isb
    msr mair_el1, x4
    msr tcr_el1, x5
    msr ttbr1_el1, x6
    isb
    msr sctlr_el1, x7
    isb
    br x11

    // Back in the upper half, by the new tables.
3:  orr x10, x5, #(1 << 7)
    msr tcr_el1, x10
    isb
    msr ttbr0_el1, x8
    tlbi vmalle1
    dsb nsh
    isb
    orr x10, x5, x9
    msr tcr_el1, x10
    isb
    ret
    .balign 512
    "#
);

/// Uses tables for the lower half, with the loader's tables still in the
/// upper one. `tcr` is TCR_EL1 as it is.
pub fn use_lower_half(root: u64, tcr: u64) {
    let tcr = tcr & !TCR_LOWER_FIELDS | TCR_LOWER;
    // SAFETY: the boot protocol leaves TTBR0_EL1 to the kernel, which has
    // nothing in the lower half yet. It is switched off and forgotten before
    // it gets new tables, and the fields for the upper half stay.
    unsafe {
        core::arch::asm!(
            "msr tcr_el1, {off}",
            "isb",
            "msr ttbr0_el1, {root}",
            "tlbi vmalle1",
            "dsb nsh",
            "isb",
            "msr tcr_el1, {on}",
            "isb",
            off = in(reg) tcr | TCR_LOWER_OFF,
            root = in(reg) root,
            on = in(reg) tcr,
            options(nostack, preserves_flags),
        );
    }
}

/// Switches the lower half off for good, once nothing there is used.
pub fn switch_lower_half_off() {
    // SAFETY: nothing of the kernel is mapped in the lower half but what
    // `early` lends out, and the caller is done with that. With EPD0 set
    // there are no walks, and the TLB forgets what it has.
    unsafe {
        core::arch::asm!(
            "mrs {tcr}, tcr_el1",
            "orr {tcr}, {tcr}, #(1 << 7)",
            "msr tcr_el1, {tcr}",
            "isb",
            "msr ttbr0_el1, xzr",
            "tlbi vmalle1",
            "dsb nsh",
            "isb",
            tcr = out(reg) _,
            options(nostack, preserves_flags),
        );
    }
}
