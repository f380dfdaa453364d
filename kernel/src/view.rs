//! What the shell sees of this machine.

use machine::Cell;
use nucleus::{ObjectId, Outcome as Ended, State as TaskState};
use package::Manifest;
use rvsh::view::{Activity, Entry, Heap, Log, Machine, Package, State, Task, View};
use witness::manifest::Outcome;
use witness::record::MachineFacts;
use witness::{Hash, Index};

use crate::{heap, log};

/// The machine between two slices.
pub struct Look<'a> {
    /// What runs.
    pub cell: &'a Cell,
    /// What leaf 1 says.
    pub facts: &'a MachineFacts,
    /// The device in the log's origin.
    pub device_name: &'a str,
    /// What the package says about itself, unless it was refused.
    pub package: &'a Option<Manifest>,
    /// SHA-256 of its file.
    pub package_digest: Hash,
}

impl View for Look<'_> {
    fn machine(&self) -> Machine<'_> {
        let nucleus = self.cell.view();
        let (used, free) = heap::usage();
        let mut states = nucleus.tasks().map(|(_, task)| task.state());
        let activity = if !nucleus.is_alive() {
            Activity::Finished
        } else if states.any(|state| matches!(state, TaskState::Ready | TaskState::Running)) {
            Activity::Running
        } else {
            Activity::Waiting
        };
        Machine {
            version: env!("CARGO_PKG_VERSION"),
            device_name: self.device_name,
            facts: *self.facts,
            package: self.package.as_ref().map(|package| Package {
                name: &package.name,
                version: package.version,
                seed: package.seed,
            }),
            package_digest: self.package_digest,
            profile: abi::profile::NAME,
            time_ns: nucleus.clock().now_ns(),
            slices: nucleus.clock().slice(),
            activity,
            heap: Some(Heap { used: used as u64, size: (used + free) as u64 }),
        }
    }

    fn task(&self, place: usize) -> Option<Task<'_>> {
        let nucleus = self.cell.view();
        let (subject, task) = nucleus.tasks().nth(place)?;
        // The place of an ended task's partition may be another's by now.
        let partition = task.partition.filter(|_| task.state().is_alive());
        let records = partition.and_then(|id| nucleus.partition(id));
        Some(Task {
            subject: Some(subject.0),
            name: &task.name,
            state: state(task.state()),
            priority: task.priority,
            deadline_ns: (task.deadline != u64::MAX).then_some(task.deadline),
            fuel_spent: task.spent,
            fuel_budget: task.fuel,
            memory: self.cell.memory_bytes(subject),
            memory_limit: u64::from(task.memory),
            records: records.map_or(0, |partition| partition.records.left()),
        })
    }

    fn log(&self) -> Log {
        let log = self.cell.log();
        let oldest = log.recent(usize::MAX).next().map_or(0, |entry| entry.index.0);
        let writer = log::writer();
        let checkpoint = writer.as_ref().map_or(0, |writer| writer.recorder.covered());
        Log {
            sealed: log.size(),
            pending: log.pending() as u64,
            oldest,
            root: log.root(),
            checkpoint,
        }
    }

    fn entry(&self, index: u64) -> Option<Entry<'_>> {
        let entry = self.cell.log().entry(Index(index))?;
        Some(Entry {
            id: entry.id,
            previous: entry.previous().map(|index| index.0),
            cause: entry.cause().map(|index| index.0),
            record: entry.record(),
        })
    }

    fn object_name(&self, object: u32) -> Option<&str> {
        let object = self.cell.view().object(ObjectId(object))?;
        Some(object.name.as_str()).filter(|name| !name.is_empty())
    }
}

fn state(state: TaskState) -> State {
    match state {
        TaskState::Kernel | TaskState::Ready | TaskState::Running => State::Ready,
        TaskState::Waiting(u64::MAX) => State::Waiting(None),
        TaskState::Waiting(until) => State::Waiting(Some(until)),
        TaskState::Parked => State::Parked,
        TaskState::Ended(Ended::Exit(code)) => State::Ended(Outcome::Exit, code),
        TaskState::Ended(Ended::Trap(code)) => State::Ended(Outcome::Trap, code.number().into()),
        TaskState::Ended(Ended::OutOfFuel) => State::Ended(Outcome::OutOfFuel, 0),
        TaskState::Ended(Ended::RecordsSpent) => State::Ended(Outcome::Budget, 0),
        TaskState::Ended(Ended::Killed) => State::Ended(Outcome::Killed, 0),
    }
}
