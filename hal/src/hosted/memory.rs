//! "Physical" memory in a vector, and page tables in it.

extern crate std;

use std::vec::Vec;

use super::descriptor::Descriptor;
use crate::table::Tables;
use crate::traits::{self, FrameSource, MapError, PAGE_SIZE, Protection};

/// Physical memory from this address on; below it there is none, so that a
/// physical address taken for a pointer, or the other way round, fails.
const BASE: u64 = 0x10_0000;

/// Memory that gives frames, in order, each once.
pub struct Memory {
    pages: Vec<[u64; PAGE_SIZE as usize / 8]>,
    next: usize,
}

impl Memory {
    /// This many frames, filled with ones, as frames need not be clear.
    pub fn new(frames: usize) -> Self {
        Self { pages: std::vec![[u64::MAX; PAGE_SIZE as usize / 8]; frames], next: 0 }
    }

    /// How many frames have been given.
    pub fn given(&self) -> usize {
        self.next
    }
}

// SAFETY: each frame is a part of the vector that was not given before; the
// vector is never resized, so its parts stay at `hhdm_offset` plus their
// address as long as the value lives, which tests keep longer than what uses
// it.
unsafe impl FrameSource for Memory {
    fn hhdm_offset(&self) -> u64 {
        (self.pages.as_ptr().expose_provenance() as u64).wrapping_sub(BASE)
    }

    fn allocate(&mut self) -> Option<u64> {
        self.allocate_contiguous(1)
    }

    fn allocate_contiguous(&mut self, count: u64) -> Option<u64> {
        let first = self.next;
        let end = first.checked_add(usize::try_from(count).ok()?)?;
        if end > self.pages.len() {
            return None;
        }
        self.next = end;
        Some(BASE + first as u64 * PAGE_SIZE)
    }
}

/// Tables of the x86_64 format, which no processor uses here.
pub struct PageTables(Tables<Descriptor>);

impl traits::PageTables for PageTables {
    fn new(frames: &mut dyn FrameSource) -> Result<Self, MapError> {
        Tables::new(frames).map(Self)
    }

    fn map(
        &mut self,
        frames: &mut dyn FrameSource,
        virtual_address: u64,
        physical_address: u64,
        length: u64,
        protection: Protection,
    ) -> Result<(), MapError> {
        self.0.map(frames, virtual_address, physical_address, length, protection)
    }

    fn translate(&self, virtual_address: u64) -> Option<(u64, Protection)> {
        self.0.translate(virtual_address)
    }

    unsafe fn activate(&mut self) {}
}
