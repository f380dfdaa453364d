//! What can be seen of gate and model, to be compared.

use super::{Body, Life, Model, region::Form, vectors};
use abi::Handle;
use nucleus::{
    Nucleus, Outcome,
    view::{self, Body as Real},
};
use std::collections::BTreeMap;
use witness::Hash;

/// A capability without its descent.
pub type Held = (u32, abi::Kind, u8, u64, u64, u32, usize);

#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub now: u64,
    pub halted: bool,
    pub held: BTreeMap<(u32, u32), Held>,
    pub tasks: BTreeMap<u32, Task>,
    pub objects: BTreeMap<u32, Content>,
    /// Capabilities for each of them.
    pub holders: BTreeMap<u32, u32>,
    /// Capabilities that something was derived from.
    pub derived_from: usize,
    pub partitions: Vec<Budgets>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub life: Life,
    pub fuel: u64,
    pub spent: u64,
    pub given: u64,
}

/// Path; limit and used part of fuel, memory and records; used parts of the
/// standing approvals.
#[derive(Clone, Debug, PartialEq)]
pub struct Budgets {
    pub path: String,
    pub meters: [(u64, u64); 3],
    pub approvals: Vec<(u64, u64)>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Plain(abi::Kind),
    Queue { used: usize, messages: usize },
    Region { size: u64, mode: &'static str, content: Option<Vec<u8>> },
    Store { entries: (usize, usize), root: Hash },
    Sensor { subscribers: usize },
}

impl State {
    /// As the gate shows it.
    pub fn of(nucleus: &Nucleus) -> Self {
        let mut held = BTreeMap::new();
        let mut tasks = BTreeMap::new();
        for (who, task) in nucleus.tasks() {
            for (handle, cap) in task.space.iter() {
                let depth = usize::from(cap.depth);
                let it = (
                    cap.object.0,
                    cap.kind,
                    cap.rights.bits(),
                    cap.badge,
                    cap.expiry,
                    cap.uses,
                    depth,
                );
                held.insert((who.0, handle.0), it);
            }
            let life = life(task);
            let (fuel, spent, given) = (task.fuel, task.spent, task.given);
            tasks.insert(who.0, Task { life, fuel, spent, given });
        }
        let meter = |it: view::Meter| (it.limit, it.used);
        let partitions = nucleus.partitions().map(|it| Budgets {
            path: it.path.clone(),
            meters: [meter(it.fuel), meter(it.memory), meter(it.records)],
            approvals: it.approvals.iter().map(|it| (it.claims, it.bytes)).collect(),
        });
        Self {
            now: nucleus.clock().now_ns(),
            halted: nucleus.is_halted(),
            held,
            tasks,
            objects: nucleus.objects().map(|(id, it)| (id.0, content(&it.body))).collect(),
            holders: nucleus.objects().map(|(id, it)| (id.0, it.holders())).collect(),
            derived_from: nucleus.derived_from(),
            partitions: partitions.collect(),
        }
    }
}

/// Panics with what differs, if anything does.
pub fn same(gate: &State, model: &State, when: &dyn std::fmt::Debug) {
    fn maps<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(
        name: &str,
        gate: &BTreeMap<K, V>,
        model: &BTreeMap<K, V>,
    ) {
        for key in gate.keys().chain(model.keys()) {
            let (gate, model) = (gate.get(key), model.get(key));
            if gate != model {
                println!("{name} {key:x?}: {gate:?}, in the model {model:?}");
            }
        }
    }
    if gate != model {
        maps("held", &gate.held, &model.held);
        maps("task", &gate.tasks, &model.tasks);
        maps("object", &gate.objects, &model.objects);
        maps("holders of", &gate.holders, &model.holders);
        if gate.partitions != model.partitions {
            println!("{:?}\n{:?}", gate.partitions, model.partitions);
        }
        let rest = |it: &State| (it.now, it.halted, it.derived_from);
        panic!("{:?}, in the model {:?}, {when:?}", rest(gate), rest(model));
    }
}

fn life(task: &nucleus::Task) -> Life {
    use nucleus::State;
    match task.state() {
        State::Kernel => Life::Kernel,
        State::Ready => Life::Ready,
        State::Running => Life::Running,
        State::Waiting(until) => Life::Waiting(until, task.waits_on.map(|queue| queue.0)),
        State::Parked => Life::Parked,
        State::Ended(outcome) => {
            let (outcome, code) = match outcome {
                Outcome::Exit(code) => (0, code),
                Outcome::Trap(code) => (1, i32::from(code.number())),
                Outcome::OutOfFuel => (2, 0),
                Outcome::RecordsSpent => (3, 0),
                Outcome::Killed => (4, 0),
            };
            Life::Ended { outcome, code }
        }
    }
}

fn content(body: &Real) -> Content {
    match body {
        Real::Queue(queue) => Content::Queue { used: queue.used(), messages: queue.messages() },
        Real::Region(region) => Content::Region {
            size: region.size(),
            mode: region.mode(),
            content: region.content().map(|(bytes, _)| bytes.to_vec()),
        },
        Real::Vectors(it) => {
            Content::Store { entries: (it.store.count() as usize, 0), root: it.store.root() }
        }
        Real::Graph(it) => {
            let (nodes, edges) = it.store.counts();
            Content::Store { entries: (nodes as usize, edges as usize), root: it.store.root() }
        }
        Real::Sensor(sensor) => Content::Sensor { subscribers: sensor.subscribers() },
        other => Content::Plain(other.kind()),
    }
}

impl Model {
    /// As the model has it.
    pub fn state(&self) -> State {
        let mut held = BTreeMap::new();
        let mut tasks = BTreeMap::new();
        for (who, task) in self.tasks.iter().skip(1) {
            for (Handle(handle), cap) in task.space.iter() {
                let it = (
                    cap.object,
                    cap.kind,
                    cap.rights.bits(),
                    cap.badge,
                    cap.expiry,
                    cap.uses,
                    cap.depth(),
                );
                held.insert((*who, handle), it);
            }
            let (fuel, spent, given) = (task.fuel, task.spent, task.given);
            tasks.insert(*who, Task { life: task.life, fuel, spent, given });
        }
        let mut holders: BTreeMap<u32, u32> = self.objects.keys().map(|id| (*id, 0)).collect();
        for cap in self.capabilities() {
            holders.entry(cap.object).and_modify(|count| *count += 1);
        }
        let mounted = self.partitions.iter().filter(|it| it.is_mounted);
        let meter = |it: super::Meter| (it.limit, it.used);
        let partitions = mounted.map(|it| Budgets {
            path: it.path.clone(),
            meters: [meter(it.fuel), meter(it.memory), meter(it.records)],
            approvals: it.approvals.iter().map(|(_, claims, bytes)| (*claims, *bytes)).collect(),
        });
        State {
            now: self.now,
            halted: self.halted,
            held,
            tasks,
            objects: self.objects.iter().map(|(id, it)| (*id, modelled(&it.body))).collect(),
            holders,
            derived_from: self.remembered(),
            partitions: partitions.collect(),
        }
    }

