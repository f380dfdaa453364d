//! The map of physical memory that is handed over.
//!
//! It begins as what firmware or the device tree says, and the loader claims
//! in it what it has put somewhere: each range has one use, and the last claim
//! counts.

use core::fmt;

use crate::PAGE;

/// What a range is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Free.
    Usable,
    /// Not to be touched.
    Reserved,
    /// ACPI's tables.
    AcpiReclaimable,
    /// ACPI's storage.
    AcpiNvs,
    /// RAM that does not work.
    Bad,
    /// The loader's and firmware's own, free once it is not needed any more.
    LoaderReclaimable,
    /// The kernel and the files loaded with it.
    KernelAndModules,
    /// Not to be changed, but mapped: what firmware left to be read.
    ReservedMapped,
}

impl Kind {
    /// Its number in the protocol. [`Self::ReservedMapped`] came with base
    /// revision 4.
    pub(crate) const fn number(self, revision: u64) -> u64 {
        match self {
            Self::Usable => 0,
            Self::Reserved => 1,
            Self::AcpiReclaimable => 2,
            Self::AcpiNvs => 3,
            Self::Bad => 4,
            Self::LoaderReclaimable => 5,
            Self::KernelAndModules => 6,
            Self::ReservedMapped if revision >= 4 => 8,
            Self::ReservedMapped => 1,
        }
    }

    /// Whether the direct map covers it, from base revision 4 on. (Revision 3
    /// leaves ACPI's ranges out; a kernel cannot notice that they are there.)
    pub const fn is_mapped(self) -> bool {
        !matches!(self, Self::Reserved | Self::Bad)
    }

    /// Whether its ranges must begin and end on page boundaries.
    const fn is_whole_pages(self) -> bool {
        matches!(self, Self::Usable | Self::LoaderReclaimable)
    }
}

/// A range of physical memory. It ends at 2^64 - 1 at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// First byte.
    pub base: u64,
    /// Length in bytes.
    pub length: u64,
    /// Its use.
    pub kind: Kind,
}

impl Entry {
    /// What fills unused places of an array.
    pub const NONE: Self = Self { base: 0, length: 0, kind: Kind::Reserved };

    /// First byte after it.
    pub fn end(&self) -> u64 {
        self.base.saturating_add(self.length)
    }
}

/// Why a range cannot be entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryError {
    /// There are more ranges than room for them.
    TooMany,
    /// It ends beyond the address space.
    BadRange,
}

impl fmt::Display for MemoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooMany => "the memory map has too many ranges",
            Self::BadRange => "the memory map has a range that ends beyond the address space",
        })
    }
}

impl core::error::Error for MemoryError {}

/// A memory map that is being made.
#[derive(Debug)]
pub struct Map<'a> {
    entries: &'a mut [Entry],
    count: usize,
}

impl<'a> Map<'a> {
    /// An empty map, with room for as many ranges as `entries` has places.
    pub fn new(entries: &'a mut [Entry]) -> Self {
        Self { entries, count: 0 }
    }

    /// The ranges: in no order before [`Self::finish`].
    pub fn entries(&self) -> &[Entry] {
        self.entries.get(..self.count).unwrap_or_default()
    }

    /// Says that a range is used for `kind`, whatever was said of it before.
    pub fn claim(&mut self, base: u64, length: u64, kind: Kind) -> Result<(), MemoryError> {
        if length == 0 {
            return Ok(());
        }
        let end = base.checked_add(length).ok_or(MemoryError::BadRange)?;
        let mut at = 0;
        while let Some(&old) = self.entries().get(at) {
            if old.end() <= base || old.base >= end {
                at += 1;
                continue;
            }
            // Out with the old range; what sticks out on either side returns.
            self.count -= 1;
            self.entries.copy_within(at + 1..=self.count, at);
            self.push(Entry { length: base.saturating_sub(old.base), ..old })?;
            self.push(Entry { base: end, length: old.end().saturating_sub(end), ..old })?;
        }
        self.push(Entry { base, length, kind })
    }

