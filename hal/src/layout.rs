//! The kernel's address space: which addresses mean what, on both
//! architectures.
//!
//! The direct map (HHDM) is where the loader had it: RAM from
//! [`crate::boot::BootInfo::hhdm_offset`] on, and device registers and
//! firmware tables in the same window once they are mapped. The kernel image
//! is where it was linked, in the last 2 GiB. The heap has a window of its
//! own, far from both, so that running off either end of it hits nothing.

/// First byte of the heap's window.
pub const HEAP_START: u64 = 0xffff_ff00_0000_0000;

/// Most bytes the heap can have.
pub const HEAP_MAX: u64 = 64 << 30;
