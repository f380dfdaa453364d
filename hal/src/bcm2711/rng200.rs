//! Broadcom's random number generator RNG200, by the registers that Linux's
//! `iproc-rng200` names; the manual has none of it.

use crate::registers::RegisterBlock;

/// Bytes of registers.
pub const LENGTH: u64 = 0x28;

/// Register offsets.
const CONTROL: u64 = 0x00;
const RESET: u64 = 0x04;
const GENERATOR_RESET: u64 = 0x08;
const STATUS: u64 = 0x18;
const DATA: u64 = 0x20;
const COUNT: u64 = 0x24;

/// CONTROL: the field that runs it, and its value for that.
const RUN_FIELD: u32 = 0x1fff;
const RUN: u32 = 1;
/// STATUS: it failed a test of its own, for good or once.
const FAILED: u32 = 1 << 31 | 1 << 5;
/// COUNT: words that are ready.
const READY_FIELD: u32 = 0xff;

/// How often is looked for a word. It takes about 30 us to make one.
const LOOKS: u32 = 100_000;

/// The generator.
#[derive(Clone, Copy, Debug)]
pub struct Rng200<R>(pub R);

impl<R: RegisterBlock> Rng200<R> {
    /// Has it run.
    pub fn start(&self) {
        let control = self.0.read(CONTROL) & !RUN_FIELD;
        self.0.write(CONTROL, control | RUN);
    }

    /// Fills `bytes`. `false` where the generator fails its own tests, repeats
    /// itself or has nothing to give; it is reset then, and may do better the
    /// next time.
    pub fn fill(&self, bytes: &mut [u8]) -> bool {
        let mut last = None;
        for part in bytes.chunks_mut(4) {
            let Some(word) = self.next().filter(|word| last != Some(*word)) else {
                self.reset();
                return false;
            };
            last = Some(word);
            for (byte, random) in part.iter_mut().zip(word.to_le_bytes()) {
                *byte = random;
            }
        }
        true
    }

    fn next(&self) -> Option<u32> {
        for _ in 0..LOOKS {
            if self.0.read(STATUS) & FAILED != 0 {
                return None;
            }
            if self.0.read(COUNT) & READY_FIELD != 0 {
                return Some(self.0.read(DATA));
            }
        }
        None
    }

    fn reset(&self) {
        self.0.write(CONTROL, self.0.read(CONTROL) & !RUN_FIELD);
        self.0.write(STATUS, u32::MAX);
        for register in [RESET, GENERATOR_RESET] {
            self.0.write(register, 1);
        }
        for register in [GENERATOR_RESET, RESET] {
            self.0.write(register, 0);
        }
        self.start();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    #[derive(Default)]
    struct Model {
        words: RefCell<Vec<u32>>,
        status: Cell<u32>,
        control: Cell<u32>,
        resets: Cell<u32>,
    }

    impl RegisterBlock for &Model {
        fn read(&self, offset: u64) -> u32 {
            match offset {
                CONTROL => self.control.get(),
                STATUS => self.status.get(),
                COUNT if self.control.get() & RUN != 0 => self.words.borrow().len() as u32,
                DATA => self.words.borrow_mut().pop().unwrap_or(0),
                _ => 0,
            }
        }

        fn write(&self, offset: u64, value: u32) {
            match offset {
                CONTROL => self.control.set(value),
                STATUS => self.status.set(self.status.get() & !value),
                RESET if value == 1 => self.resets.set(self.resets.get() + 1),
                _ => {}
            }
        }
    }

    fn model(words: &[u32]) -> Model {
        let words = words.iter().rev().copied().collect();
        Model { words: RefCell::new(words), ..Model::default() }
    }

    #[test]
    fn words_become_bytes() {
        let model = model(&[0x0403_0201, 0x0807_0605]);
        Rng200(&model).start();
        let mut bytes = [0; 6];
        assert!(Rng200(&model).fill(&mut bytes));
        assert_eq!(bytes, [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn one_that_is_stuck_fails_or_has_nothing_gives_nothing_and_is_reset() {
        for (words, status) in [(&[7, 7][..], 0), (&[1, 2], 1 << 31), (&[1, 2], 1 << 5), (&[1], 0)]
        {
            let model = model(words);
            model.status.set(status);
            Rng200(&model).start();
            assert!(!Rng200(&model).fill(&mut [0; 8]));
            assert_eq!((model.resets.get(), model.status.get()), (1, 0));
            assert_eq!(model.control.get() & RUN_FIELD, RUN);
        }
    }

    #[test]
    fn one_that_is_off_gives_nothing() {
        assert!(!Rng200(&model(&[1])).fill(&mut [0; 1]));
    }
}
