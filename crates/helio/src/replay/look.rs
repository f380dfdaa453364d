//! What the shell sees of a replayed machine: what it would have shown on its
//! console there and then. All records are there, not only the last ones,
//! because the log is.

use std::collections::BTreeMap;

use machine::Cell;
use nucleus::{ObjectId, Outcome as Ended, State as TaskState};
use package::Manifest;
use rvsh::view::{Activity, Entry, Log, Machine, Package, State, Task, View};
use witness::manifest::Outcome;
use witness::record::{MachineFacts, Record};
use witness::{Hash, Index};

/// A replayed machine between two slices.
pub struct Look<'a> {
    cell: &'a Cell,
    facts: MachineFacts,
    device_name: &'a str,
    manifest: Option<&'a Manifest>,
    package: Hash,
    /// The log's records, of which the machine made the first again.
    entries: &'a [Vec<u8>],
    equal: u64,
    numbers: BTreeMap<Hash, u64>,
}

impl<'a> Look<'a> {
    /// A look at a replay of the log with these records, from the first, by a
    /// device of this name.
    pub fn new(
        replay: &'a super::Replay<'_>,
        entries: &'a [Vec<u8>],
        device_name: &'a str,
    ) -> Self {
        let cell = replay.driver.cell();
        Self {
            cell,
            facts: replay.facts,
            device_name,
            manifest: replay.manifest.as_ref(),
            package: replay.package,
            entries,
            equal: replay.driver.equal(),
            numbers: cell.log().ids().iter().copied().zip(0..).collect(),
        }
    }

    /// A record that the machine no longer has in memory, from the log.
    fn recorded(&self, index: u64) -> Option<Entry<'_>> {
        if index >= self.equal {
            return None;
        }
        let record = Record::decode(self.entries.get(usize::try_from(index).ok()?)?);
        let parent = |id: &Hash| self.numbers.get(id).copied();
        let is_first = |record: &Record<'_>| record.sequence == 0;
        let parents = record.as_ref().ok();
        Some(Entry {
            id: self.cell.log().id(Index(index)),
            previous: parents.filter(|it| !is_first(it)).and_then(|it| parent(&it.previous)),
            cause: parents.and_then(|it| it.cause).and_then(|cause| parent(&cause)),
            record,
        })
    }
}

impl View for Look<'_> {
    fn machine(&self) -> Machine<'_> {
        let nucleus = self.cell.view();
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
            facts: self.facts,
            package: self.manifest.map(|package| Package {
                name: &package.name,
                version: package.version,
                seed: package.seed,
            }),
            package_digest: self.package,
            profile: abi::profile::NAME,
            time_ns: nucleus.clock().now_ns(),
            slices: nucleus.clock().slice(),
            activity,
            heap: None,
        }
    }

    fn task(&self, place: usize) -> Option<Task<'_>> {
        let nucleus = self.cell.view();
        let (subject, task) = nucleus.tasks().nth(place)?;
        let partition = task.partition.and_then(|id| nucleus.partitions().nth(id.0));
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
            records: partition.map_or(0, |partition| partition.records.left()),
        })
    }

    fn log(&self) -> Log {
        let log = self.cell.log();
        Log {
            sealed: log.size(),
            pending: log.pending() as u64,
            oldest: 0,
            root: log.root(),
            // The log's signature covers what is equal to it.
            checkpoint: self.equal,
        }
    }

    fn entry(&self, index: u64) -> Option<Entry<'_>> {
        let Some(entry) = self.cell.log().entry(Index(index)) else { return self.recorded(index) };
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
