//! The host controller: commands and data, one at a time.

use core::fmt;

use super::card::CardStatus;
use crate::registers::RegisterBlock;
use crate::traits::SECTOR_SIZE;

/// Register offsets (Host Controller, 2.1.1), by words of 32 bits.
const BLOCK: u64 = 0x04;
const ARGUMENT: u64 = 0x08;
const COMMAND: u64 = 0x0c;
const RESPONSE: u64 = 0x10;
const BUFFER: u64 = 0x20;
const PRESENT: u64 = 0x24;
const HOST_CONTROL: u64 = 0x28;
const CLOCK_CONTROL: u64 = 0x2c;
const STATUS: u64 = 0x30;
const STATUS_ENABLE: u64 = 0x34;
const SIGNAL_ENABLE: u64 = 0x38;
const CAPABILITIES: u64 = 0x40;
const VERSION: u64 = 0xfc;

/// PRESENT: a command is under way; so is data, or the card is busy.
const COMMAND_INHIBIT: u32 = 1 << 0;
const DATA_INHIBIT: u32 = 1 << 1;

/// HOST_CONTROL: four data lines; 3.3 V, on.
const FOUR_BITS: u32 = 1 << 1;
const POWER_FIELD: u32 = 0xff << 8;
const POWER_3V3: u32 = 0x0f << 8;

/// CLOCK_CONTROL: the internal clock, that it is stable, the card's clock, the
/// longest time for data, and the resets.
const INTERNAL_CLOCK: u32 = 1 << 0;
const CLOCK_STABLE: u32 = 1 << 1;
const CARD_CLOCK: u32 = 1 << 2;
const DIVISOR_FIELD: u32 = 0xffc0;
const LONGEST_TIMEOUT: u32 = 0xe << 16;
const RESET_ALL: u32 = 1 << 24;
const RESET_COMMAND: u32 = 1 << 25;
const RESET_DATA: u32 = 1 << 26;

/// STATUS: what happened; the upper half is errors.
const COMMAND_COMPLETE: u32 = 1 << 0;
const TRANSFER_COMPLETE: u32 = 1 << 1;
const WRITE_READY: u32 = 1 << 4;
const READ_READY: u32 = 1 << 5;
const ERROR: u32 = 1 << 15;
const ERRORS: u32 = 0xffff_0000;
const COMMAND_TIMEOUT: u32 = 1 << 16;
const DATA_TIMEOUT: u32 = 1 << 20;
/// What is heeded: the four above and the standard's errors.
const ENABLED: u32 = 0x01ff_0000 | COMMAND_COMPLETE | TRANSFER_COMPLETE | WRITE_READY | READ_READY;

/// How long a command may take, and data, in ns.
const COMMAND_NS: u64 = 1_000_000_000;
const DATA_NS: u64 = 5_000_000_000;
/// How long the controller may take for its own things.
const OWN_NS: u64 = 200_000_000;

/// What a clock is taken for that nobody knows: the fastest there is, so that
/// no card gets a faster one than it should.
const UNKNOWN_CLOCK_HZ: u32 = 200_000_000;

/// What comes back from a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing.
    None,
    /// 48 bits.
    Short,
    /// 48 bits, with neither the command's number nor a checksum.
    Unchecked,
    /// 48 bits, and the card may be busy after.
    Busy,
    /// 136 bits.
    Long,
}

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    index: u8,
    argument: u32,
    answer: Answer,
}

impl Command {
    /// A command by its number, below 64.
    pub const fn new(index: u8, argument: u32, answer: Answer) -> Self {
        Self { index, argument, answer }
    }

    /// What the command register takes for it (Host Controller, 2.2.6).
    fn code(&self, has_data: bool) -> u32 {
        const CHECK_SUM: u32 = 1 << 3;
        const CHECK_INDEX: u32 = 1 << 4;
        const DATA: u32 = 1 << 5;
        let answer = match self.answer {
            Answer::None => 0,
            Answer::Long => 0b01 | CHECK_SUM,
            Answer::Unchecked => 0b10,
            Answer::Short => 0b10 | CHECK_SUM | CHECK_INDEX,
            Answer::Busy => 0b11 | CHECK_SUM | CHECK_INDEX,
        };
        let data = if has_data { DATA } else { 0 };
        (u32::from(self.index) << 8 | answer | data) << 16
    }
}

/// A sector's way.
#[derive(Debug)]
pub enum Transfer<'a> {
    /// From the card.
    Read(&'a mut [u8]),
    /// To the card.
    Write(&'a [u8]),
}

/// Why a command failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The card did not answer.
    Silent,
    /// The controller does not get to an end.
    Stuck,
    /// An answer or data came over the line otherwise than it was sent: the
    /// controller's error bits.
    Disturbed(u16),
    /// The card did not do as told: its status.
    Refused(u32),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("no answer"),
            Self::Stuck => f.write_str("the controller is stuck"),
            Self::Disturbed(bits) => write!(f, "errors {bits:#06x} on the line"),
            Self::Refused(status) => write!(f, "refused with status {status:#010x}"),
        }
    }
}

