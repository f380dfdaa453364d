//! Memory that devices read and write.
//!
//! One run of frames, taken once, gives virtio its queues and copies of the
//! buffers that requests move ("bounce buffers"): the kernel's heap is not
//! contiguous in physical memory, and a device that misbehaves reaches
//! nothing but this.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering};

use spin::Mutex;
use virtio_drivers::{BufferDirection, Hal, PhysAddr};

use crate::traits::{DiscoverError, FrameSource, MapError, PAGE_SIZE};

/// Pages in the pool: queues of a few devices, and one request with its data.
const PAGES: usize = 64;

/// Most bytes that one request may move.
pub const REQUEST_MAX: usize = 64 << 10;

struct Pool {
    physical: u64,
    used: u64,
}

static POOL: Mutex<Option<Pool>> = Mutex::new(None);
static HHDM_OFFSET: AtomicU64 = AtomicU64::new(0);

/// Takes the pool from `frames`. Called once, before any device is used.
pub fn start(frames: &mut dyn FrameSource) -> Result<(), DiscoverError> {
    let physical = frames
        .allocate_contiguous(PAGES as u64)
        .ok_or(DiscoverError::Map(MapError::OutOfFrames))?;
    HHDM_OFFSET.store(frames.hhdm_offset(), Ordering::Relaxed);
    *POOL.lock() = Some(Pool { physical, used: 0 });
    Ok(())
}

impl Pool {
    /// First fit of `pages` in a row, as the number of the first.
    fn take(&mut self, pages: usize) -> Option<usize> {
        let mask = mask(pages)?;
        let first = (0..=PAGES - pages).find(|&first| self.used & mask << first == 0)?;
        self.used |= mask << first;
        Some(first)
    }

    fn give_back(&mut self, physical: u64, pages: usize) {
        let first = physical.wrapping_sub(self.physical) / PAGE_SIZE;
        if let (Some(mask), true) = (mask(pages), first < PAGES as u64) {
            self.used &= !(mask << first);
        }
    }
}

fn mask(pages: usize) -> Option<u64> {
    match pages {
        1..64 => Some((1 << pages) - 1),
        64 => Some(u64::MAX),
        _ => None,
    }
}

fn take(pages: usize) -> Option<u64> {
    let mut pool = POOL.lock();
    let pool = pool.as_mut()?;
    let first = pool.take(pages)?;
    Some(pool.physical + first as u64 * PAGE_SIZE)
}

fn give_back(physical: u64, pages: usize) {
    if let Some(pool) = POOL.lock().as_mut() {
        pool.give_back(physical, pages);
    }
}

fn pointer(physical: u64) -> *mut u8 {
    let offset = HHDM_OFFSET.load(Ordering::Relaxed);
    core::ptr::with_exposed_provenance_mut((offset + physical) as usize)
}

fn pages_of(bytes: usize) -> usize {
    bytes.div_ceil(PAGE_SIZE as usize)
}

/// What the virtio drivers need of the kernel.
pub struct VirtioHal;

// SAFETY: each method's own note.
unsafe impl Hal for VirtioHal {
    fn dma_alloc(pages: usize, _direction: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        let Some(physical) = take(pages) else {
            // Address zero is how the drivers are told that there is none.
            return (0, NonNull::dangling());
        };
        let start = pointer(physical);
        // SAFETY: the pages are frames that `FrameSource` gave to the pool
        // alone, reachable here by its promise, and `take` marked them used
        // until `dma_dealloc`: nobody else has a pointer to them.
        unsafe { start.write_bytes(0, pages * PAGE_SIZE as usize) };
        match NonNull::new(start) {
            Some(start) => (physical, start),
            None => (0, NonNull::dangling()),
        }
    }

    unsafe fn dma_dealloc(physical: PhysAddr, _virtual: NonNull<u8>, pages: usize) -> i32 {
        give_back(physical, pages);
        0
    }

    unsafe fn mmio_phys_to_virt(physical: PhysAddr, _size: usize) -> NonNull<u8> {
        // `crate::pci` maps every memory BAR of a device there before it
        // makes a transport for it. The direct map is never at zero.
        NonNull::new(pointer(physical)).unwrap_or(NonNull::dangling())
    }

    unsafe fn share(buffer: NonNull<[u8]>, direction: BufferDirection) -> PhysAddr {
        // The pool is larger than all that one request shares, and `Disk`
        // never has two under way, so there is room; if there were not, the
        // device would be given address zero, which is not the kernel's.
        let Some(physical) = take(pages_of(buffer.len())) else { return 0 };
        if direction != BufferDirection::DeviceToDriver {
            // SAFETY: the caller promises that the buffer is readable; the
            // pages were just taken, so nothing else points to them, and they
            // are at least as long as the buffer.
            unsafe {
                buffer
                    .cast::<u8>()
                    .as_ptr()
                    .copy_to_nonoverlapping(pointer(physical), buffer.len());
            }
        }
        physical
    }

    unsafe fn unshare(physical: PhysAddr, buffer: NonNull<[u8]>, direction: BufferDirection) {
        if physical == 0 {
            return;
        }
        if direction != BufferDirection::DriverToDevice {
            // SAFETY: the caller promises that the buffer is writable and that
            // `physical` is what `share` gave for it; the device is done.
            unsafe {
                buffer
                    .cast::<u8>()
                    .as_ptr()
                    .copy_from_nonoverlapping(pointer(physical), buffer.len());
            }
        }
        give_back(physical, pages_of(buffer.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_never_gives_a_page_twice_and_takes_all_back() {
        let mut pool = Pool { physical: 0x10_0000, used: 0 };
        let mut taken = Vec::new();
        for pages in [1, 16, 1, 2, 20, 1, 23] {
            let first = pool.take(pages).unwrap();
            taken.push((first, pages));
        }
        assert_eq!(pool.used, u64::MAX);
        assert_eq!(pool.take(1), None);
        let mut owner = [false; PAGES];
        for &(first, pages) in &taken {
            for owned in &mut owner[first..first + pages] {
                assert!(!core::mem::replace(owned, true));
            }
        }
        for (first, pages) in taken {
            pool.give_back(0x10_0000 + first as u64 * PAGE_SIZE, pages);
        }
        assert_eq!(pool.used, 0);
        assert_eq!(pool.take(PAGES), Some(0));
        assert_eq!(pool.take(PAGES + 1), None);
    }
}
