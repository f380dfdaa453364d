//! Regions: bytes outside of any task's memory.
//!
//! An immutable region is set once. An append-only region has a cursor that
//! only goes forward, and what is before it never changes. A slab is slots of
//! one size, each of which can be freed and taken again; a slot's handle
//! carries its generation, so that a stale one is refused.

use crate::snapshot::saved;
use abi::{Error, RegionMode};
use alloc::{boxed::Box, sync::Arc};
use witness::Hash;

/// Bytes outside of any task's memory.
#[derive(Debug)]
pub struct Region {
    form: Form,
    /// Whether a task made it, so that it goes when nobody holds it.
    created: bool,
}

#[derive(Debug)]
enum Form {
    Immutable { bytes: Arc<[u8]>, digest: Hash },
    Append { bytes: Box<[u8]>, cursor: usize },
    Slab(Slab),
}

#[derive(Debug)]
struct Slab {
    slot_bytes: usize,
    bytes: Box<[u8]>,
    slots: Box<[SlabSlot]>,
    /// First free slot.
    free: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
struct SlabSlot {
    generation: u32,
    /// Bytes in it; none while it is free.
    length: Option<u32>,
    next_free: Option<u32>,
}

/// Most bytes of one region.
const REGION_MAX: u64 = 1 << 30;

/// Bytes of memory that a region of this mode takes, beside its content.
///
/// # Errors
/// [`Error::BadArgument`] for nothing at all, or too much.
pub(crate) fn cost(mode: RegionMode) -> Result<u64, Error> {
    let bytes = match mode {
        RegionMode::Immutable => return Ok(0),
        RegionMode::Append(bytes) => u64::from(bytes),
        RegionMode::Slab { slot_bytes: 0, .. } => 0,
        RegionMode::Slab { slot_bytes, slots } => {
            let each = u64::from(slot_bytes).saturating_add(size_of::<SlabSlot>() as u64);
            each.saturating_mul(u64::from(slots))
        }
    };
    if bytes == 0 || bytes > REGION_MAX { Err(Error::BadArgument) } else { Ok(bytes) }
}

impl Region {
    /// One of a package.
    pub(crate) fn packaged(bytes: Arc<[u8]>, digest: Hash) -> Self {
        Self { form: Form::Immutable { bytes, digest }, created: false }
    }

    /// One with content that a task gave.
    pub(crate) fn immutable(bytes: Arc<[u8]>, digest: Hash) -> Self {
        Self { form: Form::Immutable { bytes, digest }, created: true }
    }

    /// An empty one. Allocates.
    pub(crate) fn empty(mode: RegionMode) -> Self {
        let zeros = |bytes: usize| alloc::vec![0; bytes].into_boxed_slice();
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let form = match mode {
            RegionMode::Immutable => {
                Form::Immutable { bytes: Arc::from([]), digest: witness::sha256::EMPTY }
            }
            RegionMode::Append(bytes) => Form::Append { bytes: zeros(size(bytes)), cursor: 0 },
            RegionMode::Slab { slot_bytes, slots } => {
                let next = |number: u32| number.checked_add(1).filter(|next| *next < slots);
                let slot =
                    |number| SlabSlot { generation: 0, length: None, next_free: next(number) };
                Form::Slab(Slab {
                    slot_bytes: size(slot_bytes),
                    bytes: zeros(size(slot_bytes).saturating_mul(size(slots))),
                    slots: (0..slots).map(slot).collect(),
                    free: if slots == 0 { None } else { Some(0) },
                })
            }
        };
        Self { form, created: true }
    }

    pub(crate) fn is_created(&self) -> bool {
        self.created
    }

