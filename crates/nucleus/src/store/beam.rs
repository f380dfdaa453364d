//! What a search has found so far: the nearest, in order, and what it has
//! seen.

use super::metric::Near;
use crate::snapshot::saved;
use alloc::boxed::Box;

/// Most slots kept in view by any search.
pub(super) const BREADTH_MAX: usize = 256;

/// The nearest found, nearest first.
#[derive(Debug)]
pub(super) struct Beam {
    /// Each with whether its links were followed.
    places: Box<[(Near, bool)]>,
    count: usize,
    /// When a slot was last seen, by number of the search.
    seen: Box<[u32]>,
    search: u32,
}

impl Beam {
    pub(super) fn new(slots: usize) -> Self {
        Self {
            places: alloc::vec![(Near::default(), false); BREADTH_MAX].into(),
            count: 0,
            seen: alloc::vec![0; slots].into(),
            search: 0,
        }
    }

    /// Bytes that a beam over so many slots takes.
    pub(super) fn bytes_needed(slots: usize) -> usize {
        let places = BREADTH_MAX * size_of::<(Near, bool)>();
        slots.saturating_mul(size_of::<u32>()).saturating_add(places)
    }

    /// Forgets what was found and seen.
    pub(super) fn clear(&mut self) {
        self.count = 0;
        self.search = self.search.wrapping_add(1);
        if self.search == 0 {
            self.seen.fill(0);
            self.search = 1;
        }
    }

    /// Marks a slot as seen; whether it was not before.
    pub(super) fn see(&mut self, slot: u32) -> bool {
        let search = self.search;
        let place = usize::try_from(slot).ok().and_then(|slot| self.seen.get_mut(slot));
        place.is_some_and(|seen| core::mem::replace(seen, search) != search)
    }

    /// The nearest whose links were not followed yet, which they are now.
    pub(super) fn next(&mut self) -> Option<u32> {
        let mut places = self.places.iter_mut().take(self.count);
        let (near, is_done) = places.find(|(_, is_done)| !is_done)?;
        *is_done = true;
        Some(near.slot)
    }

    /// Keeps a slot if it is among the nearest `breadth`.
    pub(super) fn admit(&mut self, near: Near, breadth: usize) {
        let places = self.places.get(..self.count).unwrap_or_default();
        let at = places.partition_point(|(other, _)| *other < near);
        if at >= breadth {
            return;
        }
        let end = self.count.saturating_add(1).min(breadth);
        if let Some(tail) = self.places.get_mut(at..end).filter(|tail| !tail.is_empty()) {
            tail.rotate_right(1);
            if let Some(place) = tail.first_mut() {
                *place = (near, false);
            }
            self.count = end;
        }
    }

    /// All found.
    pub(super) fn found(&self) -> impl Iterator<Item = Near> {
        self.places.iter().take(self.count).map(|(near, _)| *near)
    }
}

saved!(struct Beam { places, count, seen, search });
