//! An SD card behind a standard host controller (SD Host Controller Simplified
//! Specification 3.00; SD Physical Layer Simplified Specification 4.10).
//!
//! Data goes through the controller's buffer word by word, a sector a command,
//! and nothing interrupts: what is written here is a log of a few sectors a
//! second. [`controller`] carries out commands, this module says which, and
//! [`card`] reads what the card says of itself. Registers are accessed by 32
//! bits only, as the older of the two controllers of a Raspberry Pi 4 wants it.

pub mod card;
pub mod controller;

#[cfg(test)]
mod tests;

use core::fmt;

use crate::registers::RegisterBlock;
use crate::traits::{BlockDevice, BlockError, SECTOR_SIZE};
use card::{CardStatus, Csd};
use controller::{Answer, Command, Controller, Transfer, Trouble};

/// Tries at one sector, where the line was disturbed.
const TRIES: usize = 3;

/// How long a card may take to wake, and to be done with what it was given, in
/// ns (Physical Layer, 4.2.3 and 4.6.2.2, with room).
const WAKE_NS: u64 = 1_500_000_000;
const BUSY_NS: u64 = 5_000_000_000;

/// Rates of the card's clock in Hz while it is identified, and after.
const IDENTIFICATION_HZ: u32 = 400_000;
const WORKING_HZ: u32 = 25_000_000;

/// What ACMD41 is asked with: cards beyond 2 GiB are understood; 3.2 to 3.4 V.
const HIGH_CAPACITY: u32 = 1 << 30;
const VOLTAGES: u32 = 0x0030_0000;
/// In its answer: the card is awake.
const AWAKE: u32 = 1 << 31;

/// What CMD8 is asked with and must be answered with: 2.7 to 3.6 V, a pattern.
const INTERFACE: u32 = 0x1aa;

/// Why there is no card to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCard {
    /// The controller does not come out of its reset, or its clock does not
    /// run.
    Controller,
    /// No card answers.
    Silent,
    /// The card does not work at this voltage, or never wakes.
    Unfit,
    /// A command failed; which.
    Command(u8, Trouble),
    /// The card says nothing sensible about its size.
    Size,
}

impl fmt::Display for NoCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Controller => f.write_str("the controller does not work"),
            Self::Silent => f.write_str("no card"),
            Self::Unfit => f.write_str("the card does not wake"),
            Self::Command(index, trouble) => write!(f, "the card's command {index}: {trouble}"),
            Self::Size => f.write_str("the card does not tell its size"),
        }
    }
}

/// A card that is ready.
pub struct SdCard<R> {
    controller: Controller<R>,
    /// The card's address on its bus, where commands have it.
    address: u32,
    /// Whether it counts sectors; an old card counts bytes.
    counts_sectors: bool,
    sectors: u64,
    /// A command was given up: the card may be in any state.
    is_lost: bool,
}

impl<R: RegisterBlock> SdCard<R> {
    /// Starts the controller, whose clock is `clock_hz` or, if that is 0, what
    /// it says itself, and the card in it.
    ///
    /// # Errors
    /// See [`NoCard`]. The controller is left without power for the card.
    pub fn open(registers: R, clock_hz: u32, now_ns: fn() -> u64) -> Result<Self, NoCard> {
        let controller =
            Controller::start(registers, clock_hz, now_ns).ok_or(NoCard::Controller)?;
        let mut card =
            Self { controller, address: 0, counts_sectors: false, sectors: 0, is_lost: false };
        match card.identify() {
            Ok(()) => Ok(card),
            Err(error) => {
                card.controller.power_off();
                Err(error)
            }
        }
    }

    /// From power-on to data (Physical Layer, 4.2 and 4.3).
    fn identify(&mut self) -> Result<(), NoCard> {
        self.controller.set_clock(IDENTIFICATION_HZ).ok_or(NoCard::Controller)?;
        // 74 clocks and a millisecond before the first command (6.4.1).
        self.controller.pause(2_000_000);
        self.ask(0, 0, Answer::None)?;
        // A card that firmware has used may need a moment to begin anew.
        self.controller.pause(1_000_000);
        let is_newer = match self.controller.command(Command::new(8, INTERFACE, Answer::Short)) {
            Ok([echo, ..]) if echo & 0xfff == INTERFACE => true,
            Ok(_) => return Err(NoCard::Unfit),
            // Cards before 2.00 don't know it.
            Err(Trouble::Silent) => false,
            Err(trouble) => return Err(NoCard::Command(8, trouble)),
        };
        let conditions = self.wake(if is_newer { HIGH_CAPACITY } else { 0 } | VOLTAGES)?;
        self.counts_sectors = is_newer && conditions & HIGH_CAPACITY != 0;
        self.ask(2, 0, Answer::Long)?;
        let [published, ..] = self.ask(3, 0, Answer::Short)?;
        self.address = published & 0xffff_0000;
        let csd = Csd(self.ask(9, self.address, Answer::Long)?);
        self.sectors = csd.sectors().ok_or(NoCard::Size)?;
        self.status(7, self.address, Answer::Busy)?;
        if !self.counts_sectors {
            self.status(16, SECTOR_SIZE as u32, Answer::Short)?;
        }
        self.status(55, self.address, Answer::Short)?;
        self.status(6, 0b10, Answer::Short)?;
        self.controller.use_four_bits();
        self.controller.set_clock(WORKING_HZ).ok_or(NoCard::Controller)
    }

