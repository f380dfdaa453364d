//! Tasks: their states, the legal moves between them, and what each holds.

use crate::snapshot::saved;
use crate::{
    object::ObjectId, partition::PartitionId, space::Space, ticket::InFlight, witness::Chain,
};
use abi::Handle;
use alloc::string::String;
use package::manifest::TaskKind;
use witness::{Hash, Reservation, Subject, record::TrapCode};

/// What a task is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is not a task but the kernel, which is never scheduled.
    Kernel,
    /// It can run.
    Ready,
    /// Its slice is on.
    Running,
    /// It waits until this logical time in ns, or for a message: see
    /// [`Task::waits_on`].
    Waiting(u64),
    /// It was refused a call because the gate is stopped, and stays here
    /// until it is resumed.
    Parked,
    /// It has ended.
    Ended(Outcome),
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It returned, with this code.
    Exit(i32),
    /// It trapped.
    Trap(TrapCode),
    /// Its fuel, or its partition's, was spent.
    OutOfFuel,
    /// Its partition's records were spent.
    RecordsSpent,
    /// Its parent killed it, or the machine was shut down.
    Killed,
}

impl State {
    /// Every legal move. An ended task stays ended.
    pub const fn may_become(self, next: Self) -> bool {
        use State::{Ended, Parked, Ready, Running, Waiting};
        matches!(
            (self, next),
            (Ready | Waiting(_), Running)
                | (Running, Ready | Waiting(_) | Parked)
                | (Waiting(_), Parked)
                | (Waiting(_) | Parked, Ready)
                | (Ready | Running | Waiting(_) | Parked, Ended(_))
        )
    }

    /// Whether it has not ended.
    pub const fn is_alive(self) -> bool {
        matches!(self, Self::Ready | Self::Running | Self::Waiting(_) | Self::Parked)
    }
}

/// A task. The kernel is the first of the table, with the same fields.
#[derive(Debug)]
pub struct Task {
    /// Its number, in order of spawn.
    pub subject: Subject,
    /// Its name: as in the manifest, or the component's.
    pub name: String,
    /// What capabilities for it point at; none for the kernel.
    pub object: Option<ObjectId>,
    /// What it runs; none for the kernel.
    pub component: Option<ObjectId>,
    /// SHA-256 of that.
    pub digest: Hash,
    /// How it runs.
    pub kind: TaskKind,
    /// Whose budgets it shares; none for the kernel, who has a share of its own.
    pub partition: Option<PartitionId>,
    /// Who spawned it.
    pub parent: Subject,
    /// The parent's capability for it, as it was when it was spawned.
    pub(crate) known_as: Option<Handle>,
    /// What it can name.
    pub space: Space,
    /// Where messages for it arrive; none for the kernel.
    pub mailbox: Option<ObjectId>,
    /// Higher runs first among equal deadlines.
    pub priority: u8,
    /// Logical time in ns it is scheduled by; `u64::MAX` for none.
    pub deadline: u64,
    /// Fuel it may spend in all.
    pub fuel: u64,
    /// Fuel it has spent.
    pub spent: u64,
    /// Fuel it has set aside for tasks it spawned.
    pub given: u64,
    /// Bytes of linear memory it may have.
    pub memory: u32,
    /// Number of the slice it last had.
    pub last_slice: u64,
    /// Logical time in ns by which its turn has come: see the scheduler.
    pub due: u64,
    /// Least fuel its next slice must have, for one operation that is dearer
    /// than a slice.
    pub needs: u64,
    /// The queue whose messages it waits for.
    pub waits_on: Option<ObjectId>,
    pub(crate) state: State,
    pub(crate) chain: Chain,
    /// The call it waits in.
    pub(crate) blocked: Option<InFlight>,
    /// The answer of a call it waited in.
    pub(crate) answer: Option<i64>,
    /// Slots for the records of its end, so that those are never missing.
    pub(crate) last_words: Option<LastWords>,
}

/// Slots set aside at the spawn for the records that end a task.
#[derive(Debug)]
pub(crate) struct LastWords {
    /// For the record of how it ended.
    pub(crate) end: Reservation,
    /// For the state root that follows an exit.
    pub(crate) root: Reservation,
}

impl Task {
    /// What it is doing.
    pub fn state(&self) -> State {
        self.state
    }

    /// Moves it, if that is a legal move; says whether it was.
    pub(crate) fn become_(&mut self, next: State) -> bool {
        let is_legal = self.state.may_become(next);
        if is_legal {
            self.state = next;
        }
        is_legal
    }

    /// Whether it is a reactor between two messages.
    pub fn is_idle(&self) -> bool {
        let waits = matches!(self.state, State::Waiting(u64::MAX)) && self.blocked.is_none();
        waits && self.kind == TaskKind::Reactor
    }

    /// Fuel of its own budget that is left.
    pub fn fuel_left(&self) -> u64 {
        self.fuel.saturating_sub(self.spent).saturating_sub(self.given)
    }
}

saved!(enum State { 0 Kernel, 1 Ready, 2 Running, 3 Waiting(until), 4 Parked, 5 Ended(outcome) });
saved!(enum Outcome { 0 Exit(code), 1 Trap(code), 2 OutOfFuel, 3 RecordsSpent, 4 Killed });
saved!(struct LastWords { end, root });
saved!(struct Task {
    subject, name, object, component, digest, kind, partition, parent, known_as, space, mailbox,
    priority, deadline, fuel, spent, given, memory, last_slice, due, needs, waits_on, state, chain,
    blocked, answer, last_words,
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_comes_back_from_the_end_and_the_kernel_never_moves() {
        use State::*;
        let all = [Kernel, Ready, Running, Waiting(1), Parked, Ended(Outcome::Exit(0))];
        for next in all {
            assert!(!Ended(Outcome::Killed).may_become(next));
            assert!(!Kernel.may_become(next));
            assert!(!next.may_become(Kernel));
            assert_eq!(next.is_alive(), next.may_become(Ended(Outcome::Killed)));
        }
    }

    #[test]
    fn a_parked_task_does_not_run() {
        for from in [State::Running, State::Parked] {
            assert!(!from.may_become(State::Running));
        }
        assert!(State::Ready.may_become(State::Running));
    }
}
