//! A bump allocator over a fixed arena.
//!
//! A payload that runs once and exits needs to hand memory out, hardly ever
//! to take it back. The arena is a static of the program, so its size is in
//! the component's declared memory and running out is the same everywhere.
//! The block handed out last can be taken back or resized in place, which is
//! what a growing `Vec` or `String` asks for.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::{Cell, UnsafeCell};

/// An arena of `SIZE` bytes. Use as
/// `#[global_allocator] static HEAP: sdk::Heap<65536> = sdk::Heap::new();`.
pub struct Heap<const SIZE: usize> {
    arena: UnsafeCell<Arena<SIZE>>,
    /// Offset of the first byte never handed out, at most `SIZE`.
    used: Cell<usize>,
}

/// Aligned for anything a payload allocates; larger alignments are refused.
#[repr(align(16))]
struct Arena<const SIZE: usize>([u8; SIZE]);

const ALIGNMENT: usize = align_of::<Arena<0>>();

// SAFETY: Wasm without atomics has one thread, so no two calls are ever inside
// the allocator at once. On other targets a heap cannot be a static, and tests
// keep each in one thread.
#[cfg(all(target_arch = "wasm32", not(target_feature = "atomics")))]
unsafe impl<const SIZE: usize> Sync for Heap<SIZE> {}

impl<const SIZE: usize> Heap<SIZE> {
    /// An empty arena.
    pub const fn new() -> Self {
        Self { arena: UnsafeCell::new(Arena([0; SIZE])), used: Cell::new(0) }
    }

    /// Where the arena begins.
    fn base(&self) -> *mut u8 {
        self.arena.get().cast()
    }

    /// Whether this block of ours ends where the used part does.
    fn is_last(&self, block: *mut u8, size: usize) -> bool {
        (block.addr() - self.base().addr()).checked_add(size) == Some(self.used.get())
    }
}

impl<const SIZE: usize> Default for Heap<SIZE> {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: 1. A block lies inside the arena: its end is checked against SIZE.
// 2. Blocks do not overlap: each begins at or after `used`, which then moves
//    to its end and moves back only over the block that ends at it.
// 3. A block is aligned: its offset is, and the base is to 16.
// 4. No method panics on layouts that callers may pass.
unsafe impl<const SIZE: usize> GlobalAlloc for Heap<SIZE> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = self.used.get().checked_next_multiple_of(layout.align());
        let end = start.and_then(|start| start.checked_add(layout.size()));
        match (start, end) {
            (Some(start), Some(end)) if end <= SIZE && layout.align() <= ALIGNMENT => {
                self.used.set(end);
                // SAFETY: start <= end <= SIZE, so the offset stays inside
                // the arena.
                unsafe { self.base().add(start) }
            }
            _ => core::ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if self.is_last(block, layout.size()) {
            self.used.set(self.used.get() - layout.size());
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if self.is_last(block, layout.size()) {
            let start = self.used.get() - layout.size();
            return match start.checked_add(new_size) {
                Some(end) if end <= SIZE => {
                    self.used.set(end);
                    block
                }
                _ => core::ptr::null_mut(),
            };
        }
        if new_size <= layout.size() {
            return block;
        }
        let Ok(new_layout) = Layout::from_size_align(new_size, layout.align()) else {
            return core::ptr::null_mut();
        };
        // SAFETY: the caller gives a size that is not zero.
        let new = unsafe { self.alloc(new_layout) };
        if !new.is_null() {
            // SAFETY: the old block has `layout.size()` bytes, the new one
            // more, and they do not overlap by condition 2 above.
            unsafe { core::ptr::copy_nonoverlapping(block, new, layout.size()) };
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_aligned_apart_and_end_with_the_arena() {
        let heap = Heap::<256>::new();
        let small = Layout::from_size_align(3, 1).unwrap();
        let wide = Layout::from_size_align(16, 16).unwrap();
        // SAFETY: no layout here is empty, and blocks are freed with their own.
        unsafe {
            let a = heap.alloc(small);
            let b = heap.alloc(wide);
            assert_eq!(b.addr() % 16, 0);
            assert!(b.addr() >= a.addr() + 3);
            let grown = heap.realloc(b, wide, 64);
            assert_eq!(grown, b, "the last block grows in place");
            heap.dealloc(grown, Layout::from_size_align(64, 16).unwrap());
            assert_eq!(heap.alloc(wide), b, "the last block is taken back");
            assert!(heap.alloc(Layout::from_size_align(256, 1).unwrap()).is_null());
            assert!(heap.alloc(Layout::from_size_align(16, 32).unwrap()).is_null());
        }
    }

    #[test]
    fn an_older_block_moves_when_it_grows() {
        let heap = Heap::<256>::new();
        let layout = Layout::from_size_align(4, 4).unwrap();
        // SAFETY: as above; the bytes read were written before.
        unsafe {
            let a = heap.alloc(layout);
            a.write_bytes(7, 4);
            let b = heap.alloc(layout);
            let moved = heap.realloc(a, layout, 8);
            assert!(moved.addr() >= b.addr() + 4);
            assert_eq!(moved.add(3).read(), 7);
        }
    }
}
