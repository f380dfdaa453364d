//! The machine, put together from its description.

use core::fmt;

use super::cpu::{self, Cpu};
use super::describe::{Description, UartKind};
use super::disk::Disk;
use super::interrupt::Gic;
use super::paging::PageTables;
use super::rpi4::{self, Rpi4};
use super::{early, entropy, interrupt, mmio, power, serial, timer, trap, virt};
use crate::boot::BootInfo;
use crate::device_tree::DeviceTree;
use crate::traits::{
    Console, DiscoverError, Entropy, ExitStatus, FrameSource, Handlers, Platform, Power, Source,
    Timer,
};
use crate::window::Window;
use crate::{acpi, dma, pci};

/// A machine with a GIC, a UART and the generic timer.
pub struct Machine {
    serial: serial::Serial,
    timer: timer::Timer,
    power: power::Power,
    entropy: entropy::Entropy,
    disk: Option<Disk>,
    board: Option<Rpi4>,
    console: Option<UartKind>,
    controller: &'static str,
    source: &'static str,
}

impl Platform for Machine {
    type PageTables = PageTables;
    type Cpu = Cpu;
    type Disk = Disk;

    const ARCHITECTURE: u8 = 2;

    fn early(boot: &BootInfo<'_>, handlers: &'static Handlers) -> bool {
        trap::install(handlers);
        early::start(boot)
    }

    fn emergency_write(bytes: &[u8]) {
        serial::send(bytes);
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
        let (found, source) = describe(boot, &mut window)?;
        power::use_conduit(found.conduit);
        // First of all, so that what goes wrong below can be said.
        use_console(&mut window, &found)?;
        let chip = found.chip.as_ref();

        let controller = found.controller.ok_or(DiscoverError::Missing("interrupt controller"))?;
        let mut gic = Gic::start(&mut window, controller)?;
        let timer = timer::Timer::start()?;
        let line = if cpu::is_host() { found.hypervisor_timer } else { found.virtual_timer };
        gic.enable_timer(line)?;
        // A machine without a console can still run and write its log.
        if let Some(line) = found.uart.and_then(|uart| uart.line) {
            gic.enable_console(line)?;
        }

        dma::start(window.frames())?;
        let mut disk = pci::find_log_disk(&mut window, found.pci, timer::now_ns)
            .or_else(|| mmio::find_log_disk(&mut window, found.virtio(), timer::now_ns))
            .map(Disk::Virtio);
        let mut entropy = entropy::Entropy::start();
        let mut board = None;
        if let Some(chip) = chip {
            let mut rpi4 = Rpi4::start(&mut window, chip, boot)?;
            if let Some(kind) = UartKind::wanted(boot.command_line) {
                rpi4.route_console(&mut window, chip, kind)?;
            }
            if disk.is_none() {
                disk = rpi4.find_log_disk(&mut window, chip)?;
            }
            if let Some(generator) = rpi4::entropy(&mut window, chip)? {
                entropy = generator;
            }
            board = Some(rpi4);
        }

        Ok(Self {
            serial: serial::Serial,
            timer,
            power: power::Power,
            entropy,
            disk,
            board,
            console: found.uart.map(|uart| uart.kind),
            controller: gic.name(),
            source,
        })
    }

    fn board(&self) -> u8 {
        if self.board.is_some() { rpi4::BOARD } else { virt::BOARD }
    }

    fn describe(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let (hz, timer) = self.timer.describe();
        let name = if self.board.is_some() { rpi4::NAME } else { virt::NAME };
        let console = self.console.map_or("no console", UartKind::name);
        write!(out, "{name} by {}: EL{}, ", self.source, cpu::exception_level())?;
        write!(out, "{console}, {}, {timer} at {} kHz, ", self.controller, hz / 1000)?;
        write!(out, "{}, ", self.entropy.name())?;
        if let Some(board) = &self.board {
            board.describe(out)?;
            out.write_str(", ")?;
        }
        match &self.disk {
            Some(disk) => disk.describe(out),
            None => out.write_str("no log disk"),
        }
    }

    fn interrupts(&self, show: &mut dyn FnMut(Source)) {
        interrupt::in_use(self.controller, show);
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

    fn serial(&self) -> u64 {
        self.board.as_ref().map_or(0, Rpi4::serial)
    }

    fn temperature(&mut self) -> Option<i32> {
        self.board.as_mut()?.temperature()
    }
}

/// By ACPI where the firmware has it, else by the tree: of the two the one
/// that the firmware made for itself.
fn describe(
    boot: &BootInfo<'_>,
    window: &mut Window<'_, PageTables>,
) -> Result<(Description, &'static str), DiscoverError> {
    if let Some(rsdp) = boot.rsdp {
        let acpi = acpi::Tables::find(window, rsdp)?;
        return Ok((Description::from_acpi(&acpi), "ACPI"));
    }
    let blob = boot.device_tree.ok_or(DiscoverError::NoDescription)?;
    let tree = DeviceTree::new(blob).map_err(|_| DiscoverError::BadDescription("device tree"))?;
    let wanted = UartKind::wanted(boot.command_line);
    Ok((Description::from_tree(&tree, wanted), "device tree"))
}

/// Has the drivers of console and watchdog use the registers where they belong,
/// and takes the lower half back, where they may have been until now.
fn use_console(
    window: &mut Window<'_, PageTables>,
    found: &Description,
) -> Result<(), DiscoverError> {
    match found.uart {
        Some(uart) => {
            let at = window.device(uart.base, serial::length(uart.kind))?;
            // SAFETY: the window mapped the registers as device memory for
            // good, and RAM it refuses to map so.
            unsafe { serial::use_at(uart.kind, at) };
        }
        None => serial::forget(),
    }
    power::forget_watchdog();
    if let Some(chip) = &found.chip {
        rpi4::use_watchdog(window, chip)?;
    }
    early::close();
    Ok(())
}