/// A controller with nobody else using it.
pub struct Controller<R> {
    registers: R,
    clock_hz: u32,
    now_ns: fn() -> u64,
}

impl<R: RegisterBlock> Controller<R> {
    /// Resets the controller and gives the card power, but no clock. `None`
    /// where it stays in its reset.
    pub fn start(registers: R, clock_hz: u32, now_ns: fn() -> u64) -> Option<Self> {
        let mut controller = Self { registers, clock_hz, now_ns };
        controller.registers.write(CLOCK_CONTROL, RESET_ALL);
        controller.wait_clear(CLOCK_CONTROL, RESET_ALL, OWN_NS)?;
        if clock_hz == 0 {
            controller.clock_hz = controller.own_clock_hz();
        }
        controller.registers.write(HOST_CONTROL, POWER_3V3);
        controller.registers.write(SIGNAL_ENABLE, 0);
        controller.registers.write(STATUS_ENABLE, ENABLED);
        controller.registers.write(STATUS, u32::MAX);
        Some(controller)
    }

    /// What the capabilities say of the clock, in MHz.
    fn own_clock_hz(&self) -> u32 {
        let field = if self.version() >= 2 { 0xff } else { 0x3f };
        match self.registers.read(CAPABILITIES) >> 8 & field {
            0 => UNKNOWN_CLOCK_HZ,
            megahertz => megahertz * 1_000_000,
        }
    }

    /// Version of the specification it keeps: 0 for 1.00, 2 for 3.00.
    fn version(&self) -> u32 {
        self.registers.read(VERSION) >> 16 & 0xff
    }

    /// Gives the card a clock of at most this rate. `None` where the
    /// controller's own does not become stable.
    pub fn set_clock(&mut self, rate_hz: u32) -> Option<()> {
        let divisor = divisor(self.clock_hz, rate_hz, self.version() >= 2);
        self.registers.write(CLOCK_CONTROL, LONGEST_TIMEOUT);
        self.registers.write(CLOCK_CONTROL, LONGEST_TIMEOUT | divisor | INTERNAL_CLOCK);
        self.wait(OWN_NS, |registers| registers.read(CLOCK_CONTROL) & CLOCK_STABLE != 0)?;
        let running = LONGEST_TIMEOUT | divisor | INTERNAL_CLOCK | CARD_CLOCK;
        self.registers.write(CLOCK_CONTROL, running);
        Some(())
    }

    /// Data goes over four lines from here on.
    pub fn use_four_bits(&mut self) {
        let control = self.registers.read(HOST_CONTROL);
        self.registers.write(HOST_CONTROL, control | FOUR_BITS);
    }

    /// Takes the card's power and clock.
    pub fn power_off(&mut self) {
        let control = self.registers.read(HOST_CONTROL);
        self.registers.write(HOST_CONTROL, control & !POWER_FIELD);
        self.registers.write(CLOCK_CONTROL, 0);
    }

    /// The time.
    pub fn now_ns(&self) -> u64 {
        (self.now_ns)()
    }

    /// Lets time go by.
    pub fn pause(&self, length_ns: u64) {
        let start = self.now_ns();
        while self.now_ns().saturating_sub(start) < length_ns {
            core::hint::spin_loop();
        }
    }

    /// Carries out a command without data. A short answer is the first word.
    pub fn command(&mut self, command: Command) -> Result<[u32; 4], Trouble> {
        let result = self.issue(command, 0, false);
        self.clean_up(result.is_err());
        result
    }

    /// Carries out a command that moves a sector.
    pub fn transfer(
        &mut self,
        command: Command,
        transfer: &mut Transfer<'_>,
    ) -> Result<(), Trouble> {
        const READ: u32 = 1 << 4;
        self.registers.write(BLOCK, 1 << 16 | SECTOR_SIZE as u32);
        let mode = if matches!(transfer, Transfer::Read(_)) { READ } else { 0 };
        let result = self.issue(command, mode, true).and_then(|[status, ..]| {
            // What is refused has no data.
            if CardStatus(status).is_error() {
                return Err(Trouble::Refused(status));
            }
            self.move_data(transfer)
        });
        self.clean_up(result.is_err());
        result
    }

    fn issue(&mut self, command: Command, mode: u32, has_data: bool) -> Result<[u32; 4], Trouble> {
        let uses_data = has_data || command.answer == Answer::Busy;
        let inhibit = COMMAND_INHIBIT | if uses_data { DATA_INHIBIT } else { 0 };
        self.wait_clear(PRESENT, inhibit, COMMAND_NS).ok_or(Trouble::Stuck)?;
        self.registers.write(STATUS, u32::MAX);
        self.registers.write(ARGUMENT, command.argument);
        self.registers.write(COMMAND, command.code(has_data) | mode);
        self.wait_for(COMMAND_COMPLETE, COMMAND_NS)?;
        if command.answer == Answer::Busy {
            self.wait_for(TRANSFER_COMPLETE, DATA_NS)?;
        }
        Ok([0, 4, 8, 12].map(|word| self.registers.read(RESPONSE + word)))
    }

