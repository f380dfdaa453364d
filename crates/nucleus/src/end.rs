//! How tasks end.

use crate::{
    Nucleus,
    partition::Resource,
    queue::Message,
    task::{LastWords, Outcome, State},
};
use abi::{EXIT_REPORT, Error, ExitReport};
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
    /// Its parent revoked it, or the machine is shut down. A call it waited
    /// in is cut short; that is its last record.
    Killed,
}

impl Nucleus {
    /// Ends a task that is alive: writes its last records, gives back what it
    /// held and tells its parent. The slots were set aside when it was
    /// spawned.
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
        let outcome = ending.outcome();
        task.become_(State::Ended(outcome));
        let (memory, unspent) = (task.memory, task.fuel_left());
        let (partition, parent) = (task.partition, task.parent);
        let objects = [task.mailbox.take(), task.object.take()];
        self.world.partitions.give_back(partition, Resource::Memory, u64::from(memory));
        if let Some(parent) = self.world.task_mut(parent) {
            parent.given = parent.given.saturating_sub(unspent);
        }
        self.empty(subject);
        for object in objects.into_iter().flatten() {
            self.world.objects.doom(object);
        }
        self.report(subject, outcome);
    }

    /// Lets go of everything a task holds, its subscriptions included.
    fn empty(&mut self, subject: Subject) {
        let slots = self.world.task(subject).map_or(0, |task| task.space.size());
        for slot in 0..slots {
            let held = self.world.task(subject).and_then(|task| task.space.at(slot));
            if let Some(handle) = held.map(|(handle, _)| handle) {
                self.world.take_away(subject, handle, Error::StaleHandle);
            }
        }
        for number in 0..abi::profile::OBJECTS {
            let Some(sensor) = self.world.objects.sensor_at(number) else { continue };
            self.world.unsubscribe(sensor, subject);
        }
    }

    /// Tells the parent, in the room that was promised at the spawn.
    fn report(&mut self, subject: Subject, outcome: Outcome) {
        let Some(task) = self.world.task(subject) else { return };
        let Some(handle) = task.known_as else { return };
        let sent = task.chain.last();
        let (outcome, code) = outcome.numbers();
        let report = ExitReport { subject: subject.0, outcome, code, handle };
        let parent = self.world.task(task.parent);
        let Some(mailbox) = parent.and_then(|parent| parent.mailbox) else { return };
        if let Ok(queue) = self.world.objects.queue_mut(mailbox) {
            let sender = subject.0;
            let message = Message { kind: EXIT_REPORT, priority: 0, badge: 0, sender, sent };
            queue.report(&message, &report.to_bytes());
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

impl Outcome {
    /// As in an exit report: which, and its code.
    fn numbers(self) -> (u8, i32) {
        match self {
            Self::Exit(code) => (0, code),
            Self::Trap(code) => (1, i32::from(code.number())),
            Self::OutOfFuel => (2, 0),
            Self::RecordsSpent => (3, 0),
            Self::Killed => (4, 0),
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
