//! The allocator of physical memory.
//!
//! It keeps the free ranges of the memory map, sorted, and cuts frames off
//! them. There are few ranges and few requests (tables, the heap, one pool
//! for devices, all at boot), so a short list beats a bitmap of all memory.

use hal::boot::{MemoryRange, MemoryUse};
use hal::traits::{FrameSource, PAGE_SIZE};

/// Most ranges of a memory map, of which each may be free. Maps have tens, and
/// hundreds where firmware is old or large.
pub const RANGES: usize = 1024;

/// Memory below this is left alone: firmware and real mode have always had
/// uses for it that no table describes.
const LOWEST: u64 = 1 << 20;

/// A range of free frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Free {
    start: u64,
    end: u64,
}

/// The free memory of the machine.
#[derive(Debug)]
pub struct Frames {
    free: [Free; RANGES],
    count: usize,
    hhdm_offset: u64,
}

impl Frames {
    /// Takes all usable memory of the map, which has at most [`RANGES`] ranges.
    ///
    /// # Safety
    /// What the map calls usable is RAM that nothing else uses, and each
    /// physical address `p` of it can be read and written at
    /// `p + hhdm_offset`, for as long as the frames given here are used.
    pub unsafe fn new(memory: &[MemoryRange], hhdm_offset: u64) -> Self {
        let mut frames = Self { free: [Free { start: 0, end: 0 }; RANGES], count: 0, hhdm_offset };
        for range in memory.iter().filter(|range| range.usage == MemoryUse::Usable) {
            let end = range.base.saturating_add(range.length);
            let start = range.base.max(LOWEST).checked_next_multiple_of(PAGE_SIZE);
            let (Some(start), end) = (start, end - end % PAGE_SIZE) else { continue };
            if start < end
                && let Some(free) = frames.free.get_mut(frames.count)
            {
                *free = Free { start, end };
                frames.count += 1;
            }
        }
        frames
    }

    /// Bytes that are free.
    pub fn free_bytes(&self) -> u64 {
        self.free[..self.count].iter().map(|range| range.end - range.start).sum()
    }

    /// `count` frames in a row that begin at a multiple of `alignment`, a
    /// power of two and at least a page.
    pub fn allocate_aligned(&mut self, count: u64, alignment: u64) -> Option<u64> {
        let bytes = count.checked_mul(PAGE_SIZE).filter(|&bytes| bytes > 0)?;
        for at in 0..self.count {
            let range = self.free[at];
            let Some(start) = range.start.checked_next_multiple_of(alignment) else { continue };
            let Some(end) = start.checked_add(bytes).filter(|&end| end <= range.end) else {
                continue;
            };
            if self.cut(at, start, end) {
                return Some(start);
            }
        }
        None
    }

    /// Takes `start..end` out of the free range at `at`. `false` where that
    /// would need one more range than can be kept.
    fn cut(&mut self, at: usize, start: u64, end: u64) -> bool {
        let range = self.free[at];
        match (range.start < start, end < range.end) {
            (false, false) => {
                self.free.copy_within(at + 1..self.count, at);
                self.count -= 1;
            }
            (false, true) => self.free[at].start = end,
            (true, false) => self.free[at].end = start,
            (true, true) => {
                if self.count == RANGES {
                    return false;
                }
                self.free.copy_within(at..self.count, at + 1);
                self.count += 1;
                self.free[at].end = start;
                self.free[at + 1].start = end;
            }
        }
        true
    }
}

// SAFETY: each frame given is cut from a range of usable memory, so it is
// given once; the rest is what `new`'s caller promised.
unsafe impl FrameSource for Frames {
    fn hhdm_offset(&self) -> u64 {
        self.hhdm_offset
    }

    fn allocate(&mut self) -> Option<u64> {
        self.allocate_aligned(1, PAGE_SIZE)
    }

    fn allocate_contiguous(&mut self, count: u64) -> Option<u64> {
        self.allocate_aligned(count, PAGE_SIZE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn map(ranges: &[(u64, u64, MemoryUse)]) -> Vec<MemoryRange> {
        ranges.iter().map(|&(base, length, usage)| MemoryRange { base, length, usage }).collect()
    }

    fn frames(ranges: &[(u64, u64, MemoryUse)]) -> Frames {
        // SAFETY: nothing dereferences what this allocator gives.
        unsafe { Frames::new(&map(ranges), 0) }
    }

    #[test]
    fn only_whole_usable_frames_above_the_first_mebibyte_are_given_each_once() {
        let mut frames = frames(&[
            (0x1000, 0x9_e000, MemoryUse::Usable),
            (0x10_0800, 0x4000, MemoryUse::Usable),
            (0x20_0000, 0x3000, MemoryUse::LoaderReclaimable),
            (0x30_0000, 0x2000, MemoryUse::Usable),
            (0x40_0000, 0x2000, MemoryUse::Reserved),
        ]);
        assert_eq!(frames.free_bytes(), 5 * PAGE_SIZE);
        let given: Vec<_> = core::iter::from_fn(|| frames.allocate()).collect();
        assert_eq!(given, [0x10_1000, 0x10_2000, 0x10_3000, 0x30_0000, 0x30_1000]);
        assert_eq!(frames.free_bytes(), 0);
    }

    #[test]
    fn every_range_of_the_longest_map_is_used() {
        let range = |number: usize| ((1 + number as u64) << 20, PAGE_SIZE, MemoryUse::Usable);
        let ranges: Vec<_> = (0..RANGES).map(range).collect();
        let mut frames = frames(&ranges);
        assert_eq!(frames.free_bytes(), RANGES as u64 * PAGE_SIZE);
        let given: Vec<_> = core::iter::from_fn(|| frames.allocate()).collect();
        assert_eq!(given, ranges.iter().map(|(base, ..)| *base).collect::<Vec<_>>());
    }

    #[test]
    fn a_damaged_map_gives_nothing_rather_than_too_much() {
        let mut frames = frames(&[
            (u64::MAX - 0x800, 0x1000, MemoryUse::Usable),
            (0x20_0000, 0, MemoryUse::Usable),
        ]);
        assert_eq!(frames.allocate(), None);
    }

    #[test]
    fn requests_of_any_size_and_alignment_never_overlap() {
        let usable = [(0x10_0000u64, 0x40_0000u64), (0x80_0000, 0x1000), (0x100_0000, 0x123_4000)];
        let ranges = usable.map(|(base, length)| (base, length, MemoryUse::Usable));
        let mut frames = frames(&ranges);
        let mut given = BTreeSet::new();
        let mut state = 1u64;
        for _ in 0..2000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (count, alignment) = (1 + (state >> 60), PAGE_SIZE << (state >> 40 & 7));
            let before = frames.free_bytes();
            let Some(start) = frames.allocate_aligned(count, alignment) else { continue };
            assert_eq!(start % alignment, 0);
            assert_eq!(frames.free_bytes(), before - count * PAGE_SIZE);
            for frame in 0..count {
                let at = start + frame * PAGE_SIZE;
                assert!(usable.iter().any(|(base, length)| (*base..base + length).contains(&at)));
                assert!(given.insert(at), "{at:#x} was given twice");
            }
        }
        while let Some(frame) = frames.allocate() {
            assert!(given.insert(frame));
        }
        assert_eq!(given.len() as u64 * PAGE_SIZE, usable.iter().map(|(_, length)| length).sum());
    }
}
