//! From the loader to Rust.
//!
//! The Limine boot protocol enters at EL1, or with base revision 6 at EL2 with
//! the virtualization host extensions, where the registers named `…_EL1` are
//! those of EL2; so one code serves both. Interrupts are masked, the MMU is
//! on. Floating point may be trapped and the kernel is compiled with it: no
//! compiled code may run before `CPACR_EL1` allows it. The loader's stack has no
//! guard page, and no more room than was asked for, so the kernel takes its own
//! first.
//!
//! The target does without strict alignment, which the bare-metal targets of
//! the compiler have for code that runs before the MMU: here ordinary memory
//! is mapped as such from the first instruction, alignment is not checked
//! (SCTLR_EL1.A), and a load and a store of 8 bytes of Wasm memory take 9
//! instructions in a loop instead of 43 (counted with QEMU's `-icount`).

core::arch::global_asm!(
    r#"
    .section .text.entry, "ax"
    .global _start
_start:
    msr daifset, #0xf
    // CPACR_EL1.FPEN (bits 21:20): no trap of SIMD and floating point.
    mrs x0, cpacr_el1
    orr x0, x0, #(3 << 20)
    msr cpacr_el1, x0
    isb
    // Round to nearest, denormals and NaNs as they are, nothing trapped.
    msr fpcr, xzr
    msr fpsr, xzr
    // Exceptions have SP_EL1 to themselves, everything else is on SP_EL0.
    msr spsel, #1
    adrp x0, __fault_stack_top
    add x0, x0, :lo12:__fault_stack_top
    mov sp, x0
    msr spsel, #0
    adrp x0, __boot_stack_top
    add x0, x0, :lo12:__boot_stack_top
    mov sp, x0
    // The end of the chain of frame records.
    mov x29, xzr
    mov x30, xzr
    bl {main}
    brk #0
    "#,
    main = sym kernel_main,
);

unsafe extern "C" {
    /// What the kernel is, from here on: runs once, on the boot stack, with
    /// interrupts disabled.
    safe fn kernel_main() -> !;
}
