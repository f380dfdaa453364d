//! The tables a kernel is entered with: four levels, pages of 4 KiB and
//! blocks of 2 MiB, on both architectures.
//!
//! The direct map is readable and writable but not executable. The protocol
//! would have it executable too; nothing that holds writable memory to be code
//! needs that, and a kernel that trusts its loader's tables would be the worse
//! for it.

mod aarch64;
mod x86_64;

use core::fmt;
use core::marker::PhantomData;

pub use aarch64::Aarch64;
pub use x86_64::X86_64;

use crate::elf::Image;
use crate::memory::Entry;
use crate::{DIRECT_MAP, PAGE, Protection};

/// Entries in a table.
pub const ENTRIES: usize = 512;

/// Bytes that an entry of the third level maps.
const BLOCK: u64 = 2 << 20;

/// Levels below the top, whose entries lead to further tables.
const LEVELS: [u32; 3] = [39, 30, 21];

/// Physical addresses end here: what both formats hold in an entry.
const PHYSICAL_END: u64 = 1 << 48;

/// Memory for tables.
pub trait Frames {
    /// A page for a table: zeroed, not used for anything else. Its physical
    /// address.
    fn allocate(&mut self) -> Option<u64>;

    /// The table in a page that [`Self::allocate`] gave.
    fn table(&mut self, frame: u64) -> &mut [u64; ENTRIES];
}

/// How an architecture writes its entries.
pub trait Format {
    /// An entry that leads to the table at a physical address.
    fn table(address: u64) -> u64;

    /// An entry that maps ordinary memory at a physical address: a block if
    /// `is_block`, else a page.
    fn leaf(address: u64, protection: Protection, is_block: bool) -> u64;

    /// The table an entry leads to; `None` for a block.
    fn next(entry: u64) -> Option<u64>;
}

/// Why something cannot be mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapError {
    /// There is no more memory for tables.
    OutOfFrames,
    /// It is mapped already.
    Occupied,
    /// An address is not on a page boundary, or beyond what can be mapped.
    BadAddress,
}

impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfFrames => "there is no more memory for page tables",
            Self::Occupied => "two things are to be mapped at one address",
            Self::BadAddress => "an address cannot be mapped",
        })
    }
}

impl core::error::Error for MapError {}

/// A tree of tables that is being made.
pub struct Tables<'f, M, F> {
    frames: &'f mut M,
    root: u64,
    format: PhantomData<F>,
}

impl<'f, M: Frames, F: Format> Tables<'f, M, F> {
    /// An empty tree.
    pub fn new(frames: &'f mut M) -> Result<Self, MapError> {
        let root = frames.allocate().ok_or(MapError::OutOfFrames)?;
        Ok(Self { frames, root, format: PhantomData })
    }

    /// Physical address of the top table.
    pub fn root(&self) -> u64 {
        self.root
    }

    /// Maps a range: whole pages of virtual memory to as many of physical
    /// memory, by blocks where both are aligned for it.
    pub fn map(
        &mut self,
        virtual_address: u64,
        physical: u64,
        length: u64,
        protection: Protection,
    ) -> Result<(), MapError> {
        let all = virtual_address | physical | length;
        let end = physical.checked_add(length).ok_or(MapError::BadAddress)?;
        let virtual_end = virtual_address.checked_add(length);
        if !all.is_multiple_of(PAGE) || end > PHYSICAL_END || virtual_end.is_none() {
            return Err(MapError::BadAddress);
        }
        let mut done = 0;
        while done < length {
            let (at, to) = (virtual_address + done, physical + done);
            let is_block = (at | to).is_multiple_of(BLOCK) && length - done >= BLOCK;
            self.set(at, F::leaf(to, protection, is_block), is_block)?;
            done += if is_block { BLOCK } else { PAGE };
        }
        Ok(())
    }

    /// Maps a kernel that was loaded at a physical address, each part as it
    /// asks.
    pub fn map_kernel(&mut self, image: &Image<'_>, physical: u64) -> Result<(), MapError> {
        for segment in image.segments() {
            let first = segment.first_page();
            let to = physical.checked_add(first - image.base()).ok_or(MapError::BadAddress)?;
            self.map(first, to, segment.pages(), segment.protection)?;
        }
        Ok(())
    }

    /// Maps what the direct map covers of a finished memory map.
    pub fn map_direct(&mut self, memory: &[Entry]) -> Result<(), MapError> {
        for (start, end) in mapped_ranges(memory) {
            let at = start.checked_add(DIRECT_MAP).ok_or(MapError::BadAddress)?;
            self.map(at, start, end - start, Protection::ReadWrite)?;
        }
        Ok(())
    }

    fn set(&mut self, address: u64, leaf: u64, is_block: bool) -> Result<(), MapError> {
        let path = if is_block { &LEVELS[..2] } else { &LEVELS[..] };
        let mut table = self.root;
        for &shift in path {
            table = self.descend(table, index(address, shift))?;
        }
        let last = if is_block { 21 } else { 12 };
        let slot = &mut self.frames.table(table)[index(address, last)];
        if *slot != 0 {
            return Err(MapError::Occupied);
        }
        *slot = leaf;
        Ok(())
    }

    fn descend(&mut self, table: u64, index: usize) -> Result<u64, MapError> {
        let entry = self.frames.table(table)[index];
        if entry != 0 {
            return F::next(entry).ok_or(MapError::Occupied);
        }
        let next = self.frames.allocate().ok_or(MapError::OutOfFrames)?;
        self.frames.table(table)[index] = F::table(next);
        Ok(next)
    }
}

/// Place of an address in the table of the level that resolves bits from
/// `shift` on; always below [`ENTRIES`].
fn index(address: u64, shift: u32) -> usize {
    (address >> shift) as usize % ENTRIES
}

/// The pages that the direct map covers, as ranges of physical addresses:
/// neighbours are one, and a page that two share is in one only.
fn mapped_ranges(memory: &[Entry]) -> impl Iterator<Item = (u64, u64)> {
    let mut entries = memory.iter().filter(|entry| entry.kind.is_mapped()).map(pages).peekable();
    core::iter::from_fn(move || {
        let (start, mut end) = entries.next()?;
        while let Some((_, next)) = entries.next_if(|(next, _)| *next <= end) {
            end = end.max(next);
        }
        Some((start, end))
    })
}

fn pages(entry: &Entry) -> (u64, u64) {
    let end = entry.end().min(PHYSICAL_END).next_multiple_of(PAGE);
    (entry.base.min(PHYSICAL_END) & !(PAGE - 1), end)
}

/// A number of pages that suffices for the tables of a kernel of `image_size`
/// bytes and the direct map of `memory`.
pub fn frames_needed(image_size: u64, memory: &[Entry]) -> u64 {
    // A range costs, at each of the three lower levels, the tables it fills
    // and at most one more at either end; blocks spare the lowest but there.
    let cost = |length: u64| 2 + (length >> 30) + 2 + (length >> 39) + 2;
    let direct: u64 = mapped_ranges(memory).map(|(start, end)| cost(end - start)).sum();
    const TOP: u64 = 1;
    TOP + direct + cost(image_size) + image_size.div_ceil(BLOCK)
}

#[cfg(test)]
mod tests;
