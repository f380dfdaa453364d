//! The board: a Raspberry Pi 4, or another with a BCM2711.
//!
//! Its devices are where the tree says. This file says what they are for: which
//! slot the card is in, what the VideoCore is asked, which pins the console is
//! on.

use core::fmt;

use super::describe::{Bcm2711, UartKind};
use super::disk::Disk;
use super::entropy::Entropy;
use super::registers::Registers;
use super::shared::SharedLine;
use super::{power, serial, timer};
use crate::bcm2711::gpio::{self, Function, Gpio, NoSuchPin};
use crate::bcm2711::mailbox::{self, Clock, Mailbox, Question};
use crate::bcm2711::rng200::{self, Rng200};
use crate::bcm2711::watchdog;
use crate::boot::{BootInfo, MemoryUse};
use crate::partition::Partition;
use crate::sdhci::{NoCard, SdCard};
use crate::traits::{DiscoverError, PageTables};
use crate::window::Window;

/// Number of the board in the machine record.
pub const BOARD: u8 = 3;

/// Its name.
pub const NAME: &str = "Raspberry Pi 4";

/// Bytes of a host controller's registers.
const SDHCI_LENGTH: u64 = 0x100;

/// The slots in the order in which a card is looked for, with their clocks. A
/// board has its card on the first; QEMU has it on the second.
const SLOTS: [(&str, Clock); 2] = [("EMMC2", Clock::Emmc2), ("EMMC", Clock::Emmc)];

/// Pins of the console: sending, receiving.
const CONSOLE_PINS: [u8; 2] = [14, 15];

/// Pins on which firmware has the PL011 talk to Bluetooth.
const BLUETOOTH_PINS: [u8; 2] = [32, 33];

/// What a board has beside what every machine has.
pub struct Rpi4 {
    mailbox: Option<Mailbox<Registers, SharedLine>>,
    revision: u32,
    serial: u64,
    /// MiB that the processor and the VideoCore have below the first GiB.
    split: Option<(u32, u32)>,
    /// Where there is no log partition in any slot: why not in the first, whose
    /// card has none if it gives no reason.
    without_log: Option<(&'static str, Option<NoCard>)>,
}

impl Rpi4 {
    /// Asks the VideoCore what the board is.
    ///
    /// # Errors
    /// Registers cannot be mapped; memory that is the VideoCore's was handed
    /// over as free.
    pub fn start<P: PageTables>(
        window: &mut Window<'_, P>,
        chip: &Bcm2711,
        boot: &BootInfo<'_>,
    ) -> Result<Self, DiscoverError> {
        let registers = registers(window, chip.mailbox, mailbox::LENGTH)?;
        let mailbox = registers.zip(SharedLine::take(boot));
        let mailbox = mailbox.map(|(registers, line)| Mailbox::new(registers, line, timer::now_ns));
        let mut board = Self { mailbox, revision: 0, serial: 0, split: None, without_log: None };
        let Some([revision, _]) = board.ask(Question::Revision) else { return Ok(board) };
        board.revision = revision;
        if let Some([low, high]) = board.ask(Question::Serial) {
            board.serial = u64::from(high) << 32 | u64::from(low);
        }
        let shares = board.ask(Question::ArmMemory).zip(board.ask(Question::VideoCoreMemory));
        if let Some(([_, own], [base, length])) = shares {
            board.split = Some((own >> 20, length >> 20));
            keep_apart(boot, base, length)?;
        }
        Ok(board)
    }

    /// The board's serial number; zero where nobody tells it.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// The chip's temperature in thousandths of a degree Celsius.
    pub fn temperature(&mut self) -> Option<i32> {
        let [_, temperature] = self.ask(Question::Temperature)?;
        i32::try_from(temperature).ok()
    }