    fn move_data(&mut self, transfer: &mut Transfer<'_>) -> Result<(), Trouble> {
        match transfer {
            Transfer::Read(buffer) => {
                self.wait_for(READ_READY, DATA_NS)?;
                for chunk in buffer.chunks_mut(4) {
                    let word = self.registers.read(BUFFER).to_le_bytes();
                    chunk.iter_mut().zip(word).for_each(|(byte, read)| *byte = read);
                }
            }
            Transfer::Write(buffer) => {
                self.wait_for(WRITE_READY, DATA_NS)?;
                for chunk in buffer.chunks(4) {
                    let mut word = [0; 4];
                    word.iter_mut().zip(chunk).for_each(|(byte, given)| *byte = *given);
                    self.registers.write(BUFFER, u32::from_le_bytes(word));
                }
            }
        }
        self.wait_for(TRANSFER_COMPLETE, DATA_NS)
    }

    /// Waits until something has happened, and forgets that it did.
    fn wait_for(&self, event: u32, limit_ns: u64) -> Result<(), Trouble> {
        let mut status = 0;
        self.wait(limit_ns, |registers| {
            status = registers.read(STATUS);
            status & (event | ERROR | ERRORS) != 0
        })
        .ok_or(Trouble::Stuck)?;
        match status & ERRORS {
            0 if status & event != 0 => {
                self.registers.write(STATUS, event);
                Ok(())
            }
            COMMAND_TIMEOUT => Err(Trouble::Silent),
            // A card that holds data back for so long will not send it.
            DATA_TIMEOUT => Err(Trouble::Silent),
            errors => Err(Trouble::Disturbed((errors >> 16) as u16)),
        }
    }

    /// After a command: nothing of it is left (Host Controller, 3.10).
    fn clean_up(&self, has_failed: bool) {
        if has_failed {
            let lines = RESET_COMMAND | RESET_DATA;
            self.registers.write(CLOCK_CONTROL, self.registers.read(CLOCK_CONTROL) | lines);
            // Where they stay in reset the next command finds out.
            let _ = self.wait_clear(CLOCK_CONTROL, lines, OWN_NS);
        }
        self.registers.write(STATUS, u32::MAX);
    }

    fn wait_clear(&self, register: u64, bits: u32, limit_ns: u64) -> Option<()> {
        self.wait(limit_ns, |registers| registers.read(register) & bits == 0)
    }

    fn wait(&self, limit_ns: u64, mut is_so: impl FnMut(&R) -> bool) -> Option<()> {
        let start = self.now_ns();
        while !is_so(&self.registers) {
            if self.now_ns().saturating_sub(start) > limit_ns {
                return None;
            }
            core::hint::spin_loop();
        }
        Some(())
    }
}

/// The divisor field for a clock of at most `rate_hz`: any even number to 2046
/// from version 3.00 on, a power of two to 256 before (Host Controller,
/// 2.2.14).
fn divisor(clock_hz: u32, rate_hz: u32, is_fine: bool) -> u32 {
    let half = clock_hz.div_ceil(rate_hz.max(1)).div_ceil(2);
    let half = match (clock_hz <= rate_hz, is_fine) {
        (true, _) => 0,
        (false, true) => half.min(0x3ff),
        (false, false) => half.next_power_of_two().min(0x80),
    };
    (half & 0xff) << 8 & DIVISOR_FIELD | (half >> 8 & 0b11) << 6
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDENTIFICATION: u32 = 400_000;
    const WORKING: u32 = 25_000_000;

    /// The rate that a field comes to.
    fn rate(clock_hz: u32, field: u32) -> u32 {
        match field >> 8 & 0xff | (field >> 6 & 0b11) << 8 {
            0 => clock_hz,
            half => clock_hz / (2 * half),
        }
    }

    #[test]
    fn no_card_gets_a_faster_clock_than_it_should() {
        for clock in [25_000_000, 50_000_000, 52_000_000, 100_000_000, 200_000_000, 250_000_000] {
            for wanted in [IDENTIFICATION, WORKING] {
                for is_fine in [false, true] {
                    let rate = rate(clock, divisor(clock, wanted, is_fine));
                    let is_least = !is_fine && clock / 256 > wanted;
                    assert!(rate <= wanted || is_least, "{clock} {wanted} {rate}");
                    assert!(rate >= wanted / 4, "{clock} {wanted} {rate}");
                }
            }
        }
    }

    #[test]
    fn a_commands_code_says_what_comes_back() {
        let code = |index, answer, has_data| Command::new(index, 0, answer).code(has_data) >> 16;
        assert_eq!(code(0, Answer::None, false), 0);
        assert_eq!(code(2, Answer::Long, false), 0x0209);
        assert_eq!(code(7, Answer::Busy, false), 0x071b);
        assert_eq!(code(8, Answer::Short, false), 0x081a);
        assert_eq!(code(17, Answer::Short, true), 0x113a);
        assert_eq!(code(41, Answer::Unchecked, false), 0x2902);
    }
}
