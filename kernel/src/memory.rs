//! The kernel's own address space.
//!
//! Three things are mapped: the image, each part as it needs; RAM, where the
//! loader had it, to be read and written; the image's code and constants
//! there once more, but to be read only, or writing to them would just take
//! another address. Page zero, the guard pages and all the rest are not.

use hal::boot::{BootInfo, MemoryUse};
use hal::image::{self, Part};
use hal::traits::{PAGE_SIZE, PageTables, Protection};
use kernel::frames::Frames;
use kernel::phases::Diagnosis;

/// Builds tables and makes them the processor's.
pub fn start<T: PageTables>(boot: &BootInfo<'_>, frames: &mut Frames) -> Result<T, Diagnosis> {
    let mut tables = T::new(frames).map_err(|error| Diagnosis::Map("the kernel", error))?;
    let physical = |part: &Part| part.start - boot.kernel_virtual + boot.kernel_physical;
    let parts = image::parts();
    for part in &parts {
        tables
            .map(frames, part.start, physical(part), part.end - part.start, part.protection)
            .map_err(|error| Diagnosis::Map(part.name, error))?;
    }

    // Code and constants, as physical ranges in order.
    let mut kept = [(0, 0); 2];
    for (kept, part) in kept.iter_mut().zip(&parts) {
        *kept = (physical(part), physical(part) + (part.end - part.start));
    }
    let mut done = 0;
    for range in boot.memory.iter().filter(|range| range.usage != MemoryUse::Reserved) {
        let start = (range.base - range.base % PAGE_SIZE).max(done);
        let end = range
            .base
            .checked_add(range.length)
            .and_then(|end| end.checked_next_multiple_of(PAGE_SIZE))
            .ok_or(Diagnosis::Because("the memory map has an address beyond all others"))?;
        direct(&mut tables, frames, boot.hhdm_offset, start, end, &kept)
            .map_err(|error| Diagnosis::Map("RAM", error))?;
        done = done.max(end);
    }
    // SAFETY: the running code and its stack are in the image, all of whose
    // parts are mapped where they are; what the loader gave is in RAM, which
    // is mapped at the same offset as before; the allocator's frames are, by
    // the same, where it says.
    unsafe { tables.activate() };
    Ok(tables)
}

/// Maps RAM into the direct map: writable but for the `kept` ranges.
fn direct<T: PageTables>(
    tables: &mut T,
    frames: &mut Frames,
    offset: u64,
    start: u64,
    end: u64,
    kept: &[(u64, u64)],
) -> Result<(), hal::traits::MapError> {
    let mut at = start;
    while at < end {
        let inside = kept.iter().find(|(first, last)| (*first..*last).contains(&at));
        let (next, protection) = match inside {
            Some((_, last)) => (end.min(*last), Protection::ReadOnly),
            None => {
                let following = kept.iter().map(|(first, _)| *first).filter(|first| *first > at);
                (following.fold(end, u64::min), Protection::ReadWrite)
            }
        };
        tables.map(frames, offset + at, at, next - at, protection)?;
        at = next;
    }
    Ok(())
}
