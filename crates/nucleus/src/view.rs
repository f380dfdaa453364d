//! Looking, without touching: what a shell may show.

use crate::{
    Clock, Nucleus, Task,
    object::{Object, ObjectId},
    partition::Partition,
};
use witness::{Hash, Subject};

pub use crate::{
    object::{Body, Component},
    partition::{Approval, Meter},
    queue::Queue,
};

impl Nucleus {
    /// Where logical time is.
    pub fn clock(&self) -> Clock {
        self.world.clock
    }

    /// The tasks, ended ones included, in order of spawn.
    pub fn tasks(&self) -> impl Iterator<Item = (Subject, &Task)> {
        (0u32..).map(Subject).zip(self.world.tasks()).skip(1)
    }

    /// One of them, or the kernel.
    pub fn task(&self, subject: Subject) -> Option<&Task> {
        self.world.task(subject)
    }

    /// The objects, in order of making.
    pub fn objects(&self) -> impl Iterator<Item = (ObjectId, &Object)> {
        self.world.objects.iter()
    }

    /// One of them.
    pub fn object(&self, id: ObjectId) -> Option<&Object> {
        self.world.objects.get(id)
    }

    /// The partitions, in order of mounting.
    pub fn partitions(&self) -> impl Iterator<Item = &Partition> {
        self.world.partitions.iter()
    }

    /// Whether the operator has stopped the gate.
    pub fn is_halted(&self) -> bool {
        self.world.halted
    }

    /// Whether the machine is to go off or start again.
    pub fn is_shut_down(&self) -> bool {
        self.shut_down
    }

    /// Whether any task can still run, now or ever.
    pub fn is_alive(&self) -> bool {
        self.tasks().any(|(_, task)| task.state().is_alive())
    }

    /// SHA-256 of some bytes.
    pub fn digest(&self, bytes: &[u8]) -> Hash {
        self.world.hasher.hash(bytes)
    }
}
