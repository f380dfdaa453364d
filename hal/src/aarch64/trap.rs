//! Exceptions and interrupts.
//!
//! The kernel runs on `SP_EL0`, so the processor enters the first four vectors
//! with `SP_EL1` selected: a stack of its own, whatever has become of the
//! kernel's. An exception while one is being handled enters the next four
//! with the same stack pointer, which may be what is broken; those entries
//! change to a third stack before they push anything. `TPIDR_EL0` and
//! `TPIDRRO_EL0`, which the kernel has no other use for, hold two registers
//! meanwhile.
//!
//! Everything a compiled function may change is saved, the vector registers
//! included, before any is called.

use core::mem::offset_of;
use core::sync::atomic::{AtomicU32, Ordering};

use aarch64_cpu::asm::barrier;
use aarch64_cpu::registers::{VBAR_EL1, Writeable};
use spin::Once;

use super::{cpu, interrupt, power, syndrome};
use crate::image;
use crate::traits::{ExitStatus, Fault, FaultKind, Handlers, Platform};

/// What the entries leave on the stack, lowest address first.
#[repr(C)]
struct Frame {
    general: [u64; 31],
    stack_pointer: u64,
    program_counter: u64,
    state: u64,
    syndrome: u64,
    address: u64,
    float_control: u64,
    float_status: u64,
    vectors: [u128; 32],
}

const _: () = {
    // The offsets that the assembly below uses.
    assert!(offset_of!(Frame, stack_pointer) == 248);
    assert!(offset_of!(Frame, program_counter) == 256);
    assert!(offset_of!(Frame, syndrome) == 272);
    assert!(offset_of!(Frame, float_control) == 288);
    assert!(offset_of!(Frame, vectors) == 304);
    assert!(size_of::<Frame>() == 816);
    // SP_EL1 stays aligned to 16 bytes.
    assert!(size_of::<Frame>().is_multiple_of(16));
};

/// Kinds of exception, as the vector table numbers them (Arm ARM, "Exception vectors"):
/// synchronous, IRQ, FIQ, SError, for each of four origins.
const IRQ_IN_KERNEL: u64 = 1;
const SYSTEM_ERROR: u64 = 3;
/// From here on the exception came while another was being handled.
const FIRST_NESTED: u64 = 4;

