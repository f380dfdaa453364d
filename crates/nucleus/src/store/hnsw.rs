//! The index for nearest neighbours: hierarchical navigable small worlds
//! (Malkov and Yashunin, 2018), in memory that is reserved once.
//!
//! A slot's level comes from its key alone, the neighbours are chosen by the
//! paper's heuristic (algorithm 4), and every tie is broken by key, so the
//! same changes make the same index everywhere. Distances are the caller's.

use super::metric::Near;
use abi::mix;
use alloc::boxed::Box;

/// Neighbours chosen for a slot on each level.
const CHOSEN: usize = 16;

/// Links of a slot on level 0.
const GROUND_LINKS: usize = 32;

/// Links of a slot on each level above.
const UPPER_LINKS: usize = 16;

/// Highest level.
const TOP: u8 = 7;

/// Slots kept in view while the place of a new one is looked for.
const BREADTH: usize = 128;

/// Most slots kept in view by any search.
pub(super) const BREADTH_MAX: usize = 256;

/// Most distances that looking for a new slot's place may measure.
const PLACE_VISITS: u32 = 4_096;

/// No slot.
const NONE: u32 = u32::MAX;

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
    ground: Box<[[u32; GROUND_LINKS]]>,
    /// Links on levels above, in blocks; a slot's first block is for level 1.
    upper: Box<[Block]>,
    used: usize,
    first: Box<[u32]>,
    entry: u32,
    top: u8,
    /// When a slot was last seen, by number of the search.
    seen: Box<[u32]>,
    search: u32,
    beam: Box<[(Near, bool)]>,
    count: usize,
    /// Distances measured since this was last asked.
    measured: u32,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    links: [u32; UPPER_LINKS],
    /// The block for the next level.
    above: u32,
}

/// The level of a key: each is 16 times as rare as the one below.
pub(super) fn level(key: u64) -> u8 {
    // At most 64 / 4.
    let level = mix(key ^ 0x6865_6c69_6f67_7261).leading_zeros() as u8 / 4;
    level.min(TOP)
}

