//! The model of a machine that has just mounted its root package and started
//! the tasks that this lists.

use super::{
    Body, Life, Meter, Model, Object, Partition, Space, Task,
    graph::Graph,
    proof::{Approver, Rules},
    queue::Queue,
    region::{Form, Region},
    tasks::{OWN, all_of},
    vectors::Vectors,
};
use crate::common::{HASHER, Recipe, operator};
use abi::{
    Kind, Rights,
    profile::{CAPABILITIES, MAILBOX_BYTES},
};
use package::manifest::{Limits, StoreRules};
use std::collections::{BTreeMap, BTreeSet};
use witness::Hash;

/// The package that a region of the root package holds.
#[derive(Clone, Debug)]
pub struct Inner {
    /// The region.
    pub region: u32,
    pub digest: Hash,
    pub length: u32,
    pub limits: Limits,
    pub objects: Vec<(String, Body, Rights)>,
    pub count: u64,
    /// What it takes from who mounts it.
    pub bytes: u64,
}

/// What a machine is started with.
pub struct Setup<'a> {
    pub root: &'a Recipe,
    pub inner: &'a Recipe,
    pub inner_file: &'a [u8],
    pub inner_bytes: u64,
    pub revoked: &'a dyn Fn(&[u8; 32]) -> bool,
}

/// The machine's own, by number.
const WELL_KNOWN: [(&str, Kind); 7] = [
    ("console", Kind::Queue),
    ("console-input", Kind::Queue),
    ("log", Kind::Log),
    ("timer", Kind::Timer),
    ("memory", Kind::Memory),
    ("packages", Kind::Namespace),
    ("approvals", Kind::Queue),
];

/// Capacities of those that are queues.
const CAPACITIES: [usize; 3] = [usize::MAX / 2, 65_536, 16_384];

/// The record of the root package's mount: after genesis and machine.
const MOUNT: u64 = 2;

impl Model {
    pub fn new(setup: &Setup<'_>) -> Self {
        let mut model = Self {
            now: 0,
            halted: false,
            tasks: BTreeMap::new(),
            objects: BTreeMap::new(),
            numbers: BTreeSet::new(),
            partitions: vec![],
            revoked: BTreeMap::new(),
            caps: 0,
            derived_from: BTreeSet::new(),
            doomed: BTreeSet::new(),
            calls: 0,
            // The kernel's calls so far have looked at four slots each.
            sweep: (0, 4 * (1 + setup.root.tasks.len())),
            next: MOUNT + 1,
            lines: vec![],
            approvals: vec![],
            sensor: 0,
            inner: Inner {
                region: 0,
                digest: HASHER.hash(setup.inner_file),
                length: setup.inner_file.len() as u32,
                limits: setup.inner.limits,
                objects: objects(setup.inner, "?", setup.revoked),
                count: objects(setup.inner, "?", setup.revoked).len() as u64,
                bytes: setup.inner_bytes,
            },
        };
        let mut capacities = CAPACITIES.into_iter();
        for (name, kind) in WELL_KNOWN {
            let body = match kind {
                Kind::Queue => Body::Queue(Queue::new(capacities.next().unwrap(), None, false)),
                kind => Body::Plain(kind),
            };
            model.push(name, None, None, body);
        }
        model.mount_root(setup);
        for number in 0..setup.root.tasks.len() {
            model.start(setup.root, number);
        }
        // Its records so far: genesis, the mount, and the spawns.
        let (count, last) = (2 + setup.root.tasks.len(), model.next - 1);
        let kernel = model.tasks.get_mut(&0).unwrap();
        (kernel.sequence, kernel.last) = (count as u32, Some(last));
        model
    }

    fn push(
        &mut self,
        name: &str,
        partition: Option<usize>,
        made_by: Option<u64>,
        body: Body,
    ) -> u32 {
        let number = self.objects.len() as u32;
        self.add(number, Object { name: name.into(), partition, made_by, body });
        number
    }

    fn mount_root(&mut self, setup: &Setup<'_>) {
        let unspent = |limit| Meter { limit, used: 0 };
        let Limits { fuel, memory, records, .. } = setup.root.limits;
        let approvals = setup.root.approvals.iter().map(|terms| (terms.clone(), 0, 0));
        self.partitions.push(Partition {
            path: "/".into(),
            parent: None,
            mount: MOUNT,
            is_mounted: true,
            fuel: unspent(fuel),
            memory: unspent(memory),
            records: unspent(records),
            approvals: approvals.collect(),
        });
        let everything = all_of(&[Rights::MOUNT, Rights::GRANT, Rights::REVOKE]);
        let mut held = vec![self.original(5, Kind::Namespace, everything)];
        for (name, body, rights) in objects(setup.root, "/", setup.revoked) {
            let kind = body.kind();
            let is_inner = matches!(&body, Body::Region(Region { form: Form::Immutable(bytes), .. })
                if bytes == setup.inner_file);
            let number = self.push(&name, Some(0), Some(MOUNT), body);
            held.push(self.original(number, kind, rights));
            if is_inner {
                self.inner.region = number;
            }
            if kind == Kind::Sensor {
                self.sensor = number;
            }
        }
        let mut space = Space::new(1_024, None);
        space.insert(held);
        self.tasks.insert(0, blank(space, None, Life::Kernel));
    }

