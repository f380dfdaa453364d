//! The state machine as its driver sees it: slices, fuel, effects.

use crate::snapshot::saved;
use crate::{
    end::Ending,
    gate::Answer,
    object::ObjectId,
    partition::Resource,
    schedule,
    task::{State, Task},
    witness::Chain,
    world::{Verify, World},
};
use abi::profile::{SLICE_FUEL, SLICE_RECORDS, TASKS, TURN_FUEL};
use alloc::vec::Vec;
use witness::{
    Draft, Hash, Hasher, Log, Subject,
    record::{EVENT_MAX, EVENT_PART, Genesis, MachineFacts, PROFILE_MAX, Short},
};

/// Records that must fit before a slice may begin: those that its calls
/// write, and some of the kernel's.
const SLICE_ROOM: usize = SLICE_RECORDS + 16;

/// Slots of the log: the ends of all tasks, a call of each that waits, an
/// event of the largest size, and a few slices between two sealings.
pub(crate) const LOG_SLOTS: usize = 3 * TASKS + EVENT_MAX / EVENT_PART + 4 * SLICE_ROOM;

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
    /// Ed25519.
    pub signature_holds: Verify,
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

/// The state machine.
pub struct Nucleus {
    pub(crate) log: Log,
    pub(crate) world: World,
    /// The chain of events.
    pub(crate) outside: Chain,
    pub(crate) shut_down: bool,
    /// Tasks that have ended and left the table.
    pub(crate) gone: Vec<Gone>,
    pub(crate) effects: Vec<Effect>,
}

/// A task that has ended and left the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// Its number.
    pub subject: Subject,
    /// Its name.
    pub name: alloc::string::String,
    /// How it ended.
    pub state: State,
}

impl Gone {
    pub(crate) fn of(task: &Task) -> Self {
        Self { subject: task.subject, name: task.name.clone(), state: task.state() }
    }
}

impl Nucleus {
    /// A machine with nothing mounted, whose log begins with genesis and
    /// leaf 1. All memory that calls need is taken here.
    pub fn new(start: Start) -> Self {
        let Start { package, seed, facts, hasher, signature_holds } = start;
        let mut log = Log::new(hasher, LOG_SLOTS);
        let profile: Short<'_, PROFILE_MAX> = Short::cut(abi::profile::NAME.as_bytes());
        let state_root = hasher.hash(&[]);
        let genesis = Genesis { package, seed, state_root, profile };
        for draft in [Draft::genesis(genesis), Draft::machine(facts)] {
            if let Some(slot) = log.reserve() {
                log.write(slot, &draft);
            }
        }
        Self {
            log,
            world: World::new(hasher, signature_holds),
            outside: Chain::default(),
            shut_down: false,
            gone: Vec::new(),
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
            let World { objects, partitions, clock, .. } = &self.world;
            let subject =
                schedule::choose(self.world.tasks(), objects, partitions, clock.now_ns())?;
            let fuel = self.allowance(subject);
            let task = self.world.task_mut(subject)?;
            if fuel == 0 || fuel < task.needs {
                self.end(subject, Ending::OutOfFuel);
                self.world.bury();
                continue;
            }
            let fuel = fuel.min(SLICE_FUEL.max(task.needs));
            task.needs = 0;
            task.become_(State::Running);
            self.world.clock.begin_slice();
            self.world.slice_records = 0;
            self.world.slice_fuel = 0;
            let slice = self.world.clock.slice();
            self.world.task_mut(subject)?.last_slice = slice;
            return Some(Grant { subject, fuel });
        }
    }

    /// Ends a slice: the task may be chosen again, unless it waits or has
    /// ended, but not for less than `needs` fuel. What it wrote to the
    /// console is on its way.
    pub fn end_slice(&mut self, subject: Subject, needs: u64) {
        let partition = self.world.partition_of(subject);
        self.world.partitions.charge(partition, self.world.slice_fuel);
        self.stamp(subject);
        if let Some(task) = self.world.task_mut(subject) {
            // From waiting it may become ready too, but only when it is woken.
            if task.state() == State::Running {
                task.become_(State::Ready);
            }
            task.needs = needs;
        }
        self.show();
        self.world.bury();
    }

    /// Has what is in the console's queue leave. Of a reference nothing is
    /// shown but its 24 bytes, and nobody has it any more.
    fn show(&mut self) {
        let World { objects, nodes, .. } = &mut self.world;
        let mut gone = Vec::new();
        let Ok(console) = objects.queue_mut(ObjectId::CONSOLE) else { return };
        console.drain(|next, bytes| {
            gone.extend(next.reference);
            let subject = Subject(next.message.sender);
            self.effects.push(Effect::Console { subject, bytes });
        });
        for capability in gone {
            nodes.release(&capability);
            objects.let_go(capability.object);
        }
    }

    /// Stamps a task that begins to wait for its turn.
    pub(crate) fn stamp(&mut self, subject: Subject) {
        let now_ns = self.world.clock.now_ns();
        let Some(task) = self.world.task(subject) else { return };
        let risk = schedule::risk(task, &self.world.objects);
        let due = schedule::stamp(now_ns, task.deadline, task.priority, risk);
        if let Some(task) = self.world.task_mut(subject) {
            task.due = due;
        }
    }

    /// A reactor has nothing more to do until a message comes. It pays for
    /// having been called, as far as it can: who has nothing left then is not
    /// called again.
    pub fn idle(&mut self, subject: Subject) {
        self.spend(subject, TURN_FUEL.min(self.allowance(subject)));
        if let Some(task) = self.world.task_mut(subject)
            && task.become_(State::Waiting(u64::MAX))
        {
            task.waits_on = task.mailbox;
        }
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
        self.world.slice_fuel = self.world.slice_fuel.saturating_add(fuel);
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

    /// Has the answer of a call that left the gate wait for its caller, who
    /// pays what it cost.
    pub fn complete(&mut self, subject: Subject, answer: Answer) {
        if let Answer::Done { value, fuel } = answer {
            self.spend(subject, fuel);
            self.answer(subject, value);
        }
    }

    /// What is to leave the machine, in order, once all records so far are
    /// safe.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        core::mem::take(&mut self.effects)
    }

    /// The earliest logical time in ns at which a waiting task goes on.
    pub fn earliest(&self) -> Option<u64> {
        schedule::earliest(self.world.tasks())
    }

    /// Lets time pass without work, until the earliest of those times, and
    /// gives it. Meant for when nobody can run.
    pub fn jump(&mut self) -> Option<u64> {
        let until = self.earliest()?;
        self.world.clock.jump(until);
        Some(until)
    }
}

saved!(struct Gone { subject, name, state });