    /// Bytes that can be read: content, what was appended, or all slots.
    pub fn size(&self) -> u64 {
        let bytes = match &self.form {
            Form::Immutable { bytes, .. } => bytes.len(),
            Form::Append { cursor, .. } => *cursor,
            Form::Slab(slab) => slab.bytes.len(),
        };
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Bytes of memory that it takes from its partition's budget.
    pub fn cost(&self) -> u64 {
        let bytes = match &self.form {
            Form::Immutable { bytes, .. } => bytes.len(),
            Form::Append { bytes, .. } => bytes.len(),
            Form::Slab(slab) => {
                slab.bytes.len().saturating_add(size_of_val::<[SlabSlot]>(&slab.slots))
            }
        };
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// What kind it is, in a word.
    pub fn mode(&self) -> &'static str {
        match &self.form {
            Form::Immutable { .. } => "immutable",
            Form::Append { .. } => "append-only",
            Form::Slab(_) => "slab",
        }
    }

    /// The content, where it can never change, with its SHA-256.
    pub fn content(&self) -> Option<(&Arc<[u8]>, &Hash)> {
        match &self.form {
            Form::Immutable { bytes, digest } => Some((bytes, digest)),
            _ => None,
        }
    }

    /// The bytes from `offset` on: of an immutable region, of what was
    /// appended, or of the slot that `offset` names.
    ///
    /// # Errors
    /// [`Error::OutOfRange`], [`Error::StaleSlot`].
    pub(crate) fn read(&self, offset: u64) -> Result<&[u8], Error> {
        let bytes = match &self.form {
            Form::Immutable { bytes, .. } => bytes,
            Form::Append { bytes, cursor } => bytes.get(..*cursor).unwrap_or_default(),
            Form::Slab(slab) => return slab.read(offset),
        };
        let offset = usize::try_from(offset).map_err(|_| Error::OutOfRange)?;
        bytes.get(offset..).ok_or(Error::OutOfRange)
    }

    /// Whether these bytes are there and can never change.
    ///
    /// # Errors
    /// [`Error::WrongMode`] for a slab, [`Error::OutOfRange`].
    pub(crate) fn settled(&self, offset: u64, length: u64) -> Result<(), Error> {
        if let Form::Slab(_) = self.form {
            return Err(Error::WrongMode);
        }
        let end = offset.checked_add(length).ok_or(Error::OutOfRange)?;
        if end <= self.size() { Ok(()) } else { Err(Error::OutOfRange) }
    }

    /// Adds at the end, or takes a slot. Gives the offset, or the slot's
    /// handle.
    ///
    /// # Errors
    /// [`Error::WrongMode`], [`Error::RegionFull`], [`Error::OutOfRange`] for
    /// more than a slot holds.
    pub(crate) fn append(&mut self, new: &[u8]) -> Result<u64, Error> {
        match &mut self.form {
            Form::Immutable { .. } => Err(Error::WrongMode),
            Form::Append { bytes, cursor } => {
                let room = bytes.get_mut(*cursor..).unwrap_or_default();
                let room = room.get_mut(..new.len()).ok_or(Error::RegionFull)?;
                copy(room, new);
                let begins = u64::try_from(*cursor).map_err(|_| Error::RegionFull)?;
                *cursor = cursor.saturating_add(new.len());
                Ok(begins)
            }
            Form::Slab(slab) => slab.take(new),
        }
    }

    /// Replaces what is in a slot.
    ///
    /// # Errors
    /// [`Error::WrongMode`], [`Error::OutOfRange`], [`Error::StaleSlot`].
    pub(crate) fn write(&mut self, slot: u64, new: &[u8]) -> Result<(), Error> {
        match &mut self.form {
            Form::Slab(slab) => slab.write(slot, new),
            _ => Err(Error::WrongMode),
        }
    }

    /// Gives a slot back.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn free(&mut self, slot: u64) -> Result<(), Error> {
        match &mut self.form {
            Form::Slab(slab) => slab.free(slot),
            _ => Err(Error::WrongMode),
        }
    }
}

impl Slab {
    /// The number of the slot that a handle names.
    fn named(&self, handle: u64) -> Result<(u32, &SlabSlot), Error> {
        // The halves of the handle.
        let (number, generation) = (handle as u32, (handle >> 32) as u32);
        let at = usize::try_from(number).map_err(|_| Error::OutOfRange)?;
        let slot = self.slots.get(at).ok_or(Error::OutOfRange)?;
        if slot.generation != generation || slot.length.is_none() {
            return Err(Error::StaleSlot);
        }
        Ok((number, slot))
    }

    fn place(&self, number: u32) -> core::ops::Range<usize> {
        let start = usize::try_from(number).unwrap_or(usize::MAX).saturating_mul(self.slot_bytes);
        start..start.saturating_add(self.slot_bytes)
    }

    fn read(&self, handle: u64) -> Result<&[u8], Error> {
        let (number, slot) = self.named(handle)?;
        let length = usize::try_from(slot.length.unwrap_or(0)).map_err(|_| Error::OutOfRange)?;
        let bytes = self.bytes.get(self.place(number)).ok_or(Error::OutOfRange)?;
        bytes.get(..length).ok_or(Error::OutOfRange)
    }

    fn take(&mut self, new: &[u8]) -> Result<u64, Error> {
        let number = self.free.ok_or(Error::RegionFull)?;
        self.fill(number, new)?;
        let slot = self.slot_mut(number)?;
        let generation = slot.generation;
        self.free = slot.next_free.take();
        Ok(u64::from(generation) << 32 | u64::from(number))
    }

    fn write(&mut self, handle: u64, new: &[u8]) -> Result<(), Error> {
        let (number, _) = self.named(handle)?;
        self.fill(number, new)
    }

