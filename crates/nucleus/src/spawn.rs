//! The second pass of task_spawn.

use crate::{
    Nucleus,
    capability::{Capability, Space},
    object::{Body, Object, ObjectId},
    partition::Resource,
    syscall::{Done, passed_on},
    task::{State, Task},
    ticket::{PassList, Ticket, Work},
    witness::Chain,
};
use abi::{Error, Handle, Kind, Rights, SpawnArguments, profile::CAPABILITIES};
use alloc::{string::String, vec::Vec};
use witness::Subject;

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
        let Ticket { subject, mut call, authorised, work } = ticket;
        match prepared.and_then(|()| self.plan(subject, &work)) {
            Ok(plan) => {
                crate::evidence::spend_use(&mut self.world, subject, &authorised);
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
                let handle = self.start(subject, child, plan, Chain::spawned_by(record));
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

    /// Everything that can fail, before anything changes.
    fn plan(&self, subject: Subject, work: &Work) -> Result<Plan, Error> {
        let Work::Spawn { component, start, passed, .. } = work else {
            return Err(Error::BadArgument);
        };
        let object = self.world.objects.get(*component).ok_or(Error::WrongKind)?;
        let program = self.world.objects.component(*component)?;
        let (name, capabilities) = match passed {
            PassList::Handles(..) => {
                let pass = |&handle: &Handle| passed_on(&self.world, subject, handle);
                let passed: Result<Vec<_>, _> = passed.handles().iter().map(pass).collect();
                (object.name.clone(), passed?)
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
        if self.last_words.is_empty() || capabilities.len() > CAPABILITIES {
            return Err(Error::TableFull);
        }
        let mut space = Space::new(CAPABILITIES);
        space.insert_run(&capabilities)?;
        let length = u32::try_from(program.module.len()).map_err(|_| Error::BadLength)?;
        let passed = passed.handles().to_vec();
        let (component, start, digest) = (*component, *start, program.digest);
        Ok(Plan { name, component, start, digest, length, space, passed })
    }

    /// Makes the task. Gives what the caller gets: a handle of it, or nothing.
    fn start(&mut self, parent: Subject, child: Subject, plan: Plan, chain: Chain) -> i64 {
        let Plan { name, component, start, digest, space, passed, .. } = plan;
        let made = self.world.objects.get(component);
        let (partition, made_by) = made.map_or((None, None), |it| (it.partition, it.made_by));
        let object = Object { name: name.clone(), partition, made_by, body: Body::Task(child) };
        let object = self.world.objects.add(object);
        self.world.partitions.spend(partition, Resource::Memory, u64::from(start.memory));

        let mut handle = 0;
        if parent.is_task()
            && let Some(parent) = self.world.task_mut(parent)
        {
            parent.given = parent.given.saturating_add(start.fuel);
            for &handle in &passed {
                let limited = parent.space.get_mut(handle);
                if let Some(capability) = limited
                    && capability.uses != crate::capability::UNLIMITED
                {
                    capability.uses = 0;
                }
            }
            let rights = Rights::READ | Rights::GRANT | Rights::REVOKE;
            let task = Capability::original(object, Kind::Task, rights);
            // The gate has seen that there is room.
            handle = parent.space.insert(task).map_or(0, |handle| i64::from(handle.0));
        }
        self.world.add_task(Task {
            name,
            component: Some(component),
            digest,
            partition,
            parent,
            space,
            priority: start.priority,
            deadline: start.deadline,
            fuel: start.fuel,
            spent: 0,
            given: 0,
            memory: start.memory,
            last_slice: 0,
            needs: 0,
            state: State::Ready,
            chain,
            blocked: None,
            answer: None,
            last_words: self.last_words.pop(),
        });
        handle
    }
}

/// A task that nothing stands in the way of any more.
struct Plan {
    name: String,
    component: ObjectId,
    start: SpawnArguments,
    digest: witness::Hash,
    length: u32,
    space: Space,
    passed: Vec<Handle>,
}
