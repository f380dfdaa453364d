//! Device registers and firmware tables, mapped into the direct map.
//!
//! The loader's promise covers RAM only, and the kernel's own tables begin
//! with no more than that. Whoever needs other physical memory asks for it
//! here by its range, and finds it at the same offset as RAM.

use crate::traits::{DiscoverError, FrameSource, MapError, PAGE_SIZE, PageTables, Protection};

/// Physical addresses from here on are refused: they would leave the part of
/// the address space that belongs to the direct map (see [`crate::layout`]).
const PHYSICAL_END: u64 = 0x7e00_0000_0000;

/// Reads physical memory that belongs to the firmware.
pub trait FirmwareMemory {
    /// `length` bytes from `physical` on; they stay as they are for good.
    fn read(&mut self, physical: u64, length: usize) -> Result<&'static [u8], DiscoverError>;
}

/// Maps parts of physical memory into tables that are in use.
pub struct Window<'a, P> {
    tables: &'a mut P,
    frames: &'a mut dyn FrameSource,
}

impl<'a, P: PageTables> Window<'a, P> {
    /// A window over `tables`, which are active.
    pub fn new(tables: &'a mut P, frames: &'a mut dyn FrameSource) -> Self {
        Self { tables, frames }
    }

    /// Physical address zero in the direct map.
    pub fn hhdm_offset(&self) -> u64 {
        self.frames.hhdm_offset()
    }

    /// Frames for DMA and tables.
    pub fn frames(&mut self) -> &mut dyn FrameSource {
        self.frames
    }

    /// Maps device registers and gives their virtual address. Asking twice
    /// for the same registers is fine; RAM is refused.
    pub fn device(&mut self, physical: u64, length: u64) -> Result<u64, DiscoverError> {
        self.map(physical, length, Protection::Device)
    }

    fn map(
        &mut self,
        physical: u64,
        length: u64,
        protection: Protection,
    ) -> Result<u64, DiscoverError> {
        let end = physical
            .checked_add(length)
            .filter(|&end| length > 0 && end <= PHYSICAL_END)
            .ok_or(DiscoverError::Map(MapError::BadAddress))?;
        let offset = self.frames.hhdm_offset();
        let first = physical - physical % PAGE_SIZE;
        let end = end.next_multiple_of(PAGE_SIZE);
        let mut page = first;
        while page < end {
            let mut run = page;
            while run < end && self.tables.translate(offset + run).is_none() {
                run += PAGE_SIZE;
            }
            if run > page {
                self.tables
                    .map(self.frames, offset + page, page, run - page, protection)
                    .map_err(DiscoverError::Map)?;
                page = run;
                continue;
            }
            let there = self.tables.translate(offset + page).map(|(_, there)| there);
            if protection == Protection::Device && there != Some(Protection::Device) {
                return Err(DiscoverError::Map(MapError::AlreadyMapped));
            }
            page += PAGE_SIZE;
        }
        Ok(offset + physical)
    }
}

impl<P: PageTables> FirmwareMemory for Window<'_, P> {
    fn read(&mut self, physical: u64, length: usize) -> Result<&'static [u8], DiscoverError> {
        let at = self.map(physical, length as u64, Protection::ReadOnly)?;
        let start = core::ptr::with_exposed_provenance::<u8>(at as usize);
        // SAFETY: `map` saw to it that each page of the range is mapped, and
        // mappings are never taken back. What the firmware describes as its
        // tables is not given out as RAM (the memory map keeps it reserved),
        // so nothing writes to it while the kernel runs.
        Ok(unsafe { core::slice::from_raw_parts(start, length) })
    }
}
