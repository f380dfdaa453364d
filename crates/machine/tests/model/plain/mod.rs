//! The reference model: what the documentation says the gate does, on plain
//! maps and lists that are searched each time. It shares the numbers and names
//! of `abi` with the gate, and nothing else.
//!
//! What the documentation leaves open it asks the gate for: the numbers of new
//! objects, which it holds to be new, and the coherence of vectors.

mod calls;
mod changes;
mod ends;
mod events;
pub mod graph;
mod merkle;
pub mod proof;
pub mod queue;
mod record;
pub mod region;
mod setup;
pub mod space;
mod stage;
mod state;
mod tasks;
pub mod vectors;

pub use record::{Line, Said};
pub use setup::Setup;
pub use stage::Reply;
pub use state::{State as Seen, same};

use self::{
    graph::Graph, proof::Minted, queue::Queue, region::Region, space::Cap, vectors::Vectors,
};
use abi::{Error, Kind};
use package::manifest::StandingApproval;
use space::Space;
use std::collections::{BTreeMap, BTreeSet};
use witness::Hash;

/// What the model asks the gate for.
pub trait Learn {
    /// The object behind a handle of a task.
    fn behind(&self, subject: u32, handle: abi::Handle) -> u32;
    /// A task's own object and its mailbox.
    fn task(&self, subject: u32) -> (u32, u32);
    /// Bits of the coherence of a store's slot.
    fn coherence(&self, store: u32, slot: u32) -> u32;
}

#[derive(Clone, Debug)]
pub struct Model {
    pub now: u64,
    pub halted: bool,
    /// By number; the kernel is 0.
    pub tasks: BTreeMap<u32, Task>,
    pub objects: BTreeMap<u32, Object>,
    /// Every number an object ever had.
    numbers: BTreeSet<u32>,
    pub partitions: Vec<Partition>,
    /// How often each capability was revoked, by name.
    revoked: BTreeMap<u64, u32>,
    /// Capabilities there ever were.
    caps: u64,
    /// Those that something was derived from, by name.
    derived_from: BTreeSet<u64>,
    /// Objects that go at the end of the slice.
    doomed: BTreeSet<u32>,
    /// Calls of this slice.
    pub calls: usize,
    /// Where the next look for dead capabilities begins: task and slot.
    sweep: (usize, usize),
    /// Number of the next record.
    pub next: u64,
    /// Records since this was last emptied.
    pub lines: Vec<(u64, Line)>,
    /// Signed proofs that came in last, with their records.
    approvals: Vec<(abi::SignedProof, u64)>,
    /// Number of the sensor of the root package.
    pub sensor: u32,
    /// What the root package's own region holds that is a package, and what
    /// that makes.
    pub inner: setup::Inner,
}

#[derive(Clone, Debug)]
pub struct Object {
    pub name: String,
    pub partition: Option<usize>,
    /// The record that made it.
    pub made_by: Option<u64>,
    pub body: Body,
}

#[derive(Clone, Debug)]
pub enum Body {
    Component { digest: Hash, length: u32 },
    Queue(Queue),
    Region(Region),
    Plain(Kind),
    Task(u32),
    Vectors(Vectors),
    Graph(Graph),
    Sensor(Vec<Option<Subscription>>),
    Proof(Minted),
}