    /// Has the card wake, and gives what it says of itself then.
    fn wake(&mut self, wishes: u32) -> Result<u32, NoCard> {
        let start = self.controller.now_ns();
        loop {
            match self.controller.command(Command::new(55, 0, Answer::Short)) {
                Ok(_) => {}
                Err(Trouble::Silent) => return Err(NoCard::Silent),
                Err(trouble) => return Err(NoCard::Command(55, trouble)),
            }
            let [conditions, ..] = self.ask(41, wishes, Answer::Unchecked)?;
            if conditions & AWAKE != 0 {
                let fits = conditions & VOLTAGES != 0;
                return if fits { Ok(conditions) } else { Err(NoCard::Unfit) };
            }
            if self.controller.now_ns().saturating_sub(start) > WAKE_NS {
                return Err(NoCard::Unfit);
            }
            self.controller.pause(1_000_000);
        }
    }

    fn ask(&mut self, index: u8, argument: u32, answer: Answer) -> Result<[u32; 4], NoCard> {
        let result = self.controller.command(Command::new(index, argument, answer));
        result.map_err(|trouble| NoCard::Command(index, trouble))
    }

    /// A command whose answer is the card's status, which must be good.
    fn status(&mut self, index: u8, argument: u32, answer: Answer) -> Result<(), NoCard> {
        let [status, ..] = self.ask(index, argument, answer)?;
        if CardStatus(status).is_error() {
            return Err(NoCard::Command(index, Trouble::Refused(status)));
        }
        Ok(())
    }

    /// A few words about it.
    pub fn describe(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "SD card of {} MiB", self.sectors / 2048)
    }

    /// Whether the sectors are on the card and it can be asked.
    fn check(&self, sector: u64, bytes: usize) -> Result<(), BlockError> {
        if bytes == 0 || !bytes.is_multiple_of(SECTOR_SIZE) {
            return Err(BlockError::BadLength);
        }
        match sector.checked_add((bytes / SECTOR_SIZE) as u64) {
            Some(end) if end <= self.sectors => {}
            _ => return Err(BlockError::OutOfRange),
        }
        if self.is_lost { Err(BlockError::Device) } else { Ok(()) }
    }

    /// What the card calls a sector.
    fn place(&self, sector: u64) -> Result<u32, BlockError> {
        let place = if self.counts_sectors { Some(sector) } else { sector.checked_mul(512) };
        place.and_then(|place| u32::try_from(place).ok()).ok_or(BlockError::OutOfRange)
    }

    /// Moves one sector, again where the line was disturbed.
    fn move_sector(
        &mut self,
        index: u8,
        sector: u64,
        transfer: &mut Transfer<'_>,
    ) -> Result<(), BlockError> {
        let argument = self.place(sector)?;
        let mut last = Trouble::Silent;
        for _ in 0..TRIES {
            match self.controller.transfer(Command::new(index, argument, Answer::Short), transfer) {
                Ok(()) => return Ok(()),
                Err(trouble) => last = trouble,
            }
            // Only a card that is ready for data again is asked once more.
            if !matches!(last, Trouble::Disturbed(_)) || self.settle().is_err() {
                break;
            }
        }
        self.is_lost = matches!(last, Trouble::Silent | Trouble::Stuck);
        Err(if self.is_lost { BlockError::TimedOut } else { BlockError::Device })
    }

    /// Waits until the card has done what it was given, and says whether that
    /// went well (CMD13).
    fn settle(&mut self) -> Result<(), BlockError> {
        let start = self.controller.now_ns();
        loop {
            let command = Command::new(13, self.address, Answer::Short);
            match self.controller.command(command) {
                Ok([status, ..]) if CardStatus(status).is_error() => {
                    return Err(BlockError::Device);
                }
                Ok([status, ..]) if CardStatus(status).is_ready() => return Ok(()),
                Ok(_) => {}
                Err(Trouble::Disturbed(_)) => {}
                Err(_) => {
                    self.is_lost = true;
                    return Err(BlockError::TimedOut);
                }
            }
            if self.controller.now_ns().saturating_sub(start) > BUSY_NS {
                self.is_lost = true;
                return Err(BlockError::TimedOut);
            }
        }
    }
}

impl<R: RegisterBlock> BlockDevice for SdCard<R> {
    fn sectors(&self) -> u64 {
        self.sectors
    }

    fn read(&mut self, sector: u64, buffer: &mut [u8]) -> Result<(), BlockError> {
        self.check(sector, buffer.len())?;
        for (sector, chunk) in (sector..).zip(buffer.chunks_mut(SECTOR_SIZE)) {
            self.move_sector(17, sector, &mut Transfer::Read(chunk))?;
        }
        Ok(())
    }

    fn write(&mut self, sector: u64, buffer: &[u8]) -> Result<(), BlockError> {
        self.check(sector, buffer.len())?;
        for (sector, chunk) in (sector..).zip(buffer.chunks(SECTOR_SIZE)) {
            self.move_sector(24, sector, &mut Transfer::Write(chunk))?;
            // What the card found out while it programmed the sector.
            self.settle()?;
        }
        Ok(())
    }

    /// A card says it is busy until what it was given lies in its memory, and
    /// has no cache unless one is switched on (Physical Layer 6.0, 4.17), which
    /// nobody does here.
    fn flush(&mut self) -> Result<(), BlockError> {
        if self.is_lost {
            return Err(BlockError::Device);
        }
        self.settle()
    }

    fn can_flush(&self) -> bool {
        true
    }
}
