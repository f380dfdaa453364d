//! The head of the image, as Linux's "Booting AArch64 Linux" lays it down:
//! entered at its first byte with the address of the device tree in x0, the
//! MMU off, at EL1 or EL2, put at any multiple of 2 MiB.
//!
//! At EL3, without firmware, every core may come here: the first goes on, the
//! others stay in a loop on this page, which is kept from use.
//!
//! The header's length is that of the image alone; who appends an archive puts
//! the sum there, so that nothing else is put over it.

use core::arch::global_asm;

global_asm!(
    ".section .head, \"ax\"",
    ".global heliograph_head",
    "heliograph_head:",
    "b 1f",
    ".long 0",
    ".quad 0",            // Offset from the multiple of 2 MiB.
    ".quad __image_size", // Length in memory.
    // Little-endian, pages of 4 KiB, anywhere in memory.
    ".quad 0xa",
    ".quad 0, 0, 0",
    ".ascii \"ARM\\x64\"",
    ".long 0",
    "1:",
    "msr daifset, #0xf",
    "mov x19, x0",
    "mrs x0, CurrentEL",
    "cmp x0, #(3 << 2)",
    "b.ne 6f",
    "mrs x0, mpidr_el1",
    "tst x0, #0xffffff", // Affinities 2 to 0.
    "b.eq 6f",
    "5:",
    "wfe",
    "b 5b",
    "6:",
    "adrp x0, __stack_top",
    "add x0, x0, :lo12:__stack_top",
    "mov sp, x0",
    // Pointers: the image is linked at 0 and now begins at x1.
    "adr x1, heliograph_head",
    "adrp x2, __rela_start",
    "add x2, x2, :lo12:__rela_start",
    "adrp x3, __rela_end",
    "add x3, x3, :lo12:__rela_end",
    "2:",
    "cmp x2, x3",
    "b.hs 4f",
    "ldp x4, x5, [x2], #16", // Offset and type.
    "ldr x6, [x2], #8",      // Addend.
    "cmp x5, #1027",         // R_AARCH64_RELATIVE: all that a linker leaves.
    "b.ne 3f",
    "add x6, x6, x1",
    "str x6, [x1, x4]",
    "b 2b",
    "3:",
    "wfe",
    "b 3b",
    "4:",
    "dsb sy",
    "mov x0, x19",
    "mov x29, xzr",
    "mov x30, xzr",
    "b {main}",
    ".previous",
    main = sym super::heliograph_main,
);

unsafe extern "C" {
    static heliograph_head: u8;
    static __image_end: u8;
}

/// Physical address of the image.
pub fn image_start() -> u64 {
    (&raw const heliograph_head).addr() as u64
}

/// First byte after the image, a page boundary: where an archive begins.
pub fn image_end() -> u64 {
    (&raw const __image_end).addr() as u64
}

/// First byte after the image and what was appended to it, by the header.
pub fn file_end() -> u64 {
    const LENGTH: usize = 16;
    // SAFETY: the header is part of the image, and nobody writes to it.
    let length = unsafe { (&raw const heliograph_head).add(LENGTH).cast::<u64>().read_volatile() };
    image_start().saturating_add(length)
}
