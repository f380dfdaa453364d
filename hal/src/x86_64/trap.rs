//! Exceptions and interrupts.
//!
//! Each of the 256 vectors has a stub of 16 bytes that makes the stack look
//! the same whether or not the processor pushed an error code. The common
//! part saves every general register and, with `fxsave64`, the vector ones,
//! before any compiled code can touch them.

use core::mem::offset_of;
use core::sync::atomic::{AtomicBool, Ordering};

use spin::Once;
use x86_64::VirtAddr;
use x86_64::registers::control::Cr2;
use x86_64::structures::idt::InterruptDescriptorTable;

use super::gdt::{DOUBLE_FAULT_STACK, FAULT_STACK};
use super::{gdt, interrupt};
use crate::image;
use crate::traits::{Access, ExitStatus, Fault, FaultKind, Handlers, Platform};

/// What the stubs leave on the stack, lowest address first.
#[repr(C)]
struct Frame {
    r15: u64,
    r14: u64,
    r13: u64,
    r12: u64,
    r11: u64,
    r10: u64,
    r9: u64,
    r8: u64,
    rbp: u64,
    rdi: u64,
    rsi: u64,
    rdx: u64,
    rcx: u64,
    rbx: u64,
    rax: u64,
    vector: u64,
    error: u64,
    rip: u64,
    cs: u64,
    rflags: u64,
    rsp: u64,
    ss: u64,
}

const _: () = {
    // The pushes below, 15 registers, then vector and error code, then what
    // the processor pushes (Intel SDM volume 3, 7.14.2).
    assert!(offset_of!(Frame, rax) == 14 * 8);
    assert!(offset_of!(Frame, vector) == 15 * 8);
    assert!(offset_of!(Frame, rip) == 17 * 8);
    assert!(size_of::<Frame>() == 22 * 8);
};

core::arch::global_asm!(
    r#"
    .section .text.trap, "ax"
    .balign 16
trap_stubs:
    .set vector, 0
    .rept 256
    .balign 16
    // Vectors with an error code: 8, 10 to 14, 17, 21, 29, 30.
    .if (vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30)
    .else
    push 0
    .endif
    push vector
    jmp trap_common
    .set vector, vector + 1
    .endr

    .balign 16
trap_common:
    push rax
    push rbx
    push rcx
    push rdx
    push rsi
    push rdi
    push rbp
    push r8
    push r9
    push r10
    push r11
    push r12
    push r13
    push r14
    push r15
    cld
    mov rdi, rsp
    // rbx survives the call, so it keeps the frame for the way back.
    mov rbx, rsp
    sub rsp, 512
    and rsp, -16
    fxsave64 [rsp]
    call {entry}
    fxrstor64 [rsp]
    mov rsp, rbx
    pop r15
    pop r14
    pop r13
    pop r12
    pop r11
    pop r10
    pop r9
    pop r8
    pop rbp
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop rbx
    pop rax
    add rsp, 16
    iretq
    "#,
    entry = sym trap_entry,
);

unsafe extern "C" {
    static trap_stubs: u8;
}

/// Bytes from one stub to the next.
const STUB: u64 = 16;

static IDT: Once<InterruptDescriptorTable> = Once::new();
static HANDLERS: Once<&'static Handlers> = Once::new();

/// Loads segment and interrupt tables; faults go to `handlers` from here on.
pub fn install(handlers: &'static Handlers) {
    HANDLERS.call_once(|| handlers);
    gdt::load();
    IDT.call_once(table).load();
}

