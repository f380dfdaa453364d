//! The second pass of rvf_mount: a package becomes objects.

use crate::snapshot::saved;
use crate::{
    Nucleus,
    capability::Capability,
    evidence,
    object::{Body, Component, Object, ObjectId, Objects},
    partition::{Partition, PartitionId, Resource},
    proof::Window,
    queue::Queue,
    region::Region,
    request::{Arguments, Passed, Request},
    rules::{Approver, Graph, Rules, Vectors},
    sensor::Sensor,
    store::{GraphStore, GraphTerms, VectorStore, VectorTerms},
    syscall::{Done, ROOT},
    ticket::{Ticket, Work},
};
use abi::{Call, Error, Handle, Kind, Rights, SpawnArguments};
use alloc::{boxed::Box, format, string::String, vec::Vec};
use package::{
    Package,
    manifest::{CapabilityEntry, Manifest, StoreRules, TaskKind, VectorStoreEntry, well_known},
};
use witness::{Hasher, Index, Subject};

/// A task that a package lists which the kernel mounts.
#[derive(Clone, Debug)]
pub struct TaskPlan {
    /// Its name.
    pub name: String,
    /// The kernel's capability for its component.
    pub component: Handle,
    /// How it runs.
    pub kind: TaskKind,
    /// Budgets and order.
    pub start: SpawnArguments,
    /// What it gets to hold.
    pub capabilities: Vec<Capability>,
}

impl TaskPlan {
    /// The request by which the kernel starts it; `number` is its place in
    /// [`Nucleus::plans`].
    pub fn request(&self, number: usize) -> Request<'static> {
        Request {
            call: Call::TaskSpawn,
            handle: self.component,
            operation: 0,
            length: 0,
            argument: self.start.fuel,
            fuel: u64::MAX,
            arguments: Ok(Arguments::Spawn {
                start: self.start,
                kind: self.kind,
                passed: Passed::Listed(number),
            }),
        }
    }
}

/// An object that a package is about to make.
struct New {
    name: String,
    body: Body,
}

