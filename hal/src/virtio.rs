//! A virtio block device as the log's disk.
//!
//! Which disk is it? Writing the log over somebody's file system would be
//! worse than having no log, so a disk is taken only if it says so itself:
//! by the serial number [`LOG_SERIAL`], or by a first sector that begins with
//! a log or is blank.
//!
//! Queue and transports are `virtio-drivers`'. Its block device is not used, for
//! that waits without a limit for a flush and for the serial number: a device
//! that is gone would hold the machine for ever where the log wants to be safe.
//! What a transport itself waits for, when a device is reset, has no limit.

use core::fmt;

use virtio_drivers::queue::VirtQueue;
use virtio_drivers::transport::{DeviceStatus, SomeTransport, Transport};

use crate::dma::{REQUEST_MAX, VirtioHal};
use crate::traits::{BlockDevice, BlockError, SECTOR_SIZE};

/// Serial number of a disk that is meant for the log.
pub const LOG_SERIAL: &[u8] = b"heliograph-log";

/// What the first sector of a log begins with.
pub const LOG_MAGIC: &[u8; 16] = b"HELIOGRAPH LOG 1";

/// Feature bits (virtio 1.2, 5.2.3 and 6): read-only, flush, version 1.
const READ_ONLY: u64 = 1 << 5;
const FLUSH: u64 = 1 << 9;
const VERSION_1: u64 = 1 << 32;

/// Types of requests (virtio 1.2, 5.2.6).
const READ: u32 = 0;
const WRITE: u32 = 1;
const MAKE_SAFE: u32 = 4;
const GET_ID: u32 = 8;

/// Status of a request that was done as told.
const DONE: u8 = 0;

/// The one queue, and its descriptors.
const QUEUE: u16 = 0;
const QUEUE_SIZE: usize = 16;

/// Bytes of a page, as virtio counts them where it does.
const GUEST_PAGE: u32 = 4096;

/// How long a request may take, in ns. An emulator's host may stall; a device
/// that says nothing for so long is gone.
const TIMEOUT_NS: u64 = 30_000_000_000;

/// Whether a disk with this serial number and first sector is for the log.
pub fn is_for_log(serial: &[u8], first_sector: &[u8]) -> bool {
    serial == LOG_SERIAL
        || first_sector.starts_with(LOG_MAGIC)
        || first_sector.iter().all(|&byte| byte == 0)
}

/// A virtio block device.
pub struct Disk<T: Transport = SomeTransport<'static>> {
    transport: T,
    queue: VirtQueue<VirtioHal, QUEUE_SIZE>,
    sectors: u64,
    can_flush: bool,
    now_ns: fn() -> u64,
    /// A request was given up while the device still had it: its buffers
    /// stay the device's, and nothing more is asked of it.
    is_lost: bool,
}

