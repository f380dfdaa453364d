//! How tasks end.

use crate::{
    Nucleus,
    partition::Resource,
    task::{LastWords, Outcome, State},
};
use witness::{
    Body, Hash, Subject, Verdict,
    record::{self, Budget, RootReason, TrapCode},
};

/// How a task ends, with what its last records say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It returned.
    Exit {
        /// What it returned; zero if nothing.
        code: i32,
        /// Pages of 64 KiB of its memory.
        pages: u32,
        /// Commitment to the state it left.
        root: Hash,
    },
    /// It trapped.
    Trap(TrapCode),
    /// Its fuel, or its partition's, does not reach for what comes next.
    OutOfFuel,
    /// Its partition's records are spent.
    RecordsSpent,
    /// The machine is shut down. A call it waited in is cut short; that is
    /// its last record.
    Killed,
}

impl Nucleus {
    /// Ends a task that is alive: writes its last records and gives back
    /// what it held. The slots were set aside when it was spawned.
    pub fn end(&mut self, subject: Subject, ending: Ending) {
        let Some(task) = self.world.task_mut(subject) else { return };
        if !task.state().is_alive() {
            return;
        }
        let last_words = task.last_words.take();
        self.cut_short(subject);
        if let Some(last_words) = last_words {
            self.last_records(subject, ending, last_words);
        }
        let Some(task) = self.world.task_mut(subject) else { return };
        task.become_(State::Ended(ending.outcome()));
        let (memory, unspent) = (task.memory, task.fuel_left());
        let (partition, parent) = (task.partition, task.parent);
        self.world.partitions.give_back(partition, Resource::Memory, u64::from(memory));
        if let Some(parent) = self.world.task_mut(parent) {
            parent.given = parent.given.saturating_sub(unspent);
        }
    }

    fn last_records(&mut self, subject: Subject, ending: Ending, slots: LastWords) {
        let LastWords { end, root: root_slot } = slots;
        let Some(task) = self.world.task(subject) else { return };
        let body = match ending {
            Ending::Exit { code, pages, .. } => Body::Exit(record::Exit { code, pages }),
            Ending::Trap(code) => Body::Trap(record::Trap { code, component: task.digest }),
            Ending::OutOfFuel => Body::OutOfFuel(record::OutOfFuel {
                budget: task.fuel.saturating_sub(task.given),
                spent: task.spent,
            }),
            Ending::RecordsSpent => {
                let partition = task.partition.and_then(|id| self.world.partitions.get(id));
                let limit = partition.map_or(0, |partition| partition.records.limit);
                Body::BudgetSpent(record::BudgetSpent { budget: Budget::Records, limit })
            }
            Ending::Killed => {
                self.log.release(end);
                self.log.release(root_slot);
                return;
            }
        };
        self.write(subject, end, Verdict::Allowed, None, body);
        match ending {
            Ending::Exit { root, .. } => {
                let body = Body::StateRoot(record::StateRoot { reason: RootReason::Exit, root });
                self.write(subject, root_slot, Verdict::Allowed, None, body);
            }
            _ => self.log.release(root_slot),
        }
    }
}

impl Ending {
    fn outcome(self) -> Outcome {
        match self {
            Self::Exit { code, .. } => Outcome::Exit(code),
            Self::Trap(code) => Outcome::Trap(code),
            Self::OutOfFuel => Outcome::OutOfFuel,
            Self::RecordsSpent => Outcome::RecordsSpent,
            Self::Killed => Outcome::Killed,
        }
    }
}
