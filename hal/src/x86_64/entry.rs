//! From the loader to Rust.
//!
//! At Limine's entry CR4 has neither OSFXSR nor OSXMMEXCPT and CR0 no MP, and
//! the kernel is compiled for SSE: no compiled code may run before they are
//! set. The loader's stack has no guard page, and no more room than was asked
//! for, so the kernel takes its own first.

core::arch::global_asm!(
    r#"
    .section .text.entry, "ax"
    .global _start
_start:
    cli
    cld
    // CR0: no emulation (bit 2), no task-switched (3), monitor (1), native
    // error reporting (5).
    mov rax, cr0
    and rax, ~0xc
    or rax, 0x22
    mov cr0, rax
    // CR4: OSFXSR (9), OSXMMEXCPT (10).
    mov rax, cr4
    or rax, 0x600
    mov cr4, rax
    fninit
    ldmxcsr [rip + {mxcsr}]
    lea rsp, [rip + __boot_stack_top]
    // The end of the chain of frame records.
    xor ebp, ebp
    call {main}
    ud2
    "#,
    mxcsr = sym MXCSR,
    main = sym kernel_main,
);

/// All exceptions masked, round to nearest, denormals as they are (Intel SDM
/// volume 1, 10.2.3).
#[used]
pub(super) static MXCSR: u32 = 0x1f80;

unsafe extern "C" {
    /// What the kernel is, from here on: runs once, on the boot stack, with
    /// interrupts disabled.
    safe fn kernel_main() -> !;
}
