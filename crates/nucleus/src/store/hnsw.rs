//! The index for nearest neighbours: hierarchical navigable small worlds
//! (Malkov and Yashunin, 2018), in memory that is reserved once.
//!
//! A slot's level comes from its key alone, the neighbours are chosen by the
//! paper's heuristic (algorithm 4), and every tie is broken by key or slot, so
//! the same changes make the same index everywhere. Distances are the
//! caller's.
//!
//! A vector that is replaced gets new links; links to its slot stay where they
//! are. They lead to a vector that is somewhere else now, which misleads no
//! search, as distances are always measured anew; they fall out of full lists
//! first, and until then they keep parts together that may have hung on them.
//! Taking them out was not chosen: it would need what leads to each slot as
//! well, and a repair for whatever the removal cuts off.

use super::{
    beam::{BREADTH_MAX, Beam},
    links::{GROUND_LINKS, Links, NONE, UPPER_LINKS},
    metric::Near,
};
use crate::snapshot::saved;
use abi::mix;

/// Neighbours chosen for a slot on each level.
const CHOSEN: usize = 16;

/// Highest level.
const TOP: u8 = 7;

/// Slots kept in view while the place of a new one is looked for.
const BREADTH: usize = 128;

/// Most distances that looking for a slot's place may measure.
const PLACE_VISITS: u32 = 4_096;

/// How far slots are from what is looked for, and from each other.
pub(super) trait Space {
    /// From what is looked for.
    fn to(&self, slot: u32) -> Near;
    /// From one to the other.
    fn between(&self, one: u32, other: u32) -> f32;
}

/// The index.
#[derive(Debug)]
pub(super) struct Hnsw {
    links: Links,
    beam: Beam,
    entry: u32,
    top: u8,
    /// Distances that the search may still measure.
    left: u32,
    /// Distances measured since this was last asked.
    measured: u32,
}

/// The level of a key: each is 16 times as rare as the one below.
pub(super) fn level(key: u64) -> u8 {
    // At most 64 / 4.
    let level = mix(key ^ 0x6865_6c69_6f67_7261).leading_zeros() as u8 / 4;
    level.min(TOP)
}

/// Most distances that inserting at a level measures: to look for the place,
/// to choose from what was found, and to choose again for each neighbour.
pub(super) fn most_measured(level: u8) -> u32 {
    let choose = BREADTH * CHOSEN;
    let ground = choose + CHOSEN * (GROUND_LINKS + 1) * (GROUND_LINKS + 2);
    let upper = choose + CHOSEN * (UPPER_LINKS + 1) * (UPPER_LINKS + 2);
    let all = ground.saturating_add(upper.saturating_mul(usize::from(level)));
    u32::try_from(all).unwrap_or(u32::MAX).saturating_add(PLACE_VISITS)
}

impl Hnsw {
    pub(super) fn new(capacity: u32) -> Self {
        let slots = usize::try_from(capacity).unwrap_or(usize::MAX);
        let (links, beam) = (Links::new(slots), Beam::new(slots));
        Self { links, beam, entry: NONE, top: 0, left: 0, measured: 0 }
    }

    /// Bytes that an index for so many slots takes.
    pub(super) fn bytes_needed(capacity: u32) -> u64 {
        let slots = usize::try_from(capacity).unwrap_or(usize::MAX);
        let all = Links::bytes_needed(slots).saturating_add(Beam::bytes_needed(slots));
        u64::try_from(all).unwrap_or(u64::MAX)
    }

    /// Distances measured since this was last asked.
    pub(super) fn take_measured(&mut self) -> u32 {
        core::mem::take(&mut self.measured)
    }

    /// Links of a slot on level 0.
    pub(super) fn links(&self, slot: u32) -> usize {
        self.links.of(slot, 0).iter().filter(|link| **link != NONE).count()
    }

    /// What the last search found, nearest first.
    pub(super) fn found(&self) -> impl Iterator<Item = Near> {
        self.beam.found()
    }

    /// Looks for the nearest `breadth` slots, measuring at most `most`
    /// distances.
    pub(super) fn find(&mut self, space: &impl Space, breadth: usize, most: u32) {
        self.beam.clear();
        self.left = most;
        if self.entry == NONE {
            return;
        }
        let Some(mut near) = self.measure(space, self.entry) else { return };
        for level in (1..=self.top).rev() {
            near = self.descend(space, near, level);
        }
        self.look(space, near, breadth, 0);
    }

    /// Measures all of these, and keeps the nearest `breadth`.
    pub(super) fn rank(&mut self, space: &impl Space, slots: &[u32], breadth: usize) {
        self.beam.clear();
        self.left = u32::MAX;
        for &slot in slots {
            let Some(near) = self.measure(space, slot) else { return };
            self.beam.admit(near, breadth.min(BREADTH_MAX));
        }
    }

    /// The distance to a slot, unless the search has measured what it may.
    fn measure(&mut self, space: &impl Space, slot: u32) -> Option<Near> {
        self.left = self.left.checked_sub(1)?;
        self.measured = self.measured.saturating_add(1);
        Some(space.to(slot))
    }

    /// Walks to the nearest slot on a level.
    fn descend(&mut self, space: &impl Space, from: Near, level: u8) -> Near {
        let mut nearest = from;
        // Each step is to a nearer one and measures at least that, so this
        // ends.
        loop {
            let mut best = nearest;
            for link in self.links.copy_of(nearest.slot, level) {
                if link != NONE
                    && let Some(near) = self.measure(space, link)
                {
                    best = best.min(near);
                }
            }
            if best >= nearest {
                return nearest;
            }
            nearest = best;
        }
    }

