//! Comparing two runs.
//!
//! Everything but leaf 1 is a function of package and events, so two runs of
//! the same thing have the same records there, byte for byte, whatever
//! machine they ran on.

use crate::log::Folder;

/// How two logs relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Every record but leaf 1 is the same.
    None {
        /// How many records were compared.
        compared: u64,
    },
    /// The first record that is not.
    At {
        /// Its number in both logs; one of them may end before it.
        index: u64,
    },
}

/// Number of the machine record, the one that may differ.
const MACHINE: usize = 1;

/// Compares two logs. Neither is verified.
pub fn diff(a: &Folder, b: &Folder) -> Difference {
    let length = a.entries.len().max(b.entries.len());
    let differs = |&index: &usize| match (a.entries.get(index), b.entries.get(index)) {
        (Some(_), Some(_)) if index == MACHINE => false,
        (a, b) => a != b,
    };
    match (0..length).find(differs) {
        Some(index) => Difference::At { index: index as u64 },
        None => Difference::None { compared: (length - usize::from(length > MACHINE)) as u64 },
    }
}
