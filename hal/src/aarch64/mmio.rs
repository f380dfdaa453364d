//! Finding the log disk among virtio devices that are not on PCI (virtio 1.2,
//! 4.2).

use core::ptr::NonNull;

use virtio_drivers::transport::mmio::MmioTransport;
use virtio_drivers::transport::{DeviceType, SomeTransport, Transport};

use crate::device_tree::Region;
use crate::traits::PageTables;
use crate::virtio::Disk;
use crate::window::Window;

/// Registers of a device and its configuration space; places differ, and
/// `virt` gives each 512 bytes.
const LENGTH: u64 = 0x200;

/// The first virtio block device that is meant for the log (see
/// [`crate::virtio`]). A place without a device, or with another one, is
/// passed over.
///
/// [`crate::dma::start`] has been called.
pub fn find_log_disk<P: PageTables>(
    window: &mut Window<'_, P>,
    places: &[Region],
    now_ns: fn() -> u64,
) -> Option<Disk> {
    places.iter().find_map(|place| {
        let length = place.size.max(LENGTH);
        let base = window.device(place.base, length).ok()?;
        let header = NonNull::new(core::ptr::with_exposed_provenance_mut(base as usize))?;
        // SAFETY: the tree says that these are the registers of a virtio
        // device, the window mapped them as such for good, and each place is
        // opened once. The transport checks magic number and version, and an
        // empty place has device type zero, which it refuses.
        let transport = unsafe { MmioTransport::new(header, length as usize) }.ok()?;
        if transport.device_type() != DeviceType::Block {
            return None;
        }
        Disk::open(SomeTransport::from(transport), now_ns)
    })
}
