//! An index from keys to slots: slots in the order of their keys.
//!
//! A sorted list has the same cost whatever the keys are, which nobody can
//! make worse by choosing them.

use crate::snapshot::saved;
use alloc::boxed::Box;
use core::cmp::Ordering;

/// Slots, sorted.
#[derive(Debug)]
pub(super) struct Index {
    slots: Box<[u32]>,
    count: usize,
}

impl Index {
    /// Bytes for each slot, with those of [`Occupied`].
    pub(super) const EACH: u64 = (size_of::<u32>() + size_of::<bool>()) as u64;

    /// An empty index for so many slots.
    pub(super) fn new(capacity: u32) -> Self {
        let capacity = usize::try_from(capacity).unwrap_or(usize::MAX);
        Self { slots: alloc::vec![0; capacity].into(), count: 0 }
    }

    /// How many are in it.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.count).unwrap_or(u32::MAX)
    }

    /// Those in it, by key.
    pub(super) fn slots(&self) -> &[u32] {
        self.slots.get(..self.count).unwrap_or_default()
    }

    /// Where the slot is for which `compare` says equal, or where it would be.
    pub(super) fn find(&self, compare: impl Fn(u32) -> Ordering) -> Result<(usize, u32), usize> {
        let found = self.slots().binary_search_by(|slot| compare(*slot));
        let at = found?;
        Ok((at, self.slots().get(at).copied().ok_or(at)?))
    }

    /// Puts a slot into its place. Without room nothing happens: whoever
    /// calls has a free slot, so there is.
    pub(super) fn insert(&mut self, at: usize, slot: u32) {
        let end = self.count.saturating_add(1);
        let Some(tail) = self.slots.get_mut(at..end).filter(|tail| !tail.is_empty()) else {
            return;
        };
        // The last one is beyond the end, and comes to the front.
        tail.rotate_right(1);
        if let Some(first) = tail.first_mut() {
            *first = slot;
        }
        self.count = end;
    }

    /// Takes out the slot at a place.
    pub(super) fn remove(&mut self, at: usize) {
        let Some(tail) = self.slots.get_mut(at..self.count).filter(|tail| !tail.is_empty()) else {
            return;
        };
        tail.rotate_left(1);
        self.count = self.count.saturating_sub(1);
    }
}

/// Which slots are in use.
#[derive(Debug)]
pub(super) struct Occupied {
    slots: Box<[bool]>,
}

impl Occupied {
    pub(super) fn new(slots: u32) -> Self {
        let slots = usize::try_from(slots).unwrap_or(usize::MAX);
        Self { slots: alloc::vec![false; slots].into() }
    }

    /// Whether something is in a slot; none beyond the last.
    pub(super) fn get(&self, slot: u32) -> Option<bool> {
        self.slots.get(usize::try_from(slot).ok()?).copied()
    }

    pub(super) fn set(&mut self, slot: u32, is_occupied: bool) {
        let place = usize::try_from(slot).ok().and_then(|slot| self.slots.get_mut(slot));
        if let Some(place) = place {
            *place = is_occupied;
        }
    }

    /// The first free slot from the key's own on.
    pub(super) fn place(&self, key: u64) -> Option<u32> {
        let slots = u32::try_from(self.slots.len()).ok()?;
        let start = usize::try_from(abi::first_slot(key, slots)).ok()?;
        let (before, after) = self.slots.split_at_checked(start)?;
        let free = |slots: &[bool]| slots.iter().position(|is_occupied| !is_occupied);
        let at = match free(after) {
            Some(at) => start.checked_add(at)?,
            None => free(before)?,
        };
        u32::try_from(at).ok()
    }
}

saved!(struct Index { slots, count });
saved!(struct Occupied { slots });
