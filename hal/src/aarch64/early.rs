//! A console before there are tables.
//!
//! The loader maps RAM and nothing else, so neither the UART nor, with newer
//! base revisions, ACPI's tables can be reached at first. But the lower half
//! of the address space is the kernel's own from the start: here it holds one
//! table of pages, lent out until the devices are mapped where they belong.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use aarch64_cpu::registers::{MAIR_EL1, Readable, TCR_EL1, Writeable};
use spin::Mutex;

use super::describe::{Description, UartKind};
use super::descriptor::{Descriptor, with_devices};
use super::{paging, power, serial};
use crate::acpi;
use crate::bcm2711::watchdog;
use crate::boot::BootInfo;
use crate::device_tree::DeviceTree;
use crate::table::Format;
use crate::traits::{DiscoverError, MapError, PAGE_SIZE, Protection};
use crate::window::FirmwareMemory;

/// Where the pages appear: the second 2 MiB, so that page zero stays empty.
const WINDOW: u64 = 2 << 20;

/// Entries in a table.
const ENTRIES: usize = 512;

/// Tables for the lower half, of the levels from the top down.
#[repr(C, align(4096))]
struct Lower([UnsafeCell<[u64; ENTRIES]>; 4]);

// SAFETY: written by `open` and `Pages::map` only, on the one processor that
// runs; the first is called once, and the second holds the lock of `PAGES`.
unsafe impl Sync for Lower {}

static LOWER: Lower = Lower([const { UnsafeCell::new([0; ENTRIES]) }; 4]);

/// Whether [`start`] has been called.
static STARTED: AtomicBool = AtomicBool::new(false);

/// Physical address of the top table while the lower half is lent out.
static ROOT: AtomicU64 = AtomicU64::new(0);

/// Pages that are lent out.
static PAGES: Mutex<Pages> = Mutex::new(Pages { used: 0 });

struct Pages {
    used: usize,
}

/// Finds the console and how to switch off, and uses them. Where they cannot
/// be reached yet, the kernel starts without: `discover` finds them again.
/// Says whether there is a console. Does nothing the second time.
pub fn start(boot: &BootInfo<'_>) -> bool {
    if STARTED.swap(true, Ordering::Relaxed) {
        return serial::is_in_use();
    }
    power::read_command_line(boot.command_line);
    if !open(boot) {
        return false;
    }
    let Some(found) = describe(boot) else { return false };
    power::use_conduit(found.conduit);
    let mut pages = PAGES.lock();
    if let Some(base) = found.chip.and_then(|chip| chip.watchdog)
        && let Ok(at) = pages.map(base, watchdog::LENGTH, Protection::Device)
    {
        // SAFETY: `map` mapped the registers as device memory, where nothing
        // else is; they stay until `close`, before which `discover` has given
        // the driver another address or none.
        unsafe { power::use_watchdog(at) };
    }
    let Some(uart) = found.uart else { return false };
    let Ok(at) = pages.map(uart.base, serial::length(uart.kind), Protection::Device) else {
        return false;
    };
    // SAFETY: as above.
    unsafe { serial::use_at(uart.kind, at) };
    true
}

/// Takes the lower half back. Nothing that was mapped here is used any more.
pub fn close() {
    if ROOT.swap(0, Ordering::Relaxed) != 0 {
        paging::switch_lower_half_off();
    }
}

/// Physical address of the tables of the lower half; zero for none.
pub fn lower_half() -> u64 {
    ROOT.load(Ordering::Relaxed)
}

/// The description by the tree or by ACPI, as far as it can be read.
fn describe(boot: &BootInfo<'_>) -> Option<Description> {
    if let Some(rsdp) = boot.rsdp {
        let acpi = acpi::Tables::find(&mut *PAGES.lock(), rsdp).ok()?;
        return Some(Description::from_acpi(&acpi));
    }
    let tree = DeviceTree::new(boot.device_tree?).ok()?;
    Some(Description::from_tree(&tree, UartKind::wanted(boot.command_line)))
}

/// Puts the lower half into use, empty. `false` where the loader's settings
/// are not those the boot protocol promises.
fn open(boot: &BootInfo<'_>) -> bool {
    let Some(mair) = with_devices(MAIR_EL1.get()) else { return false };
    let physical = |level: usize| {
        let address = LOWER.0[level].get().addr() as u64;
        address.wrapping_sub(boot.kernel_virtual).wrapping_add(boot.kernel_physical)
    };
    let slots = [0, 0, (WINDOW >> 21) as usize];
    for (level, slot) in slots.into_iter().enumerate() {
        // SAFETY: see `Sync` above; the slot is below 512. The processor does
        // not walk these tables yet.
        unsafe {
            LOWER.0[level]
                .get()
                .cast::<u64>()
                .add(slot)
                .write_volatile(Descriptor::table(physical(level + 1)))
        };
    }
    MAIR_EL1.set(mair);
    paging::publish_tables();
    ROOT.store(physical(0), Ordering::Relaxed);
    paging::use_lower_half(physical(0), TCR_EL1.get());
    true
}

impl Pages {
    /// Maps some physical memory, and gives its virtual address.
    fn map(
        &mut self,
        physical: u64,
        length: u64,
        protection: Protection,
    ) -> Result<u64, DiscoverError> {
        let first = physical - physical % PAGE_SIZE;
        let end = physical
            .checked_add(length)
            .and_then(|end| end.checked_next_multiple_of(PAGE_SIZE))
            .filter(|&end| end <= 1 << 48)
            .ok_or(DiscoverError::Map(MapError::BadAddress))?;
        let count = (end - first) / PAGE_SIZE;
        if count > (ENTRIES - self.used) as u64 {
            return Err(DiscoverError::Map(MapError::OutOfFrames));
        }
        let at = WINDOW + self.used as u64 * PAGE_SIZE;
        for page in 0..count {
            let entry = Descriptor::leaf(first + page * PAGE_SIZE, 0, protection);
            // SAFETY: see `Sync` above; `self.used` is below 512 by the check
            // before. The entry was empty, so no TLB knows of it.
            unsafe { LOWER.0[3].get().cast::<u64>().add(self.used).write_volatile(entry) };
            self.used += 1;
        }
        paging::publish_tables();
        Ok(at + physical % PAGE_SIZE)
    }
}

impl FirmwareMemory for Pages {
    fn read(&mut self, physical: u64, length: usize) -> Result<&'static [u8], DiscoverError> {
        let at = self.map(physical, length as u64, Protection::ReadOnly)?;
        let start = core::ptr::with_exposed_provenance::<u8>(at as usize);
        // SAFETY: `map` mapped each page of the range, and entries are not
        // used twice. The firmware's tables stay as they are (see `window`).
        // They are unmapped by `close`; `describe` above is the only caller
        // and keeps nothing of them.
        Ok(unsafe { core::slice::from_raw_parts(start, length) })
    }
}
