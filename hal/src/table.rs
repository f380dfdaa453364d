//! Four-level page tables of 4 KiB pages and 2 MiB blocks, for any
//! architecture.
//!
//! x86_64 and AArch64 with a 4 KiB granule agree on the shape: 512 entries of
//! 64 bits a table, nine address bits a level, four levels. What the bits of
//! an entry mean is the port's [`Format`]. The walker itself is ordinary code
//! over memory that a [`FrameSource`] gives, so the host runs its tests.

use core::marker::PhantomData;

use crate::traits::{FrameSource, MapError, PAGE_SIZE, Protection};

/// Bytes that one block entry at level 1 maps.
pub const BLOCK_SIZE: u64 = 2 << 20;

/// Entries in a table.
const ENTRIES: u64 = 512;

/// What an entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Nothing is mapped.
    Empty,
    /// The table of the next level is in this frame.
    Table(u64),
    /// A page, or at level 1 a block, at this physical address.
    Leaf(u64, Protection),
}

/// An architecture's encoding of entries.
pub trait Format {
    /// An entry that points to a table.
    fn table(physical: u64) -> u64;
    /// An entry that maps a page (level 0) or a block (level 1).
    fn leaf(physical: u64, level: u32, protection: Protection) -> u64;
    /// What an entry of this level says.
    fn decode(entry: u64, level: u32) -> Entry;
    /// Whether tables of this architecture can map an address at all.
    fn is_canonical(address: u64) -> bool;
    /// Makes entries written before visible to the table walker.
    fn publish();
}

/// A tree of tables.
pub struct Tables<F> {
    root: u64,
    hhdm_offset: u64,
    format: PhantomData<F>,
}

impl<F: Format> Tables<F> {
    /// An empty tree.
    pub fn new(frames: &mut dyn FrameSource) -> Result<Self, MapError> {
        let mut tables = Self { root: 0, hhdm_offset: frames.hhdm_offset(), format: PhantomData };
        tables.root = tables.new_table(frames)?;
        Ok(tables)
    }

    /// Physical address of the top table.
    pub fn root(&self) -> u64 {
        self.root
    }

    /// See [`crate::traits::PageTables::map`].
    pub fn map(
        &mut self,
        frames: &mut dyn FrameSource,
        virtual_address: u64,
        physical_address: u64,
        length: u64,
        protection: Protection,
    ) -> Result<(), MapError> {
        if !(virtual_address | physical_address | length).is_multiple_of(PAGE_SIZE) || length == 0 {
            return Err(MapError::BadAddress);
        }
        let last = virtual_address.checked_add(length - 1).ok_or(MapError::BadAddress)?;
        physical_address.checked_add(length - 1).ok_or(MapError::BadAddress)?;
        if !F::is_canonical(virtual_address)
            || !F::is_canonical(last)
            || virtual_address >> 63 != last >> 63
        {
            return Err(MapError::BadAddress);
        }

        let mut done = 0;
        while done < length {
            let at = virtual_address + done;
            let to = physical_address + done;
            let block = (at | to).is_multiple_of(BLOCK_SIZE) && length - done >= BLOCK_SIZE;
            let level = if block { 1 } else { 0 };
            self.map_one(frames, at, to, level, protection)?;
            done += if block { BLOCK_SIZE } else { PAGE_SIZE };
        }
        F::publish();
        Ok(())
    }

    /// See [`crate::traits::PageTables::translate`].
    pub fn translate(&self, virtual_address: u64) -> Option<(u64, Protection)> {
        if !F::is_canonical(virtual_address) {
            return None;
        }
        let mut table = self.root;
        for level in (0..4).rev() {
            match F::decode(self.read(table, index(virtual_address, level)), level) {
                Entry::Empty => return None,
                Entry::Table(next) => table = next,
                Entry::Leaf(physical, protection) => {
                    let offset = virtual_address % (PAGE_SIZE << (9 * level));
                    return Some((physical + offset, protection));
                }
            }
        }
        None
    }

    fn map_one(
        &mut self,
        frames: &mut dyn FrameSource,
        virtual_address: u64,
        physical_address: u64,
        leaf_level: u32,
        protection: Protection,
    ) -> Result<(), MapError> {
        let mut table = self.root;
        for level in (leaf_level + 1..4).rev() {
            let slot = index(virtual_address, level);
            table = match F::decode(self.read(table, slot), level) {
                Entry::Table(next) => next,
                Entry::Leaf(..) => return Err(MapError::AlreadyMapped),
                Entry::Empty => {
                    let next = self.new_table(frames)?;
                    // The cleared table must be seen before the entry that
                    // makes the hardware walk into it.
                    F::publish();
                    self.write(table, slot, F::table(next));
                    next
                }
            };
        }
        let slot = index(virtual_address, leaf_level);
        if F::decode(self.read(table, slot), leaf_level) != Entry::Empty {
            return Err(MapError::AlreadyMapped);
        }
        self.write(table, slot, F::leaf(physical_address, leaf_level, protection));
        Ok(())
    }

    fn new_table(&mut self, frames: &mut dyn FrameSource) -> Result<u64, MapError> {
        let table = frames.allocate().ok_or(MapError::OutOfFrames)?;
        for slot in 0..ENTRIES {
            self.write(table, slot, 0);
        }
        Ok(table)
    }

    fn read(&self, table: u64, slot: u64) -> u64 {
        // SAFETY: as for `write`; reading needs no more.
        unsafe { self.entry(table, slot).read_volatile() }
    }

    fn write(&mut self, table: u64, slot: u64, entry: u64) {
        // SAFETY: `table` is a frame that a `FrameSource` gave for this tree
        // alone (the root, or what `Format::decode` finds in entries that
        // only `map_one` wrote), so it is readable and writable through the
        // direct map by that trait's promise, and no reference to it exists.
        // `slot` is below 512, so the access stays in the frame, aligned.
        unsafe { self.entry(table, slot).write_volatile(entry) }
    }

    fn entry(&self, table: u64, slot: u64) -> *mut u64 {
        debug_assert!(slot < ENTRIES);
        core::ptr::with_exposed_provenance_mut(
            self.hhdm_offset.wrapping_add(table + slot * 8) as usize
        )
    }
}

/// Slot of an address in a table of a level.
fn index(address: u64, level: u32) -> u64 {
    (address >> (12 + 9 * level)) % ENTRIES
}