    fn free(&mut self, handle: u64) -> Result<(), Error> {
        let (number, _) = self.named(handle)?;
        let next = self.free;
        let slot = self.slot_mut(number)?;
        slot.length = None;
        // A slot whose generations are used up is never free again.
        if let Some(generation) = slot.generation.checked_add(1) {
            slot.generation = generation;
            slot.next_free = next;
            self.free = Some(number);
        }
        Ok(())
    }

    fn fill(&mut self, number: u32, new: &[u8]) -> Result<(), Error> {
        let place = self.place(number);
        let bytes = self.bytes.get_mut(place).ok_or(Error::OutOfRange)?;
        let bytes = bytes.get_mut(..new.len()).ok_or(Error::OutOfRange)?;
        copy(bytes, new);
        let length = u32::try_from(new.len()).map_err(|_| Error::OutOfRange)?;
        self.slot_mut(number)?.length = Some(length);
        Ok(())
    }

    fn slot_mut(&mut self, number: u32) -> Result<&mut SlabSlot, Error> {
        let at = usize::try_from(number).map_err(|_| Error::OutOfRange)?;
        self.slots.get_mut(at).ok_or(Error::OutOfRange)
    }
}

/// Copies as much as both have.
pub(crate) fn copy(to: &mut [u8], from: &[u8]) {
    let count = to.len().min(from.len());
    if let (Some(to), Some(from)) = (to.get_mut(..count), from.get(..count)) {
        to.copy_from_slice(from);
    }
}

saved!(struct Region { form, created });
saved!(enum Form { 0 Immutable { bytes, digest }, 1 Append { bytes, cursor }, 2 Slab(slab) });
saved!(struct Slab { slot_bytes, bytes, slots, free });
saved!(struct SlabSlot { generation, length, next_free });

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{collections::BTreeMap, vec::Vec};

    #[test]
    fn what_was_appended_stays_and_the_end_is_refused() {
        let mut region = Region::empty(RegionMode::Append(8));
        assert_eq!(region.append(b"abc"), Ok(0));
        assert_eq!(region.append(b"defgh"), Ok(3));
        assert_eq!(region.append(b"i"), Err(Error::RegionFull));
        assert_eq!(region.read(0).unwrap(), b"abcdefgh");
        assert_eq!(region.write(0, b"x"), Err(Error::WrongMode));
        assert_eq!(region.free(0), Err(Error::WrongMode));
        assert_eq!(region.read(9), Err(Error::OutOfRange));
        assert_eq!(region.settled(8, 0), Ok(()));
        assert_eq!(region.settled(u64::MAX, 1), Err(Error::OutOfRange));
    }

    #[test]
    fn sizes_that_mean_nothing_are_refused() {
        for mode in [
            RegionMode::Append(0),
            RegionMode::Append(u32::MAX),
            RegionMode::Slab { slot_bytes: 0, slots: 4 },
            RegionMode::Slab { slot_bytes: 4, slots: 0 },
            RegionMode::Slab { slot_bytes: u32::MAX, slots: u32::MAX },
        ] {
            assert_eq!(cost(mode), Err(Error::BadArgument), "{mode:?}");
        }
    }

    proptest! {
        /// Against a map from live handles to contents.
        #[test]
        fn a_slab_is_a_map_by_handle(steps in proptest::collection::vec((0u8..4, any::<u8>(), 0usize..6), 0..200)) {
            let mut region = Region::empty(RegionMode::Slab { slot_bytes: 4, slots: 5 });
            let mut live: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
            let mut dead: Vec<u64> = Vec::new();
            for (action, byte, length) in steps {
                let content = std::vec![byte; length];
                let some = live.keys().copied().nth(usize::from(byte) % live.len().max(1));
                match (action, some) {
                    (0 | 1, _) => match region.append(&content) {
                        Ok(handle) => {
                            prop_assert!(!live.contains_key(&handle) && !dead.contains(&handle));
                            live.insert(handle, content);
                        }
                        Err(Error::OutOfRange) => prop_assert!(length > 4),
                        Err(error) => {
                            prop_assert_eq!(error, Error::RegionFull);
                            prop_assert_eq!(live.len(), 5);
                        }
                    },
                    (2, Some(handle)) => {
                        let written = region.write(handle, &content);
                        prop_assert_eq!(written.is_ok(), length <= 4);
                        if written.is_ok() {
                            live.insert(handle, content);
                        }
                    }
                    (3, Some(handle)) => {
                        region.free(handle).unwrap();
                        live.remove(&handle);
                        dead.push(handle);
                    }
                    _ => {}
                }
                for (handle, content) in &live {
                    prop_assert_eq!(region.read(*handle).unwrap(), content);
                }
                for handle in &dead {
                    prop_assert_eq!(region.read(*handle), Err(Error::StaleSlot));
                    prop_assert_eq!(region.write(*handle, b""), Err(Error::StaleSlot));
                    prop_assert_eq!(region.free(*handle), Err(Error::StaleSlot));
                }
            }
        }
    }
}
