//! The mailbox by which the VideoCore is asked (BCM2711's firmware, "Mailbox
//! property interface").
//!
//! A question is a message in memory that both see; its address goes through
//! the mailbox, and comes back when the answer is written over the question.

use core::fmt;

use crate::registers::RegisterBlock;

/// Bytes of registers.
pub const LENGTH: u64 = 0x40;

/// Register offsets: from the VideoCore, and to it.
const FROM_DATA: u64 = 0x00;
const FROM_STATUS: u64 = 0x18;
const TO_DATA: u64 = 0x20;
const TO_STATUS: u64 = 0x38;

/// A status: nothing can be written, nothing can be read.
const FULL: u32 = 1 << 31;
const EMPTY: u32 = 1 << 30;

/// The channel of questions from the processor's side; the low four bits of
/// what goes through a mailbox.
const CHANNEL: u32 = 8;
const CHANNEL_FIELD: u32 = 0xf;

/// Words of a message: one question with up to two words either way.
pub const WORDS: usize = 8;

/// What the second word of a message says: a request, or that it was answered.
const REQUEST: u32 = 0;
const ANSWERED: u32 = 0x8000_0000;

/// In a tag's own code: it was answered; the rest is the answer's length.
const TAG_ANSWERED: u32 = 1 << 31;

/// How long the VideoCore may take, in ns.
const PATIENCE_NS: u64 = 1_000_000_000;

/// A message.
pub type Message = [u32; WORDS];

/// Memory that both sides see. It lies on a multiple of 16 bytes.
pub trait Shared {
    /// Where the VideoCore sees it.
    fn bus_address(&self) -> u32;
    /// Puts a message there, so that the VideoCore sees it.
    fn put(&mut self, message: &Message);
    /// What the VideoCore has left there.
    fn take(&mut self) -> Message;
}

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// The board's revision, a code that tells model, memory and maker.
    Revision,
    /// The board's serial number: low word, high word.
    Serial,
    /// The processor's share of memory: first byte, length.
    ArmMemory,
    /// The VideoCore's share of memory: first byte, length.
    VideoCoreMemory,
    /// A clock's rate in Hz, as the second word.
    ClockRate(Clock),
    /// The chip's temperature in thousandths of a degree Celsius, as the
    /// second word.
    Temperature,
}

/// Clocks, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[allow(missing_docs, reason = "each is the clock of what it is called")]
pub enum Clock {
    Emmc = 1,
    Uart = 2,
    Arm = 3,
    Core = 4,
    Emmc2 = 12,
}

impl Question {
    /// Its tag, the words it is asked with, and the words of the answer.
    const fn parts(self) -> (u32, [u32; 2], u32) {
        match self {
            Self::Revision => (0x0001_0002, [0, 0], 1),
            Self::Serial => (0x0001_0004, [0, 0], 2),
            Self::ArmMemory => (0x0001_0005, [0, 0], 2),
            Self::VideoCoreMemory => (0x0001_0006, [0, 0], 2),
            Self::ClockRate(clock) => (0x0003_0002, [clock as u32, 0], 2),
            Self::Temperature => (0x0003_0006, [0, 0], 2),
        }
    }
}

/// The message that asks a question.
pub fn request(question: Question) -> Message {
    let (tag, [first, second], _) = question.parts();
    // Length of all, code; tag, room, code, two words; the end.
    [4 * WORDS as u32, REQUEST, tag, 8, 0, first, second, 0]
}

/// The answer in a message, if it is one to the question.
pub fn answer(question: Question, message: &Message) -> Result<[u32; 2], MailboxError> {
    let (tag, _, words) = question.parts();
    let [_, code, its_tag, _, its_code, first, second, _] = *message;
    if code != ANSWERED || its_tag != tag {
        return Err(MailboxError::Refused);
    }
    if its_code & TAG_ANSWERED == 0 || its_code & !TAG_ANSWERED < 4 * words {
        return Err(MailboxError::NotKnown);
    }
    Ok([first, second])
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailboxError {
    /// The VideoCore does not answer, or takes no questions.
    Silent,
    /// It says that the message is none.
    Refused,
    /// It does not know the tag.
    NotKnown,
}

impl fmt::Display for MailboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silent => "the VideoCore does not answer",
            Self::Refused => "the VideoCore refuses the message",
            Self::NotKnown => "the VideoCore does not know the question",
        })
    }
}

impl core::error::Error for MailboxError {}

/// The mailbox and its memory.
#[derive(Debug)]
pub struct Mailbox<R, S> {
    registers: R,
    shared: S,
    now_ns: fn() -> u64,
}

