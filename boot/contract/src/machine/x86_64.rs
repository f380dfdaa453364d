//! Entry on x86_64: 64-bit mode with tables of the loader's, a small GDT, no
//! IDT, no TSS, interrupts off, every general register 0.

use core::arch::{asm, global_asm};

use crate::arena::Arena;
use crate::{PAGE, answer::AnswerError};

// The five descriptors that the protocol lists after the null one, each flat;
// then a 64-bit TSS descriptor with base and limit 0 (Intel SDM, volume 3A,
// 3.4.5 and 7.2.3).
const GDT: [u64; 9] = [
    0,
    0x0000_9b00_0000_ffff,
    0x0000_9300_0000_ffff,
    0x00cf_9b00_0000_ffff,
    0x00cf_9300_0000_ffff,
    0x0020_9b00_0000_0000,
    0x0000_9300_0000_0000,
    0x0000_8900_0000_0000,
    0,
];

global_asm!(
    // On one page, as it is shorter than its alignment.
    ".p2align 8",
    ".global heliograph_switch",
    "heliograph_switch:",
    // rdi: top table; rsi: entry; rdx: top of the stack; rcx: GDT's pseudo
    // descriptor, IDT's 16 bytes behind it; all but the first virtual.
    "cli",
    "cld",
    // CR4: PAE alone. That clears PGE, so no translation survives.
    "mov eax, 0x20",
    "mov cr4, rax",
    "mov cr3, rdi",
    // CR0: PG, WP, ET, PE.
    "mov eax, 0x80010011",
    "mov cr0, rax",
    "mov rsp, rdx",
    "lgdt [rcx]",
    "lidt [rcx + 16]",
    "xor eax, eax",
    "lldt ax",
    "mov eax, 0x30",
    "mov ds, eax",
    "mov es, eax",
    "mov ss, eax",
    "mov fs, eax",
    "mov gs, eax",
    "mov eax, 0x38",
    "ltr ax",
    // The address that the kernel must not return to; where it begins; its
    // flags, which nothing may change after they are loaded.
    "push 0",
    "push 0x28",
    "push rsi",
    "push 2",
    "xor eax, eax",
    "xor ebx, ebx",
    "xor ecx, ecx",
    "xor edx, edx",
    "xor esi, esi",
    "xor edi, edi",
    "xor ebp, ebp",
    "xor r8d, r8d",
    "xor r9d, r9d",
    "xor r10d, r10d",
    "xor r11d, r11d",
    "xor r12d, r12d",
    "xor r13d, r13d",
    "xor r14d, r14d",
    "xor r15d, r15d",
    "popfq",
    "retfq",
    // An error if the code is longer than that.
    ".org heliograph_switch + 256",
);

unsafe extern "sysv64" {
    fn heliograph_switch(tables: u64, entry: u64, stack_top: u64, descriptors: u64) -> !;
}

/// How the kernel is entered.
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// Physical address of the top table. It maps [`switch_page`] at its own
    /// address, to be executed, and the rest as the protocol says.
    pub tables: u64,
    /// Where the kernel begins.
    pub entry: u64,
    /// First byte after the stack, in the direct map; a multiple of 16.
    pub stack_top: u64,
    /// What [`put_descriptors`] gave.
    pub descriptors: u64,
}

/// Why this processor cannot be brought into the promised state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unable {
    /// It cannot keep memory from being executed.
    NoExecuteDisable,
    /// Firmware uses five levels of tables, which 64-bit mode cannot leave.
    FiveLevels,
}

impl Unable {
    /// What is wrong, as a sentence.
    pub const fn text(self) -> &'static str {
        match self {
            Self::NoExecuteDisable => "the processor cannot keep memory from being executed",
            Self::FiveLevels => "firmware uses five levels of page tables",
        }
    }
}

/// Whether the processor can be brought into the state.
pub fn check() -> Result<(), Unable> {
    const EXECUTE_DISABLE: u32 = 1 << 20;
    const LA57: u64 = 1 << 12;
    let has_extended = core::arch::x86_64::__cpuid(0x8000_0000).eax >= 0x8000_0001;
    if !has_extended || core::arch::x86_64::__cpuid(0x8000_0001).edx & EXECUTE_DISABLE == 0 {
        return Err(Unable::NoExecuteDisable);
    }
    let cr4: u64;
    // SAFETY: reads a register that firmware's privilege level may read.
    unsafe { asm!("mov {}, cr4", out(reg) cr4, options(nomem, nostack, preserves_flags)) };
    if cr4 & LA57 == 0 { Ok(()) } else { Err(Unable::FiveLevels) }
}

/// Lays out the descriptor tables; gives the address for
/// [`State::descriptors`].
pub fn put_descriptors(arena: &mut Arena<'_>) -> Result<u64, AnswerError> {
    let gdt = arena.put(&GDT)?;
    // A pseudo descriptor is a limit of 16 bits and an address of 64.
    let limit = size_of_val(&GDT) as u64 - 1;
    let gdt_pointer = [limit | gdt << 16, gdt >> 48];
    let no_idt = [0_u64; 2];
    Ok(arena.put(&[gdt_pointer, no_idt])?)
}

/// Physical address of the page that the switch of tables runs on.
pub fn switch_page() -> u64 {
    let start = heliograph_switch as *const () as u64;
    start - start % PAGE
}

/// Jumps to the kernel.
///
/// # Safety
/// 1. The processor runs at the highest privilege in 64-bit mode with four
///    levels of tables, and this code is mapped at its physical address.
/// 2. [`check`] found nothing.
/// 3. `state` is as its fields say; the kernel, the stack and the descriptors
///    stay as they are, and nothing else uses the machine.
pub unsafe fn enter(state: State) -> ! {
    const EFER: u32 = 0xc000_0080;
    const EFER_LME_LMA_NXE: u64 = 1 << 8 | 1 << 10 | 1 << 11;
    const PAT: u32 = 0x277;
    // WB, WT, UC-, UC, WP, WC, and the last two as they are after a reset.
    const PAT_VALUE: u64 = 0x0007_0105_0007_0406;
    const FS_BASE: u32 = 0xc000_0100;
    const GS_BASE: u32 = 0xc000_0101;
    // SAFETY: by 1 the registers may be written, and by 2 they have these
    // bits. Firmware's tables use the first attribute for ordinary memory,
    // which stays write-back, and its code needs no segment bases.
    unsafe {
        write_msr(EFER, EFER_LME_LMA_NXE);
        write_msr(PAT, PAT_VALUE);
        write_msr(FS_BASE, 0);
        write_msr(GS_BASE, 0);
    }
    // SAFETY: by 1 and 3 the switch is mapped in both tables, and all that it
    // uses after it in the new ones. Segment registers 0x28, 0x30 and 0x38
    // are in the GDT that `put_descriptors` made.
    unsafe { heliograph_switch(state.tables, state.entry, state.stack_top, state.descriptors) }
}

/// Writes a model-specific register.
///
/// # Safety
/// The register exists, takes the value, and what it changes is wanted.
pub unsafe fn write_msr(register: u32, value: u64) {
    let (low, high) = (value as u32, (value >> 32) as u32);
    // SAFETY: the caller's promise.
    unsafe { asm!("wrmsr", in("ecx") register, in("eax") low, in("edx") high, options(nostack)) };
}

/// Reads a model-specific register.
///
/// # Safety
/// The register exists.
pub unsafe fn read_msr(register: u32) -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: the caller's promise.
    unsafe { asm!("rdmsr", in("ecx") register, out("eax") low, out("edx") high, options(nostack)) };
    u64::from(high) << 32 | u64::from(low)
}
