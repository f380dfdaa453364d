//! Attacks with memory ranges.

use crate::calls;
use crate::program::{Attack, LETTERS, YEARS};
use agents::protocol::kind::LETTER;
use sdk::Error;

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "a message from beyond the end of memory",
        expected: Error::BadPointer,
        attempt: |_| Ok(calls::queue_send(LETTERS.0.0, LETTER, 0, 0x7fff_0000, 16).into()),
    },
    Attack {
        name: "a range that wraps around",
        expected: Error::BadPointer,
        attempt: |_| Ok(calls::queue_send(LETTERS.0.0, LETTER, 0, u32::MAX - 15, 32).into()),
    },
    Attack {
        name: "a length of all there is",
        expected: Error::BadLength,
        attempt: |_| Ok(calls::queue_send(LETTERS.0.0, LETTER, 0, 0, u32::MAX).into()),
    },
    Attack {
        name: "an answer over its own question",
        expected: Error::Overlap,
        attempt: |_| Ok(calls::get_into_itself(YEARS.0.0, &mut [0; 64], 15).into()),
    },
];
