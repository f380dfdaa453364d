//! Where the parts of the running kernel lie in memory.
//!
//! The bounds come from symbols that `kernel/kernel.ld` defines, the same on
//! both architectures. Every part begins and ends on a page boundary, and the
//! stacks have an unmapped guard page below them.

use crate::traits::{PAGE_SIZE, Protection};

unsafe extern "C" {
    static __text_start: u8;
    static __text_end: u8;
    static __rodata_start: u8;
    static __rodata_end: u8;
    static __data_start: u8;
    static __data_end: u8;
    static __boot_stack_bottom: u8;
    static __boot_stack_top: u8;
    static __fault_stack_bottom: u8;
    static __fault_stack_top: u8;
    static __double_fault_stack_bottom: u8;
    static __double_fault_stack_top: u8;
}

/// A part of the kernel image, in virtual addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it holds.
    pub name: &'static str,
    /// First byte.
    pub start: u64,
    /// First byte after it.
    pub end: u64,
    /// How it is to be mapped.
    pub protection: Protection,
}

impl Part {
    /// Whether an address lies in it.
    pub fn contains(&self, address: u64) -> bool {
        (self.start..self.end).contains(&address)
    }
}

/// Everything of the image that is to be mapped; what lies between the parts
/// is not, so the guard pages are not.
pub fn parts() -> [Part; 6] {
    let part = |name, start: *const u8, end: *const u8, protection| Part {
        name,
        start: start.addr() as u64,
        end: end.addr() as u64,
        protection,
    };
    [
        part("text", &raw const __text_start, &raw const __text_end, Protection::ReadExecute),
        part("rodata", &raw const __rodata_start, &raw const __rodata_end, Protection::ReadOnly),
        part("data", &raw const __data_start, &raw const __data_end, Protection::ReadWrite),
        boot_stack(),
        fault_stack(),
        double_fault_stack(),
    ]
}

/// The stack that `_start` sets and the kernel runs on.
pub fn boot_stack() -> Part {
    stack("boot stack", &raw const __boot_stack_bottom, &raw const __boot_stack_top)
}

/// The stack that faults are reported on.
pub fn fault_stack() -> Part {
    stack("fault stack", &raw const __fault_stack_bottom, &raw const __fault_stack_top)
}

/// The stack for a fault while a fault is being reported.
pub fn double_fault_stack() -> Part {
    stack(
        "double fault stack",
        &raw const __double_fault_stack_bottom,
        &raw const __double_fault_stack_top,
    )
}

/// Whether an address lies in the guard page below one of the stacks.
pub fn is_guard(address: u64) -> bool {
    [boot_stack(), fault_stack(), double_fault_stack()]
        .iter()
        .any(|stack| (stack.start - PAGE_SIZE..stack.start).contains(&address))
}

fn stack(name: &'static str, bottom: *const u8, top: *const u8) -> Part {
    Part {
        name,
        start: bottom.addr() as u64,
        end: top.addr() as u64,
        protection: Protection::ReadWrite,
    }
}
