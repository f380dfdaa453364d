//! Switching off and restarting a PC.

use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use x86_64::instructions::port::Port;
use x86_64::instructions::{hlt, interrupts};

use super::pc::DEBUG_EXIT;
use crate::acpi::fadt::Fadt;
use crate::acpi::{Register, Space};
use crate::traits::{self, ExitStatus};

/// PM1a and PM1b control ports, zero for none.
static PM1A: AtomicU32 = AtomicU32::new(0);
static PM1B: AtomicU32 = AtomicU32::new(0);
/// Sleep types for switching off; 0xff where they are not known.
static TYPE_A: AtomicU8 = AtomicU8::new(0xff);
static TYPE_B: AtomicU8 = AtomicU8::new(0xff);
/// Reset port and value, zero for none.
static RESET: AtomicU32 = AtomicU32::new(0);
static RESET_VALUE: AtomicU8 = AtomicU8::new(0);

const SCI_ENABLE: u16 = 1;
const SLEEP_ENABLE: u16 = 1 << 13;

/// Learns the registers, and takes power management over from the firmware.
pub fn start(fadt: &Fadt, dsdt: Option<&[u8]>) {
    let port = |register: Option<Register>| match register {
        Some(Register { space: Space::Port, address }) => u32::try_from(address).unwrap_or(0),
        _ => 0,
    };
    PM1A.store(port(fadt.pm1a_control), Ordering::Relaxed);
    PM1B.store(port(fadt.pm1b_control), Ordering::Relaxed);
    RESET.store(port(fadt.reset), Ordering::Relaxed);
    RESET_VALUE.store(fadt.reset_value, Ordering::Relaxed);
    if let Some((a, b)) = dsdt.and_then(crate::acpi::fadt::soft_off) {
        TYPE_A.store(a, Ordering::Relaxed);
        TYPE_B.store(b, Ordering::Relaxed);
    }
    if let (Some(command), Some(control)) = (fadt.smi_command, control(&PM1A)) {
        enable_acpi(command, fadt.acpi_enable, control);
    }
}

fn control(port: &AtomicU32) -> Option<u16> {
    u16::try_from(port.load(Ordering::Relaxed)).ok().filter(|&port| port != 0)
}

/// Where the firmware still owns the registers, asks for them (ACPI 6.5,
/// 4.8.3.2.1).
fn enable_acpi(command: u16, value: u8, control: u16) {
    // SAFETY: the FADT names both ports and the value for this very purpose.
    unsafe {
        if Port::<u16>::new(control).read() & SCI_ENABLE != 0 || value == 0 {
            return;
        }
        Port::<u8>::new(command).write(value);
        for _ in 0..1_000_000 {
            if Port::<u16>::new(control).read() & SCI_ENABLE != 0 {
                return;
            }
        }
    }
}

/// Switches off: by the emulator's debug exit device, which carries the
/// status, else by ACPI; else halts.
pub fn off(status: ExitStatus) -> ! {
    interrupts::disable();
    // SAFETY: with QEMU's isa-debug-exit this ends the machine; elsewhere the
    // port belongs to nothing since the 80386's coprocessor was external.
    unsafe { Port::<u8>::new(DEBUG_EXIT).write(ExitStatus::BASE + status as u8) };
    for (port, kind) in [(&PM1A, &TYPE_A), (&PM1B, &TYPE_B)] {
        let kind = kind.load(Ordering::Relaxed);
        if let (Some(port), true) = (control(port), kind < 8) {
            // SAFETY: the FADT names the port; the value is "sleep" with the
            // type that the firmware's `_S5` gives for off.
            unsafe {
                let mut control = Port::<u16>::new(port);
                let kept = control.read() & 0x0203;
                control.write(kept | u16::from(kind) << 10 | SLEEP_ENABLE);
            }
        }
    }
    halt()
}

/// Restarts: by ACPI's reset register, else by the keyboard controller, else
/// by a triple fault.
pub fn reboot() -> ! {
    interrupts::disable();
    if let Some(port) = control(&RESET) {
        // SAFETY: the FADT names port and value for this.
        unsafe { Port::<u8>::new(port).write(RESET_VALUE.load(Ordering::Relaxed)) };
        settle();
    }
    // SAFETY: command 0xfe of the keyboard controller pulses the reset line.
    unsafe { Port::<u8>::new(0x64).write(0xfe) };
    settle();
    let empty =
        x86_64::structures::DescriptorTablePointer { limit: 0, base: x86_64::VirtAddr::new(0) };
    // SAFETY: without an interrupt table the next exception cannot be
    // delivered, nor can the double fault, and the processor shuts down,
    // which a PC answers with a reset. Nothing runs after it.
    unsafe {
        x86_64::instructions::tables::lidt(&empty);
        core::arch::asm!("ud2", options(noreturn));
    }
}

/// Time for the chipset to act.
fn settle() {
    for _ in 0..100_000 {
        // SAFETY: port 0x80 shows POST codes and is read only to lose time.
        unsafe { Port::<u8>::new(0x80).read() };
    }
}

fn halt() -> ! {
    loop {
        hlt();
    }
}

/// Off and reboot.
pub struct Power;

impl traits::Power for Power {
    fn off(&mut self, status: ExitStatus) -> ! {
        off(status)
    }

    fn reboot(&mut self) -> ! {
        reboot()
    }
}