    /// Says that a range is reserved but mapped, unless it is mapped as it is.
    pub fn keep_mapped(&mut self, base: u64, length: u64) -> Result<(), MemoryError> {
        let end = base.checked_add(length).ok_or(MemoryError::BadRange)?;
        let is_in = |entry: &Entry| {
            let is_inside = entry.base <= base && end <= entry.end();
            is_inside && entry.kind.is_mapped() && entry.kind != Kind::Usable
        };
        if self.entries().iter().any(is_in) {
            return Ok(());
        }
        self.claim(base, length, Kind::ReservedMapped)
    }

    /// Whether both ends of a range are in the map.
    pub fn knows(&self, base: u64, length: u64) -> bool {
        let Some(last) = length.checked_sub(1).and_then(|rest| base.checked_add(rest)) else {
            return false;
        };
        let is_known =
            |at| self.entries().iter().any(|entry| (entry.base..entry.end()).contains(&at));
        is_known(base) && is_known(last)
    }

    /// Finds usable memory, at the lowest address there is, and claims it for
    /// `kind`. Gives the address, which is on a page boundary.
    ///
    /// # Errors
    /// [`MemoryError::TooMany`]; `Ok(None)` if no range is long enough.
    pub fn take(&mut self, length: u64, kind: Kind) -> Result<Option<u64>, MemoryError> {
        let fits = |entry: &Entry| {
            let base = entry.base.checked_next_multiple_of(PAGE)?;
            let room = entry.end().checked_sub(base)?;
            (entry.kind == Kind::Usable && room >= length).then_some(base)
        };
        let Some(base) = self.entries().iter().filter_map(fits).min() else { return Ok(None) };
        self.claim(base, length, kind)?;
        Ok(Some(base))
    }

    /// Puts the ranges in order.
    pub fn sort(&mut self) {
        let used = self.entries.get_mut(..self.count).unwrap_or_default();
        used.sort_unstable_by_key(|entry| entry.base);
    }

    /// The finished map: sorted, neighbours of one kind joined, usable and
    /// reclaimable ranges cut to whole pages.
    pub fn finish(mut self) -> &'a [Entry] {
        self.sort();
        let Self { entries, mut count } = self;
        let used = entries.get_mut(..count).unwrap_or_default();
        // Joined first: two half pages of one kind make a whole one.
        count = join(used);
        let mut kept = 0;
        for at in 0..count {
            let Some(entry) = entries.get(at).copied().and_then(trim) else { continue };
            if let Some(place) = entries.get_mut(kept) {
                *place = entry;
                kept += 1;
            }
        }
        entries.get(..kept).unwrap_or_default()
    }

    fn push(&mut self, entry: Entry) -> Result<(), MemoryError> {
        if entry.length == 0 {
            return Ok(());
        }
        *self.entries.get_mut(self.count).ok_or(MemoryError::TooMany)? = entry;
        self.count += 1;
        Ok(())
    }
}

/// Joins neighbours of one kind in a sorted list without overlaps; gives the
/// new length.
fn join(entries: &mut [Entry]) -> usize {
    let mut count = 0_usize;
    for at in 0..entries.len() {
        let Some(&entry) = entries.get(at) else { break };
        let last = count.checked_sub(1).and_then(|last| entries.get_mut(last));
        match last {
            Some(last) if last.kind == entry.kind && last.end() == entry.base => {
                last.length += entry.length;
            }
            _ => {
                if let Some(place) = entries.get_mut(count) {
                    *place = entry;
                }
                count += 1;
            }
        }
    }
    count
}

/// The whole pages of a range, where it needs whole pages.
fn trim(entry: Entry) -> Option<Entry> {
    if !entry.kind.is_whole_pages() {
        return Some(entry);
    }
    let base = entry.base.checked_next_multiple_of(PAGE)?;
    let end = entry.end() - entry.end() % PAGE;
    let length = end.checked_sub(base).filter(|&length| length > 0)?;
    Some(Entry { base, length, ..entry })
}

#[cfg(test)]
mod tests;
