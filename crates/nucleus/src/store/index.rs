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
    /// Bytes for so many slots, with those of [`Occupied`].
    pub(super) fn bytes_needed(capacity: u32) -> u64 {
        let words = u64::from(capacity.div_ceil(u64::BITS)).saturating_mul(size_of::<u64>() as u64);
        u64::from(capacity).saturating_mul(size_of::<u32>() as u64).saturating_add(words)
    }

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

/// Which slots are in use: a bit each, so that a search is short.
#[derive(Debug)]
pub(super) struct Occupied {
    words: Box<[u64]>,
    slots: u32,
}

impl Occupied {
    pub(super) fn new(slots: u32) -> Self {
        let words = usize::try_from(slots.div_ceil(u64::BITS)).unwrap_or(usize::MAX);
        Self { words: alloc::vec![0; words].into(), slots }
    }

    /// Whether something is in a slot; none beyond the last.
    pub(super) fn get(&self, slot: u32) -> Option<bool> {
        let (word, bit) = self.at(slot)?;
        Some(self.words.get(word)? & bit != 0)
    }

    pub(super) fn set(&mut self, slot: u32, is_occupied: bool) {
        let Some((word, bit)) = self.at(slot) else { return };
        let Some(word) = self.words.get_mut(word) else { return };
        match is_occupied {
            true => *word |= bit,
            false => *word &= !bit,
        }
    }

    /// Where a slot's bit is.
    fn at(&self, slot: u32) -> Option<(usize, u64)> {
        let word = usize::try_from(slot / u64::BITS).ok()?;
        (slot < self.slots).then_some((word, 1 << (slot % u64::BITS)))
    }

    /// The first free slot from the key's own on.
    pub(super) fn place(&self, key: u64) -> Option<u32> {
        let start = abi::first_slot(key, self.slots);
        self.free(start, self.slots).or_else(|| self.free(0, start))
    }

    /// The first free slot of a range.
    fn free(&self, start: u32, end: u32) -> Option<u32> {
        let mut slot = start;
        while slot < end {
            let (word, bit) = self.at(slot)?;
            // Those before the slot do not count.
            let taken = self.words.get(word)? | bit.wrapping_sub(1);
            let first = slot - slot % u64::BITS;
            if taken != u64::MAX {
                let free = first.checked_add(taken.trailing_ones())?;
                return (free < end).then_some(free);
            }
            slot = first.checked_add(u64::BITS)?;
        }
        None
    }
}

saved!(struct Index { slots, count });
saved!(struct Occupied { words, slots });

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_free_slot_is_found_as_by_looking_at_one_after_the_other(
            slots in 1u32..300, taken in proptest::collection::vec(0u32..300, 0..600), key: u64,
        ) {
            let mut occupied = Occupied::new(slots);
            let mut plain = alloc::vec![false; slots as usize];
            for (number, slot) in taken.into_iter().enumerate() {
                let is_occupied = number % 5 != 0;
                occupied.set(slot, is_occupied);
                if let Some(place) = plain.get_mut(slot as usize) {
                    *place = is_occupied;
                }
            }
            for slot in 0..slots + 2 {
                prop_assert_eq!(occupied.get(slot), plain.get(slot as usize).copied());
            }
            let start = abi::first_slot(key, slots);
            let free = (start..slots).chain(0..start).find(|slot| !plain[*slot as usize]);
            prop_assert_eq!(occupied.place(key), free);
        }
    }
}
