//! What the kernel may ask of a machine.
//!
//! Each method says when it may be called, what it may assume and what it
//! leaves true. All of them run on the one processor that booted.

use core::fmt;

use crate::boot::BootInfo;

/// A number that names an interrupt on its controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line(pub u32);

/// What an interrupt was for, as far as the kernel cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupt {
    /// The armed deadline has passed.
    Timer,
    /// The console has bytes to read; the port has taken them from the
    /// device already, so that the line is quiet again.
    Console,
    /// Nothing that is in use; counted and ignored.
    Spurious,
}

/// An interrupt that is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// What it is for.
    pub interrupt: Interrupt,
    /// The controller that delivers it.
    pub controller: &'static str,
    /// Its number there.
    pub line: Line,
}

/// Why the processor could not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// An access that the page tables do not allow: where, and how.
    Page {
        /// The virtual address that was touched.
        address: u64,
        /// Whether it was read, written or executed.
        access: Access,
        /// Whether the page is present but forbids the access.
        present: bool,
    },
    /// The stack pointer ran into a guard page.
    StackOverflow {
        /// The virtual address that was touched.
        address: u64,
    },
    /// An instruction that does not exist or is not allowed.
    IllegalInstruction,
    /// Anything else, with the port's own number for it.
    Other {
        /// Vector on x86_64, exception class on AArch64.
        code: u64,
    },
}

/// A kind of memory access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the definitions")]
pub enum Access {
    Read,
    Write,
    Execute,
}

/// A fault as the kernel reports it.
pub struct Fault<'a> {
    /// What happened.
    pub kind: FaultKind,
    /// Where the instruction was.
    pub program_counter: u64,
    /// Stack pointer at the fault.
    pub stack_pointer: u64,
    /// First frame record for the backtrace (frame pointer at the fault).
    pub frame_pointer: u64,
    /// General registers with their names, in the order of the manuals.
    pub registers: &'a [(&'static str, u64)],
}

/// What the port calls back. Installed once, before interrupts are enabled.
#[derive(Clone, Copy)]
pub struct Handlers {
    /// Called with interrupts disabled, vector registers saved, on the
    /// interrupted stack or one of its own. Must not block or allocate.
    pub interrupt: fn(Interrupt),
    /// Called on a stack of its own where the fault may be one of the stack.
    pub fault: fn(&Fault<'_>) -> !,
}

/// How a machine ends. Emulators turn it into an exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// Everything asked for was done.
    Success = 0,
    /// The run ended, but a task or the package failed.
    TaskFailed = 1,
    /// The kernel panicked.
    Panic = 2,
    /// A write to memory that is not writable.
    WriteFault = 3,
    /// A jump into memory that is not executable.
    ExecuteFault = 4,
    /// A stack ran into its guard page.
    StackOverflow = 5,
    /// Page zero was touched.
    NullAccess = 6,
    /// Another fault.
    OtherFault = 7,
    /// An init phase failed.
    InitFailed = 8,
    /// The log could not be written.
    LogFailed = 9,
}

impl ExitStatus {
    /// Every status, by number.
    pub const ALL: [Self; 10] = [
        Self::Success,
        Self::TaskFailed,
        Self::Panic,
        Self::WriteFault,
        Self::ExecuteFault,
        Self::StackOverflow,
        Self::NullAccess,
        Self::OtherFault,
        Self::InitFailed,
        Self::LogFailed,
    ];

    /// What is added to the number on its way out through an emulator, so
    /// that it is none that the emulator uses itself. QEMU then ends with
    /// twice the sum plus one: so the PC's debug exit device has it.
    pub const BASE: u8 = 0x10;

    /// The status with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// What a page may be used for: never both written and executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Read only, not executable.
    ReadOnly,
    /// Read and write, not executable.
    ReadWrite,
    /// Read and execute.
    ReadExecute,
    /// Device registers: read and write, uncached, in order.
    Device,
}

/// Bytes in a page and in a frame.
pub const PAGE_SIZE: u64 = 4096;

/// Why a mapping was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapError {
    /// There is a mapping already.
    AlreadyMapped,
    /// An address is not on a page boundary or not one the CPU can have.
    BadAddress,
    /// No frame was left for a table.
    OutOfFrames,
}

