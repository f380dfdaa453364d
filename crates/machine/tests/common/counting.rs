//! An allocator that counts what a call allocates.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

thread_local! {
    static ALLOCATIONS: Cell<Option<u32>> = const { Cell::new(None) };
}

/// The system's allocator, counting on demand.
struct Counting;

// SAFETY: every call goes to the system's allocator as it is; counting uses a
// thread-local without a destructor and does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get().map(|count| count + 1)));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `System.alloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations `act` makes.
pub fn counted<R>(act: impl FnOnce() -> R) -> (R, u32) {
    ALLOCATIONS.set(Some(0));
    let result = act();
    let count = ALLOCATIONS.replace(None).unwrap();
    (result, count)
}

/// Does something that is the test's own, and does not count.
#[allow(dead_code, reason = "not every test has such")]
pub fn uncounted<R>(act: impl FnOnce() -> R) -> R {
    let before = ALLOCATIONS.take();
    let result = act();
    ALLOCATIONS.set(before);
    result
}
