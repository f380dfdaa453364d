//! Finding the log disk on PCI.
//!
//! Configuration space is in memory, where MCFG or device tree say. Buses are found by
//! following bridges from bus zero; resources stay as the firmware assigned
//! them.

use virtio_drivers::transport::pci::bus::{
    Command, ConfigurationAccess, DeviceFunction, HeaderType, PciRoot,
};
use virtio_drivers::transport::pci::{PciTransport, virtio_device_type};
use virtio_drivers::transport::{DeviceType, SomeTransport};

use crate::acpi::mcfg::Segment;
use crate::dma::VirtioHal;
use crate::traits::{DiscoverError, PageTables};
use crate::virtio::Disk;
use crate::window::Window;

/// Bytes of configuration space that a bus has, and a function.
const BUS_BYTES: u64 = 1 << 20;
const FUNCTION_BYTES: u64 = 1 << 12;

/// Offset of a bridge's bus numbers; the second byte is the bus behind it.
const BUS_NUMBERS: u8 = 0x18;

/// Most block devices that are looked at on a bus.
const DISKS: usize = 8;

/// The first virtio block device that is meant for the log (see
/// [`crate::virtio`]), of those on these segments. A device that does not
/// work is passed over: without a disk the log goes out by the console.
///
/// [`crate::dma::start`] has been called.
pub fn find_log_disk<P: PageTables>(
    window: &mut Window<'_, P>,
    segments: impl IntoIterator<Item = Segment>,
    now_ns: fn() -> u64,
) -> Option<Disk> {
    segments.into_iter().find_map(|segment| {
        let access = Ecam::map(window, segment).ok()?;
        search(access, window, segment.first_bus, now_ns)
    })
}

fn search<P: PageTables>(
    access: Ecam,
    window: &mut Window<'_, P>,
    first_bus: u8,
    now_ns: fn() -> u64,
) -> Option<Disk> {
    let mut root = PciRoot::new(access);
    let (mut found, mut searched) = ([false; 256], [false; 256]);
    found[usize::from(first_bus)] = true;
    while let Some(bus) = (0..=255u8).find(|&bus| {
        let bus = usize::from(bus);
        found[bus] && !searched[bus]
    }) {
        searched[usize::from(bus)] = true;
        let mut disks = [None; DISKS];
        let mut count = 0;
        for (function, info) in root.enumerate_bus(bus) {
            if info.header_type == HeaderType::PciPciBridge {
                let behind = access.read_word(function, BUS_NUMBERS) >> 8 & 0xff;
                found[behind as usize] = true;
            } else if virtio_device_type(&info) == Some(DeviceType::Block)
                && let Some(place) = disks.get_mut(count)
            {
                *place = Some(function);
                count += 1;
            }
        }
        let disk = disks
            .into_iter()
            .flatten()
            .find_map(|function| open(&mut root, window, function, now_ns));
        if disk.is_some() {
            return disk;
        }
    }
    None
}

/// Maps the device's registers, lets it use memory, and looks whether its
/// disk is meant for the log.
fn open<P: PageTables>(
    root: &mut PciRoot<Ecam>,
    window: &mut Window<'_, P>,
    function: DeviceFunction,
    now_ns: fn() -> u64,
) -> Option<Disk> {
    for bar in root.bars(function).ok()?.into_iter().flatten() {
        if let Some((address, size)) = bar.memory_address_size()
            && address != 0
        {
            window.device(address, size).ok()?;
        }
    }
    let (_, command) = root.get_status_command(function);
    root.set_command(function, command | Command::MEMORY_SPACE | Command::BUS_MASTER);
    let transport = PciTransport::new::<VirtioHal, _>(root, function).ok()?;
    Disk::open(SomeTransport::from(transport), now_ns)
}

/// Configuration space of a range of buses.
#[derive(Clone, Copy)]
struct Ecam {
    base: u64,
    first_bus: u8,
    last_bus: u8,
}

impl Ecam {
    fn map<P: PageTables>(
        window: &mut Window<'_, P>,
        segment: Segment,
    ) -> Result<Self, DiscoverError> {
        let first = u64::from(segment.first_bus);
        let buses = u64::from(segment.last_bus) - first + 1;
        let start = segment
            .base
            .checked_add(first * BUS_BYTES)
            .ok_or(DiscoverError::BadDescription("MCFG address"))?;
        let base = window.device(start, buses * BUS_BYTES)?;
        Ok(Self { base, first_bus: segment.first_bus, last_bus: segment.last_bus })
    }

    /// Address of a register, if the bus is one of the range.
    fn register(&self, function: DeviceFunction, offset: u8) -> Option<*mut u32> {
        if !(self.first_bus..=self.last_bus).contains(&function.bus) || !function.valid() {
            return None;
        }
        let number = u64::from(function.bus - self.first_bus) * BUS_BYTES
            + u64::from(function.device << 3 | function.function) * FUNCTION_BYTES
            + u64::from(offset & !3);
        Some(core::ptr::with_exposed_provenance_mut((self.base + number) as usize))
    }
}

impl ConfigurationAccess for Ecam {
    fn read_word(&self, function: DeviceFunction, offset: u8) -> u32 {
        match self.register(function, offset) {
            // SAFETY: `map` mapped the configuration space of every bus of
            // the range as device registers, for good; `register` stays in
            // it and aligned. Reading standard headers has no side effect.
            Some(register) => unsafe { register.read_volatile() },
            // What a bus without a device answers.
            None => u32::MAX,
        }
    }

    fn write_word(&mut self, function: DeviceFunction, offset: u8, data: u32) {
        if let Some(register) = self.register(function, offset) {
            // SAFETY: as in `read_word`; the registers alias no Rust object.
            unsafe { register.write_volatile(data) }
        }
    }

    unsafe fn unsafe_clone(&self) -> Self {
        *self
    }
}