/// Most distances that inserting at a level measures.
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
        let block = Block { links: [NONE; UPPER_LINKS], above: NONE };
        Self {
            ground: alloc::vec![[NONE; GROUND_LINKS]; slots].into(),
            upper: alloc::vec![block; blocks(slots)].into(),
            used: 0,
            first: alloc::vec![NONE; slots].into(),
            entry: NONE,
            top: 0,
            seen: alloc::vec![0; slots].into(),
            search: 0,
            beam: alloc::vec![(Near::default(), false); BREADTH_MAX].into(),
            count: 0,
            measured: 0,
        }
    }

    /// Bytes that an index for so many slots takes.
    pub(super) fn bytes_needed(capacity: u32) -> u64 {
        let slots = usize::try_from(capacity).unwrap_or(usize::MAX);
        let each = size_of::<[u32; GROUND_LINKS]>() + 2 * size_of::<u32>();
        let all = slots.saturating_mul(each);
        let all = all.saturating_add(blocks(slots).saturating_mul(size_of::<Block>()));
        u64::try_from(all).unwrap_or(u64::MAX)
    }

    /// Distances measured since this was last asked.
    pub(super) fn take_measured(&mut self) -> u32 {
        core::mem::take(&mut self.measured)
    }

    /// Links of a slot on level 0.
    pub(super) fn links(&self, slot: u32) -> usize {
        self.neighbours(slot, 0).iter().filter(|link| **link != NONE).count()
    }

    /// What the last search found, nearest first.
    pub(super) fn found(&self) -> impl Iterator<Item = Near> {
        self.beam.iter().take(self.count).map(|(near, _)| *near)
    }

    /// Looks for the nearest `breadth` slots, measuring at most `most`
    /// distances.
    pub(super) fn find(&mut self, space: &impl Space, breadth: usize, most: u32) {
        self.count = 0;
        if self.entry == NONE {
            return;
        }
        let mut near = self.measure(space, self.entry);
        for level in (1..=self.top).rev() {
            near = self.descend(space, near, level, most);
        }
        self.look(space, near, breadth, 0, most);
    }

    /// Measures all of these, and keeps the nearest `breadth`.
    pub(super) fn rank(&mut self, space: &impl Space, slots: &[u32], breadth: usize) {
        self.count = 0;
        for &slot in slots {
            let near = self.measure(space, slot);
            self.admit(near, breadth.min(BREADTH_MAX));
        }
    }

    /// Walks to the nearest slot on a level.
    fn descend(&mut self, space: &impl Space, from: Near, level: u8, most: u32) -> Near {
        let mut nearest = from;
        // Each step is to a nearer one, so this ends; `most` ends it sooner.
        while self.measured < most {
            let links = self.copy_of(nearest.slot, level);
            let mut best = nearest;
            for link in links.into_iter().filter(|link| *link != NONE) {
                best = best.min(self.measure(space, link));
            }
            if best >= nearest {
                break;
            }
            nearest = best;
        }
        nearest
    }

    /// Searches one level from a slot on: the nearest `breadth` are in the
    /// beam then, nearest first.
    fn look(&mut self, space: &impl Space, from: Near, breadth: usize, level: u8, most: u32) {
        let breadth = breadth.clamp(1, BREADTH_MAX);
        self.search = self.search.wrapping_add(1);
        if self.search == 0 {
            self.seen.fill(0);
            self.search = 1;
        }
        self.count = 0;
        self.see(from.slot);
        self.admit(from, breadth);
        while let Some(slot) = self.next() {
            let links = self.copy_of(slot, level);
            for link in links.into_iter().filter(|link| *link != NONE) {
                if self.measured >= most {
                    return;
                }
                if self.see(link) {
                    let near = self.measure(space, link);
                    self.admit(near, breadth);
                }
            }
        }
    }

    /// The nearest in the beam whose links were not followed yet.
    fn next(&mut self) -> Option<u32> {
        let mut beam = self.beam.iter_mut().take(self.count);
        let (near, is_done) = beam.find(|(_, is_done)| !is_done)?;
        *is_done = true;
        Some(near.slot)
    }

    /// Puts a slot into the beam if it is near enough.
    fn admit(&mut self, near: Near, breadth: usize) {
        let beam = self.beam.get(..self.count).unwrap_or_default();
        let at = beam.partition_point(|(other, _)| *other < near);
        if at >= breadth {
            return;
        }
        let end = self.count.saturating_add(1).min(breadth);
        if let Some(tail) = self.beam.get_mut(at..end).filter(|tail| !tail.is_empty()) {
            tail.rotate_right(1);
            if let Some(place) = tail.first_mut() {
                *place = (near, false);
            }
            self.count = end;
        }
    }

    /// Marks a slot as seen; whether it was not before.
    fn see(&mut self, slot: u32) -> bool {
        let search = self.search;
        let place = usize::try_from(slot).ok().and_then(|slot| self.seen.get_mut(slot));
        place.is_some_and(|seen| core::mem::replace(seen, search) != search)
    }

    fn measure(&mut self, space: &impl Space, slot: u32) -> Near {
        self.measured = self.measured.saturating_add(1);
        space.to(slot)
    }

    /// Puts a slot where its vector belongs: a new one, or one whose vector
    /// has changed. `space` measures from that vector, and says that the slot
    /// itself is as far as can be.
    pub(super) fn insert(&mut self, space: &impl Space, slot: u32, key: u64) {
        let level = self.reserve(slot, level(key));
        if self.entry == NONE {
            (self.entry, self.top) = (slot, level);
            return;
        }
        let mut near = self.measure(space, self.entry);
        for above in (level.saturating_add(1)..=self.top).rev() {
            near = self.descend(space, near, above, PLACE_VISITS);
        }
        for level in (0..=level.min(self.top)).rev() {
            self.look(space, near, BREADTH, level, PLACE_VISITS);
            near = self.found().next().unwrap_or(near);
            let chosen = self.choose_from_beam(space, slot);
            self.set_links(slot, level, &chosen);
            for neighbour in chosen.into_iter().filter(|chosen| *chosen != NONE) {
                self.link(space, neighbour, slot, level);
            }
        }
        if level > self.top {
            (self.entry, self.top) = (slot, level);
        }
    }

    /// Blocks for a slot's levels; less than it wants where there are none.
    fn reserve(&mut self, slot: u32, wanted: u8) -> u8 {
        let has = (1..=wanted).take_while(|level| self.block(slot, *level).is_some()).count();
        let mut has = u8::try_from(has).unwrap_or(wanted);
        // One that is there already keeps what it has.
        if has > 0 || self.links(slot) > 0 || self.entry == slot {
            return has;
        }
        while has < wanted {
            let Ok(number) = u32::try_from(self.used) else { break };
            if self.used >= self.upper.len() {
                break;
            }
            self.used = self.used.saturating_add(1);
            match self.block(slot, has).and_then(|below| self.upper.get_mut(below)) {
                Some(below) => below.above = number,
                None => {
                    let at = usize::try_from(slot).ok();
                    if let Some(first) = at.and_then(|slot| self.first.get_mut(slot)) {
                        *first = number;
                    }
                }
            }
            has = has.saturating_add(1);
        }
        has
    }

    /// The block of a slot for a level above 0.
    fn block(&self, slot: u32, level: u8) -> Option<usize> {
        let mut number = *self.first.get(usize::try_from(slot).ok()?)?;
        for _ in 1..level {
            number = self.upper.get(usize::try_from(number).ok()?)?.above;
        }
        let number = usize::try_from(number).ok().filter(|_| level > 0)?;
        self.upper.get(number).map(|_| number)
    }

    fn neighbours(&self, slot: u32, level: u8) -> &[u32] {
        if level == 0 {
            let ground = usize::try_from(slot).ok().and_then(|slot| self.ground.get(slot));
            return ground.map_or(&[], |links| links.as_slice());
        }
        let block = self.block(slot, level).and_then(|number| self.upper.get(number));
        block.map_or(&[], |block| block.links.as_slice())
    }

    fn neighbours_mut(&mut self, slot: u32, level: u8) -> &mut [u32] {
        if level == 0 {
            let ground = usize::try_from(slot).ok().and_then(|slot| self.ground.get_mut(slot));
            return ground.map_or(&mut [], |links| links.as_mut_slice());
        }
        let number = self.block(slot, level);
        let block = number.and_then(|number| self.upper.get_mut(number));
        block.map_or(&mut [], |block| block.links.as_mut_slice())
    }

    fn copy_of(&self, slot: u32, level: u8) -> [u32; GROUND_LINKS] {
        let mut copy = [NONE; GROUND_LINKS];
        for (to, from) in copy.iter_mut().zip(self.neighbours(slot, level)) {
            *to = *from;
        }
        copy
    }

    fn set_links(&mut self, slot: u32, level: u8, links: &[u32]) {
        let new = links.iter().copied().chain(core::iter::repeat(NONE));
        for (place, link) in self.neighbours_mut(slot, level).iter_mut().zip(new) {
            *place = link;
        }
    }

    fn choose_from_beam(&mut self, space: &impl Space, slot: u32) -> [u32; CHOSEN] {
        let mut nearest = [Near { slot: NONE, ..Near::default() }; BREADTH];
        let found = self.beam.iter().take(self.count).map(|(near, _)| *near);
        for (place, near) in nearest.iter_mut().zip(found.filter(|near| near.slot != slot)) {
            *place = near;
        }
        let mut chosen = [NONE; CHOSEN];
        self.choose(space, &nearest, &mut chosen);
        chosen
    }

    /// Adds a link back; where there is no room, keeps the best by the same
    /// heuristic.
    fn link(&mut self, space: &impl Space, from: u32, to: u32, level: u8) {
        let links = self.neighbours_mut(from, level);
        if links.contains(&to) {
            return;
        }
        if let Some(free) = links.iter_mut().find(|link| **link == NONE) {
            *free = to;
            return;
        }
        let most = links.len();
        let old = self.copy_of(from, level);
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
            choose_into(space, nearest, places, &mut self.measured);
            self.set_links(from, level, &chosen);
        }
    }

    fn choose(&mut self, space: &impl Space, nearest: &[Near], chosen: &mut [u32]) {
        choose_into(space, nearest, chosen, &mut self.measured);
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
fn choose_into(space: &impl Space, nearest: &[Near], chosen: &mut [u32], measured: &mut u32) {
    let mut count: usize = 0;
    let mut take = |chosen: &mut [u32], slot| {
        if let Some(place) = chosen.get_mut(count) {
            *place = slot;
            count = count.saturating_add(1);
        }
    };
    for near in nearest.iter().filter(|near| near.slot != NONE) {
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

/// Blocks for levels above 0: one in 15 slots needs one on average; twice
/// that, and some.
fn blocks(slots: usize) -> usize {
    (slots / 8).saturating_add(64)
}
