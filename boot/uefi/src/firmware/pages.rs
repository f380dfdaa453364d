//! Memory in whole pages, which stays as it is when firmware is gone.

use boot_contract::PAGE;
use boot_contract::paging::{ENTRIES, Frames};
use boot_uefi::refusal::Refusal;
use uefi::boot::{self, AllocateType};
use uefi::mem::memory_map::MemoryType;

/// Memory from a page boundary on, zeroed, mapped at its physical address, and
/// never given back.
#[derive(Debug)]
pub struct Pages {
    memory: &'static mut [u8],
    length: usize,
}

impl Pages {
    /// Memory for `length` bytes.
    pub fn new(length: usize) -> Result<Self, Refusal> {
        const TOO_MUCH: Refusal = Refusal::Firmware("give memory", 0);
        let size = length.max(1).checked_next_multiple_of(PAGE as usize).ok_or(TOO_MUCH)?;
        let count = size / PAGE as usize;
        let start = boot::allocate_pages(AllocateType::AnyPages, MemoryType::LOADER_DATA, count)
            .map_err(|error| Refusal::Firmware("give memory", error.status().0))?;
        // SAFETY: firmware gave this many pages to nobody else, and maps
        // memory at its physical address; they are never freed. They are
        // zeroed before they are looked at.
        let memory = unsafe {
            start.write_bytes(0, size);
            core::slice::from_raw_parts_mut(start.as_ptr(), size)
        };
        Ok(Self { memory, length })
    }

    /// Physical address of the first byte.
    pub fn address(&self) -> u64 {
        self.memory.as_ptr().expose_provenance() as u64
    }

    /// Bytes that were asked for.
    pub fn length(&self) -> u64 {
        self.length as u64
    }

    /// Bytes there are: whole pages.
    pub fn size(&self) -> u64 {
        self.memory.len() as u64
    }

    /// First byte after it.
    pub fn end(&self) -> u64 {
        self.address() + self.size()
    }

    /// What was asked for.
    pub fn bytes(&self) -> &[u8] {
        self.memory.get(..self.length).unwrap_or_default()
    }

    /// What was asked for, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.memory.get_mut(..self.length).unwrap_or_default()
    }
}

/// Pages for tables, set aside while there is somebody to ask for memory.
#[derive(Debug)]
pub struct Pool {
    tables: &'static mut [[u64; ENTRIES]],
    address: u64,
    used: usize,
}

impl Pool {
    /// `count` pages.
    pub fn new(count: u64) -> Result<Self, Refusal> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let pages = Pages::new(count.saturating_mul(PAGE as usize))?;
        let address = pages.address();
        let start = pages.memory.as_mut_ptr().cast();
        // SAFETY: the memory is that of `pages`, which is gone: `count` times
        // as long as a table, on a page boundary, zeroed, never freed.
        let tables = unsafe { core::slice::from_raw_parts_mut(start, count) };
        Ok(Self { tables, address, used: 0 })
    }
}

impl Frames for Pool {
    fn allocate(&mut self) -> Option<u64> {
        let frame = self.address + self.used as u64 * PAGE;
        (self.used < self.tables.len()).then(|| {
            self.used += 1;
            frame
        })
    }

    fn table(&mut self, frame: u64) -> &mut [u64; ENTRIES] {
        // Only what `allocate` gave comes here, which is inside.
        &mut self.tables[((frame - self.address) / PAGE) as usize]
    }
}
