//! Who is linked to whom, on each level: all places reserved once.

use crate::snapshot::saved;
use alloc::boxed::Box;

/// Links of a slot on level 0.
pub(super) const GROUND_LINKS: usize = 32;

/// Links of a slot on each level above.
pub(super) const UPPER_LINKS: usize = 16;

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

/// The links.
#[derive(Debug)]
pub(super) struct Links {
    ground: Box<[[u32; GROUND_LINKS]]>,
    /// Links on levels above, in blocks; a slot's first block is for level 1.
    upper: Box<[Block]>,
    used: usize,
    first: Box<[u32]>,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    links: [u32; UPPER_LINKS],
    /// The block for the next level.
    above: u32,
}

/// Blocks for levels above 0: one in 15 slots needs one on average; twice
/// that, and some.
fn blocks(slots: usize) -> usize {
    (slots / 8).saturating_add(64)
}

impl Links {
    pub(super) fn new(slots: usize) -> Self {
        let block = Block { links: [NONE; UPPER_LINKS], above: NONE };
        Self {
            ground: alloc::vec![[NONE; GROUND_LINKS]; slots].into(),
            upper: alloc::vec![block; blocks(slots)].into(),
            used: 0,
            first: alloc::vec![NONE; slots].into(),
        }
    }

    /// Bytes that the links of so many slots take.
    pub(super) fn bytes_needed(slots: usize) -> usize {
        let each = size_of::<[u32; GROUND_LINKS]>() + size_of::<u32>();
        let upper = blocks(slots).saturating_mul(size_of::<Block>());
        slots.saturating_mul(each).saturating_add(upper)
    }

    /// Blocks for a new slot's levels. Gives the highest level that it has:
    /// less than it wants where there are none left.
    pub(super) fn reserve(&mut self, slot: u32, wanted: u8) -> u8 {
        let mut has: u8 = 0;
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

    /// The highest level up to `most` that a slot has.
    pub(super) fn level(&self, slot: u32, most: u8) -> u8 {
        let has = (1..=most).take_while(|level| self.block(slot, *level).is_some()).count();
        u8::try_from(has).unwrap_or(most)
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

    /// A slot's links on a level: as many places as there are, free ones
    /// [`NONE`].
    pub(super) fn of(&self, slot: u32, level: u8) -> &[u32] {
        if level == 0 {
            let ground = usize::try_from(slot).ok().and_then(|slot| self.ground.get(slot));
            return ground.map_or(&[], |links| links.as_slice());
        }
        let block = self.block(slot, level).and_then(|number| self.upper.get(number));
        block.map_or(&[], |block| block.links.as_slice())
    }

    /// The same, to be changed.
    pub(super) fn of_mut(&mut self, slot: u32, level: u8) -> &mut [u32] {
        if level == 0 {
            let ground = usize::try_from(slot).ok().and_then(|slot| self.ground.get_mut(slot));
            return ground.map_or(&mut [], |links| links.as_mut_slice());
        }
        let number = self.block(slot, level);
        let block = number.and_then(|number| self.upper.get_mut(number));
        block.map_or(&mut [], |block| block.links.as_mut_slice())
    }

    /// A copy, which does not hold on to the links.
    pub(super) fn copy_of(&self, slot: u32, level: u8) -> [u32; GROUND_LINKS] {
        let mut copy = [NONE; GROUND_LINKS];
        for (to, from) in copy.iter_mut().zip(self.of(slot, level)) {
            *to = *from;
        }
        copy
    }

    /// Puts these in place of all that were there.
    pub(super) fn set(&mut self, slot: u32, level: u8, links: &[u32]) {
        let new = links.iter().copied().chain(core::iter::repeat(NONE));
        for (place, link) in self.of_mut(slot, level).iter_mut().zip(new) {
            *place = link;
        }
    }
}

saved!(struct Links { ground, upper, used, first });
saved!(struct Block { links, above });
