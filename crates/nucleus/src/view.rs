//! Looking, without touching: what a shell may show.

use crate::{
    Clock, Nucleus, Task, capability::Capability, evidence, nucleus::Gone, object::ObjectId,
    partition::PartitionId,
};
use abi::Error;
use witness::{Hash, Hasher, Subject};

pub use crate::{
    object::{Body, Component, Object},
    partition::{Approval, Meter, Partition},
    proof::Minted,
    queue::Queue,
    region::Region,
    rules::{Approver, Graph, Rules, Vectors},
    sensor::Sensor,
    store::{
        Change, Edge, Entry, GraphStore, GraphTerms, Node, Put, SlotTree, VectorStore, VectorTerms,
    },
};

impl Nucleus {
    /// Where logical time is.
    pub fn clock(&self) -> Clock {
        self.world.clock
    }

    /// The tasks, in order of spawn; of ended ones those that still have a
    /// place in the table, see [`Nucleus::gone`].
    pub fn tasks(&self) -> impl Iterator<Item = (Subject, &Task)> {
        self.world.tasks().iter().skip(1).map(|task| (task.subject, task))
    }

    /// Tasks that have ended and left the table, in that order.
    pub fn gone(&self) -> &[Gone] {
        &self.gone
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

    /// Capabilities that something was derived from, as long as they or what
    /// descends from them are there.
    pub fn derived_from(&self) -> usize {
        self.world.nodes.count()
    }

    /// The partitions, in order of mounting.
    pub fn partitions(&self) -> impl Iterator<Item = &Partition> {
        let all = self.world.partitions.iter().map(|(_, partition)| partition);
        all.filter(|partition| partition.is_mounted)
    }

    /// One of them, or one that is unmounted and still has tasks.
    pub fn partition(&self, id: PartitionId) -> Option<&Partition> {
        self.world.partitions.get(id)
    }

    /// Whether a capability is good for anything.
    ///
    /// # Errors
    /// Why it is dead: [`Error::Revoked`], [`Error::Replayed`] for a proof that
    /// was used, [`Error::Expired`], [`Error::Exhausted`].
    pub fn is_live(&self, capability: &Capability) -> Result<(), Error> {
        evidence::is_live(&self.world, capability)
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

    /// SHA-256, as this machine does it.
    pub fn hasher(&self) -> Hasher {
        self.world.hasher
    }

    /// SHA-256 of some bytes.
    pub fn digest(&self, bytes: &[u8]) -> Hash {
        self.world.hasher.hash(bytes)
    }
}
