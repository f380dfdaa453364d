//! Memory that the VideoCore of a BCM2711 sees too.
//!
//! It does not look into the processor's caches, so what is meant for it is
//! written back, and what it wrote is read anew.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

use aarch64_cpu::asm::barrier;

use crate::bcm2711::mailbox::{Message, Shared, WORDS};
use crate::boot::BootInfo;

/// Where the VideoCore sees memory past its own caches (BCM2711 ARM
/// Peripherals, 1.2.4): that much of it, from this address on.
const ALIAS: u32 = 0xc000_0000;
const ALIAS_LENGTH: u64 = 0x4000_0000;

/// Bytes between two steps through a message: no data cache of Armv8-A has
/// shorter lines.
const STEP: u64 = 16;

/// Room for one message, in lines of the cache that nothing else lies in.
#[repr(C, align(64))]
struct Room(UnsafeCell<[u8; 64]>);

// SAFETY: reached through the one `SharedLine` there is.
unsafe impl Sync for Room {}

/// Part of the kernel's image, which loaders put low: a page taken when the
/// heap has its own may lie where the VideoCore does not reach.
static ROOM: Room = Room(UnsafeCell::new([0; 64]));

/// Whether it was taken.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// The place of one message.
pub struct SharedLine {
    /// Where the VideoCore sees it.
    bus: u32,
    /// Where the processor does.
    at: u64,
}

impl SharedLine {
    /// Takes it. `None` the second time, and where the kernel lies beyond what
    /// the VideoCore reaches.
    pub fn take(boot: &BootInfo<'_>) -> Option<Self> {
        let at = ROOM.0.get().expose_provenance() as u64;
        let physical = at.wrapping_sub(boot.kernel_virtual).wrapping_add(boot.kernel_physical);
        if physical >= ALIAS_LENGTH || IS_TAKEN.swap(true, Ordering::Relaxed) {
            return None;
        }
        Some(Self { bus: ALIAS | u32::try_from(physical).ok()?, at })
    }

    fn word(&self, index: usize) -> *mut u32 {
        core::ptr::with_exposed_provenance_mut((self.at + 4 * index as u64) as usize)
    }

    /// Has caches and memory say the same, and the caches forget it.
    fn write_back(&self) {
        barrier::dsb(barrier::SY);
        for offset in (0..4 * WORDS as u64).step_by(STEP as usize) {
            let at = self.at + offset;
            // SAFETY: the room is this object's, and mapped; what it holds
            // does not change for who looks through the caches, unless the
            // VideoCore has written it, which is what is asked for.
            unsafe {
                core::arch::asm!("dc civac, {}", in(reg) at, options(nostack, preserves_flags))
            };
        }
        barrier::dsb(barrier::SY);
    }
}

impl Shared for SharedLine {
    fn bus_address(&self) -> u32 {
        self.bus
    }

    fn put(&mut self, message: &Message) {
        for (index, &word) in message.iter().enumerate() {
            // SAFETY: a message is shorter than the room, which is this
            // object's alone, at this address.
            unsafe { self.word(index).write_volatile(word) };
        }
        self.write_back();
    }

    fn take(&mut self) -> Message {
        self.write_back();
        core::array::from_fn(|index| {
            // SAFETY: as above; any bytes are a number.
            unsafe { self.word(index).read_volatile() }
        })
    }
}