impl<R: RegisterBlock, S: Shared> Mailbox<R, S> {
    /// A mailbox that nobody else uses.
    pub fn new(registers: R, shared: S, now_ns: fn() -> u64) -> Self {
        Self { registers, shared, now_ns }
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// [`MailboxError::Silent`] after a second without one.
    pub fn ask(&mut self, question: Question) -> Result<[u32; 2], MailboxError> {
        // What somebody was answered before is not for here.
        self.wait_for(|registers| {
            let is_empty = registers.read(FROM_STATUS) & EMPTY != 0;
            if !is_empty {
                registers.read(FROM_DATA);
            }
            is_empty
        })?;
        self.shared.put(&request(question));
        self.wait_for(|registers| registers.read(TO_STATUS) & FULL == 0)?;
        let letter = self.shared.bus_address() & !CHANNEL_FIELD | CHANNEL;
        self.registers.write(TO_DATA, letter);
        self.wait_for(|registers| {
            registers.read(FROM_STATUS) & EMPTY == 0 && registers.read(FROM_DATA) == letter
        })?;
        answer(question, &self.shared.take())
    }

    fn wait_for(&self, mut is_so: impl FnMut(&R) -> bool) -> Result<(), MailboxError> {
        let start = (self.now_ns)();
        while !is_so(&self.registers) {
            if (self.now_ns)().saturating_sub(start) > PATIENCE_NS {
                return Err(MailboxError::Silent);
            }
            core::hint::spin_loop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::VecDeque;
    use std::rc::Rc;

    use super::*;

    const ADDRESS: u32 = 0xc012_3450;

    std::thread_local! {
        static NOW: Cell<u64> = const { Cell::new(0) };
    }

    fn now_ns() -> u64 {
        NOW.set(NOW.get() + 1_000_000);
        NOW.get()
    }

    /// The VideoCore's side: registers, the memory, and what it does with a
    /// letter.
    #[derive(Default)]
    struct VideoCore {
        memory: RefCell<Message>,
        letters: RefCell<VecDeque<u32>>,
        manner: Cell<Manner>,
    }

    #[derive(Clone, Copy, Default, PartialEq)]
    enum Manner {
        #[default]
        Answers,
        KnowsNothing,
        Refuses,
        Sleeps,
        IsFull,
    }

    impl VideoCore {
        fn serve(&self, letter: u32) {
            assert_eq!(letter, ADDRESS | 8);
            let mut message = self.memory.borrow_mut();
            let [length, code, tag, room, tag_code, ..] = *message;
            assert_eq!((length, code, room, tag_code, message[7]), (32, 0, 8, 0, 0));
            message[1] = 0x8000_0000;
            let (values, length) = match tag {
                0x0001_0002 => ([0x00c0_3115, 0], 4),
                0x0001_0004 => ([0x89ab_cdef, 0x1000_0000], 8),
                0x0001_0005 => ([0, 0x3b40_0000], 8),
                0x0001_0006 => ([0x3b40_0000, 0x04c0_0000], 8),
                0x0003_0002 => ([message[5], 1_000_000 * message[5]], 8),
                0x0003_0006 => ([0, 48_312], 8),
                _ => panic!("{tag:#x}"),
            };
            match self.manner.get() {
                Manner::Answers => {
                    message[4] = 1 << 31 | length;
                    message[5..7].copy_from_slice(&values);
                }
                Manner::KnowsNothing => {}
                Manner::Refuses => message[1] = 0x8000_0001,
                Manner::Sleeps | Manner::IsFull => return,
            }
            self.letters.borrow_mut().push_back(letter);
        }
    }

    struct Side(Rc<VideoCore>);

    impl RegisterBlock for Side {
        fn read(&self, offset: u64) -> u32 {
            match offset {
                FROM_STATUS if self.0.letters.borrow().is_empty() => EMPTY,
                TO_STATUS if self.0.manner.get() == Manner::IsFull => FULL,
                FROM_DATA => self.0.letters.borrow_mut().pop_front().unwrap_or(0),
                _ => 0,
            }
        }

        fn write(&self, offset: u64, value: u32) {
            assert_eq!(offset, TO_DATA);
            self.0.serve(value);
        }
    }

    impl Shared for Rc<VideoCore> {
        fn bus_address(&self) -> u32 {
            ADDRESS
        }

        fn put(&mut self, message: &Message) {
            *self.memory.borrow_mut() = *message;
        }

        fn take(&mut self) -> Message {
            *self.memory.borrow()
        }
    }

    fn mailbox(manner: Manner) -> (Mailbox<Side, Rc<VideoCore>>, Rc<VideoCore>) {
        let core = Rc::new(VideoCore::default());
        core.manner.set(manner);
        (Mailbox::new(Side(core.clone()), core.clone(), now_ns), core)
    }

    #[test]
    fn each_question_has_its_answer() {
        let (mut mailbox, _) = mailbox(Manner::Answers);
        let answers = [
            (Question::Revision, [0x00c0_3115, 0]),
            (Question::Serial, [0x89ab_cdef, 0x1000_0000]),
            (Question::ArmMemory, [0, 0x3b40_0000]),
            (Question::VideoCoreMemory, [0x3b40_0000, 0x04c0_0000]),
            (Question::ClockRate(Clock::Emmc2), [12, 12_000_000]),
            (Question::Temperature, [0, 48_312]),
        ];
        for (question, expected) in answers {
            assert_eq!(mailbox.ask(question), Ok(expected));
        }
    }

    #[test]
    fn letters_of_others_are_passed_over() {
        let (mut mailbox, core) = mailbox(Manner::Answers);
        core.letters.borrow_mut().extend([0x1234_5671, ADDRESS | 8]);
        assert_eq!(mailbox.ask(Question::Temperature), Ok([0, 48_312]));
        assert!(core.letters.borrow().is_empty());
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        let cases = [
            (Manner::KnowsNothing, MailboxError::NotKnown),
            (Manner::Refuses, MailboxError::Refused),
            (Manner::Sleeps, MailboxError::Silent),
            (Manner::IsFull, MailboxError::Silent),
        ];
        for (manner, error) in cases {
            assert_eq!(mailbox(manner).0.ask(Question::Serial), Err(error));
        }
    }

    #[test]
    fn a_short_answer_is_none() {
        let mut message = request(Question::Serial);
        message[1] = ANSWERED;
        message[4] = TAG_ANSWERED | 4;
        assert_eq!(answer(Question::Serial, &message), Err(MailboxError::NotKnown));
        assert_eq!(answer(Question::Revision, &message), Err(MailboxError::Refused));
    }
}