fn table() -> InterruptDescriptorTable {
    let mut idt = InterruptDescriptorTable::new();
    let stubs = (&raw const trap_stubs).addr() as u64;
    let stub = |vector: u64| VirtAddr::new(stubs + vector * STUB);
    // SAFETY: each address is the stub of that very
    // vector, which handles what the processor pushes for it and ends in
    // `iretq`; the stack indices are those that `gdt::load` filled.
    unsafe {
        idt.divide_error.set_handler_addr(stub(0)).set_stack_index(FAULT_STACK);
        idt.debug.set_handler_addr(stub(1)).set_stack_index(FAULT_STACK);
        idt.non_maskable_interrupt.set_handler_addr(stub(2)).set_stack_index(DOUBLE_FAULT_STACK);
        idt.breakpoint.set_handler_addr(stub(3)).set_stack_index(FAULT_STACK);
        idt.overflow.set_handler_addr(stub(4)).set_stack_index(FAULT_STACK);
        idt.bound_range_exceeded.set_handler_addr(stub(5)).set_stack_index(FAULT_STACK);
        idt.invalid_opcode.set_handler_addr(stub(6)).set_stack_index(FAULT_STACK);
        idt.device_not_available.set_handler_addr(stub(7)).set_stack_index(FAULT_STACK);
        idt.double_fault.set_handler_addr(stub(8)).set_stack_index(DOUBLE_FAULT_STACK);
        idt.invalid_tss.set_handler_addr(stub(10)).set_stack_index(FAULT_STACK);
        idt.segment_not_present.set_handler_addr(stub(11)).set_stack_index(FAULT_STACK);
        idt.stack_segment_fault.set_handler_addr(stub(12)).set_stack_index(FAULT_STACK);
        idt.general_protection_fault.set_handler_addr(stub(13)).set_stack_index(FAULT_STACK);
        idt.page_fault.set_handler_addr(stub(14)).set_stack_index(FAULT_STACK);
        idt.x87_floating_point.set_handler_addr(stub(16)).set_stack_index(FAULT_STACK);
        idt.alignment_check.set_handler_addr(stub(17)).set_stack_index(FAULT_STACK);
        idt.machine_check.set_handler_addr(stub(18)).set_stack_index(DOUBLE_FAULT_STACK);
        idt.simd_floating_point.set_handler_addr(stub(19)).set_stack_index(FAULT_STACK);
        idt.virtualization.set_handler_addr(stub(20)).set_stack_index(FAULT_STACK);
        idt.cp_protection_exception.set_handler_addr(stub(21)).set_stack_index(FAULT_STACK);
        idt.hv_injection_exception.set_handler_addr(stub(28)).set_stack_index(FAULT_STACK);
        idt.vmm_communication_exception.set_handler_addr(stub(29)).set_stack_index(FAULT_STACK);
        idt.security_exception.set_handler_addr(stub(30)).set_stack_index(FAULT_STACK);
        for vector in 32..=255u8 {
            // On the interrupted stack, which is never near its end.
            idt[vector].set_handler_addr(stub(u64::from(vector)));
        }
    }
    idt
}

extern "C" fn trap_entry(frame: &Frame) {
    let Some(handlers) = HANDLERS.get() else { super::power::off(ExitStatus::OtherFault) };
    match u8::try_from(frame.vector) {
        Ok(vector @ 32..) => {
            if let Some(interrupt) = interrupt::take(vector) {
                (handlers.interrupt)(interrupt);
            }
        }
        _ => report(frame, handlers),
    }
}

/// Set while a fault is being reported.
static REPORTING: AtomicBool = AtomicBool::new(false);

fn report(frame: &Frame, handlers: &Handlers) -> ! {
    let kind = kind(frame);
    if REPORTING.swap(true, Ordering::Relaxed) {
        // The report itself failed: what is left is to say so and stop.
        super::Machine::emergency_write(b"\n[kernel] fault while reporting a fault\n");
        super::power::off(ExitStatus::OtherFault);
    }
    let registers = [
        ("rax", frame.rax),
        ("rbx", frame.rbx),
        ("rcx", frame.rcx),
        ("rdx", frame.rdx),
        ("rsi", frame.rsi),
        ("rdi", frame.rdi),
        ("rbp", frame.rbp),
        ("rsp", frame.rsp),
        ("r8", frame.r8),
        ("r9", frame.r9),
        ("r10", frame.r10),
        ("r11", frame.r11),
        ("r12", frame.r12),
        ("r13", frame.r13),
        ("r14", frame.r14),
        ("r15", frame.r15),
        ("rip", frame.rip),
        ("rflags", frame.rflags),
        ("cs", frame.cs),
        ("ss", frame.ss),
        ("cr2", Cr2::read_raw()),
        ("error", frame.error),
    ];
    (handlers.fault)(&Fault {
        kind,
        program_counter: frame.rip,
        stack_pointer: frame.rsp,
        frame_pointer: frame.rbp,
        registers: &registers,
    })
}

/// Error code of a page fault (Intel SDM volume 3, figure 5-12).
const PRESENT: u64 = 1;
const WRITE: u64 = 1 << 1;
const FETCH: u64 = 1 << 4;

fn kind(frame: &Frame) -> FaultKind {
    let address = Cr2::read_raw();
    match frame.vector {
        // A double fault on a guard page: the push of the first fault's
        // frame ran into it.
        8 if image::is_guard(address) => FaultKind::StackOverflow { address },
        14 if image::is_guard(address) => FaultKind::StackOverflow { address },
        14 => FaultKind::Page {
            address,
            access: if frame.error & FETCH != 0 {
                Access::Execute
            } else if frame.error & WRITE != 0 {
                Access::Write
            } else {
                Access::Read
            },
            present: frame.error & PRESENT != 0,
        },
        6 => FaultKind::IllegalInstruction,
        vector => FaultKind::Other { code: vector },
    }
}