    /// Searches one level from a slot on: the nearest `breadth` are in the
    /// beam then.
    fn look(&mut self, space: &impl Space, from: Near, breadth: usize, level: u8) {
        let breadth = breadth.clamp(1, BREADTH_MAX);
        self.beam.clear();
        self.beam.see(from.slot);
        self.beam.admit(from, breadth);
        while let Some(slot) = self.beam.next() {
            for link in self.links.copy_of(slot, level) {
                if link != NONE && self.beam.see(link) {
                    let Some(near) = self.measure(space, link) else { return };
                    self.beam.admit(near, breadth);
                }
            }
        }
    }

    /// Puts a slot where its vector belongs: a new one, or one whose vector
    /// has changed. `space` measures from that vector, and says that the slot
    /// itself is as far as can be.
    pub(super) fn insert(&mut self, space: &impl Space, slot: u32, key: u64, is_new: bool) {
        let wanted = level(key);
        let level = match is_new {
            true => self.links.reserve(slot, wanted),
            false => self.links.level(slot, wanted),
        };
        self.beam.clear();
        self.left = PLACE_VISITS;
        if self.entry == NONE {
            (self.entry, self.top) = (slot, level);
            return;
        }
        let Some(mut near) = self.measure(space, self.entry) else { return };
        for above in (level.saturating_add(1)..=self.top).rev() {
            near = self.descend(space, near, above);
        }
        for level in (0..=level.min(self.top)).rev() {
            self.look(space, near, BREADTH, level);
            near = self.found().next().unwrap_or(near);
            let chosen = self.choose_from_beam(space, slot);
            self.links.set(slot, level, &chosen);
            for neighbour in chosen.into_iter().filter(|chosen| *chosen != NONE) {
                self.link(space, neighbour, slot, level);
            }
        }
        if level > self.top {
            (self.entry, self.top) = (slot, level);
        }
    }

    fn choose_from_beam(&mut self, space: &impl Space, slot: u32) -> [u32; CHOSEN] {
        let mut nearest = [Near { slot: NONE, ..Near::default() }; BREADTH];
        let others = self.beam.found().filter(|near| near.slot != slot);
        for (place, near) in nearest.iter_mut().zip(others) {
            *place = near;
        }
        let mut chosen = [NONE; CHOSEN];
        choose(space, &nearest, &mut chosen, &mut self.measured);
        chosen
    }

    /// Adds a link back; where there is no room, keeps the best by the same
    /// heuristic.
    fn link(&mut self, space: &impl Space, from: u32, to: u32, level: u8) {
        let links = self.links.of_mut(from, level);
        if links.contains(&to) {
            return;
        }
        if let Some(free) = links.iter_mut().find(|link| **link == NONE) {
            *free = to;
            return;
        }
        let most = links.len();
        let old = self.links.copy_of(from, level);
        let mut nearest = [Near { slot: NONE, ..Near::default() }; GROUND_LINKS + 1];
        let all = old.into_iter().take(most).chain(core::iter::once(to));
        for (place, slot) in nearest.iter_mut().zip(all) {
            self.measured = self.measured.saturating_add(1);
            // Slots stand for keys: either tells two of equal distance apart.
            *place = Near { distance: space.between(from, slot), key: u64::from(slot), slot };
        }
        let count = most.saturating_add(1);
        if let Some(nearest) = nearest.get_mut(..count) {
            sort(nearest);
            let mut chosen = [NONE; GROUND_LINKS];
            let places = chosen.get_mut(..most).unwrap_or_default();
            choose(space, nearest, places, &mut self.measured);
            self.links.set(from, level, &chosen);
        }
    }
}

/// Sorts a few, without a path to a panic.
fn sort(few: &mut [Near]) {
    for end in 1..few.len() {
        for at in (1..=end).rev() {
            let Some([before, after]) = few.get_mut(at.wrapping_sub(1)..=at) else { break };
            if *before <= *after {
                break;
            }
            core::mem::swap(before, after);
        }
    }
}

/// The heuristic: of those nearest first, takes each that is nearer to what is
/// looked for than to any taken before; then the nearest of the others, while
/// there is room.
fn choose(space: &impl Space, nearest: &[Near], chosen: &mut [u32], measured: &mut u32) {
    let mut count: usize = 0;
    let mut take = |chosen: &mut [u32], slot| {
        if let Some(place) = chosen.get_mut(count) {
            *place = slot;
            count = count.saturating_add(1);
        }
    };
    for near in nearest.iter().filter(|near| near.slot != NONE) {
        if chosen.last().is_none_or(|last| *last != NONE) {
            return;
        }
        let mut taken = chosen.iter().take_while(|slot| **slot != NONE);
        let is_apart = taken.all(|other| {
            *measured = measured.saturating_add(1);
            space.between(*other, near.slot) > near.distance
        });
        if is_apart {
            take(chosen, near.slot);
        }
    }
    for near in nearest.iter().filter(|near| near.slot != NONE) {
        if !chosen.contains(&near.slot) {
            take(chosen, near.slot);
        }
    }
}

saved!(struct Hnsw { links, beam, entry, top, left, measured });
