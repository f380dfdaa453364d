//! What a record is about.

use abi::Call;

/// The kind of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Leaf 0: what is run.
    Genesis,
    /// Leaf 1: on what it is run.
    Machine,
    /// Input from outside.
    Event,
    /// More of an event's data.
    Continuation,
    /// One of the twelve calls.
    Call(Call),
    /// A task ended by a trap.
    Trap,
    /// A task ended because its fuel was spent.
    OutOfFuel,
    /// A task ended by itself.
    Exit,
    /// A commitment to the state.
    StateRoot,
    /// A guard program's decision.
    Guard,
    /// A task ended because its partition's budget was spent.
    BudgetSpent,
}

/// Number of the first call's kind; call n has kind `CALLS + n`.
const CALLS: u8 = 0x10;

impl Kind {
    /// Every kind, by number.
    pub const ALL: [Self; 22] = {
        let mut all = [Self::Genesis; 22];
        all[1] = Self::Machine;
        all[2] = Self::Event;
        all[3] = Self::Continuation;
        let mut call = 0;
        while call < Call::ALL.len() {
            all[4 + call] = Self::Call(Call::ALL[call]);
            call += 1;
        }
        all[16] = Self::Trap;
        all[17] = Self::OutOfFuel;
        all[18] = Self::Exit;
        all[19] = Self::StateRoot;
        all[20] = Self::Guard;
        all[21] = Self::BudgetSpent;
        all
    };

    /// The number in the header.
    pub const fn number(self) -> u8 {
        match self {
            Self::Genesis => 0x00,
            Self::Machine => 0x01,
            Self::Event => 0x02,
            Self::Continuation => 0x03,
            Self::Call(call) => CALLS + call.number(),
            Self::Trap => 0x20,
            Self::OutOfFuel => 0x21,
            Self::Exit => 0x22,
            Self::StateRoot => 0x23,
            Self::Guard => 0x24,
            Self::BudgetSpent => 0x25,
        }
    }

    /// The kind with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// Its name: a call's own name for calls.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Genesis => "genesis",
            Self::Machine => "machine",
            Self::Event => "event",
            Self::Continuation => "continuation",
            Self::Call(call) => call.name(),
            Self::Trap => "trap",
            Self::OutOfFuel => "out-of-fuel",
            Self::Exit => "exit",
            Self::StateRoot => "state-root",
            Self::Guard => "guard",
            Self::BudgetSpent => "budget-spent",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_kinds_convert_both_ways() {
        let known = (0..=u8::MAX).filter_map(Kind::from_number);
        assert_eq!(known.collect::<std::vec::Vec<_>>(), Kind::ALL);
    }
}
