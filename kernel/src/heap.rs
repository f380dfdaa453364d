//! The heap.
//!
//! Frames from anywhere in RAM, mapped in a row into a window of their own, as
//! much as [`kernel::heap_size`] says.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{NonNull, null_mut};

use hal::layout::HEAP_START;
use hal::traits::{PAGE_SIZE, PageTables, Protection};
use linked_list_allocator::Heap;
use spin::Mutex;

use kernel::frames::Frames;
use kernel::heap_size::BLOCK;
use kernel::phases::Diagnosis;

/// Frames that are looked for in a row at first.
const RUN: u64 = BLOCK / PAGE_SIZE;

struct Allocator(Mutex<Heap>);

#[global_allocator]
static ALLOCATOR: Allocator = Allocator(Mutex::new(Heap::empty()));

// SAFETY: `Heap` gives each layout memory that it gives nobody else until it
// is handed back; the lock makes its calls one after the other. Interrupt
// handlers don't allocate (see `hal::traits::Handlers`), so none waits for a
// lock that it interrupted the holder of.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.0.lock().allocate_first_fit(layout).map_or(null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if let Some(pointer) = NonNull::new(pointer) {
            // SAFETY: the caller promises that the pointer came from `alloc`
            // with this layout, which took it from this heap.
            unsafe { self.0.lock().deallocate(pointer, layout) }
        }
    }
}

/// Maps a heap of `size` bytes and opens it. `tables` are active.
///
/// # Errors
/// It cannot be mapped whole; then there is none.
pub fn start(
    frames: &mut Frames,
    tables: &mut impl PageTables,
    size: u64,
) -> Result<(), Diagnosis> {
    let (mut mapped, mut run) = (0, RUN);
    while mapped < size && run > 0 {
        let count = run.min((size - mapped) / PAGE_SIZE);
        let Some(physical) = frames.allocate_aligned(count, count.next_power_of_two() * PAGE_SIZE)
        else {
            run /= 2;
            continue;
        };
        let length = count * PAGE_SIZE;
        tables
            .map(frames, HEAP_START + mapped, physical, length, Protection::ReadWrite)
            .map_err(|error| Diagnosis::Map("the heap", error))?;
        mapped += length;
    }
    if mapped < size {
        return Err(Diagnosis::Because("memory is in too many pieces for the heap"));
    }
    let start = core::ptr::with_exposed_provenance_mut::<u8>(HEAP_START as usize);
    // SAFETY: `mapped` bytes from `start` were just mapped to frames that
    // nothing else uses, for good, and this is the only heap made of them.
    unsafe { ALLOCATOR.0.lock().init(start, mapped as usize) };
    Ok(())
}

/// Closes the heap: allocations fail from here on. Nothing that was allocated
/// is in use any more.
pub fn stop() {
    *ALLOCATOR.0.lock() = Heap::empty();
}

/// Whether somebody is in the middle of allocating: for a panic, which must
/// not wait for whom it has interrupted for good.
pub fn is_busy() -> bool {
    ALLOCATOR.0.is_locked()
}

/// Bytes in use and bytes free.
pub fn usage() -> (usize, usize) {
    let heap = ALLOCATOR.0.lock();
    (heap.used(), heap.free())
}
