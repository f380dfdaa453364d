//! The second pass of rvf_mount: a package becomes objects.

use crate::{
    Nucleus,
    capability::Capability,
    object::{Body, Component, Object, ObjectId, Objects},
    partition::{Partition, PartitionId, Resource},
    queue::Queue,
    request::{Arguments, Passed, Request},
    syscall::{Done, ROOT},
    ticket::Ticket,
};
use abi::{Call, Error, Handle, Kind, Rights, SpawnArguments};
use alloc::{format, string::String, vec::Vec};
use package::{
    Package,
    manifest::{CapabilityEntry, Manifest, TaskKind, well_known},
};
use witness::{Index, Subject};

/// A task that the root package lists.
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
        Request {
            call: Call::RvfMount,
            handle: Handle(0),
            operation: 0,
            length: 0,
            argument: 0,
            arguments: Ok(Arguments::Mount { region: None, path: ROOT }),
        }
    }

    /// The tasks that the root package lists, in order.
    pub fn plans(&self) -> &[TaskPlan] {
        &self.world.plans
    }

    /// Completes a mount: an opened package, which is the proof, becomes
    /// objects; a reason why there is none denies the call. `length` is the
    /// file's, in bytes. The caller finds the answer waiting.
    ///
    /// # Errors
    /// Why the call was denied.
    pub fn commit_mount(
        &mut self,
        ticket: Ticket,
        opened: Result<&Package<'_>, Error>,
        length: u32,
    ) -> Result<(), Error> {
        let Ticket { subject, mut call, authorised, .. } = ticket;
        let path = String::from(call.tail.text());
        let mounted = opened.and_then(|package| {
            let (first, count) = self.mount(subject, &path, package)?;
            Ok((package, first, count))
        });
        match mounted {
            Ok((package, first, count)) => {
                crate::evidence::spend_use(&mut self.world, subject, &authorised);
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
    ) -> Result<(Handle, u64), Error> {
        let manifest = package.manifest();
        let caller = self.world.task(subject).ok_or(Error::BadHandle)?;
        let parent = caller.partition;
        let (count, bytes) = extent(package);
        if !caller.space.has_room(count) {
            return Err(Error::TableFull);
        }
        // Before any memory is taken for it.
        if bytes > self.world.partitions.left(parent, Resource::Memory) {
            return Err(Error::OverBudget);
        }
        let new = objects_of(package, path)?;
        let count = u64::try_from(count).map_err(|_| Error::TableFull)?;
        let first_object = self.world.objects.next();
        let capabilities: Vec<_> =
            (first_object.0..).zip(&new).map(|(id, new)| given(ObjectId(id), &new.body)).collect();

        let plans = match manifest {
            Some(manifest) if path == ROOT => plans(manifest, first_object)?,
            _ => Vec::new(),
        };
        // Nothing after this fails.
        self.world.partitions.take(parent, Resource::Memory, bytes)?;

        let mount = self.log.next();
        let partition = self.add_partition(path, mount, parent, manifest);
        for New { name, body } in new {
            let object = Object { name, partition: Some(partition), made_by: Some(mount), body };
            self.world.objects.add(object);
        }
        let space = self.world.task_mut(subject).map(|task| &mut task.space);
        let first = space.ok_or(Error::BadHandle)?.insert_run(&capabilities)?;
        let with_handle = |mut plan: TaskPlan| {
            plan.component = Handle(first.0.saturating_add(plan.component.0));
            plan
        };
        self.world.plans.extend(plans.into_iter().map(with_handle));
        Ok((first, count))
    }

    fn add_partition(
        &mut self,
        path: &str,
        mount: Index,
        parent: Option<PartitionId>,
        manifest: Option<&Manifest>,
    ) -> PartitionId {
        let name = manifest.map_or_else(String::new, |manifest| manifest.name.clone());
        let limits = manifest.map(|manifest| manifest.limits);
        let approvals = manifest.map_or(&[][..], |manifest| &manifest.standing_approvals);
        let names = (name, String::from(path));
        self.world.partitions.add(Partition::new(names, mount, parent, limits, approvals))
    }
}

/// What the mounting task may do with a new object.
fn given(id: ObjectId, body: &Body) -> Capability {
    let own = match body {
        Body::Component(_) => Rights::EXECUTE | Rights::READ,
        Body::Queue(_) => Rights::READ | Rights::WRITE,
        _ => Rights::READ,
    };
    Capability::original(id, body.kind(), own | Rights::GRANT | Rights::REVOKE)
}

/// How many objects a package makes, and the bytes they take.
fn extent(package: &Package<'_>) -> (usize, u64) {
    let parts = package.components().iter().chain(package.regions());
    let parts = parts.map(|part| u64::try_from(part.bytes.len()).unwrap_or(u64::MAX));
    let queues = package.manifest().map_or(&[][..], |manifest| &manifest.queues);
    // Headers of messages take as much again at most.
    let rings = queues.iter().map(|queue| queue.capacity_bytes.saturating_mul(2));
    let bytes = parts.chain(rings).fold(0, u64::saturating_add);
    let parts = package.components().len().saturating_add(package.regions().len());
    (parts.saturating_add(queues.len()), bytes)
}

/// Components, regions, queues, in the manifest's order.
fn objects_of(package: &Package<'_>, path: &str) -> Result<Vec<New>, Error> {
    let named = |name: &str| {
        if path == ROOT { String::from(name) } else { format!("{path}/{name}") }
    };
    let mut new = Vec::new();
    for part in package.components() {
        let body = Body::Component(Component { module: part.bytes.into(), digest: part.sha256 });
        new.push(New { name: named(&part.name), body });
    }
    for part in package.regions() {
        let body = Body::Region(part.bytes.into());
        new.push(New { name: named(&part.name), body });
    }
    for queue in package.manifest().map_or(&[][..], |manifest| &manifest.queues) {
        let capacity = usize::try_from(queue.capacity_bytes).map_err(|_| Error::OutOfMemory)?;
        let body = Body::Queue(Queue::new(capacity, None));
        new.push(New { name: named(&queue.name), body });
    }
    Ok(new)
}

/// The tasks, with handles of components counted from the first object's.
fn plans(manifest: &Manifest, first: ObjectId) -> Result<Vec<TaskPlan>, Error> {
    let plan = |task: &package::manifest::TaskEntry| {
        let place = manifest.components.iter().position(|part| part.name == task.component);
        let place = place.and_then(|place| u32::try_from(place).ok()).ok_or(Error::MissingPart)?;
        let resolve = |entry: &CapabilityEntry| {
            let object = resolve(manifest, first, entry).ok_or(Error::MissingPart)?;
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
            },
            capabilities,
        })
    };
    manifest.tasks.iter().map(plan).collect()
}

/// The object that a capability in the manifest means.
fn resolve(manifest: &Manifest, first: ObjectId, entry: &CapabilityEntry) -> Option<ObjectId> {
    if well_known(&entry.name).is_some_and(|kind| kind == entry.kind) {
        return Objects::well_known(&entry.name);
    }
    let components = manifest.components.iter().map(|part| (Kind::Component, &part.name));
    let regions = manifest.regions.iter().map(|part| (Kind::Region, &part.name));
    let queues = manifest.queues.iter().map(|queue| (Kind::Queue, &queue.name));
    let mut all = components.chain(regions).chain(queues);
    let place = all.position(|(kind, name)| kind == entry.kind && *name == entry.name)?;
    Some(ObjectId(first.0.checked_add(u32::try_from(place).ok()?)?))
}