    fn start(&mut self, root: &Recipe, number: usize) {
        let entry = &root.tasks[number];
        let record = self.next;
        self.next += 1;
        let who = number as u32 + 1;
        let object = self.push(&entry.name, Some(0), Some(MOUNT), Body::Task(who));
        let queue = Body::Queue(Queue::new(MAILBOX_BYTES, None, true));
        let mailbox = self.push(&format!("{}/mailbox", entry.name), Some(0), Some(MOUNT), queue);
        let own = self.original(mailbox, Kind::Queue, all_of(&OWN));
        let mut space = Space::new(CAPABILITIES, Some(own));
        let caps = entry.capabilities.iter().map(|listed| {
            let mut all = self.objects.iter();
            let found = all.find(|(_, it)| it.name == listed.name && it.body.kind() == listed.kind);
            let number = *found.unwrap().0;
            (number, listed.kind, listed.rights)
        });
        let caps: Vec<_> = caps.collect();
        let caps =
            caps.into_iter().map(|(number, kind, rights)| self.original(number, kind, rights));
        space.insert(caps.collect());
        self.partitions[0].memory.used += u64::from(entry.memory);
        let task = Task {
            object: Some(object),
            mailbox: Some(mailbox),
            fuel: entry.fuel,
            memory: u64::from(entry.memory),
            origin: Some(record),
            ..blank(space, Some(0), Life::Ready)
        };
        self.tasks.insert(who, task);
    }
}

fn blank(space: Space, partition: Option<usize>, life: Life) -> Task {
    Task {
        space,
        partition,
        parent: 0,
        known_as: None,
        object: None,
        mailbox: None,
        fuel: u64::MAX,
        spent: 0,
        given: 0,
        memory: 0,
        life,
        waits_in: None,
        answer: None,
        sequence: 0,
        last: None,
        origin: None,
    }
}

/// What a package makes, and what who mounts it may do with that.
fn objects(
    recipe: &Recipe,
    path: &str,
    revoked: &dyn Fn(&[u8; 32]) -> bool,
) -> Vec<(String, Body, Rights)> {
    let rules = |name: &str, rules: &StoreRules| {
        let approver =
            |key: &[u8; 32]| Approver { key: *key, revoked: revoked(key), spent: BTreeSet::new() };
        let approvers = rules.approvers.iter().map(approver).collect();
        let is_guard = |name: &&String| recipe.components.iter().find(|it| it.0 == **name);
        let guard = rules.guard.as_ref().and_then(|name| is_guard(&name));
        let guard = guard.map(|(_, bytes)| HASHER.hash(bytes));
        Rules { id: store_id(path, name), tier: rules.tier, approvers, guard }
    };
    let mut all: Vec<(&str, Body, &[Rights])> = vec![];
    for (name, bytes) in &recipe.components {
        let body = Body::Component { digest: HASHER.hash(bytes), length: bytes.len() as u32 };
        all.push((name, body, &[Rights::EXECUTE, Rights::READ]));
    }
    for (name, bytes) in &recipe.regions {
        let form = Form::Immutable(bytes.clone());
        all.push((name, Body::Region(Region { form, created: false }), &[Rights::READ]));
    }
    for it in &recipe.queues {
        let queue = Queue::new(it.capacity_bytes as usize, it.accepts, true);
        all.push((&it.name, Body::Queue(queue), &[Rights::READ, Rights::WRITE]));
    }
    const STORE: [Rights; 3] = [Rights::READ, Rights::WRITE, Rights::PROVE];
    for it in &recipe.vector_stores {
        let vectors = Vectors {
            rules: rules(&it.name, &it.rules),
            dimension: it.dimension as usize,
            capacity: it.capacity,
            metric: it.metric,
            entries: BTreeMap::new(),
        };
        all.push((&it.name, Body::Vectors(vectors), &STORE));
    }
    for it in &recipe.graph_stores {
        let graph = Graph {
            rules: rules(&it.name, &it.rules),
            most_nodes: it.nodes,
            most_edges: it.edges,
            nodes: BTreeMap::new(),
            edges: BTreeMap::new(),
        };
        all.push((&it.name, Body::Graph(graph), &STORE));
    }
    for it in &recipe.sensors {
        all.push((&it.name, Body::Sensor(vec![None; 16]), &[Rights::READ]));
    }
    let rights = |own| all_of(own) | Rights::GRANT | Rights::REVOKE;
    all.into_iter().map(|(name, body, own)| (name.into(), body, rights(own))).collect()
}

/// What signed proofs call a store.
fn store_id(path: &str, name: &str) -> Hash {
    let counted = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
    let version = 1u64.to_le_bytes().to_vec();
    let signer = operator().verifying_key().to_bytes().to_vec();
    let context = b"heliograph-store@v1\n".to_vec();
    let parts = [context, counted("test"), version, signer, counted(path), counted(name)];
    HASHER.hash(&parts.concat())
}
