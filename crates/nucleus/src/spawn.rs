//! The second pass of task_spawn.

use crate::{
    Nucleus,
    capability::Capability,
    evidence,
    object::{Body, Object, ObjectId},
    partition::Resource,
    queue::Queue,
    space::Space,
    syscall::{Done, passed_on},
    task::{LastWords, State, Task},
    ticket::{PassList, Ticket, Work},
    witness::Chain,
};
use abi::{
    Error, ExitReport, Handle, Kind, Rights, SpawnArguments,
    profile::{CAPABILITIES, MAILBOX_BYTES},
};
use alloc::{format, string::String, vec::Vec};
use package::manifest::TaskKind;
use witness::{Index, Subject};

impl Nucleus {
    /// Completes a spawn: with a prepared instance the task is ready to run;
    /// with a reason why there is none, the call is denied. The caller finds
    /// the answer waiting.
    ///
    /// # Errors
    /// Why the call was denied.
    pub fn commit_spawn(
        &mut self,
        ticket: Ticket,
        prepared: Result<(), Error>,
    ) -> Result<Subject, Error> {
        let Ticket { subject, mut call, authorised, work, .. } = ticket;
        let (handle, object) = (authorised.handle(), authorised.object());
        let still = prepared.and_then(|()| evidence::still(&self.world, subject, handle, object));
        let planned = still.and_then(|()| self.plan(subject, &work));
        let planned = planned.and_then(|plan| Ok((plan, self.provide(subject)?)));
        match planned {
            Ok((plan, last_words)) => {
                evidence::spend_use(&mut self.world, subject, &authorised);
                let child = self.world.next_subject();
                call.body.argument = plan.start.fuel;
                let component = self.world.objects.get(plan.component);
                let done = Done {
                    result: i64::from(child.0),
                    length: plan.length,
                    digest: plan.digest,
                    cause: component.and_then(|object| object.made_by),
                };
                let record = self.allowed(subject, call, &done);
                let handle = self.start(subject, child, plan, record, last_words);
                self.answer(subject, handle);
                Ok(child)
            }
            Err(error) => {
                self.denied(subject, call, error);
                self.answer(subject, error.to_guest());
                Err(error)
            }
        }
    }

    /// What the child's end will need: slots for its records, and room in the
    /// parent's mailbox. Both or neither.
    fn provide(&mut self, parent: Subject) -> Result<LastWords, Error> {
        let last_words = self.last_words()?;
        let promised = match self.world.task(parent).and_then(|task| task.mailbox) {
            Some(mailbox) => {
                let mailbox = self.world.objects.queue_mut(mailbox);
                mailbox.and_then(|mailbox| mailbox.promise(ExitReport::SIZE))
            }
            None => Ok(()),
        };
        if let Err(error) = promised {
            self.log.release(last_words.end);
            self.log.release(last_words.root);
            return Err(error);
        }
        Ok(last_words)
    }

    /// Slots for the records of a task's end.
    fn last_words(&mut self) -> Result<LastWords, Error> {
        let end = self.log.reserve().ok_or(Error::LogFull)?;
        match self.log.reserve() {
            Some(root) => Ok(LastWords { end, root }),
            None => {
                self.log.release(end);
                Err(Error::LogFull)
            }
        }
    }

    /// Everything that can fail, before anything changes, but for what the
    /// child's end will need.
    fn plan(&self, subject: Subject, work: &Work) -> Result<Plan, Error> {
        let Work::Spawn { component, start, passed, kind } = work else {
            return Err(Error::BadArgument);
        };
        let object = self.world.objects.get(*component).ok_or(Error::WrongKind)?;
        let program = self.world.objects.component(*component)?;
        let (name, capabilities) = match passed {
            PassList::Handles(..) => {
                let pass = |&handle: &Handle| passed_on(&self.world, subject, handle);
                let children: Result<Vec<_>, _> = passed.handles().iter().map(pass).collect();
                let children = children?;
                let named = |&handle: &Handle| evidence::named(&self.world, subject, handle).ok();
                let parents = passed.handles().iter().filter_map(named);
                if !self.world.nodes.can_derive(parents) {
                    return Err(Error::TableFull);
                }
                (object.name.clone(), children)
            }
            PassList::Listed(number) => {
                let plan = self.world.plans.get(*number).ok_or(Error::NotFound)?;
                (plan.name.clone(), plan.capabilities.clone())
            }
        };
        // Preparing has its price too, which the caller has paid since.
        let caller = self.world.task(subject).ok_or(Error::BadHandle)?;
        if subject.is_task() && start.fuel > caller.fuel_left() {
            return Err(Error::OverBudget);
        }
        let left = self.world.partitions.left(object.partition, Resource::Memory);
        if u64::from(start.memory) > left {
            return Err(Error::OverBudget);
        }
        let has_room = self.world.has_room_for_task(&name) && self.world.objects.room() >= 2;
        if !has_room || capabilities.len() > CAPABILITIES {
            return Err(Error::TableFull);
        }
        let length = u32::try_from(program.module.len()).map_err(|_| Error::BadLength)?;
        let passed = passed.handles().to_vec();
        let (component, start, digest, kind) = (*component, *start, program.digest, *kind);
        Ok(Plan { name, component, start, kind, digest, length, capabilities, passed })
    }

