//! The driver against a model of the controller's registers with a card behind
//! them: what is written and read is checked there, so that a driver that
//! leaves a step out fails.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::*;

std::thread_local! {
    static NOW: Cell<u64> = const { Cell::new(0) };
}

/// Each look at the clock takes 10 us.
fn now_ns() -> u64 {
    NOW.set(NOW.get() + 10_000);
    NOW.get()
}

/// What the model does otherwise than a good card.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Fault {
    #[default]
    None,
    /// There is no card.
    NoCard,
    /// A card from before version 2.00, which counts bytes.
    Old,
    /// The card never wakes.
    Asleep,
    /// The controller stays in reset.
    InReset,
    /// The internal clock never becomes stable.
    Unstable,
    /// So many transfers end with a checksum error.
    Checksum(u32),
    /// The card refuses data commands by its status.
    Refuses,
    /// The card does not answer data commands.
    Dead,
    /// It answers, and no data follows.
    NoData,
    /// What was written could not be programmed.
    BadBlock,
    /// It never stops being busy after a write.
    Busy,
}

#[derive(Debug, Default, PartialEq, Clone, Copy)]
enum State {
    #[default]
    Idle,
    Ready,
    Identification,
    StandBy,
    Transfer,
}

const RCA: u32 = 0xaaaa_0000;
const SECTORS: u64 = 64 << 10;

/// Controller and card.
#[derive(Default)]
struct Inside {
    fault: Fault,
    registers: Vec<u32>,
    state: State,
    is_application: bool,
    wakes_after: u32,
    contents: Vec<u8>,
    /// The transfer under way: first byte, bytes moved, whether it is a read.
    moving: Option<(usize, usize, bool)>,
    commands: Vec<u8>,
    clocks_hz: Vec<u32>,
}

#[derive(Clone, Default)]
struct Model(Rc<RefCell<Inside>>);

impl Model {
    fn with(fault: Fault) -> Self {
        let inside = Inside {
            fault,
            registers: vec![0; 64],
            wakes_after: 3,
            contents: vec![0; 64 * SECTOR_SIZE],
            ..Inside::default()
        };
        inside.into()
    }

    fn open(&self) -> Result<SdCard<Self>, NoCard> {
        SdCard::open(self.clone(), 100_000_000, now_ns)
    }

    fn ready(fault: Fault) -> (SdCard<Self>, Self) {
        let model = Self::with(Fault::None);
        let card = model.open().unwrap();
        model.0.borrow_mut().fault = fault;
        (card, model)
    }
}

impl From<Inside> for Model {
    fn from(mut inside: Inside) -> Self {
        // Version 3.00.
        inside.registers[0xfc / 4] = 2 << 16;
        Self(Rc::new(RefCell::new(inside)))
    }
}

impl RegisterBlock for Model {
    fn read(&self, offset: u64) -> u32 {
        self.0.borrow_mut().read(offset)
    }

    fn write(&self, offset: u64, value: u32) {
        self.0.borrow_mut().write(offset, value);
    }
}

impl Inside {
    fn read(&mut self, offset: u64) -> u32 {
        match offset {
            0x20 => self.next_word(),
            0x2c => {
                let held = if self.fault == Fault::InReset { 1 << 24 } else { 0 };
                let is_on = self.registers[11] & 1 != 0 && self.fault != Fault::Unstable;
                self.registers[11] & !(7 << 24) | held | u32::from(is_on) << 1
            }
            _ => self.registers[offset as usize / 4],
        }
    }

    fn write(&mut self, offset: u64, value: u32) {
        match offset {
            0x0c => self.command(value),
            0x20 => self.take_word(value),
            0x2c => {
                if value >> 24 & 1 != 0 {
                    self.registers[10..16].fill(0);
                }
                if value & 4 != 0 {
                    assert_ne!(self.registers[11] & 1, 0, "the internal clock comes first");
                    let half = value >> 8 & 0xff | (value >> 6 & 3) << 8;
                    self.clocks_hz.push(100_000_000 / (2 * half).max(1));
                }
                self.registers[11] = value;
            }
            // Written ones clear.
            0x30 => self.registers[12] &= !value,
            _ => self.registers[offset as usize / 4] = value,
        }
    }

    fn event(&mut self, bits: u32) {
        let enabled = self.registers[13];
        self.registers[12] |= bits & enabled;
        if self.registers[12] >> 16 != 0 {
            self.registers[12] |= 1 << 15;
        }
    }

    fn status(&self) -> u32 {
        let state = match self.state {
            State::Idle => 0,
            State::Ready => 1,
            State::Identification => 2,
            State::StandBy => 3,
            State::Transfer if self.fault == Fault::Busy => 7,
            State::Transfer => 4,
        };
        let application = u32::from(self.is_application) << 5;
        state << 9 | 1 << 8 | application
    }

