//! Local APIC and I/O APIC (Intel SDM volume 3, chapter 12; 82093AA).
//!
//! Two interrupts are in use: the local timer and the console. The 8259s are
//! moved out of the way of the exceptions and masked.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use x86_64::instructions::port::Port;
use x86_64::registers::model_specific::Msr;

use super::{serial, timer};
use crate::acpi::madt::{self, Signal};
use crate::traits::{DiscoverError, Interrupt, Line, PageTables, Source};
use crate::window::Window;

/// Vector of the local timer.
const TIMER_VECTOR: u8 = 0x40;
/// Vector of the console's UART.
const CONSOLE_VECTOR: u8 = 0x41;
/// Vectors that the masked 8259s could still raise: 16 from here on.
const LEGACY_VECTORS: u8 = 0xe0;
/// Vector of the local APIC's spurious interrupt.
const SPURIOUS_VECTOR: u8 = 0xff;

const APIC_BASE: u32 = 0x1b;
const APIC_ENABLE: u64 = 1 << 11;
const APIC_X2: u64 = 1 << 10;
const X2APIC_MSR: u32 = 0x800;

/// Registers of the local APIC by their offset in memory.
const ID: u32 = 0x20;
const TASK_PRIORITY: u32 = 0x80;
const END_OF_INTERRUPT: u32 = 0xb0;
const SPURIOUS: u32 = 0xf0;
const TIMER: u32 = 0x320;
const LINT0: u32 = 0x350;
const LINT1: u32 = 0x360;
const TIMER_INITIAL: u32 = 0x380;
const TIMER_CURRENT: u32 = 0x390;
const TIMER_DIVIDE: u32 = 0x3e0;

const SOFTWARE_ENABLE: u32 = 1 << 8;
const MASKED: u32 = 1 << 16;
const MODE_DEADLINE: u32 = 2 << 17;

/// Virtual address of the local APIC's registers, zero before it is found.
static BASE: AtomicU64 = AtomicU64::new(0);
/// Whether the firmware left it in x2APIC mode, where registers are MSRs.
static X2: AtomicBool = AtomicBool::new(false);

/// Input of the I/O APICs, counted over all of them, that the console has.
static CONSOLE_INPUT: AtomicU32 = AtomicU32::new(NONE);

/// No input has this number.
const NONE: u32 = u32::MAX;

fn read(register: u32) -> u32 {
    if X2.load(Ordering::Relaxed) {
        // SAFETY: in x2APIC mode these MSRs are the APIC's registers (SDM
        // table 12-6), and those read here have no side effect.
        return unsafe { Msr::new(X2APIC_MSR + (register >> 4)).read() as u32 };
    }
    let at = BASE.load(Ordering::Relaxed) as usize + register as usize;
    // SAFETY: `start` stored the address that the registers' page is mapped
    // at, as device memory, before anything here is called; `register` is one
    // of the aligned offsets above, within that page.
    unsafe { core::ptr::with_exposed_provenance::<u32>(at).read_volatile() }
}

fn write(register: u32, value: u32) {
    if X2.load(Ordering::Relaxed) {
        // SAFETY: as in `read`; the values written concern interrupts only,
        // whose handlers are installed.
        unsafe { Msr::new(X2APIC_MSR + (register >> 4)).write(u64::from(value)) };
        return;
    }
    let at = BASE.load(Ordering::Relaxed) as usize + register as usize;
    // SAFETY: as in `read`; device registers alias no Rust object.
    unsafe { core::ptr::with_exposed_provenance_mut::<u32>(at).write_volatile(value) }
}

/// Enables the local APIC, with its timer masked, and masks the 8259s.
pub fn start<P: PageTables>(window: &mut Window<'_, P>, madt: &[u8]) -> Result<(), DiscoverError> {
    mask_legacy();
    let mut address =
        madt::local_apic(madt).ok_or(DiscoverError::BadDescription("MADT is too short"))?;
    for entry in madt::entries(madt) {
        if let madt::Entry::LocalApicAddress(other) = entry {
            address = other;
        }
    }
    // SAFETY: IA32_APIC_BASE is there wherever there is an APIC, which the
    // MADT says; setting the enable bit it mostly has changes no address.
    let base = unsafe {
        let mut msr = Msr::new(APIC_BASE);
        let base = msr.read();
        if base & APIC_ENABLE == 0 {
            msr.write(base | APIC_ENABLE);
        }
        base
    };
    X2.store(base & APIC_X2 != 0, Ordering::Relaxed);
    BASE.store(window.device(address, 4096)?, Ordering::Relaxed);

    write(TASK_PRIORITY, 0);
    write(LINT0, MASKED);
    write(LINT1, MASKED);
    write(TIMER, MASKED);
    write(SPURIOUS, SOFTWARE_ENABLE | u32::from(SPURIOUS_VECTOR));
    Ok(())
}

/// Masks all inputs of the I/O APICs, but for the console's interrupt if there
/// is one, which it sends to this processor. Says whether an I/O APIC has that.
pub fn route_console<P: PageTables>(
    window: &mut Window<'_, P>,
    madt: &[u8],
    console: Option<(u32, Signal)>,
) -> Result<bool, DiscoverError> {
    let mut routed = false;
    for entry in madt::entries(madt) {
        if let madt::Entry::IoApic { address, first_interrupt } = entry {
            let mut controller = IoApic { base: window.device(address, 0x20)? };
            controller.mask_all();
            if let Some((interrupt, signal)) = console
                && let Some(input) = interrupt.checked_sub(first_interrupt)
                && input < controller.inputs()
            {
                controller.route(input, CONSOLE_VECTOR, local_id(), signal);
                CONSOLE_INPUT.store(interrupt, Ordering::Relaxed);
                routed = true;
            }
        }
    }
    Ok(routed)
}

