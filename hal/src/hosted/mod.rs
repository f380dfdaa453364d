//! The traits on an ordinary operating system.
//!
//! Memory is a vector, the console two queues of bytes, the disk a vector of
//! sectors, time the host's. What the kernel does with a machine is tested on
//! this one.

extern crate std;

#[path = "../x86_64/descriptor.rs"]
pub mod descriptor;
mod memory;
#[cfg(target_arch = "x86_64")]
#[path = "../x86_64/sha256.rs"]
mod sha256;

use core::fmt;
use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::LazyLock;
use std::time::Instant;
use std::vec::Vec;

pub use memory::{Memory, PageTables};

use crate::boot::BootInfo;
use crate::traits::{
    self, BlockDevice, BlockError, DiscoverError, ExitStatus, FrameSource, Handlers, Platform,
    SECTOR_SIZE, Sha256Compress, Source,
};

/// A machine made of the host's means.
pub struct Machine {
    console: Console,
    timer: Timer,
    power: Power,
    entropy: Entropy,
    disk: Option<Disk>,
}

impl Machine {
    /// A machine with this disk in it.
    pub fn with_disk(disk: Option<Disk>) -> Self {
        Self {
            console: Console::default(),
            timer: Timer::default(),
            power: Power,
            entropy: Entropy,
            disk,
        }
    }

    /// The console from the other side.
    pub fn terminal(&mut self) -> &mut Console {
        &mut self.console
    }
}

impl Platform for Machine {
    type PageTables = PageTables;
    type Cpu = Cpu;
    type Disk = Disk;

    const ARCHITECTURE: u8 = 0;

    fn early(_boot: &BootInfo<'_>, _handlers: &'static Handlers) -> bool {
        true
    }

    fn emergency_write(bytes: &[u8]) {
        // Where standard error is closed there is nobody to tell.
        let _ = std::io::stderr().write_all(bytes);
    }

    fn emergency_off(status: ExitStatus) -> ! {
        std::process::exit(i32::from(status as u8))
    }

    fn clock_ns() -> u64 {
        u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn discover(
        _boot: &BootInfo<'_>,
        _tables: &mut PageTables,
        _frames: &mut dyn FrameSource,
    ) -> Result<Self, DiscoverError> {
        Ok(Self::with_disk(None))
    }

    fn board(&self) -> u8 {
        0
    }

    fn describe(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str("hosted")
    }

    fn interrupts(&self, _show: &mut dyn FnMut(Source)) {}

    fn console(&mut self) -> &mut dyn traits::Console {
        &mut self.console
    }

    fn timer(&mut self) -> &mut dyn traits::Timer {
        &mut self.timer
    }

    fn power(&mut self) -> &mut dyn traits::Power {
        &mut self.power
    }

    fn entropy(&mut self) -> &mut dyn traits::Entropy {
        &mut self.entropy
    }

    fn take_disk(&mut self) -> Option<Disk> {
        self.disk.take()
    }
}

/// A console whose two ends are queues.
#[derive(Debug, Default)]
pub struct Console {
    /// What the kernel has written.
    pub written: Vec<u8>,
    /// What it will read.
    pub typed: VecDeque<u8>,
}

impl traits::Console for Console {
    fn is_present(&self) -> bool {
        true
    }

    fn write(&mut self, bytes: &[u8]) {
        self.written.extend_from_slice(bytes);
    }

    fn read(&mut self) -> Option<u8> {
        self.typed.pop_front()
    }

    fn enable_receive_interrupt(&mut self) {}
}

/// When this process first asked for the time.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The host's monotonic clock.
#[derive(Debug, Default)]
pub struct Timer {
    /// The deadline that was armed last.
    pub deadline_ns: Option<u64>,
}

impl traits::Timer for Timer {
    fn now_ns(&self) -> u64 {
        Machine::clock_ns()
    }

    fn arm(&mut self, deadline_ns: u64) {
        self.deadline_ns = Some(deadline_ns);
    }
}

/// Ends the process.
#[derive(Debug)]
pub struct Power;

impl traits::Power for Power {
    fn off(&mut self, status: ExitStatus) -> ! {
        std::process::exit(i32::from(status as u8))
    }

    fn reboot(&mut self) -> ! {
        std::process::exit(0)
    }
}

/// The host's generator.
#[derive(Debug)]
pub struct Entropy;

impl traits::Entropy for Entropy {
    fn fill(&mut self, bytes: &mut [u8]) -> bool {
        use std::io::Read as _;
        std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(bytes)).is_ok()
    }
}

/// A disk in memory, which remembers what was flushed.
#[derive(Clone, Debug)]
pub struct Disk {
    /// What reads see.
    pub contents: Vec<u8>,
    /// What would survive a power loss.
    pub durable: Vec<u8>,
}

impl Disk {
    /// A blank disk.
    pub fn new(sectors: usize) -> Self {
        let blank = std::vec![0; sectors * SECTOR_SIZE];
        Self { contents: blank.clone(), durable: blank }
    }

    fn range(&self, sector: u64, bytes: usize) -> Result<core::ops::Range<usize>, BlockError> {
        if bytes == 0 || !bytes.is_multiple_of(SECTOR_SIZE) {
            return Err(BlockError::BadLength);
        }
        let start = usize::try_from(sector)
            .ok()
            .and_then(|sector| sector.checked_mul(SECTOR_SIZE))
            .ok_or(BlockError::OutOfRange)?;
        match start.checked_add(bytes) {
            Some(end) if end <= self.contents.len() => Ok(start..end),
            _ => Err(BlockError::OutOfRange),
        }
    }
}

impl BlockDevice for Disk {
    fn sectors(&self) -> u64 {
        (self.contents.len() / SECTOR_SIZE) as u64
    }

    fn read(&mut self, sector: u64, buffer: &mut [u8]) -> Result<(), BlockError> {
        let range = self.range(sector, buffer.len())?;
        buffer.copy_from_slice(&self.contents[range]);
        Ok(())
    }

    fn write(&mut self, sector: u64, buffer: &[u8]) -> Result<(), BlockError> {
        let range = self.range(sector, buffer.len())?;
        self.contents[range].copy_from_slice(buffer);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), BlockError> {
        self.durable.copy_from_slice(&self.contents);
        Ok(())
    }

    fn can_flush(&self) -> bool {
        true
    }
}

/// The host's processor, as far as a process has it.
pub struct Cpu;

impl traits::Cpu for Cpu {
    fn disable_interrupts() -> bool {
        false
    }

    fn enable_interrupts() {}

    fn wait_for_interrupt() {
        std::thread::yield_now();
    }

    fn assert_float_state() {
        // Rounding to nearest, and denormals kept: one of these sums would
        // come out otherwise.
        let (one, tiny) = (core::hint::black_box(1.0f64), core::hint::black_box(1e-17f64));
        assert!(one + tiny == 1.0 && -one - tiny == -1.0, "rounding is not to nearest");
        let denormal = core::hint::black_box(f64::MIN_POSITIVE) / 2.0;
        assert!(denormal > 0.0, "denormals are flushed to zero");
    }

    fn frame_pointer() -> u64 {
        0
    }

    #[cfg(target_arch = "x86_64")]
    fn sha256() -> Option<(Sha256Compress, &'static str)> {
        sha256::detect()
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn sha256() -> Option<(Sha256Compress, &'static str)> {
        None
    }

    fn describe(show: &mut dyn FnMut(&'static str, &dyn fmt::Display)) {
        show("processor", &"the host's, by way of its operating system");
    }
}

#[cfg(test)]
mod tests;