    /// Makes the task. Gives what the caller gets: a handle of it, or nothing.
    fn start(
        &mut self,
        parent: Subject,
        child: Subject,
        plan: Plan,
        spawn: Index,
        last_words: LastWords,
    ) -> i64 {
        let Plan { name, component, start, kind, digest, capabilities, passed, .. } = plan;
        let world = &mut self.world;
        let made = world.objects.get(component);
        let (partition, made_by) = made.map_or((None, None), |it| (it.partition, it.made_by));
        // The plan has seen that there is room for both.
        let mut add = |name: String, body| {
            let object = Object::new(name, partition, made_by, body);
            world.objects.add(object).unwrap_or(ObjectId::LOG)
        };
        let object = add(name.clone(), Body::Task(child));
        let queue = Queue::new(MAILBOX_BYTES, None);
        let mailbox = add(format!("{name}/mailbox"), Body::Queue(queue));
        world.partitions.spend(partition, Resource::Memory, u64::from(start.memory));

        let rights = Rights::READ | Rights::WRITE | Rights::GRANT | Rights::REVOKE;
        let own = Capability::original(mailbox, Kind::Queue, rights);
        world.objects.hold(mailbox);
        let mut space = Space::with_mailbox(own);
        let derived = self.derive_all(parent, &passed, capabilities);
        // At most as many as the space has slots.
        let _ = space.insert_run(&derived);

        let mut handle = None;
        if parent.is_task() {
            if let Some(parent) = self.world.task_mut(parent) {
                parent.given = parent.given.saturating_add(start.fuel);
            }
            let task = Capability::original(object, Kind::Task, rights);
            // The gate has seen that there is room.
            handle = self.world.give(parent, task).ok();
        }
        let task = Task {
            subject: child,
            name,
            object: Some(object),
            component: Some(component),
            digest,
            kind,
            partition,
            parent,
            known_as: handle,
            space,
            mailbox: Some(mailbox),
            priority: start.priority,
            deadline: start.deadline,
            fuel: start.fuel,
            spent: 0,
            given: 0,
            memory: start.memory,
            last_slice: 0,
            due: 0,
            needs: 0,
            waits_on: None,
            state: State::Ready,
            chain: Chain::spawned_by(spawn),
            blocked: None,
            answer: None,
            last_words: Some(last_words),
        };
        let gone = &mut self.gone;
        self.world.add_task(task, |task| gone.push(crate::nucleus::Gone::of(&task)));
        // With the proofs that it was given.
        self.stamp(child);
        handle.map_or(0, |handle| i64::from(handle.0))
    }

    /// What the child gets to hold. Of what the parent passes on, the child's
    /// descends from the parent's, and takes the uses that are left.
    fn derive_all(
        &mut self,
        parent: Subject,
        passed: &[Handle],
        capabilities: Vec<Capability>,
    ) -> Vec<Capability> {
        let world = &mut self.world;
        if passed.is_empty() {
            capabilities.iter().for_each(|capability| world.objects.hold(capability.object));
            return capabilities;
        }
        let mut all = Vec::with_capacity(capabilities.len());
        for (&handle, capability) in passed.iter().zip(capabilities) {
            // What the spawn itself and the ones before have left of it: the
            // plan was made before those.
            let held = world.task_mut(parent).and_then(|task| task.space.get_mut(handle));
            let uses = held.map_or(0, Capability::take_uses);
            let capability = Capability { uses, ..capability };
            // The plan has seen that there is room. Were there none, it would
            // be dead on arrival: expired.
            let dead = Capability { expiry: 0, ..capability };
            all.push(world.derive(parent, handle, capability).unwrap_or_else(|_| {
                world.objects.hold(dead.object);
                dead
            }));
        }
        all
    }
}

/// A task that nothing stands in the way of any more.
struct Plan {
    name: String,
    component: ObjectId,
    start: SpawnArguments,
    kind: TaskKind,
    digest: witness::Hash,
    length: u32,
    capabilities: Vec<Capability>,
    passed: Vec<Handle>,
}