    /// Capabilities that are dead, which a look for those may take away.
    pub fn dead(&self) -> Vec<(u32, u32)> {
        let all = self
            .tasks
            .iter()
            .flat_map(|(who, task)| task.space.iter().map(|(handle, cap)| (*who, handle.0, cap)));
        let dead = all.filter(|(_, _, cap)| self.is_live(cap).is_err());
        dead.map(|(who, handle, _)| (who, handle)).collect()
    }
}

fn modelled(body: &Body) -> Content {
    match body {
        Body::Queue(queue) => Content::Queue { used: queue.used(), messages: queue.messages.len() },
        Body::Region(region) => {
            let (mode, content) = match &region.form {
                Form::Immutable(bytes) => ("immutable", Some(bytes.clone())),
                Form::Append { .. } => ("append-only", None),
                Form::Slab { .. } => ("slab", None),
            };
            Content::Region { size: region.size(), mode, content }
        }
        Body::Vectors(it) => {
            let vectors::Vectors { entries, .. } = it;
            Content::Store { entries: (entries.len(), 0), root: it.tree().root() }
        }
        Body::Graph(it) => {
            Content::Store { entries: (it.nodes.len(), it.edges.len()), root: it.tree().root() }
        }
        Body::Sensor(all) => Content::Sensor { subscribers: all.iter().flatten().count() },
        other => Content::Plain(other.kind()),
    }
}
