//! The processor: interrupts, idling, floating point state, features.

use core::arch::x86_64::{__cpuid, __cpuid_count, __get_cpuid_max, CpuidResult};

use x86_64::instructions::interrupts;

use super::entry::MXCSR;
use super::sha256;
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
        let mut mxcsr = 0u32;
        // SAFETY: `stmxcsr` stores the register's 4 bytes to the operand,
        // which is a local variable of that size, and changes nothing else.
        unsafe {
            core::arch::asm!("stmxcsr [{}]", in(reg) &raw mut mxcsr, options(nostack, preserves_flags));
        }
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
}

/// A leaf of CPUID; zeros where the processor does not have it.
pub fn cpuid(leaf: u32, subleaf: u32) -> CpuidResult {
    let (max, _) = __get_cpuid_max(leaf & 0x8000_0000);
    if leaf > max {
        return CpuidResult { eax: 0, ebx: 0, ecx: 0, edx: 0 };
    }
    if subleaf == 0 { __cpuid(leaf) } else { __cpuid_count(leaf, subleaf) }
}