impl Nucleus {
    /// The request by which the kernel mounts the root package.
    pub fn mount_root() -> Request<'static> {
        Self::mount_at(ROOT)
    }

    /// The request by which the kernel mounts a package that an operator
    /// handed it.
    pub fn mount_at(path: &str) -> Request<'_> {
        Request {
            call: Call::RvfMount,
            handle: Handle(0),
            operation: 0,
            length: 0,
            argument: 0,
            fuel: u64::MAX,
            arguments: Ok(Arguments::Mount { region: None, path }),
        }
    }

    /// The tasks that the packages list which the kernel mounted, in order.
    pub fn plans(&self) -> &[TaskPlan] {
        &self.world.plans
    }

    /// Completes a mount: an opened package, which is the proof, becomes
    /// objects; a reason why there is none denies the call. `length` is the
    /// file's, in bytes; `is_revoked` knows the keys that nobody may use any
    /// more. The caller finds the answer waiting.
    ///
    /// # Errors
    /// Why the call was denied.
    pub fn commit_mount(
        &mut self,
        ticket: Ticket,
        opened: Result<&Package<'_>, Error>,
        length: u32,
        is_revoked: &dyn Fn(&[u8; 32]) -> bool,
    ) -> Result<(), Error> {
        let Ticket { subject, mut call, authorised, work, .. } = ticket;
        let path = String::from(call.tail.text());
        let mounted = opened.and_then(|package| {
            let (handle, object) = (authorised.handle(), authorised.object());
            evidence::still(&self.world, subject, handle, object)?;
            if let Work::Mount { region: Some(region), held_as: Some(handle) } = work {
                evidence::still(&self.world, subject, handle, region)?;
            }
            let (first, count) = self.mount(subject, &path, package, is_revoked)?;
            Ok((package, first, count))
        });
        match mounted {
            Ok((package, first, count)) => {
                evidence::spend_use(&mut self.world, subject, &authorised);
                if let Work::Mount { held_as: Some(handle), .. } = work
                    && let Some(task) = self.world.task_mut(subject)
                    && let Some(file) = task.space.get_mut(handle)
                {
                    file.spend_uses(1);
                }
                call.body.argument = count;
                let result = i64::from(first.0);
                let done = Done { result, length, digest: *package.digest(), cause: None };
                self.allowed(subject, call, &done);
                self.answer(subject, result);
                Ok(())
            }
            Err(error) => {
                self.denied(subject, call, error);
                self.answer(subject, error.to_guest());
                Err(error)
            }
        }
    }

    /// Makes objects, partition, capabilities and plans, or nothing. Gives
    /// the caller's first handle and the number of objects.
    fn mount(
        &mut self,
        subject: Subject,
        path: &str,
        package: &Package<'_>,
        is_revoked: &dyn Fn(&[u8; 32]) -> bool,
    ) -> Result<(Handle, u64), Error> {
        let manifest = package.manifest();
        let caller = self.world.task(subject).ok_or(Error::BadHandle)?;
        let parent = caller.partition;
        let (count, bytes) = extent(package);
        if !caller.space.has_room(count) || self.world.objects.room() < count {
            return Err(Error::TableFull);
        }
        // Before any memory is taken for it.
        if bytes > self.world.partitions.left(parent, Resource::Memory) {
            return Err(Error::OverBudget);
        }
        let new = objects_of(package, path, self.world.hasher, is_revoked)?;
        let count = u64::try_from(count).map_err(|_| Error::TableFull)?;
        let mount = self.log.next();
        let partition = self.add_partition(path, mount, parent, package)?;
        // Nothing after this fails: the manifest was checked as a whole, and
        // room in every table was looked for above.
        self.world.partitions.take(parent, Resource::Memory, bytes)?;
        let mut ids = Vec::with_capacity(new.len());
        let mut capabilities = Vec::with_capacity(new.len());
        for New { name, body } in new {
            let own = given(&body);
            let object = Object::new(name, Some(partition), Some(mount), body);
            let id = self.world.objects.add(object)?;
            self.world.objects.hold(id);
            capabilities.push(Capability { object: id, ..own });
            ids.push(id);
        }
        self.place_guards(manifest, &ids);
        let plans = match manifest {
            Some(manifest) if subject == Subject::KERNEL => plans(manifest, &ids)?,
            _ => Vec::new(),
        };
        let space = self.world.task_mut(subject).map(|task| &mut task.space);
        let first = space.ok_or(Error::BadHandle)?.insert_run(&capabilities)?;
        let with_handle = |mut plan: TaskPlan| {
            plan.component = Handle(first.0.saturating_add(plan.component.0));
            plan
        };
        self.world.plans.extend(plans.into_iter().map(with_handle));
        Ok((first, count))
    }

    /// Tells each store which component guards it.
    fn place_guards(&mut self, manifest: Option<&Manifest>, ids: &[ObjectId]) {
        let Some(manifest) = manifest else { return };
        let place = |name: &String| {
            let place = manifest.components.iter().position(|part| part.name == *name)?;
            ids.get(place).copied()
        };
        let before = manifest.components.len() + manifest.regions.len() + manifest.queues.len();
        let vectors = manifest.vector_stores.iter().map(|store| &store.rules.guard);
        let graphs = manifest.graph_stores.iter().map(|store| &store.rules.guard);
        for (guard, id) in vectors.chain(graphs).zip(ids.get(before..).unwrap_or_default()) {
            let guard = guard.as_ref().and_then(place);
            match self.world.objects.get_mut(*id).map(|object| &mut object.body) {
                Some(Body::Vectors(vectors)) => vectors.rules.guard = guard,
                Some(Body::Graph(graph)) => graph.rules.guard = guard,
                _ => {}
            }
        }
    }

    fn add_partition(
        &mut self,
        path: &str,
        mount: Index,
        parent: Option<PartitionId>,
        package: &Package<'_>,
    ) -> Result<PartitionId, Error> {
        let manifest = package.manifest();
        let name = manifest.map_or_else(String::new, |manifest| manifest.name.clone());
        let limits = manifest.map(|manifest| manifest.limits);
        let approvals = manifest.map_or(&[][..], |manifest| &manifest.standing_approvals);
        let names = (name, String::from(path));
        let partition = Partition::new(names, mount, parent, limits, approvals);
        self.world.add_partition(partition)
    }

    /// Completes an unmount: the package's objects are gone.
    ///
    /// # Errors
    /// Why the call was denied: [`Error::BadArgument`] for a ticket of other
    /// work, or what its capability died of meanwhile.
    pub fn commit_unmount(&mut self, ticket: Ticket) -> Result<(), Error> {
        let Ticket { subject, call, authorised, work, .. } = ticket;
        let (handle, object) = (authorised.handle(), authorised.object());
        let still = evidence::still(&self.world, subject, handle, object);
        let partition = match (still, work) {
            (Ok(()), Work::Unmount { partition }) => partition,
            (still, _) => {
                let error = still.err().unwrap_or(Error::BadArgument);
                self.denied(subject, call, error);
                self.answer(subject, error.to_guest());
                return Err(error);
            }
        };
        evidence::spend_use(&mut self.world, subject, &authorised);
        self.allowed(subject, call, &Done::default());
        self.answer(subject, 0);
        // Mailboxes of its tasks that ended in this slice took nothing from
        // the parent, which would get it back.
        self.world.bury();
        let of_it: Vec<_> = {
            let all = self.world.objects.iter();
            all.filter(|(_, it)| it.partition == Some(partition)).map(|(id, _)| id).collect()
        };
        let parent = self.world.partitions.get(partition).and_then(|it| it.parent);
        for id in of_it {
            let bytes = self.world.objects.get(id).map_or(0, |object| object.body.packaged_bytes());
            self.world.partitions.give_back(parent, Resource::Memory, bytes);
            self.world.objects.doom(id);
        }
        self.world.bury();
        self.world.partitions.close(partition);
        Ok(())
    }
}