/// What a request moves besides its header and its status.
enum Data<'a> {
    None,
    To(&'a [u8]),
    From(&'a mut [u8]),
}

impl<T: Transport> Disk<T> {
    /// Starts the device. `None` where it does not work, is read-only, or is
    /// not for the log. [`crate::dma::start`] has been called.
    pub fn open(transport: T, now_ns: fn() -> u64) -> Option<Self> {
        let mut disk = Self::start(transport, now_ns)?;
        let (mut serial, mut first_sector) = ([0; 20], [0; SECTOR_SIZE]);
        // A device need not have one.
        let _ = disk.request(GET_ID, 0, Data::From(&mut serial));
        disk.read(0, &mut first_sector).ok()?;
        let serial = serial.split(|&byte| byte == 0).next().unwrap_or_default();
        is_for_log(serial, &first_sector).then_some(disk)
    }

    /// Initialises the device (virtio 1.2, 3.1.1).
    fn start(mut transport: T, now_ns: fn() -> u64) -> Option<Self> {
        let found = DeviceStatus::ACKNOWLEDGE | DeviceStatus::DRIVER;
        transport.set_status(DeviceStatus::empty());
        transport.set_status(found);
        let features = transport.read_device_features();
        if features & READ_ONLY != 0 {
            return None;
        }
        transport.write_driver_features(features & (FLUSH | VERSION_1));
        transport.set_status(found | DeviceStatus::FEATURES_OK);
        transport.set_guest_page_size(GUEST_PAGE);
        let half = |at| transport.read_config_space::<u32>(at);
        let halves = transport.read_consistent(|| Ok((half(0)?, half(4)?)));
        let sectors = halves.map(|(low, high)| u64::from(high) << 32 | u64::from(low)).ok()?;
        if sectors == 0 {
            return None;
        }
        let mut queue = VirtQueue::new(&mut transport, QUEUE, false, false).ok()?;
        // Nobody hears its interrupt: `wait` looks.
        queue.set_dev_notify(false);
        transport.finish_init();
        let can_flush = features & FLUSH != 0;
        Some(Self { transport, queue, sectors, can_flush, now_ns, is_lost: false })
    }

    /// A few words about it.
    pub fn describe(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let mebibytes = self.sectors() / 2048;
        let flush = if self.can_flush { "with" } else { "without" };
        write!(out, "log disk of {mebibytes} MiB {flush} flush")
    }

    /// Whether the sectors from `sector` on are on the disk.
    fn check(&self, sector: u64, bytes: usize) -> Result<(), BlockError> {
        if bytes == 0 || !bytes.is_multiple_of(SECTOR_SIZE) {
            return Err(BlockError::BadLength);
        }
        let count = (bytes / SECTOR_SIZE) as u64;
        match sector.checked_add(count) {
            Some(end) if end <= self.sectors => Ok(()),
            _ => Err(BlockError::OutOfRange),
        }
    }

    /// Has the device do one thing, and waits for it.
    fn request(&mut self, kind: u32, sector: u64, data: Data<'_>) -> Result<(), BlockError> {
        if self.is_lost {
            return Err(BlockError::Device);
        }
        let (mut header, mut status) = ([0; 16], [!DONE]);
        header[..4].copy_from_slice(&kind.to_le_bytes());
        header[8..].copy_from_slice(&sector.to_le_bytes());
        match data {
            Data::None => self.exchange(&[&header], &mut [&mut status])?,
            Data::To(bytes) => self.exchange(&[&header, bytes], &mut [&mut status])?,
            Data::From(bytes) => self.exchange(&[&header], &mut [bytes, &mut status])?,
        }
        if status == [DONE] { Ok(()) } else { Err(BlockError::Device) }
    }

    /// Gives buffers to the device, and waits until they are back.
    fn exchange<'a>(
        &mut self,
        given: &'a [&'a [u8]],
        taken: &'a mut [&'a mut [u8]],
    ) -> Result<(), BlockError> {
        // SAFETY: the buffers stay where they are until `pop_used` below, and
        // nothing touches them before. If the wait fails they are dropped,
        // which is sound too: what the device has are the copies in the DMA
        // pool, which then are never given back.
        let token = unsafe { self.queue.add(given, taken) }.map_err(|_| BlockError::Device)?;
        if self.queue.should_notify() {
            self.transport.notify(QUEUE);
        }
        self.wait(token)?;
        // SAFETY: the same buffers as above, for the same token.
        unsafe { self.queue.pop_used(token, given, taken) }.map_err(|_| BlockError::Device)?;
        Ok(())
    }

    /// Waits for the request with this token.
    fn wait(&mut self, token: u16) -> Result<(), BlockError> {
        let start = (self.now_ns)();
        while self.queue.peek_used() != Some(token) {
            if (self.now_ns)().saturating_sub(start) > TIMEOUT_NS {
                self.is_lost = true;
                return Err(BlockError::TimedOut);
            }
            core::hint::spin_loop();
        }
        Ok(())
    }
}

impl<T: Transport> Drop for Disk<T> {
    fn drop(&mut self) {
        // The device must not write to the queue when its memory is somebody
        // else's.
        self.transport.queue_unset(QUEUE);
    }
}

impl<T: Transport> BlockDevice for Disk<T> {
    fn sectors(&self) -> u64 {
        self.sectors
    }

    fn read(&mut self, sector: u64, buffer: &mut [u8]) -> Result<(), BlockError> {
        self.check(sector, buffer.len())?;
        let mut parts = buffer.chunks_mut(REQUEST_MAX).zip(request_starts(sector));
        parts.try_for_each(|(part, at)| self.request(READ, at, Data::From(part)))
    }

    fn write(&mut self, sector: u64, buffer: &[u8]) -> Result<(), BlockError> {
        self.check(sector, buffer.len())?;
        let mut parts = buffer.chunks(REQUEST_MAX).zip(request_starts(sector));
        parts.try_for_each(|(part, at)| self.request(WRITE, at, Data::To(part)))
    }

    fn flush(&mut self) -> Result<(), BlockError> {
        // Where it has no flush, what was written is as safe as it will be.
        if self.can_flush { self.request(MAKE_SAFE, 0, Data::None) } else { Ok(()) }
    }

