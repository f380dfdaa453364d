//! One subject's chain of records.

use super::report::{Reason, TaskFacts};
use crate::{
    Hash,
    record::{Body, Record},
};

/// Where a subject's chain stands.
pub(super) struct Chain {
    /// Sequence number that comes next; beyond u32 there is none.
    next: u64,
    /// Id of the last record; before the first, of the genesis.
    last: Hash,
    fuel: u64,
    pub(super) end: TaskFacts,
}

impl Chain {
    pub(super) fn new(genesis: Hash) -> Self {
        Self { next: 0, last: genesis, fuel: 0, end: TaskFacts::Open }
    }

    /// Whether the record continues the chain.
    pub(super) fn check(&self, record: &Record<'_>) -> Result<(), Reason> {
        if u64::from(record.sequence) != self.next {
            return Err(Reason::Sequence);
        }
        if record.previous != self.last {
            return Err(Reason::Previous);
        }
        if record.point.fuel < self.fuel {
            return Err(Reason::Fuel);
        }
        let may_follow_end = matches!(record.body, Body::StateRoot(_));
        if self.end != TaskFacts::Open && !may_follow_end {
            return Err(Reason::Ended);
        }
        Ok(())
    }

    /// Goes on with the record, whose id is `id`.
    pub(super) fn advance(&mut self, record: &Record<'_>, id: Hash) {
        self.next += 1;
        self.last = id;
        self.fuel = record.point.fuel;
        self.end = match record.body {
            Body::Exit(exit) => TaskFacts::Exit(exit.code),
            Body::Trap(trap) => TaskFacts::Trap(trap.code),
            Body::OutOfFuel(_) => TaskFacts::OutOfFuel,
            Body::BudgetSpent(_) => TaskFacts::BudgetSpent,
            _ => self.end,
        };
    }
}
