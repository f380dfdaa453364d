//! The processor: interrupts, idling, floating point state, features.

use core::arch::x86_64::{__cpuid, __cpuid_count, __get_cpuid_max, CpuidResult};
use core::fmt;

use x86_64::instructions::interrupts;
use x86_64::registers::control::{Cr0, Cr4, Efer};

use super::entry::MXCSR;
use super::sha256;
use crate::bits::{Bits, FloatControl};
use crate::traits::{self, Sha256Compress};

/// The one that booted.
pub struct Cpu;

impl traits::Cpu for Cpu {
    fn disable_interrupts() -> bool {
        let enabled = interrupts::are_enabled();
        interrupts::disable();
        enabled
    }

    fn enable_interrupts() {
        interrupts::enable();
    }

    fn wait_for_interrupt() {
        // `sti` holds interrupts off until after the instruction that
        // follows it, so none can come between the two and be slept over.
        interrupts::enable_and_hlt();
        interrupts::disable();
    }

    fn assert_float_state() {
        let mxcsr = mxcsr();
        // The low six bits are flags that say what happened.
        assert!(mxcsr & !0x3f == MXCSR, "MXCSR is {mxcsr:#x}");
    }

    #[inline(always)]
    fn frame_pointer() -> u64 {
        let pointer: u64;
        // SAFETY: copies a register, and the target keeps frame pointers.
        unsafe {
            core::arch::asm!("mov {}, rbp", out(reg) pointer, options(nomem, nostack, preserves_flags));
        }
        pointer
    }

    fn sha256() -> Option<(Sha256Compress, &'static str)> {
        sha256::detect()
    }

    fn describe(show: &mut dyn FnMut(&'static str, &dyn fmt::Display)) {
        show("processor", &Brand::read());
        show("privilege", &"ring 0");
        show("CR0", &Bits { value: Cr0::read_raw(), names: CR0 });
        show("CR4", &Bits { value: Cr4::read_raw(), names: CR4 });
        show("EFER", &Bits { value: Efer::read_raw(), names: EFER });
        let mxcsr = mxcsr();
        let float = FloatControl {
            value: mxcsr.into(),
            to_nearest: mxcsr & 0x6000 == 0,
            traps: mxcsr & 0x1f80 != 0x1f80,
            // FTZ, and DAZ, which flushes operands.
            flushes: mxcsr & 0x8040 != 0,
        };
        show("MXCSR", &float);
    }
}

/// Bits that have to do with paging, protection and floating point (Intel SDM
/// volume 3, "Control registers").
const CR0: &[(u32, &str)] =
    &[(0, "PE"), (1, "MP"), (2, "EM"), (3, "TS"), (5, "NE"), (16, "WP"), (31, "PG")];
const CR4: &[(u32, &str)] = &[
    (5, "PAE"),
    (7, "PGE"),
    (9, "OSFXSR"),
    (10, "OSXMMEXCPT"),
    (11, "UMIP"),
    (12, "LA57"),
    (18, "OSXSAVE"),
    (20, "SMEP"),
    (21, "SMAP"),
];
const EFER: &[(u32, &str)] = &[(0, "SCE"), (8, "LME"), (10, "LMA"), (11, "NXE")];

/// The floating point control and status register.
fn mxcsr() -> u32 {
    let mut mxcsr = 0u32;
    // SAFETY: `stmxcsr` stores the register's 4 bytes to the operand, which
    // is a local variable of that size, and changes nothing else.
    unsafe {
        core::arch::asm!("stmxcsr [{}]", in(reg) &raw mut mxcsr, options(nostack, preserves_flags));
    }
    mxcsr
}

/// The processor's name: CPUID leaves 0x80000002 to 0x80000004.
struct Brand([u8; 48]);

impl Brand {
    fn read() -> Self {
        let mut text = [0; 48];
        for (part, leaf) in text.chunks_exact_mut(16).zip(0x8000_0002..) {
            let CpuidResult { eax, ebx, ecx, edx } = cpuid(leaf, 0);
            for (word, register) in part.chunks_exact_mut(4).zip([eax, ebx, ecx, edx]) {
                word.copy_from_slice(&register.to_le_bytes());
            }
        }
        Self(text)
    }
}

impl fmt::Display for Brand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        match self.0.get(..end).unwrap_or_default().trim_ascii() {
            [] => f.write_str("x86-64, without a name"),
            name => name.escape_ascii().fmt(f),
        }
    }
}

/// A leaf of CPUID; zeros where the processor does not have it.
pub fn cpuid(leaf: u32, subleaf: u32) -> CpuidResult {
    let (max, _) = __get_cpuid_max(leaf & 0x8000_0000);
    if leaf > max {
        return CpuidResult { eax: 0, ebx: 0, ecx: 0, edx: 0 };
    }
    if subleaf == 0 { __cpuid(leaf) } else { __cpuid_count(leaf, subleaf) }
}