    /// Puts the console that the command line wants, against the tree, onto
    /// the header's pins, and sets its speed.
    pub fn route_console<P: PageTables>(
        &mut self,
        window: &mut Window<'_, P>,
        chip: &Bcm2711,
        kind: UartKind,
    ) -> Result<(), DiscoverError> {
        let (function, clock) = match kind {
            UartKind::Pl011 => (Function::Alternate0, Clock::Uart),
            UartKind::BcmMini => (Function::Alternate5, Clock::Core),
        };
        if let Some(registers) = registers(window, chip.gpio, gpio::LENGTH)? {
            let pins = Gpio(registers);
            let set = |pin: u8, function: Function| {
                let wrong = |NoSuchPin(_)| DiscoverError::BadDescription("pins of the console");
                pins.set_function(pin, function).map_err(wrong)
            };
            if kind == UartKind::Pl011 {
                BLUETOOTH_PINS.iter().try_for_each(|&pin| set(pin, Function::Input))?;
            }
            CONSOLE_PINS.iter().try_for_each(|&pin| set(pin, function))?;
        }
        if let Some([_, rate]) = self.ask(Question::ClockRate(clock)) {
            serial::set_speed(rate);
        }
        Ok(())
    }

    /// The log's partition of the card, in whichever slot there is one.
    pub fn find_log_disk<P: PageTables>(
        &mut self,
        window: &mut Window<'_, P>,
        chip: &Bcm2711,
    ) -> Result<Option<Disk>, DiscoverError> {
        let mut first = None;
        for (place, (name, clock)) in chip.slots.into_iter().zip(SLOTS) {
            let Some(registers) = registers(window, place, SDHCI_LENGTH)? else { continue };
            let rate = self.ask(Question::ClockRate(clock)).map_or(0, |[_, rate]| rate);
            match SdCard::open(registers, rate, timer::now_ns).map(Partition::for_log) {
                Ok(Some(partition)) => return Ok(Some(Disk::Card(partition, name))),
                other => first = first.or(Some((name, other.err()))),
            }
        }
        self.without_log = first;
        Ok(None)
    }

    /// A few words about it.
    pub fn describe(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        if self.revision == 0 {
            return out.write_str("a VideoCore that says nothing");
        }
        write!(out, "revision {:x}, serial {:016x}", self.revision, self.serial)?;
        if let Some((own, other)) = self.split {
            write!(out, ", {own} MiB and the VideoCore's {other} below 1 GiB")?;
        }
        match self.without_log {
            Some((slot, Some(reason))) => write!(out, ", {slot}: {reason}"),
            Some((slot, None)) => write!(out, ", {slot}: a card without a log partition"),
            None => Ok(()),
        }
    }

    fn ask(&mut self, question: Question) -> Option<[u32; 2]> {
        self.mailbox.as_mut()?.ask(question).ok()
    }
}

/// The board's random number generator, where the tree has one.
pub fn entropy<P: PageTables>(
    window: &mut Window<'_, P>,
    chip: &Bcm2711,
) -> Result<Option<Entropy>, DiscoverError> {
    let registers = registers(window, chip.generator, rng200::LENGTH)?;
    Ok(registers.map(|registers| {
        let generator = Rng200(registers);
        generator.start();
        Entropy::Rng200(generator)
    }))
}

/// Has the watchdog restart and switch off.
pub fn use_watchdog<P: PageTables>(
    window: &mut Window<'_, P>,
    chip: &Bcm2711,
) -> Result<(), DiscoverError> {
    if let Some(base) = chip.watchdog {
        let at = window.device(base, watchdog::LENGTH)?;
        // SAFETY: the window mapped the registers as device memory for good,
        // and RAM it refuses to map so.
        unsafe { power::use_watchdog(at) };
    }
    Ok(())
}

/// Refuses a memory map in which the VideoCore's share is to be used.
fn keep_apart(boot: &BootInfo<'_>, base: u32, length: u32) -> Result<(), DiscoverError> {
    let (base, end) = (u64::from(base), u64::from(base) + u64::from(length));
    let overlaps = boot.memory.iter().any(|range| {
        let range_end = range.base.saturating_add(range.length);
        range.usage != MemoryUse::Reserved && range.base < end && base < range_end
    });
    if overlaps {
        return Err(DiscoverError::BadDescription("memory: part of it is the VideoCore's"));
    }
    Ok(())
}

/// Maps a device's registers, if it is there.
fn registers<P: PageTables>(
    window: &mut Window<'_, P>,
    base: Option<u64>,
    length: u64,
) -> Result<Option<Registers>, DiscoverError> {
    let Some(base) = base else { return Ok(None) };
    let at = window.device(base, length)?;
    // SAFETY: the window mapped the registers as device memory for good, and
    // RAM it refuses to map so. The tree says that they are one device's.
    Ok(Some(unsafe { Registers::new(at, length) }))
}