/// Shows both interrupts: the timer's by its vector, for the local APIC's own
/// sources have no other number.
pub fn in_use(show: &mut dyn FnMut(Source)) {
    let line = Line(u32::from(TIMER_VECTOR));
    show(Source { interrupt: Interrupt::Timer, controller: "local APIC", line });
    let line = CONSOLE_INPUT.load(Ordering::Relaxed);
    if line != NONE {
        let controller = "I/O APIC";
        show(Source { interrupt: Interrupt::Console, controller, line: Line(line) });
    }
}

fn local_id() -> u8 {
    // In x2APIC mode the whole register is the id; the I/O APIC can name the
    // low 255, and the processor that booted is among them.
    if X2.load(Ordering::Relaxed) { read(ID) as u8 } else { (read(ID) >> 24) as u8 }
}

/// Acknowledges an interrupt and says what it was for; `None` where that is
/// nothing of the kernel's business.
pub fn take(vector: u8) -> Option<Interrupt> {
    let interrupt = match vector {
        TIMER_VECTOR => timer::expired().then_some(Interrupt::Timer),
        CONSOLE_VECTOR => {
            serial::receive();
            Some(Interrupt::Console)
        }
        // These two are not to be acknowledged.
        SPURIOUS_VECTOR => return Some(Interrupt::Spurious),
        LEGACY_VECTORS..=0xef => return Some(Interrupt::Spurious),
        _ => Some(Interrupt::Spurious),
    };
    if BASE.load(Ordering::Relaxed) != 0 {
        write(END_OF_INTERRUPT, 0);
    }
    interrupt
}

/// Counts down from here at the APIC's own rate; zero stops.
pub fn start_countdown(count: u32) {
    write(TIMER_DIVIDE, 0b1011); // By one.
    write(TIMER, u32::from(TIMER_VECTOR));
    write(TIMER_INITIAL, count);
}

/// Counts down with the interrupt masked, for calibration.
pub fn start_silent_countdown() {
    write(TIMER_DIVIDE, 0b1011);
    write(TIMER, MASKED | u32::from(TIMER_VECTOR));
    write(TIMER_INITIAL, u32::MAX);
}

/// Where the countdown is.
pub fn countdown() -> u32 {
    read(TIMER_CURRENT)
}

/// Lets the timestamp counter raise the timer's interrupt.
pub fn use_deadlines() {
    write(TIMER, MODE_DEADLINE | u32::from(TIMER_VECTOR));
    // The write above goes to memory, the deadlines to an MSR: without a
    // fence the first could overtake it (SDM volume 3, 12.5.4.1).
    core::sync::atomic::fence(core::sync::atomic::Ordering::SeqCst);
}

/// An I/O APIC: an index register and a window to what it names.
struct IoApic {
    base: u64,
}

impl IoApic {
    fn inputs(&mut self) -> u32 {
        (self.read(1) >> 16 & 0xff) + 1
    }

    fn mask_all(&mut self) {
        for input in 0..self.inputs() {
            self.write(0x10 + 2 * input, MASKED);
        }
    }

    fn route(&mut self, input: u32, vector: u8, local: u8, signal: Signal) {
        let low = if signal.low { 1 << 13 } else { 0 };
        let level = if signal.level { 1 << 15 } else { 0 };
        self.write(0x11 + 2 * input, u32::from(local) << 24);
        self.write(0x10 + 2 * input, u32::from(vector) | low | level);
    }

    fn read(&mut self, register: u32) -> u32 {
        // SAFETY: `base` is where `Window::device` mapped the controller's
        // page; the two registers are at offsets 0 and 0x10 (82093AA, 3.1)
        // and alias no Rust object. `&mut self` keeps the pair together.
        unsafe {
            self.at(0).write_volatile(register);
            self.at(0x10).read_volatile()
        }
    }

    fn write(&mut self, register: u32, value: u32) {
        // SAFETY: as in `read`.
        unsafe {
            self.at(0).write_volatile(register);
            self.at(0x10).write_volatile(value);
        }
    }

    fn at(&self, offset: u64) -> *mut u32 {
        core::ptr::with_exposed_provenance_mut((self.base + offset) as usize)
    }
}

/// Initialises the 8259s with vectors out of the way and masks all inputs.
fn mask_legacy() {
    let (mut command1, mut data1) = (Port::<u8>::new(0x20), Port::<u8>::new(0x21));
    let (mut command2, mut data2) = (Port::<u8>::new(0xa0), Port::<u8>::new(0xa1));
    // SAFETY: these ports are the two 8259s on every PC, or nothing; the
    // sequence is the one of the 8259A data sheet (ICW1 to ICW4, then OCW1
    // with every input masked). Interrupts are disabled.
    unsafe {
        command1.write(0x11);
        command2.write(0x11);
        data1.write(LEGACY_VECTORS);
        data2.write(LEGACY_VECTORS + 8);
        data1.write(4);
        data2.write(2);
        data1.write(1);
        data2.write(1);
        data1.write(0xff);
        data2.write(0xff);
    }
}
