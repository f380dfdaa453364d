//! The state behind the gate, and how time moves it.

use crate::{
    capability::{Capability, Space},
    clock::Clock,
    end::Ending,
    mount::TaskPlan,
    object::{Body, Object, ObjectId, Objects},
    partition::{PartitionId, Partitions, Resource},
    queue::{OVERHEAD, Queue},
    schedule,
    task::{LastWords, State, Task},
    witness::Chain,
};
use abi::{
    Call, Kind, Rights,
    profile::{MESSAGE_BYTES, SLICE_FUEL, SLICE_RECORDS, TASKS, call_fuel, data_fuel},
};
use alloc::{string::String, vec::Vec};
use witness::{
    Draft, Hash, Hasher, Index, Log, Subject,
    record::{EVENT_MAX, EVENT_PART, Genesis, MachineFacts, PROFILE_MAX, Short},
};

/// Bytes that the console's queue holds: more than one slice's fuel buys. Of
/// all messages the largest give most bytes for their fuel, so text written
/// in one slice always fits.
const CONSOLE_BYTES: usize = {
    let fuel = call_fuel(Call::QueueSend) + data_fuel(MESSAGE_BYTES as u64);
    // The last message of a slice may begin with too little fuel left.
    let messages = (SLICE_FUEL / fuel) as usize + 2;
    messages * (MESSAGE_BYTES + OVERHEAD)
};

/// Bytes typed at the console that wait to be read.
const CONSOLE_INPUT_BYTES: usize = 65_536;

/// Slots of the kernel's own capability space.
const KERNEL_SLOTS: usize = 1_024;

/// Records that must fit before a slice may begin: those that its calls
/// write, and some of the kernel's.
const SLICE_ROOM: usize = SLICE_RECORDS + 16;

/// Slots of the log: the ends of all tasks, a call of each that waits, an
/// event of the largest size, and a few slices between two sealings.
const LOG_SLOTS: usize = 3 * TASKS + EVENT_MAX / EVENT_PART + 4 * SLICE_ROOM;

/// What a nucleus is started with.
pub struct Start {
    /// SHA-256 of the package's file.
    pub package: Hash,
    /// The package's seed; zero if it could not be opened.
    pub seed: u64,
    /// Leaf 1.
    pub facts: MachineFacts,
    /// SHA-256, as this machine does it best.
    pub hasher: Hasher,
}

/// A slice of fuel for one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whose.
    pub subject: Subject,
    /// How much.
    pub fuel: u64,
}

/// Something that is to leave the machine, once the log is safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Text for the console.
    Console {
        /// Who wrote it.
        subject: Subject,
        /// What.
        bytes: Vec<u8>,
    },
}

/// Everything but the log.
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) objects: Objects,
    pub(crate) partitions: Partitions,
    pub(crate) hasher: Hasher,
    /// Whether the operator has stopped the gate.
    pub(crate) halted: bool,
    /// Records that calls wrote in this slice.
    pub(crate) slice_records: usize,
    /// The record that the call in the gate will have.
    pub(crate) next_record: Option<Index>,
    /// The tasks of the root package, as listed.
    pub(crate) plans: Vec<TaskPlan>,
    /// The kernel, then tasks in order of spawn.
    tasks: Vec<Task>,
}

/// The state machine.
pub struct Nucleus {
    pub(crate) log: Log,
    pub(crate) world: World,
    /// The chain of events.
    pub(crate) outside: Chain,
    /// Slots for the ends of tasks to come.
    pub(crate) last_words: Vec<LastWords>,
    pub(crate) shut_down: bool,
    effects: Vec<Effect>,
}

impl Nucleus {
    /// A machine with nothing mounted, whose log begins with genesis and
    /// leaf 1. All memory that calls need is taken here.
    pub fn new(start: Start) -> Self {
        let Start { package, seed, facts, hasher } = start;
        let mut log = Log::new(hasher, LOG_SLOTS);
        let profile: Short<'_, PROFILE_MAX> = Short::cut(abi::profile::NAME.as_bytes());
        let state_root = hasher.hash(&[]);
        let genesis = Genesis { package, seed, state_root, profile };
        for draft in [Draft::genesis(genesis), Draft::machine(facts)] {
            if let Some(slot) = log.reserve() {
                log.write(slot, &draft);
            }
        }
        let last_words = || Some(LastWords { end: log.reserve()?, root: log.reserve()? });
        let last_words = core::iter::from_fn(last_words).take(TASKS).collect();
        Self {
            log,
            world: World::new(hasher),
            outside: Chain::default(),
            last_words,
            shut_down: false,
            effects: Vec::new(),
        }
    }

    /// The log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The log, to be sealed.
    pub fn log_mut(&mut self) -> &mut Log {
        &mut self.log
    }

    /// Whether the log has room for a slice. If not, it must be sealed first.
    pub fn has_room(&self) -> bool {
        self.log.room() >= SLICE_ROOM
    }

    /// Completes what is due, chooses the next task, and begins its slice. A
    /// task that has no fuel for it is ended. None if nobody can run.
    pub fn begin_slice(&mut self) -> Option<Grant> {
        self.wake();
        loop {
            let subject = schedule::choose(&self.world.tasks)?;
            let fuel = self.allowance(subject);
            let task = self.world.task_mut(subject)?;
            if fuel == 0 || fuel < task.needs {
                self.end(subject, Ending::OutOfFuel);
                continue;
            }
            let fuel = fuel.min(SLICE_FUEL.max(task.needs));
            task.needs = 0;
            task.become_(State::Running);
            self.world.clock.begin_slice();
            self.world.slice_records = 0;
            let slice = self.world.clock.slice();
            self.world.task_mut(subject)?.last_slice = slice;
            return Some(Grant { subject, fuel });
        }
    }

