//! Regions: making them, and copying from and to them.

use abi::{Error, Operation, RegionMode};

use super::{Memory, Region, Slab, to_handle, to_length};
use crate::imports::{self, answer};

/// A slot of a slab, as long as nobody frees it: its number and generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlabSlot(pub u64);

impl Memory {
    /// `region_map`, create: a region with this content for good. Needs WRITE.
    ///
    /// # Errors
    /// [`Error::ByteBudget`], [`Error::TableFull`].
    pub fn immutable(self, content: &[u8]) -> Result<Region, Error> {
        self.create(RegionMode::Immutable, content).map(Region)
    }

    /// `region_map`, create: a region of at most so many bytes that only
    /// grows, at its end. Needs WRITE.
    ///
    /// # Errors
    /// As [`Self::immutable`], and [`Error::BadArgument`] for no bytes.
    pub fn append_only(self, bytes: u32) -> Result<Region, Error> {
        self.create(RegionMode::Append(bytes), &[]).map(Region)
    }

    /// `region_map`, create: slots of one size, below 2^24 bytes. Needs WRITE.
    ///
    /// # Errors
    /// As [`Self::append_only`].
    pub fn slab(self, slot_bytes: u32, slots: u32) -> Result<Slab, Error> {
        self.create(RegionMode::Slab { slot_bytes, slots }, &[]).map(Slab)
    }

    fn create(self, mode: RegionMode, content: &[u8]) -> Result<abi::Handle, Error> {
        let word = mode.to_word().ok_or(Error::BadArgument)?;
        answer(imports::region_from(self.0.0, Operation::Create, word, content)).and_then(to_handle)
    }
}

impl Region {
    /// `region_map`, read, of no bytes: the region's size in bytes. Needs
    /// READ.
    ///
    /// # Errors
    /// Any refusal of the capability.
    pub fn size(self) -> Result<u64, Error> {
        answer(imports::region_into(self.0.0, Operation::Read, 0, &mut []))
    }

    /// `region_map`, read: copies from byte `offset` on into all of `into`.
    /// Needs READ.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where the region ends before `into` is filled.
    pub fn read(self, offset: u64, into: &mut [u8]) -> Result<(), Error> {
        if into.is_empty() {
            return Ok(());
        }
        let length = into.len();
        let copied = answer(imports::region_into(self.0.0, Operation::Read, offset, into))?;
        if to_length(copied)? == length { Ok(()) } else { Err(Error::OutOfRange) }
    }

    /// Reads the whole region into the front of `buffer`.
    ///
    /// # Errors
    /// [`Error::BadLength`] if it does not fit.
    pub fn read_all(self, buffer: &mut [u8]) -> Result<&mut [u8], Error> {
        let size = usize::try_from(self.size()?).map_err(|_| Error::BadLength)?;
        let into = buffer.get_mut(..size).ok_or(Error::BadLength)?;
        self.read(0, into)?;
        Ok(into)
    }

    /// `region_map`, append: adds bytes at the end of an append-only region.
    /// Returns where they begin. Needs WRITE.
    ///
    /// # Errors
    /// [`Error::WrongMode`] where the region is of another type,
    /// [`Error::RegionFull`].
    pub fn append(self, bytes: &[u8]) -> Result<u64, Error> {
        answer(imports::region_from(self.0.0, Operation::Append, 0, bytes))
    }
}

impl Slab {
    /// `region_map`, append: puts bytes into a free slot. Needs WRITE.
    ///
    /// # Errors
    /// [`Error::RegionFull`]; [`Error::OutOfRange`] for more than fit a slot.
    pub fn take(self, bytes: &[u8]) -> Result<SlabSlot, Error> {
        answer(imports::region_from(self.0.0, Operation::Append, 0, bytes)).map(SlabSlot)
    }

    /// `region_map`, write: replaces what is in a slot. Needs WRITE.
    ///
    /// # Errors
    /// [`Error::StaleSlot`] for one that was freed since,
    /// [`Error::OutOfRange`].
    pub fn write(self, slot: SlabSlot, bytes: &[u8]) -> Result<(), Error> {
        answer(imports::region_from(self.0.0, Operation::Write, slot.0, bytes)).map(drop)
    }

    /// `region_map`, read: what is in a slot, as far as it fits. Needs READ.
    ///
    /// # Errors
    /// [`Error::StaleSlot`].
    pub fn read(self, slot: SlabSlot, into: &mut [u8]) -> Result<&mut [u8], Error> {
        let read = imports::region_into(self.0.0, Operation::Read, slot.0, into);
        let length = to_length(answer(read)?)?;
        into.get_mut(..length).ok_or(Error::BadLength)
    }

    /// `region_map`, free: gives a slot back. Its name is stale from then on.
    /// Needs WRITE.
    ///
    /// # Errors
    /// [`Error::StaleSlot`].
    pub fn free(self, slot: SlabSlot) -> Result<(), Error> {
        answer(imports::region_from(self.0.0, Operation::Free, slot.0, &[])).map(drop)
    }
}
