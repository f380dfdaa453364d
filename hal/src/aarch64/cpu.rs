//! The processor: interrupts, idling, floating point state, features.

use core::fmt;

use aarch64_cpu::asm::{barrier, wfi};
use aarch64_cpu::registers::{CurrentEL, DAIF, MIDR_EL1, MPIDR_EL1, Readable, SCTLR_EL1};

use super::{paging, sha256};
use crate::bits::{Bits, FloatControl};
use crate::traits::{self, Sha256Compress};

/// The one that booted.
pub struct Cpu;

impl traits::Cpu for Cpu {
    fn disable_interrupts() -> bool {
        let enabled = !DAIF.is_set(DAIF::I);
        // SAFETY: masking interrupts changes no memory and no register that
        // compiled code uses. Without `nomem`, so that memory accesses are
        // not moved across it.
        unsafe { core::arch::asm!("msr daifset, #2", options(nostack, preserves_flags)) };
        enabled
    }

    fn enable_interrupts() {
        // SAFETY: the vectors are installed before any interrupt is enabled
        // at its controller, and they restore every register (see `trap`).
        unsafe { core::arch::asm!("msr daifclr, #2", options(nostack, preserves_flags)) };
    }

    fn wait_for_interrupt() {
        // `wfi` ends when an interrupt is pending, masked or not (Arm ARM,
        // "Wait for Interrupt"), so one that comes before it is not slept
        // over. The barrier has what was written before reach devices and
        // memory first.
        barrier::dsb(barrier::SY);
        wfi();
        Self::enable_interrupts();
        // Interrupts are taken at the latest here.
        barrier::isb(barrier::SY);
        Self::disable_interrupts();
    }

    fn assert_float_state() {
        let control = float_control();
        assert!(control == 0, "FPCR is {control:#x}");
    }

    #[inline(always)]
    fn frame_pointer() -> u64 {
        let pointer: u64;
        // SAFETY: copies a register, and the target keeps frame pointers.
        unsafe {
            core::arch::asm!("mov {}, x29", out(reg) pointer, options(nomem, nostack, preserves_flags));
        }
        pointer
    }

    fn sha256() -> Option<(Sha256Compress, &'static str)> {
        sha256::detect()
    }

    fn describe(show: &mut dyn FnMut(&'static str, &dyn fmt::Display)) {
        let id = MIDR_EL1.get();
        let (implementer, part) = (id >> 24 & 0xff, id >> 4 & 0xfff);
        let (variant, revision) = (field(id, 20), field(id, 0));
        show(
            "processor",
            &format_args!("implementer {implementer:#x}, part {part:#x}, r{variant}p{revision}"),
        );
        match is_host() {
            true => show("privilege", &"EL2, with the virtualization host extensions"),
            false => show("privilege", &"EL1"),
        }
        // At EL2 with the host extensions this name means SCTLR_EL2.
        show("SCTLR", &Bits { value: SCTLR_EL1.get(), names: SCTLR });
        show("PAN", &if paging::has_pan() { "set" } else { "not there" });
        let value = float_control();
        let float = FloatControl {
            value,
            to_nearest: value & 3 << 22 == 0,
            traps: value & 0x9f00 != 0,
            flushes: value & 1 << 24 != 0,
        };
        show("FPCR", &float);
    }
}

/// Bits that have to do with paging and protection (Arm ARM, SCTLR_EL1).
const SCTLR: &[(u32, &str)] = &[
    (0, "M"),
    (1, "A"),
    (2, "C"),
    (3, "SA"),
    (4, "SA0"),
    (12, "I"),
    (19, "WXN"),
    (23, "SPAN"),
    (25, "EE"),
];

/// The floating point control register.
fn float_control() -> u64 {
    let control: u64;
    // SAFETY: reading FPCR changes nothing; it is not trapped since `_start`
    // set CPACR_EL1.FPEN.
    unsafe {
        core::arch::asm!("mrs {}, fpcr", out(reg) control, options(nomem, nostack, preserves_flags));
    }
    control
}

/// Runs `work` with interrupts disabled, and leaves them as they were.
pub fn without_interrupts<T>(work: impl FnOnce() -> T) -> T {
    use traits::Cpu as _;
    let enabled = Cpu::disable_interrupts();
    let result = work();
    if enabled {
        Cpu::enable_interrupts();
    }
    result
}

/// Whether the kernel runs at EL2, with the virtualization host extensions.
pub fn is_host() -> bool {
    CurrentEL.read(CurrentEL::EL) == 2
}

/// Exception level, 1 or 2.
pub fn exception_level() -> u64 {
    CurrentEL.read(CurrentEL::EL)
}

/// Affinity of this processor, as interrupt controllers know it: Aff3 in bits
/// 39:32, Aff2 to Aff0 in bits 23:0 (Arm ARM, MPIDR_EL1).
pub fn affinity() -> u64 {
    MPIDR_EL1.get() & 0xff_00ff_ffff
}

/// A field of four bits of an identification register.
pub fn field(register: u64, first_bit: u32) -> u64 {
    (register >> first_bit) & 0xf
}

/// Stops for good.
pub fn halt() -> ! {
    // SAFETY: masking everything changes no memory.
    unsafe { core::arch::asm!("msr daifset, #0xf", options(nostack, preserves_flags)) };
    loop {
        wfi();
    }
}