    fn can_flush(&self) -> bool {
        self.can_flush
    }
}

/// First sectors of the requests that a long transfer is cut into.
fn request_starts(sector: u64) -> impl Iterator<Item = u64> {
    (sector..).step_by(REQUEST_MAX / SECTOR_SIZE)
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicU64, Ordering};

    use virtio_drivers::transport::{DeviceType, InterruptStatus};
    use zerocopy::{FromBytes, Immutable, IntoBytes};

    use super::*;
    use crate::dma;
    use crate::hosted::Memory;

    #[test]
    fn a_disk_with_something_else_on_it_is_left_alone() {
        let blank = [0; SECTOR_SIZE];
        let mut boot = blank;
        boot[510..].copy_from_slice(&[0x55, 0xaa]);
        let mut log = blank;
        log[..16].copy_from_slice(LOG_MAGIC);

        assert!(is_for_log(b"", &blank));
        assert!(is_for_log(b"", &log));
        assert!(!is_for_log(b"", &boot));
        assert!(!is_for_log(b"heliograph", &boot));
        assert!(is_for_log(LOG_SERIAL, &boot));
    }

    /// A device of 2^32 + 8 sectors that takes requests and does nothing.
    struct Silent(DeviceStatus);

    impl Transport for Silent {
        fn device_type(&self) -> DeviceType {
            DeviceType::Block
        }
        fn read_device_features(&mut self) -> u64 {
            FLUSH | VERSION_1
        }
        fn write_driver_features(&mut self, features: u64) {
            assert_eq!(features, FLUSH | VERSION_1);
        }
        fn max_queue_size(&mut self, _: u16) -> u32 {
            256
        }
        fn notify(&mut self, _: u16) {
            assert!(self.0.contains(DeviceStatus::DRIVER_OK));
        }
        fn get_status(&self) -> DeviceStatus {
            self.0
        }
        fn set_status(&mut self, status: DeviceStatus) {
            self.0 = status;
        }
        fn set_guest_page_size(&mut self, _: u32) {}
        fn requires_legacy_layout(&self) -> bool {
            false
        }
        fn queue_set(&mut self, _: u16, _: u32, _: u64, _: u64, _: u64) {}
        fn queue_unset(&mut self, _: u16) {}
        fn queue_used(&mut self, _: u16) -> bool {
            false
        }
        fn ack_interrupt(&mut self) -> InterruptStatus {
            InterruptStatus::empty()
        }
        fn read_config_generation(&self) -> u32 {
            0
        }
        fn read_config_space<T: FromBytes + IntoBytes>(
            &self,
            offset: usize,
        ) -> virtio_drivers::Result<T> {
            let capacity = (1_u64 << 32 | 8).to_le_bytes();
            Ok(T::read_from_prefix(&capacity[offset..]).unwrap().0)
        }
        fn write_config_space<T: IntoBytes + Immutable>(
            &mut self,
            _: usize,
            _: T,
        ) -> virtio_drivers::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_device_that_does_not_answer_is_given_up_whatever_it_was_asked_for() {
        /// A second goes by whenever somebody looks.
        fn now_ns() -> u64 {
            static NOW: AtomicU64 = AtomicU64::new(0);
            NOW.fetch_add(1_000_000_000, Ordering::Relaxed)
        }
        // The pool has it for good.
        let memory = Box::leak(Box::new(Memory::new(64)));
        dma::start(memory).unwrap();
        let start = || Disk::start(Silent(DeviceStatus::empty()), now_ns).unwrap();
        let mut sector = [0; SECTOR_SIZE];
        assert_eq!(start().flush(), Err(BlockError::TimedOut));
        assert_eq!(start().request(GET_ID, 0, Data::From(&mut [0; 20])), Err(BlockError::TimedOut));
        assert_eq!(start().write(0, &sector), Err(BlockError::TimedOut));
        let mut disk = start();
        assert_eq!(disk.sectors(), 1 << 32 | 8);
        assert_eq!(disk.read(disk.sectors(), &mut sector), Err(BlockError::OutOfRange));
        assert_eq!(disk.read(1 << 32, &mut sector), Err(BlockError::TimedOut));
        // From then on nothing is asked of it.
        for asked in [disk.read(0, &mut sector), disk.write(0, &sector), disk.flush()] {
            assert_eq!(asked, Err(BlockError::Device));
        }
        assert!(Disk::open(Silent(DeviceStatus::empty()), now_ns).is_none());
    }
}
