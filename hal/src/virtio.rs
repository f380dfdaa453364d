//! A virtio block device as the log's disk.
//!
//! Which disk is it? Writing the log over somebody's file system would be
//! worse than having no log, so a disk is taken only if it says so itself:
//! by the serial number [`LOG_SERIAL`], or by a first sector that begins with
//! a log or is blank.

use core::fmt;

use virtio_drivers::device::blk::{BlkReq, BlkResp, VirtIOBlk};
use virtio_drivers::transport::{SomeTransport, Transport};

use crate::dma::{REQUEST_MAX, VirtioHal};
use crate::traits::{BlockDevice, BlockError, SECTOR_SIZE};

/// Serial number of a disk that is meant for the log.
pub const LOG_SERIAL: &[u8] = b"heliograph-log";

/// What the first sector of a log begins with.
pub const LOG_MAGIC: &[u8; 16] = b"HELIOGRAPH LOG 1";

/// Bit of the flush feature (virtio 1.2, 5.2.3).
const FEATURE_FLUSH: u64 = 1 << 9;

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
pub struct Disk {
    device: VirtIOBlk<VirtioHal, SomeTransport<'static>>,
    can_flush: bool,
    now_ns: fn() -> u64,
    /// A request was given up while the device still had it: its buffers
    /// stay the device's, and nothing more is asked of it.
    is_lost: bool,
}

impl Disk {
    /// Starts the device. `None` where it does not work, is read-only, or is
    /// not for the log. [`crate::dma::start`] has been called.
    pub fn open(mut transport: SomeTransport<'static>, now_ns: fn() -> u64) -> Option<Self> {
        let can_flush = transport.read_device_features() & FEATURE_FLUSH != 0;
        let mut device = VirtIOBlk::<VirtioHal, _>::new(transport).ok()?;
        if device.readonly() || device.capacity() == 0 {
            return None;
        }
        let mut serial = [0; 20];
        let length = device.device_id(&mut serial).unwrap_or(0).min(serial.len());
        let mut disk = Self { device, can_flush, now_ns, is_lost: false };
        let mut first_sector = [0; SECTOR_SIZE];
        disk.read(0, &mut first_sector).ok()?;
        is_for_log(&serial[..length], &first_sector).then_some(disk)
    }

    /// A few words about it.
    pub fn describe(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let mebibytes = self.sectors() / 2048;
        let flush = if self.can_flush { "with" } else { "without" };
        write!(out, "log disk of {mebibytes} MiB {flush} flush")
    }

    /// Whether `count` sectors from `sector` on are on the disk.
    fn check(&self, sector: u64, bytes: usize) -> Result<(), BlockError> {
        if bytes == 0 || !bytes.is_multiple_of(SECTOR_SIZE) {
            return Err(BlockError::BadLength);
        }
        let count = (bytes / SECTOR_SIZE) as u64;
        match sector.checked_add(count) {
            Some(end) if end <= self.sectors() => {}
            _ => return Err(BlockError::OutOfRange),
        }
        if self.is_lost { Err(BlockError::Device) } else { Ok(()) }
    }

    /// Waits for the request with this token.
    fn wait(&mut self, token: u16) -> Result<(), BlockError> {
        let start = (self.now_ns)();
        while self.device.peek_used() != Some(token) {
            if (self.now_ns)().saturating_sub(start) > TIMEOUT_NS {
                self.is_lost = true;
                return Err(BlockError::TimedOut);
            }
            core::hint::spin_loop();
        }
        Ok(())
    }
}

impl BlockDevice for Disk {
    fn sectors(&self) -> u64 {
        self.device.capacity()
    }

    fn read(&mut self, sector: u64, buffer: &mut [u8]) -> Result<(), BlockError> {
        self.check(sector, buffer.len())?;
        for (chunk, at) in buffer.chunks_mut(REQUEST_MAX).zip(request_starts(sector)) {
            let (mut request, mut response) = (BlkReq::default(), BlkResp::default());
            // SAFETY: the three buffers stay where they are until
            // `complete_read_blocks` below, and nothing touches them before.
            // If the wait fails they are dropped, which is sound too: what
            // the device has are the copies in the DMA pool, which then are
            // never given back.
            let token =
                unsafe { self.device.read_blocks_nb(at, &mut request, chunk, &mut response) }
                    .map_err(|_| BlockError::Device)?;
            self.wait(token)?;
            // SAFETY: the same buffers as above, for the same token.
            unsafe { self.device.complete_read_blocks(token, &request, chunk, &mut response) }
                .map_err(|_| BlockError::Device)?;
        }
        Ok(())
    }

    fn write(&mut self, sector: u64, buffer: &[u8]) -> Result<(), BlockError> {
        self.check(sector, buffer.len())?;
        for (chunk, at) in buffer.chunks(REQUEST_MAX).zip(request_starts(sector)) {
            let (mut request, mut response) = (BlkReq::default(), BlkResp::default());
            // SAFETY: as in `read`.
            let token =
                unsafe { self.device.write_blocks_nb(at, &mut request, chunk, &mut response) }
                    .map_err(|_| BlockError::Device)?;
            self.wait(token)?;
            // SAFETY: the same buffers as above, for the same token.
            unsafe { self.device.complete_write_blocks(token, &request, chunk, &mut response) }
                .map_err(|_| BlockError::Device)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), BlockError> {
        if self.is_lost {
            return Err(BlockError::Device);
        }
        // The driver does nothing where the device has no flush.
        self.device.flush().map_err(|_| BlockError::Device)
    }

    fn can_flush(&self) -> bool {
        self.can_flush
    }
}

/// First sectors of the requests that a long transfer is cut into.
fn request_starts(sector: u64) -> impl Iterator<Item = usize> {
    (sector as usize..).step_by(REQUEST_MAX / SECTOR_SIZE)
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