    fn command(&mut self, value: u32) {
        assert_ne!(self.registers[11] & 4, 0, "a command without a clock");
        assert_eq!(self.registers[10] >> 8 & 0xff, 0x0f, "a command without power");
        let (index, code, argument) =
            ((value >> 24 & 0x3f) as u8, value >> 16 & 0x3b, self.registers[2]);
        self.commands.push(index);
        let is_application = core::mem::take(&mut self.is_application);
        let is_old = self.fault == Fault::Old;
        let answer = match (index, self.state) {
            _ if self.fault == Fault::NoCard && index != 0 => None,
            (0, _) => {
                assert_eq!((code, argument), (0, 0));
                self.state = State::Idle;
                Some([0; 4])
            }
            (8, State::Idle) if is_old => None,
            (8, State::Idle) => Some([argument, 0, 0, 0]),
            (55, state) => {
                assert_eq!(argument, if state == State::Idle { 0 } else { RCA });
                self.is_application = true;
                Some([self.status(), 0, 0, 0])
            }
            (41, State::Idle) if is_application => {
                assert_eq!(argument, if is_old { 0x0030_0000 } else { 0x4030_0000 });
                self.wakes_after = self.wakes_after.saturating_sub(1);
                let is_awake = self.wakes_after == 0 && self.fault != Fault::Asleep;
                if is_awake {
                    self.state = State::Ready;
                }
                let capacity = if is_old { 0 } else { 1 << 30 };
                Some([u32::from(is_awake) << 31 | capacity | 0x00ff_8000, 0, 0, 0])
            }
            (2, State::Ready) => {
                self.state = State::Identification;
                Some([1, 2, 3, 4])
            }
            (3, State::Identification) => {
                self.state = State::StandBy;
                Some([RCA | 0x500, 0, 0, 0])
            }
            (9, State::StandBy) if argument == RCA => {
                // Bits 126, 48 and, for the old one, 80, 62 and 47, less 8.
                let all: u128 =
                    if is_old { 9 << 72 | 4095 << 54 | 2 << 39 } else { 1 << 118 | 63 << 40 };
                Some([0, 32, 64, 96].map(|shift| (all >> shift) as u32))
            }
            (7, State::StandBy) if argument == RCA => {
                self.state = State::Transfer;
                self.event(1 << 1);
                Some([self.status(), 0, 0, 0])
            }
            (6, State::Transfer) if is_application => {
                assert_eq!(argument, 2);
                Some([self.status(), 0, 0, 0])
            }
            (16, State::Transfer) => {
                assert_eq!(argument, 512);
                Some([self.status(), 0, 0, 0])
            }
            (13, State::Transfer) if argument == RCA => {
                let bad = if self.fault == Fault::BadBlock { 1 << 19 } else { 0 };
                Some([self.status() | bad, 0, 0, 0])
            }
            (17 | 24, State::Transfer) => self.data_command(index, argument, value as u16),
            (index, state) => panic!("command {index} in {state:?}"),
        };
        match answer {
            Some(words) => {
                self.registers[4..8].copy_from_slice(&words);
                self.event(1);
            }
            None => self.event(1 << 16),
        }
    }

    fn data_command(&mut self, index: u8, argument: u32, mode: u16) -> Option<[u32; 4]> {
        assert_eq!(self.registers[1], 1 << 16 | 512, "one block of a sector");
        assert_eq!(self.registers[10] & 2, 2, "four data lines");
        let is_read = index == 17;
        assert_eq!(mode, if is_read { 1 << 4 } else { 0 });
        if self.fault == Fault::Dead {
            return None;
        }
        if self.fault == Fault::Refuses {
            return Some([self.status() | 1 << 31, 0, 0, 0]);
        }
        if self.fault == Fault::NoData {
            self.event(1 << 20);
            return Some([self.status(), 0, 0, 0]);
        }
        let place = if self.fault == Fault::Old { 1 } else { SECTOR_SIZE };
        self.moving = Some((argument as usize * place, 0, is_read));
        self.event(if is_read { 1 << 5 } else { 1 << 4 });
        Some([self.status(), 0, 0, 0])
    }

    fn next_word(&mut self) -> u32 {
        let (start, moved, is_read) = self.moving.unwrap();
        assert!(is_read);
        let at = start + moved;
        let word = u32::from_le_bytes(*self.contents[at..].first_chunk().unwrap());
        self.advance(start, moved, is_read);
        word
    }

    fn take_word(&mut self, word: u32) {
        let (start, moved, is_read) = self.moving.unwrap();
        assert!(!is_read);
        let at = start + moved;
        self.contents[at..at + 4].copy_from_slice(&word.to_le_bytes());
        self.advance(start, moved, is_read);
    }

    fn advance(&mut self, start: usize, moved: usize, is_read: bool) {
        self.moving = Some((start, moved + 4, is_read));
        if moved + 4 < SECTOR_SIZE {
            return;
        }
        self.moving = None;
        match self.fault {
            Fault::Checksum(count) if count > 0 => {
                self.fault = Fault::Checksum(count - 1);
                self.event(1 << 21);
            }
            _ => self.event(1 << 1),
        }
    }
}