impl Body {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Component { .. } => Kind::Component,
            Self::Queue(_) => Kind::Queue,
            Self::Region(_) => Kind::Region,
            Self::Plain(kind) => *kind,
            Self::Task(_) => Kind::Task,
            Self::Vectors(_) => Kind::VectorStore,
            Self::Graph(_) => Kind::GraphStore,
            Self::Sensor(_) => Kind::Sensor,
            Self::Proof(_) => Kind::Proof,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Subscription {
    pub subscriber: u32,
    pub source: Cap,
    pub queue: Cap,
}

#[derive(Clone, Debug)]
pub struct Task {
    pub space: Space,
    pub partition: Option<usize>,
    pub parent: u32,
    /// The parent's handle for it.
    pub known_as: Option<abi::Handle>,
    pub object: Option<u32>,
    pub mailbox: Option<u32>,
    pub fuel: u64,
    pub spent: u64,
    pub given: u64,
    pub memory: u64,
    pub life: Life,
    /// The call it waits in.
    pub waits_in: Option<Said>,
    /// What that call came to.
    pub answer: Option<i64>,
    /// Its next record's number, its last record, and what its first names.
    pub sequence: u32,
    pub last: Option<u64>,
    pub origin: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Kernel,
    Ready,
    Running,
    /// Until a time, or for a message of a queue until then.
    Waiting(u64, Option<u32>),
    Parked,
    Ended {
        outcome: u8,
        code: i32,
    },
}

#[derive(Clone, Debug)]
pub struct Partition {
    pub path: String,
    pub parent: Option<usize>,
    pub mount: u64,
    pub is_mounted: bool,
    pub fuel: Meter,
    pub memory: Meter,
    pub records: Meter,
    pub approvals: Vec<(StandingApproval, u64, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meter {
    pub limit: u64,
    pub used: u64,
}

/// Which of the three.
#[derive(Clone, Copy)]
pub enum Resource {
    Fuel,
    Memory,
    Records,
}

impl Partition {
    fn meter(&mut self, resource: Resource) -> &mut Meter {
        match resource {
            Resource::Fuel => &mut self.fuel,
            Resource::Memory => &mut self.memory,
            Resource::Records => &mut self.records,
        }
    }
}

impl Task {
    pub fn is_alive(&self) -> bool {
        !matches!(self.life, Life::Kernel | Life::Ended { .. })
    }

    pub fn fuel_left(&self) -> u64 {
        self.fuel.saturating_sub(self.spent).saturating_sub(self.given)
    }
}

impl Model {
    /// A partition and those above it.
    fn chain(&self, from: Option<usize>) -> Vec<usize> {
        std::iter::successors(from, |id| self.partitions[*id].parent).collect()
    }

    /// Whether one partition is inside of another.
    pub fn is_below(&self, inner: usize, outer: usize) -> bool {
        inner != outer && self.chain(Some(inner)).contains(&outer)
    }

    /// What every level has left.
    pub fn left(&self, of: Option<usize>, resource: Resource) -> u64 {
        let left = |id: usize| {
            let it = &self.partitions[id];
            let meter = match resource {
                Resource::Fuel => it.fuel,
                Resource::Memory => it.memory,
                Resource::Records => it.records,
            };
            meter.limit.saturating_sub(meter.used)
        };
        self.chain(of).into_iter().map(left).min().unwrap_or(u64::MAX)
    }

    fn spend_of(&mut self, of: Option<usize>, resource: Resource, amount: u64) {
        for id in self.chain(of) {
            self.partitions[id].meter(resource).used += amount;
        }
    }

    fn give_back(&mut self, of: Option<usize>, resource: Resource, amount: u64) {
        for id in self.chain(of) {
            let used = &mut self.partitions[id].meter(resource).used;
            *used = used.checked_sub(amount).expect("no more comes back than went");
        }
    }

    /// Fuel that a task spends.
    pub fn spend(&mut self, subject: u32, fuel: u64) {
        self.now += fuel;
        let task = self.tasks.get_mut(&subject).unwrap();
        task.spent += fuel;
        let partition = task.partition;
        self.spend_of(partition, Resource::Fuel, fuel);
    }

    /// Fuel that a task may spend.
    pub fn allowance(&self, subject: u32) -> u64 {
        let task = &self.tasks[&subject];
        task.fuel_left().min(self.left(task.partition, Resource::Fuel))
    }

    /// Whether a capability is good for anything, and if not, why.
    pub fn is_live(&self, cap: &Cap) -> Result<(), Error> {
        let revoked = |name| self.revoked.get(&name).copied().unwrap_or(0);
        if cap.line.iter().any(|(name, seen)| revoked(*name) != *seen) {
            return Err(Error::Revoked);
        }
        let is_there = match self.objects.get(&cap.object).map(|it| &it.body) {
            Some(Body::Proof(minted)) => !minted.used,
            found => found.is_some(),
        };
        if !is_there {
            let is_proof = cap.kind == Kind::Proof;
            return Err(if is_proof { Error::Replayed } else { Error::Revoked });
        }
        if cap.expiry <= self.now {
            return Err(Error::Expired);
        }
        if cap.uses == 0 { Err(Error::Exhausted) } else { Ok(()) }
    }

    /// A capability that descends from nothing.
    fn original(&mut self, object: u32, kind: Kind, rights: abi::Rights) -> Cap {
        self.caps += 1;
        let (badge, expiry, uses) = (0, u64::MAX, u32::MAX);
        let (name, line, granted_by) = (self.caps, vec![], None);
        Cap { object, kind, rights, badge, expiry, uses, name, line, granted_by }
    }

    /// One that descends from this one.
    fn child(&mut self, of: &Cap) -> Cap {
        self.caps += 1;
        self.derived_from.insert(of.name);
        let seen = self.revoked.get(&of.name).copied().unwrap_or(0);
        let line = of.line.iter().copied().chain([(of.name, seen)]).collect();
        Cap { name: self.caps, line, granted_by: None, ..of.clone() }
    }

    fn add(&mut self, number: u32, object: Object) {
        assert!(self.numbers.insert(number), "object {number:#x} was there before");
        self.objects.insert(number, object);
    }

    /// Every capability there is, dead or alive: held by a task, a message or
    /// a subscription.
    pub fn capabilities(&self) -> impl Iterator<Item = &Cap> {
        let tasks = self.tasks.values().flat_map(|task| task.space.iter().map(|(_, cap)| cap));
        let others = self.objects.values().flat_map(|object| match &object.body {
            Body::Queue(queue) => {
                queue.messages.iter().filter_map(|it| it.reference.as_ref()).collect()
            }
            Body::Sensor(all) => {
                all.iter().flatten().flat_map(|it| [&it.source, &it.queue]).collect()
            }
            _ => vec![],
        });
        tasks.chain(others)
    }

    /// Whether anybody holds the object.
    fn is_held(&self, number: u32) -> bool {
        self.capabilities().any(|cap| cap.object == number)
    }

    /// Capabilities that have to be remembered: those that are there and had
    /// something derived from them, and those that one that is there descends
    /// from.
    fn remembered(&self) -> usize {
        let mut names = BTreeSet::new();
        for cap in self.capabilities() {
            names.extend(cap.line.iter().map(|(name, _)| *name));
            names.extend(self.derived_from.get(&cap.name));
        }
        names.len()
    }

    /// Whether an object goes when nobody holds it.
    fn needs_holder(body: &Body) -> bool {
        match body {
            Body::Proof(_) => true,
            Body::Region(region) => region.created,
            _ => false,
        }
    }

    /// What goes at the end of the slice goes.
    pub fn bury(&mut self) {
        loop {
            let unheld = |(number, object): (&u32, &Object)| {
                let goes = Self::needs_holder(&object.body) && !self.is_held(*number);
                (goes || self.doomed.contains(number)).then_some(*number)
            };
            let gone: Vec<u32> = self.objects.iter().filter_map(unheld).collect();
            if gone.is_empty() {
                return;
            }
            for number in gone {
                self.doomed.remove(&number);
                let object = self.objects.remove(&number).unwrap();
                if let Body::Region(region) = object.body
                    && region.created
                {
                    self.give_back(object.partition, Resource::Memory, region.cost());
                }
            }
        }
    }
}
