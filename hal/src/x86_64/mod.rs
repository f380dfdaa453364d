//! x86_64: a PC with APICs.

pub mod cpu;
pub mod descriptor;
mod entropy;
mod entry;
mod gdt;
mod interrupt;
mod paging;
pub mod pc;
mod power;
mod serial;
pub mod sha256;
mod timer;
mod trap;

use core::fmt;

use crate::acpi::madt::{self, Signal};
use crate::acpi::{self, fadt::Fadt, mcfg, spcr::Spcr};
use crate::boot::BootInfo;
use crate::traits::{
    Console, DiscoverError, Entropy, ExitStatus, FrameSource, Handlers, Platform, Power, Source,
    Timer,
};
use crate::virtio::Disk;
use crate::window::{FirmwareMemory, Window};
use crate::{dma, pci};

pub use cpu::Cpu;
pub use paging::PageTables;

/// A PC.
pub struct Machine {
    serial: serial::Serial,
    /// Whether the console's interrupt arrives.
    is_heard: bool,
    timer: timer::Timer,
    power: power::Power,
    entropy: entropy::Entropy,
    disk: Option<Disk>,
}

impl Platform for Machine {
    type PageTables = PageTables;
    type Cpu = Cpu;
    type Disk = Disk;

    const ARCHITECTURE: u8 = 1;

    fn early(_boot: &BootInfo<'_>, handlers: &'static Handlers) -> bool {
        trap::install(handlers);
        // Ports need no mapping, so the console is there from the start.
        serial::early()
    }

    fn emergency_write(bytes: &[u8]) {
        if serial::early() {
            serial::send(bytes);
        }
    }

    fn emergency_off(status: ExitStatus) -> ! {
        power::off(status)
    }

    fn clock_ns() -> u64 {
        timer::now_ns()
    }

    fn discover(
        boot: &BootInfo<'_>,
        tables: &mut PageTables,
        frames: &mut dyn FrameSource,
    ) -> Result<Self, DiscoverError> {
        let mut window = Window::new(tables, frames);
        let rsdp = boot.rsdp.ok_or(DiscoverError::NoDescription)?;
        let acpi = acpi::Tables::find(&mut window, rsdp)?;
        let madt = acpi.get(b"APIC").ok_or(DiscoverError::Missing("MADT"))?;
        let fadt = Fadt::parse(acpi.get(b"FACP").unwrap_or(&[]));

        interrupt::start(&mut window, madt)?;
        let console = use_console(&acpi, madt);
        let is_heard = interrupt::route_console(&mut window, madt, console)?;
        let dsdt = dsdt(&mut window, &fadt);
        power::start(&fadt, dsdt);
        let timer = timer::Timer::start(&fadt);
        dma::start(window.frames())?;
        let segments = mcfg::segments(acpi.get(b"MCFG").unwrap_or(&[]));
        let disk = pci::find_log_disk(&mut window, segments, timer::now_ns);

        Ok(Self {
            serial: serial::Serial,
            is_heard,
            timer,
            power: power::Power,
            entropy: entropy::Entropy::start(),
            disk,
        })
    }

    fn board(&self) -> u8 {
        pc::BOARD
    }

    fn describe(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let (hz, source) = self.timer.describe();
        match serial::base() {
            None => out.write_str("PC: no console, ")?,
            Some(pc::COM1) => out.write_str("PC: COM1, ")?,
            Some(port) => write!(out, "PC: 16550 at port {port:#x}, ")?,
        }
        if !self.is_heard && serial::base().is_some() {
            out.write_str("which nothing typed arrives by, ")?;
        }
        write!(out, "local and I/O APIC, {source} at {} MHz, ", hz / 1_000_000)?;
        write!(out, "{}, ", self.entropy.name())?;
        match &self.disk {
            Some(disk) => disk.describe(out),
            None => out.write_str("no log disk"),
        }
    }

    fn interrupts(&self, show: &mut dyn FnMut(Source)) {
        interrupt::in_use(show);
    }

    fn console(&mut self) -> &mut dyn Console {
        &mut self.serial
    }

    fn timer(&mut self) -> &mut dyn Timer {
        &mut self.timer
    }

    fn power(&mut self) -> &mut dyn Power {
        &mut self.power
    }

    fn entropy(&mut self) -> &mut dyn Entropy {
        &mut self.entropy
    }

    fn take_disk(&mut self) -> Option<Disk> {
        self.disk.take()
    }
}

/// Has the UART that ACPI describes be the console, else COM1, if they are
/// there; gives its interrupt. A machine without a console can still run and
/// write its log.
fn use_console(acpi: &acpi::Tables, madt: &[u8]) -> Option<(u32, Signal)> {
    let spcr = acpi.get(b"SPCR").and_then(Spcr::parse);
    if let Some((port, interrupt)) = spcr.and_then(|spcr| spcr.on_ports(madt))
        && serial::use_at(port)
    {
        return interrupt;
    }
    serial::use_at(pc::COM1).then(|| madt::isa(madt, pc::COM1_INTERRUPT))
}

/// The DSDT, if it can be read: only switching off depends on it.
fn dsdt(memory: &mut dyn FirmwareMemory, fadt: &Fadt) -> Option<&'static [u8]> {
    acpi::table(memory, fadt.dsdt).ok()
}