    /// Ends a slice: the task may be chosen again, unless it waits or has
    /// ended, but not for less than `needs` fuel. What it wrote to the
    /// console is on its way.
    pub fn end_slice(&mut self, subject: Subject, needs: u64) {
        if let Some(task) = self.world.task_mut(subject) {
            // From waiting it may become ready too, but only when it is woken.
            if task.state() == State::Running {
                task.become_(State::Ready);
            }
            task.needs = needs;
        }
        let Ok(console) = self.world.objects.queue_mut(ObjectId::CONSOLE) else { return };
        console.drain(|message| {
            let bytes = message.bytes.to_vec();
            self.effects.push(Effect::Console { subject: Subject(message.sender), bytes });
        });
    }

    /// Whether the calls of this slice have written as many records as they
    /// may.
    pub fn is_slice_full(&self) -> bool {
        self.world.slice_records >= SLICE_RECORDS
    }

    /// Counts fuel that a subject has spent, and lets that time pass.
    pub fn spend(&mut self, subject: Subject, fuel: u64) {
        let partition = self.world.partition_of(subject);
        if let Some(task) = self.world.task_mut(subject) {
            task.spent = task.spent.saturating_add(fuel);
        }
        self.world.partitions.spend(partition, Resource::Fuel, fuel);
        self.world.clock.spend(fuel);
    }

    /// Fuel that a subject may still spend, by its own budget and its
    /// partition's. The kernel's is not limited.
    pub fn allowance(&self, subject: Subject) -> u64 {
        let Some(task) = self.world.task(subject) else { return 0 };
        task.fuel_left().min(self.world.partitions.left(task.partition, Resource::Fuel))
    }

    /// The answer of the call that a task waited in, once.
    pub fn take_answer(&mut self, subject: Subject) -> Option<i64> {
        self.world.task_mut(subject)?.answer.take()
    }

    /// What is to leave the machine, in order, once all records so far are
    /// safe.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        core::mem::take(&mut self.effects)
    }

    /// The earliest logical time in ns at which a waiting task goes on.
    pub fn earliest(&self) -> Option<u64> {
        schedule::earliest(&self.world.tasks)
    }

    /// Lets time pass without work, until the earliest of those times, and
    /// gives it. Meant for when nobody can run.
    pub fn jump(&mut self) -> Option<u64> {
        let until = self.earliest()?;
        self.world.clock.jump(until);
        Some(until)
    }
}

impl World {
    fn new(hasher: Hasher) -> Self {
        let mut objects = Objects::default();
        let own = [
            ("console", Body::Queue(Queue::new(CONSOLE_BYTES, None))),
            ("console-input", Body::Queue(Queue::new(CONSOLE_INPUT_BYTES, None))),
            ("log", Body::Log),
            ("timer", Body::Timer),
            ("memory", Body::Memory),
            ("packages", Body::Namespace),
        ];
        for (name, body) in own {
            objects.add(Object { name: name.into(), partition: None, made_by: None, body });
        }
        let mut space = Space::new(KERNEL_SLOTS);
        let all = Rights::MOUNT | Rights::GRANT | Rights::REVOKE;
        let root = Capability::original(ObjectId::NAMESPACE, Kind::Namespace, all);
        // An empty space has room for one.
        let _ = space.insert(root);
        let mut tasks = Vec::with_capacity(TASKS + 1);
        tasks.push(kernel(space));
        Self {
            clock: Clock::default(),
            objects,
            partitions: Partitions::default(),
            hasher,
            halted: false,
            slice_records: 0,
            next_record: None,
            plans: Vec::new(),
            tasks,
        }
    }

    /// The kernel, then all tasks.
    pub(crate) fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    pub(crate) fn task(&self, subject: Subject) -> Option<&Task> {
        self.tasks.get(usize::try_from(subject.0).ok()?)
    }

    pub(crate) fn task_mut(&mut self, subject: Subject) -> Option<&mut Task> {
        self.tasks.get_mut(usize::try_from(subject.0).ok()?)
    }

    /// Number that the next task gets.
    pub(crate) fn next_subject(&self) -> Subject {
        Subject(u32::try_from(self.tasks.len()).unwrap_or(Subject::MACHINE.0))
    }

    pub(crate) fn add_task(&mut self, task: Task) {
        self.tasks.push(task);
    }

    pub(crate) fn partition_of(&self, subject: Subject) -> Option<PartitionId> {
        self.task(subject)?.partition
    }

    /// Whether something is mounted under this path.
    pub(crate) fn is_mounted(&self, path: &str) -> bool {
        self.partitions.iter().any(|partition| partition.path == path)
    }
}

fn kernel(space: Space) -> Task {
    Task {
        name: String::from("kernel"),
        component: None,
        digest: [0; 32],
        partition: None,
        parent: Subject::KERNEL,
        space,
        priority: u8::MAX,
        deadline: u64::MAX,
        fuel: u64::MAX,
        spent: 0,
        given: 0,
        memory: 0,
        last_slice: 0,
        needs: 0,
        state: State::Kernel,
        chain: Chain::after_genesis(),
        blocked: None,
        answer: None,
        last_words: None,
    }
}