/// Gives frames of physical memory, each [`PAGE_SIZE`] bytes.
///
/// # Safety
/// A frame given is RAM that nothing else uses, and its physical address `p`
/// can be read and written at `p + hhdm_offset()`, before and after the
/// kernel's own tables are in use. Page tables are built on that.
pub unsafe trait FrameSource {
    /// Where physical address zero would be in the direct map.
    fn hhdm_offset(&self) -> u64;
    /// A frame that nothing else uses, not cleared. `None` when there is none.
    fn allocate(&mut self) -> Option<u64>;
    /// `count` frames in a row, or `None`.
    fn allocate_contiguous(&mut self, count: u64) -> Option<u64>;
}

/// Page tables that are being built or in use.
pub trait PageTables: Sized {
    /// Empty tables.
    fn new(frames: &mut dyn FrameSource) -> Result<Self, MapError>;

    /// Maps `length` bytes from `virtual_address` to `physical_address`.
    /// All three are multiples of [`PAGE_SIZE`]; larger pages are used where
    /// they fit. Works on tables in use too: it only adds, so no TLB entry
    /// goes stale. After an error the range may be mapped in part.
    fn map(
        &mut self,
        frames: &mut dyn FrameSource,
        virtual_address: u64,
        physical_address: u64,
        length: u64,
        protection: Protection,
    ) -> Result<(), MapError>;

    /// What a virtual address maps to, with its protection.
    fn translate(&self, virtual_address: u64) -> Option<(u64, Protection)>;

    /// Makes these tables the processor's. W^X is enforced from here on, and
    /// supervisor execution and access prevention where the processor has it.
    ///
    /// # Safety
    /// The running code, its stack and everything it uses must be mapped at
    /// the addresses it uses them at, as must `hhdm_offset` for all RAM.
    unsafe fn activate(&mut self);
}

/// A serial console.
pub trait Console {
    /// Whether there is one; where not, what is written is lost and nothing is
    /// ever read.
    fn is_present(&self) -> bool;
    /// Writes all bytes, waiting for the device where it has to.
    fn write(&mut self, bytes: &[u8]);
    /// The next byte received, if there is one.
    fn read(&mut self) -> Option<u8>;
    /// Lets received bytes raise [`Interrupt::Console`].
    fn enable_receive_interrupt(&mut self);
}

/// A clock that never goes back, and one deadline.
pub trait Timer {
    /// Nanoseconds since some point before the kernel started.
    fn now_ns(&self) -> u64;
    /// Raises [`Interrupt::Timer`] once `now_ns` reaches `deadline_ns`, at
    /// once if it has. Replaces an earlier deadline.
    fn arm(&mut self, deadline_ns: u64);
}

/// Ends or restarts the machine.
pub trait Power {
    /// Switches off; where that is not possible, halts for good.
    fn off(&mut self, status: ExitStatus) -> !;
    /// Restarts; where that is not possible, halts for good.
    fn reboot(&mut self) -> !;
}

/// Unpredictable bytes.
pub trait Entropy {
    /// Fills `bytes` from a hardware generator. `false` where there is none or
    /// it fails its own checks; `bytes` then hold nothing to rely on.
    fn fill(&mut self, bytes: &mut [u8]) -> bool;
}

/// Why a block device did not do as told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockError {
    /// The sector is beyond the end of the device.
    OutOfRange,
    /// The buffer is not a whole number of sectors.
    BadLength,
    /// The device reported an error.
    Device,
    /// The device does not answer.
    TimedOut,
}

/// Bytes in a sector.
pub const SECTOR_SIZE: usize = 512;

/// A disk.
pub trait BlockDevice {
    /// Size in sectors.
    fn sectors(&self) -> u64;
    /// Reads whole sectors.
    fn read(&mut self, sector: u64, buffer: &mut [u8]) -> Result<(), BlockError>;
    /// Writes whole sectors.
    fn write(&mut self, sector: u64, buffer: &[u8]) -> Result<(), BlockError>;
    /// Returns once what was written survives a power loss, as far as
    /// [`BlockDevice::can_flush`] says the device can do that.
    fn flush(&mut self) -> Result<(), BlockError>;
    /// Whether the device has a flush command.
    fn can_flush(&self) -> bool;
}