core::arch::global_asm!(
    r#"
    .section .text.trap, "ax"

    // An exception in the kernel: SP_EL1 is good.
    .macro ENTER_FROM_KERNEL kind
    .balign 0x80
    sub sp, sp, #816
    stp x0, x1, [sp]
    mrs x1, sp_el0
    mov x0, #\kind
    b trap_save
    .endm

    // An exception in a handler: SP_EL1 may be the reason.
    .macro ENTER_NESTED kind
    .balign 0x80
    msr tpidr_el0, x0
    mov x0, sp
    msr tpidrro_el0, x0
    adrp x0, __double_fault_stack_top
    add x0, x0, :lo12:__double_fault_stack_top
    mov sp, x0
    mrs x0, tpidr_el0
    sub sp, sp, #816
    stp x0, x1, [sp]
    mrs x1, tpidrro_el0
    mov x0, #\kind
    b trap_save
    .endm

    .balign 0x800
trap_vectors:
    ENTER_FROM_KERNEL 0
    ENTER_FROM_KERNEL 1
    ENTER_FROM_KERNEL 2
    ENTER_FROM_KERNEL 3
    ENTER_NESTED 4
    ENTER_NESTED 5
    ENTER_NESTED 6
    ENTER_NESTED 7
    // From EL0, 64 and 32 bits: there is nothing there.
    ENTER_NESTED 8
    ENTER_NESTED 9
    ENTER_NESTED 10
    ENTER_NESTED 11
    ENTER_NESTED 12
    ENTER_NESTED 13
    ENTER_NESTED 14
    ENTER_NESTED 15

    // x0: kind, x1: interrupted stack pointer; the interrupted x0 and x1 are
    // in the frame at sp.
    .balign 0x80
trap_save:
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    stp x6, x7, [sp, #48]
    stp x8, x9, [sp, #64]
    stp x10, x11, [sp, #80]
    stp x12, x13, [sp, #96]
    stp x14, x15, [sp, #112]
    stp x16, x17, [sp, #128]
    stp x18, x19, [sp, #144]
    stp x20, x21, [sp, #160]
    stp x22, x23, [sp, #176]
    stp x24, x25, [sp, #192]
    stp x26, x27, [sp, #208]
    stp x28, x29, [sp, #224]
    stp x30, x1, [sp, #240]
    mrs x2, elr_el1
    mrs x3, spsr_el1
    stp x2, x3, [sp, #256]
    mrs x2, esr_el1
    mrs x3, far_el1
    stp x2, x3, [sp, #272]
    mrs x2, fpcr
    mrs x3, fpsr
    stp x2, x3, [sp, #288]
    stp q0, q1, [sp, #304]
    stp q2, q3, [sp, #336]
    stp q4, q5, [sp, #368]
    stp q6, q7, [sp, #400]
    stp q8, q9, [sp, #432]
    stp q10, q11, [sp, #464]
    stp q12, q13, [sp, #496]
    stp q14, q15, [sp, #528]
    stp q16, q17, [sp, #560]
    stp q18, q19, [sp, #592]
    stp q20, q21, [sp, #624]
    stp q22, q23, [sp, #656]
    stp q24, q25, [sp, #688]
    stp q26, q27, [sp, #720]
    stp q28, q29, [sp, #752]
    stp q30, q31, [sp, #784]
    msr fpcr, xzr
    mov x1, sp
    bl {entry}

    ldp q0, q1, [sp, #304]
    ldp q2, q3, [sp, #336]
    ldp q4, q5, [sp, #368]
    ldp q6, q7, [sp, #400]
    ldp q8, q9, [sp, #432]
    ldp q10, q11, [sp, #464]
    ldp q12, q13, [sp, #496]
    ldp q14, q15, [sp, #528]
    ldp q16, q17, [sp, #560]
    ldp q18, q19, [sp, #592]
    ldp q20, q21, [sp, #624]
    ldp q22, q23, [sp, #656]
    ldp q24, q25, [sp, #688]
    ldp q26, q27, [sp, #720]
    ldp q28, q29, [sp, #752]
    ldp q30, q31, [sp, #784]
    ldp x2, x3, [sp, #288]
    msr fpcr, x2
    msr fpsr, x3
    ldp x2, x3, [sp, #256]
    msr elr_el1, x2
    msr spsr_el1, x3
    ldp x2, x3, [sp, #16]
    ldp x4, x5, [sp, #32]
    ldp x6, x7, [sp, #48]
    ldp x8, x9, [sp, #64]
    ldp x10, x11, [sp, #80]
    ldp x12, x13, [sp, #96]
    ldp x14, x15, [sp, #112]
    ldp x16, x17, [sp, #128]
    ldp x18, x19, [sp, #144]
    ldp x20, x21, [sp, #160]
    ldp x22, x23, [sp, #176]
    ldp x24, x25, [sp, #192]
    ldp x26, x27, [sp, #208]
    ldp x28, x29, [sp, #224]
    ldr x30, [sp, #240]
    ldp x0, x1, [sp]
    add sp, sp, #816
    eret
    "#,
    entry = sym trap_entry,
);

unsafe extern "C" {
    static trap_vectors: u8;
}

static HANDLERS: Once<&'static Handlers> = Once::new();

/// Installs the vectors; faults go to `handlers` from here on. System errors
/// are taken too, so that they are reported rather than lost.
pub fn install(handlers: &'static Handlers) {
    HANDLERS.call_once(|| handlers);
    VBAR_EL1.set((&raw const trap_vectors).addr() as u64);
    barrier::isb(barrier::SY);
    // SAFETY: unmasking SError (bit 2 of the immediate) changes no memory;
    // its vector was installed above.
    unsafe { core::arch::asm!("msr daifclr, #4", options(nostack, preserves_flags)) };
}

extern "C" fn trap_entry(kind: u64, frame: &Frame) {
    match (kind, HANDLERS.get()) {
        (IRQ_IN_KERNEL, Some(handlers)) => interrupt::take(handlers.interrupt),
        (_, Some(handlers)) => report(kind, frame, handlers),
        (_, None) => power::off(ExitStatus::OtherFault),
    }
}

/// Faults whose report has begun.
static REPORTS: AtomicU32 = AtomicU32::new(0);

fn report(kind: u64, frame: &Frame, handlers: &Handlers) -> ! {
    match REPORTS.fetch_add(1, Ordering::Relaxed) {
        0 => {}
        // The report itself failed: what is left is to say so and stop.
        1 => {
            super::Machine::emergency_write(b"\n[kernel] fault while reporting a fault\n");
            power::off(ExitStatus::OtherFault);
        }
        2 => power::off(ExitStatus::OtherFault),
        _ => cpu::halt(),
    }
    let mut registers = [("", 0); 36];
    let general = NAMES.iter().copied().zip(frame.general);
    let special = [
        ("sp", frame.stack_pointer),
        ("pc", frame.program_counter),
        ("spsr", frame.state),
        ("esr", frame.syndrome),
        ("far", frame.address),
    ];
    for (slot, register) in registers.iter_mut().zip(general.chain(special)) {
        *slot = register;
    }
    (handlers.fault)(&Fault {
        kind: fault_kind(kind, frame),
        program_counter: frame.program_counter,
        stack_pointer: frame.stack_pointer,
        frame_pointer: frame.general[29],
        registers: &registers,
    })
}

fn fault_kind(kind: u64, frame: &Frame) -> FaultKind {
    // Interrupts are masked in handlers and FIQs everywhere.
    if kind % FIRST_NESTED == SYSTEM_ERROR {
        return FaultKind::Other { code: syndrome::class(frame.syndrome) };
    }
    syndrome::decode(frame.syndrome, frame.address, frame.stack_pointer, image::is_guard)
}

/// Names of the general registers.
const NAMES: [&str; 31] = [
    "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
    "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27",
    "x28", "x29", "x30",
];