/// What the mounting task may do with a new object, whose number is not known
/// yet.
fn given(body: &Body) -> Capability {
    let own = match body {
        Body::Component(_) => Rights::EXECUTE | Rights::READ,
        Body::Queue(_) => Rights::READ | Rights::WRITE,
        Body::Vectors(_) | Body::Graph(_) => Rights::READ | Rights::WRITE | Rights::PROVE,
        _ => Rights::READ,
    };
    Capability::original(ObjectId(0), body.kind(), own | Rights::GRANT | Rights::REVOKE)
}

/// How many objects a package makes, and the bytes they take.
fn extent(package: &Package<'_>) -> (usize, u64) {
    let parts = package.components().iter().chain(package.regions());
    let parts = parts.map(|part| u64::try_from(part.bytes.len()).unwrap_or(u64::MAX));
    let bytes = parts.fold(objects_bytes(package), u64::saturating_add);
    let more = package.manifest().map_or(0, |manifest| {
        let stores = manifest.vector_stores.len().saturating_add(manifest.graph_stores.len());
        manifest.queues.len().saturating_add(stores).saturating_add(manifest.sensors.len())
    });
    let parts = package.components().len().saturating_add(package.regions().len());
    (parts.saturating_add(more), bytes)
}

/// Components, regions, queues, stores and sensors, in the manifest's order.
fn objects_of(
    package: &Package<'_>,
    path: &str,
    hasher: Hasher,
    is_revoked: &dyn Fn(&[u8; 32]) -> bool,
) -> Result<Vec<New>, Error> {
    let named = |name: &str| {
        if path == ROOT { String::from(name) } else { format!("{path}/{name}") }
    };
    let mut new = Vec::new();
    let mut add = |name: &str, body| new.push(New { name: named(name), body });
    for part in package.components() {
        let component = Component { module: part.bytes.into(), digest: part.sha256 };
        add(&part.name, Body::Component(component));
    }
    for part in package.regions() {
        add(&part.name, Body::Region(Region::packaged(part.bytes.into(), part.sha256)));
    }
    let Some(manifest) = package.manifest() else { return Ok(new) };
    for queue in &manifest.queues {
        let capacity = usize::try_from(queue.capacity_bytes).map_err(|_| Error::OutOfMemory)?;
        add(&queue.name, Body::Queue(Queue::new(capacity, queue.accepts)));
    }
    for entry in &manifest.vector_stores {
        let terms = VectorTerms {
            dimension: entry.dimension,
            capacity: entry.capacity,
            metric: entry.metric,
        };
        let rules = rules(package, path, (&entry.name, &entry.rules), hasher, is_revoked);
        let store = VectorStore::new(terms, hasher);
        add(&entry.name, Body::Vectors(Box::new(Vectors { rules, store })));
    }
    for entry in &manifest.graph_stores {
        let terms = GraphTerms { nodes: entry.nodes, edges: entry.edges };
        let rules = rules(package, path, (&entry.name, &entry.rules), hasher, is_revoked);
        let store = GraphStore::new(terms, hasher);
        add(&entry.name, Body::Graph(Box::new(Graph { rules, store })));
    }
    for sensor in &manifest.sensors {
        add(&sensor.name, Body::Sensor(Sensor::new()));
    }
    Ok(new)
}