#[test]
fn a_card_is_identified_in_the_order_of_the_standard() {
    let model = Model::with(Fault::None);
    let card = model.open().unwrap();
    assert_eq!(card.sectors(), SECTORS);
    let inside = model.0.borrow();
    let expected = [0, 8, 55, 41, 55, 41, 55, 41, 2, 3, 9, 7, 55, 6];
    assert_eq!(inside.commands, expected);
    // Slowly at first.
    assert_eq!(inside.clocks_hz, [400_000, 25_000_000]);
    let mut said = String::new();
    card.describe(&mut said).unwrap();
    assert_eq!(said, "SD card of 32 MiB");
}

#[test]
fn an_old_card_counts_bytes() {
    let model = Model::with(Fault::Old);
    let mut card = model.open().unwrap();
    assert_eq!(card.sectors(), SECTORS);
    let expected = [0, 8, 55, 41, 55, 41, 55, 41, 2, 3, 9, 7, 16, 55, 6];
    assert_eq!(model.0.borrow().commands, expected);
    card.write(3, &[7; SECTOR_SIZE]).unwrap();
    assert!(model.0.borrow().contents[3 * SECTOR_SIZE..][..SECTOR_SIZE].iter().all(|&b| b == 7));
}

#[test]
fn what_was_written_is_read() {
    let (mut card, model) = Model::ready(Fault::None);
    let written: Vec<u8> = (0..3 * SECTOR_SIZE).map(|at| (at * 7 / 3) as u8).collect();
    card.write(5, &written).unwrap();
    card.flush().unwrap();
    let mut read = vec![0; written.len()];
    card.read(5, &mut read).unwrap();
    assert_eq!(read, written);
    assert_eq!(model.0.borrow().contents[5 * SECTOR_SIZE..][..written.len()], written);
    assert!(card.can_flush());
}

#[test]
fn what_is_not_on_the_card_is_not_asked_for() {
    let (mut card, model) = Model::ready(Fault::None);
    let commands = model.0.borrow().commands.len();
    let mut sector = [0; SECTOR_SIZE];
    assert_eq!(card.read(SECTORS, &mut sector), Err(BlockError::OutOfRange));
    assert_eq!(card.write(u64::MAX, &sector), Err(BlockError::OutOfRange));
    assert_eq!(card.write(0, &sector[..100]), Err(BlockError::BadLength));
    assert_eq!(card.read(0, &mut []), Err(BlockError::BadLength));
    assert_eq!(model.0.borrow().commands.len(), commands);
}

#[test]
fn a_card_or_controller_that_does_not_work_is_told_apart() {
    let cases = [
        (Fault::NoCard, NoCard::Silent),
        (Fault::Asleep, NoCard::Unfit),
        (Fault::InReset, NoCard::Controller),
        (Fault::Unstable, NoCard::Controller),
    ];
    for (fault, error) in cases {
        let model = Model::with(fault);
        assert_eq!(model.open().err(), Some(error), "{fault:?}");
    }
    // It is left without power.
    let model = Model::with(Fault::NoCard);
    assert!(model.open().is_err());
    assert_eq!(model.0.borrow().registers[10] >> 8 & 0xff, 0);
}

#[test]
fn a_disturbed_line_is_tried_again_and_then_given_up() {
    let mut sector = [0; SECTOR_SIZE];
    let (mut card, _) = Model::ready(Fault::Checksum(2));
    assert_eq!(card.read(1, &mut sector), Ok(()));
    let (mut card, model) = Model::ready(Fault::Checksum(3));
    assert_eq!(card.write(1, &sector), Err(BlockError::Device));
    // The card itself is still there.
    model.0.borrow_mut().fault = Fault::None;
    assert_eq!(card.write(1, &sector), Ok(()));
}

#[test]
fn a_refusal_is_an_error_at_once() {
    for fault in [Fault::Refuses, Fault::BadBlock] {
        let (mut card, model) = Model::ready(fault);
        let before = model.0.borrow().commands.len();
        assert_eq!(card.write(1, &[1; SECTOR_SIZE]), Err(BlockError::Device), "{fault:?}");
        let tried = model.0.borrow().commands[before..].iter().filter(|&&it| it == 24).count();
        assert_eq!(tried, 1);
    }
}

#[test]
fn a_card_that_does_not_answer_is_not_asked_again() {
    for fault in [Fault::Dead, Fault::NoData, Fault::Busy] {
        let (mut card, model) = Model::ready(fault);
        assert_eq!(card.write(1, &[1; SECTOR_SIZE]), Err(BlockError::TimedOut), "{fault:?}");
        let commands = model.0.borrow().commands.len();
        assert_eq!(card.write(1, &[1; SECTOR_SIZE]), Err(BlockError::Device));
        assert_eq!(card.read(1, &mut [0; SECTOR_SIZE]), Err(BlockError::Device));
        assert_eq!(card.flush(), Err(BlockError::Device));
        assert_eq!(model.0.borrow().commands.len(), commands);
    }
}
