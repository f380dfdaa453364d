//! Memory that the loader has taken for something.
//!
//! It is written without caches. Whatever caches hold of it from earlier times
//! has to be gone before, or it would be written over it later; and again
//! after, or the kernel would see it instead.

use boot_contract::PAGE;
use boot_contract::machine::aarch64::write_back;
use boot_contract::memory::{Kind, Map};
use boot_contract::paging::{ENTRIES, Frames};
use boot_direct::refusal::Refusal;

/// Memory from a page boundary on, zeroed.
#[derive(Debug)]
pub struct Area {
    memory: &'static mut [u8],
    address: u64,
}

impl Area {
    /// Takes memory out of a map.
    pub fn take(map: &mut Map<'_>, length: u64, kind: Kind) -> Result<Self, Refusal> {
        let length = length.checked_next_multiple_of(PAGE).ok_or(Refusal::NoMemory)?;
        let address = map.take(length, kind)?.ok_or(Refusal::NoMemory)?;
        let (start, size) = (usize::try_from(address), usize::try_from(length));
        let (Ok(start), Ok(size)) = (start, size) else { return Err(Refusal::NoMemory) };
        let start = core::ptr::with_exposed_provenance_mut::<u8>(start);
        // SAFETY: the map said that this is memory nobody uses, and now says
        // that it is used, so it is taken once. It is zeroed before it is
        // looked at.
        let memory = unsafe {
            write_back(address, length);
            start.write_bytes(0, size);
            core::slice::from_raw_parts_mut(start, size)
        };
        Ok(Self { memory, address })
    }

    /// Physical address.
    pub fn address(&self) -> u64 {
        self.address
    }

    /// First byte after it.
    pub fn end(&self) -> u64 {
        self.address + self.memory.len() as u64
    }

    /// The memory.
    pub fn bytes(&mut self) -> &mut [u8] {
        self.memory
    }

    /// The memory, for good.
    pub fn keep(self) -> &'static mut [u8] {
        self.memory
    }

    /// Says that nothing more is written.
    pub fn finish(&self) {
        // SAFETY: it is memory.
        unsafe { write_back(self.address, self.memory.len() as u64) };
    }
}

/// Pages for tables.
#[derive(Debug)]
pub struct Pool {
    area: Area,
    used: usize,
}

impl Pool {
    /// All of an area.
    pub fn new(area: Area) -> Self {
        Self { area, used: 0 }
    }

    /// Says that nothing more is written.
    pub fn finish(&self) {
        self.area.finish();
    }
}

impl Frames for Pool {
    fn allocate(&mut self) -> Option<u64> {
        let frame = self.area.address + self.used as u64;
        let next = self.used + PAGE as usize;
        (next <= self.area.memory.len()).then(|| {
            self.used = next;
            frame
        })
    }

    fn table(&mut self, frame: u64) -> &mut [u64; ENTRIES] {
        let at = (frame - self.area.address) as usize;
        let page = &mut self.area.memory[at..at + PAGE as usize];
        // SAFETY: the page has the table's length and is aligned for it; any
        // bytes are numbers; it is borrowed as long as the table is.
        unsafe { &mut *page.as_mut_ptr().cast() }
    }
}

/// Memory that somebody else has filled.
///
/// # Safety
/// It is memory, it stays as it is, and it was not changed through another
/// name.
pub unsafe fn given(address: u64, length: usize) -> &'static [u8] {
    let start = core::ptr::with_exposed_provenance(address as usize);
    // SAFETY: the caller's promise. What was written through caches comes to
    // where this reads.
    unsafe {
        write_back(address, length as u64);
        core::slice::from_raw_parts(start, length)
    }
}