/// What the manifest says about changes of a store.
fn rules(
    package: &Package<'_>,
    path: &str,
    (name, entry): (&str, &StoreRules),
    hasher: Hasher,
    is_revoked: &dyn Fn(&[u8; 32]) -> bool,
) -> Rules {
    let approver = |key: &[u8; 32]| Approver {
        key: *key,
        revoked: is_revoked(key),
        window: Window::default(),
    };
    Rules {
        id: package.manifest().map_or([0; 32], |manifest| {
            manifest.store_id(&package.signer().key, path, name, hasher)
        }),
        tier: entry.tier,
        approvers: entry.approvers.iter().map(approver).collect(),
        guard: None,
    }
}

/// Bytes that the queues, sensors and stores of a package take.
pub fn objects_bytes(package: &Package<'_>) -> u64 {
    let Some(manifest) = package.manifest() else { return 0 };
    let queues = manifest.queues.iter().map(|queue| Queue::cost(queue.capacity_bytes));
    let vectors = manifest.vector_stores.iter().map(|entry| {
        let VectorStoreEntry { dimension, capacity, metric, .. } = *entry;
        VectorStore::bytes_needed(&VectorTerms { dimension, capacity, metric })
    });
    let graphs = manifest.graph_stores.iter().map(|entry| {
        GraphStore::bytes_needed(&GraphTerms { nodes: entry.nodes, edges: entry.edges })
    });
    let sensors = manifest.sensors.iter().map(|_| Sensor::COST);
    queues.chain(sensors).chain(vectors).chain(graphs).fold(0, u64::saturating_add)
}

/// The tasks, with handles of components counted from the first object's.
fn plans(manifest: &Manifest, ids: &[ObjectId]) -> Result<Vec<TaskPlan>, Error> {
    let plan = |task: &package::manifest::TaskEntry| {
        let place = manifest.components.iter().position(|part| part.name == task.component);
        let place = place.and_then(|place| u32::try_from(place).ok()).ok_or(Error::MissingPart)?;
        let resolve = |entry: &CapabilityEntry| {
            let object = resolve(manifest, ids, entry).ok_or(Error::MissingPart)?;
            Ok(Capability::original(object, entry.kind, entry.rights))
        };
        let capabilities: Result<Vec<_>, Error> = task.capabilities.iter().map(resolve).collect();
        let capabilities = capabilities?;
        Ok(TaskPlan {
            name: task.name.clone(),
            component: Handle(place),
            kind: task.kind,
            start: SpawnArguments {
                fuel: task.fuel,
                memory: task.memory,
                priority: task.priority,
                deadline: task.deadline.unwrap_or(u64::MAX),
                capabilities: u32::try_from(capabilities.len()).map_err(|_| Error::TableFull)?,
                is_reactor: task.kind == TaskKind::Reactor,
            },
            capabilities,
        })
    };
    manifest.tasks.iter().map(plan).collect()
}

/// The object that a capability in the manifest means.
fn resolve(manifest: &Manifest, ids: &[ObjectId], entry: &CapabilityEntry) -> Option<ObjectId> {
    if well_known(&entry.name).is_some_and(|kind| kind == entry.kind) {
        return Objects::well_known(&entry.name);
    }
    let components = manifest.components.iter().map(|part| (Kind::Component, &part.name));
    let regions = manifest.regions.iter().map(|part| (Kind::Region, &part.name));
    let queues = manifest.queues.iter().map(|queue| (Kind::Queue, &queue.name));
    let vectors = manifest.vector_stores.iter().map(|store| (Kind::VectorStore, &store.name));
    let graphs = manifest.graph_stores.iter().map(|store| (Kind::GraphStore, &store.name));
    let sensors = manifest.sensors.iter().map(|sensor| (Kind::Sensor, &sensor.name));
    let parts = components.chain(regions).chain(queues);
    let mut all = parts.chain(vectors).chain(graphs).chain(sensors);
    let place = all.position(|(kind, name)| kind == entry.kind && *name == entry.name)?;
    ids.get(place).copied()
}

saved!(struct TaskPlan { name, component, kind, start, capabilities });
