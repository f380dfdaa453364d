//! What the processor cannot do: said, and the end.
//!
//! The loader looks where whoever started it says that something lies. Where
//! that is not memory, the access faults, and would fault for ever if nobody
//! were there.

use core::arch::{asm, global_asm};

use boot_contract::machine::aarch64::exception_level;

use super::console::say;
use super::power;

global_asm!(
    ".section .text.vectors, \"ax\"",
    ".balign 2048",
    ".global heliograph_vectors",
    "heliograph_vectors:",
    ".rept 16",
    "b 1f",
    ".balign 128",
    ".endr",
    "1:",
    // Nothing is gone back to: the stack begins anew.
    "adrp x0, __stack_top",
    "add x0, x0, :lo12:__stack_top",
    "msr spsel, #1",
    "mov sp, x0",
    "b {fault}",
    ".previous",
    fault = sym fault,
);

unsafe extern "C" {
    static heliograph_vectors: u8;
}

/// Has faults end the loader.
pub fn take() {
    let vectors = (&raw const heliograph_vectors).addr();
    // SAFETY: the vectors lie on the boundary they must, and go to code that
    // relies on nothing but the image; each register is that of the level
    // this runs at.
    unsafe {
        match exception_level() {
            3 => asm!("msr vbar_el3, {}", "isb", in(reg) vectors, options(nostack)),
            2 => asm!("msr vbar_el2, {}", "isb", in(reg) vectors, options(nostack)),
            _ => asm!("msr vbar_el1, {}", "isb", in(reg) vectors, options(nostack)),
        }
    }
}

extern "C" fn fault() -> ! {
    let (syndrome, address, at): (u64, u64, u64);
    // SAFETY: reads registers of the level this runs at.
    unsafe {
        match exception_level() {
            3 => asm!("mrs {}, esr_el3", "mrs {}, far_el3", "mrs {}, elr_el3",
                out(reg) syndrome, out(reg) address, out(reg) at, options(nomem, nostack)),
            2 => asm!("mrs {}, esr_el2", "mrs {}, far_el2", "mrs {}, elr_el2",
                out(reg) syndrome, out(reg) address, out(reg) at, options(nomem, nostack)),
            _ => asm!("mrs {}, esr_el1", "mrs {}, far_el1", "mrs {}, elr_el1",
                out(reg) syndrome, out(reg) address, out(reg) at, options(nomem, nostack)),
        }
    }
    say(format_args!(
        "nothing is started: a fault at {at:#x}, address {address:#x}, syndrome {syndrome:#x}"
    ));
    power::off()
}