/// Compresses whole blocks into a SHA-256 state (FIPS 180-4, 6.2.2).
pub type Sha256Compress = fn(&mut [u32; 8], &[[u8; 64]]);

/// The processor.
pub trait Cpu {
    /// Stops taking interrupts; says whether they were taken before.
    fn disable_interrupts() -> bool;
    /// Takes interrupts.
    fn enable_interrupts();
    /// With interrupts disabled: sleeps until one is pending, takes it, and
    /// returns with interrupts disabled. One that came just before is not
    /// missed.
    fn wait_for_interrupt();
    /// Panics unless the floating point control registers say: round to
    /// nearest, no exception trapped, no flush to zero.
    fn assert_float_state();
    /// Address of the caller's frame record, for a backtrace: the previous
    /// record's address, then the return address.
    fn frame_pointer() -> u64;
    /// SHA-256 compression by the processor's own instructions, with their
    /// name, where it has them.
    fn sha256() -> Option<(Sha256Compress, &'static str)>;
    /// Shows what the processor is, the privilege it runs at and the state of
    /// its control registers, floating point among them: each as a name and a
    /// value. Only reads.
    fn describe(show: &mut dyn FnMut(&'static str, &dyn fmt::Display));
}

/// A machine: what the kernel is generic over, once.
///
/// The order of calls is the order of the methods.
pub trait Platform: Sized {
    /// Page tables of this architecture.
    type PageTables: PageTables;
    /// The processor of this architecture.
    type Cpu: Cpu;
    /// A disk of this machine.
    type Disk: BlockDevice;

    /// Number of the architecture in the machine record.
    const ARCHITECTURE: u8;

    /// Before memory is set up: exception vectors, and an early console if
    /// one can be reached under the loader's tables: `true` then. Faults from
    /// here on are reported through `handlers`. A second call changes nothing.
    fn early(boot: &BootInfo<'_>, handlers: &'static Handlers) -> bool;

    /// Writes to whatever console works by now, without waiting for locks:
    /// for panics and for before [`Platform::discover`].
    fn emergency_write(bytes: &[u8]);

    /// Switches off like [`Power::off`] with what works by now: for panics.
    fn emergency_off(status: ExitStatus) -> !;

    /// What [`Timer::now_ns`] says, for whoever has no timer at hand. Zero
    /// where [`Platform::discover`] has yet to start it.
    fn clock_ns() -> u64;

    /// Finds the devices, by ACPI or device tree, and maps their registers
    /// with `tables`, which are active. Interrupts are still disabled.
    fn discover(
        boot: &BootInfo<'_>,
        tables: &mut Self::PageTables,
        frames: &mut dyn FrameSource,
    ) -> Result<Self, DiscoverError>;

    /// Number of the board in the machine record.
    fn board(&self) -> u8;
    /// One line that says what was found.
    fn describe(&self, out: &mut dyn core::fmt::Write) -> core::fmt::Result;
    /// Shows the interrupts that are in use. Only looks.
    fn interrupts(&self, show: &mut dyn FnMut(Source));
    /// The console.
    fn console(&mut self) -> &mut dyn Console;
    /// The clock and its deadline.
    fn timer(&mut self) -> &mut dyn Timer;
    /// Off and reboot.
    fn power(&mut self) -> &mut dyn Power;
    /// Hardware entropy.
    fn entropy(&mut self) -> &mut dyn Entropy;
    /// The log disk, where there is one; a machine gives it once.
    fn take_disk(&mut self) -> Option<Self::Disk>;
    /// Serial number of the board; zero where it has none.
    fn serial(&self) -> u64 {
        0
    }
    /// Temperature of the processor in thousandths of a degree Celsius, where
    /// the machine has a sensor that answers.
    fn temperature(&mut self) -> Option<i32> {
        None
    }
}

/// Why the devices could not be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiscoverError {
    /// Neither ACPI nor a device tree was handed over.
    NoDescription,
    /// The description is damaged; what in it.
    BadDescription(&'static str),
    /// A device that must be there is not described; which.
    Missing(&'static str),
    /// Its registers could not be mapped.
    Map(MapError),
}
