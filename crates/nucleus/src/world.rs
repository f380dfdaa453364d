//! The state behind the gate: objects, tasks, partitions, time.

use crate::snapshot::{Reader, Saved, Writer};
use crate::{
    capability::{Capability, Nodes},
    clock::Clock,
    evidence,
    mount::TaskPlan,
    object::{Body, Object, ObjectId, Objects},
    partition::{Partition, PartitionId, Partitions, Resource},
    queue::{OVERHEAD, Queue},
    space::Space,
    task::{State, Task},
    witness::Chain,
};
use abi::{
    Call, Error, Handle, Kind, Rights,
    profile::{MESSAGE_BYTES, SLICE_FUEL, TASKS, call_fuel, data_fuel},
};
use alloc::{string::String, vec::Vec};
use package::manifest::TaskKind;
use witness::{Hash, Hasher, Index, Subject};

/// Bytes that the console's queue holds: more than one slice's fuel buys. Of
/// all messages the largest give most bytes for their fuel, so text written
/// in one slice always fits.
const CONSOLE_BYTES: usize = {
    let fuel = call_fuel(Call::QueueSend) + data_fuel(MESSAGE_BYTES as u64);
    // The last message of a slice may begin with too little fuel left.
    let messages = (SLICE_FUEL / fuel) as usize + 2;
    messages * (MESSAGE_BYTES + OVERHEAD)
};

/// Bytes typed at the console that wait to be read.
const CONSOLE_INPUT_BYTES: usize = 65_536;

/// Bytes of signed proofs that wait to be read.
const APPROVAL_BYTES: usize = 16_384;

/// Slots of the kernel's own capability space.
const KERNEL_SLOTS: usize = 1_024;

/// Slots of all spaces that each call looks at for dead capabilities: in order
/// of tasks and slots, going from one task to the next counting as one.
const SWEPT: usize = 4;

/// Bytes that the list of all tasks of a run may come to have in its manifest.
/// That is a signed note, which has an end: what can not be told of is not
/// started.
const LIST_BYTES: usize = 900_000;

/// Bytes that a task takes there beside its name.
const LISTED: usize = 80;

/// Everything but the log.
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) objects: Objects,
    pub(crate) nodes: Nodes,
    pub(crate) partitions: Partitions,
    pub(crate) hasher: Hasher,
    /// Whether a key's signature over a message holds.
    pub(crate) signature_holds: Verify,
    /// Whether the operator has stopped the gate.
    pub(crate) halted: bool,
    /// Records that calls wrote in this slice.
    pub(crate) slice_records: usize,
    /// Fuel that was spent in this slice.
    pub(crate) slice_fuel: u64,
    /// The record that the call in the gate will have.
    pub(crate) next_record: Index,
    /// What the call in the gate may spend beside its price, and has spent.
    pub(crate) call_fuel: Meter,
    /// What a guard program said about the change in the gate.
    pub(crate) guard_word: Option<bool>,
    /// Approvals that came in lately.
    pub(crate) approvals: crate::event::Approvals,
    /// The tasks of the root package, as listed.
    pub(crate) plans: Vec<TaskPlan>,
    /// The kernel, then tasks in order of spawn. Ended ones go when there is
    /// no room for a new one.
    tasks: Vec<Task>,
    /// Number of the next task.
    next_subject: u32,
    /// Bytes that the tasks there ever were take in the manifest of the run.
    listed: usize,
    /// Where looking for dead capabilities goes on: task and slot.
    sweep: (usize, usize),
}

/// Checks an Ed25519 signature, strictly: public key, message, signature.
pub type Verify = fn(&[u8; 32], &[u8], &[u8; 64]) -> bool;

/// Fuel for one call's work.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Meter {
    pub(crate) left: u64,
    pub(crate) spent: u64,
}

impl World {
    pub(crate) fn new(hasher: Hasher, signature_holds: Verify) -> Self {
        let mut objects = Objects::new();
        let own = [
            ("console", Body::Queue(Queue::new(CONSOLE_BYTES, None).in_order())),
            ("console-input", Body::Queue(Queue::new(CONSOLE_INPUT_BYTES, None).in_order())),
            ("log", Body::Log),
            ("timer", Body::Timer),
            ("memory", Body::Memory),
            ("packages", Body::Namespace),
            ("approvals", Body::Queue(Queue::new(APPROVAL_BYTES, None).in_order())),
        ];
        for (name, body) in own {
            // An empty table has room for these.
            let _ = objects.add(Object::new(name.into(), None, None, body));
        }
        let mut space = Space::new(KERNEL_SLOTS);
        let all = Rights::MOUNT | Rights::GRANT | Rights::REVOKE;
        let root = Capability::original(ObjectId::NAMESPACE, Kind::Namespace, all);
        // An empty space has room for one.
        let _ = space.insert(root);
        objects.hold(root.object);
        let mut tasks = Vec::with_capacity(TASKS + 1);
        tasks.push(kernel(space));
        Self {
            clock: Clock::default(),
            objects,
            nodes: Nodes::new(),
            partitions: Partitions::default(),
            hasher,
            signature_holds,
            halted: false,
            slice_records: 0,
            slice_fuel: 0,
            next_record: Index(0),
            call_fuel: Meter::default(),
            guard_word: None,
            approvals: Default::default(),
            plans: Vec::new(),
            tasks,
            next_subject: 1,
            listed: 0,
            sweep: (0, 0),
        }
    }

    /// The kernel, then the tasks that are alive and those that ended lately.
    pub(crate) fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    fn place(&self, subject: Subject) -> Option<usize> {
        self.tasks.binary_search_by_key(&subject.0, |task| task.subject.0).ok()
    }

    pub(crate) fn task(&self, subject: Subject) -> Option<&Task> {
        self.tasks.get(self.place(subject)?)
    }

    pub(crate) fn task_mut(&mut self, subject: Subject) -> Option<&mut Task> {
        let place = self.place(subject)?;
        self.tasks.get_mut(place)
    }

    /// The task at this place of the table.
    pub(crate) fn task_at(&self, place: usize) -> Option<&Task> {
        self.tasks.get(place)
    }

    /// Whether one more task, of this name, can live and be told of.
    pub(crate) fn has_room_for_task(&self, name: &str) -> bool {
        let alive = self.tasks.iter().filter(|task| task.state().is_alive()).count();
        alive < TASKS && self.listed.saturating_add(listed(name)) <= LIST_BYTES
    }

    /// Counts what the tasks there ever were take in the manifest, where the
    /// state was read back: those of the table and those that left it.
    pub(crate) fn list_again<'a>(&mut self, gone: impl Iterator<Item = &'a str>) {
        let here = self.tasks.iter().skip(1).map(|task| listed(&task.name));
        self.listed = here.chain(gone.map(listed)).fold(0, usize::saturating_add);
    }

    /// Number that the next task gets.
    pub(crate) fn next_subject(&self) -> Subject {
        Subject(self.next_subject)
    }

    /// Adds a task with the next number. Where the table is full, those that
    /// ended go, and are given to `gone`.
    pub(crate) fn add_task(&mut self, task: Task, gone: impl FnMut(Task)) {
        if self.tasks.len() > TASKS {
            let is_over = |task: &Task| matches!(task.state(), State::Ended(_));
            // Looking for dead capabilities goes on where it was, or who
            // spawns often enough would keep it from all but the first tasks.
            let (place, slot) = self.sweep;
            let stays = self.tasks.iter().take(place).filter(|task| !is_over(task)).count();
            let slot = if self.tasks.get(place).is_some_and(is_over) { 0 } else { slot };
            self.sweep = (stays, slot);
            self.tasks.extract_if(.., |task| is_over(task)).for_each(gone);
        }
        self.next_subject = self.next_subject.saturating_add(1);
        self.listed = self.listed.saturating_add(listed(&task.name));
        self.tasks.push(task);
    }

    pub(crate) fn partition_of(&self, subject: Subject) -> Option<PartitionId> {
        self.task(subject)?.partition
    }

    /// Whether something is mounted under this path.
    pub(crate) fn is_mounted(&self, path: &str) -> bool {
        self.partitions.iter().any(|(_, partition)| partition.is_mounted && partition.path == path)
    }

    /// Adds a partition, in the place of one that nothing belongs to any more
    /// if there is such.
    ///
    /// # Errors
    /// [`Error::TableFull`].
    pub(crate) fn add_partition(&mut self, partition: Partition) -> Result<PartitionId, Error> {
        let Self { partitions, objects, tasks, .. } = self;
        partitions.add(partition, |id| {
            let is_of = |task: &Task| task.partition == Some(id) && task.state().is_alive();
            let has_task = tasks.iter().any(is_of);
            let has_object = objects.iter().any(|(_, object)| object.partition == Some(id));
            !has_task && !has_object
        })
    }

    /// Takes fuel for work that the call in the gate does beside its price.
    ///
    /// # Errors
    /// [`Error::FuelBudget`].
    pub(crate) fn pay(&mut self, fuel: u64) -> Result<(), Error> {
        let Meter { left, spent } = self.call_fuel;
        let left = left.checked_sub(fuel).ok_or(Error::FuelBudget)?;
        self.call_fuel = Meter { left, spent: spent.saturating_add(fuel) };
        Ok(())
    }

    /// Gives back what was taken and not needed.
    pub(crate) fn refund(&mut self, fuel: u64) {
        let Meter { left, spent } = self.call_fuel;
        let (left, spent) = (left.saturating_add(fuel), spent.saturating_sub(fuel));
        self.call_fuel = Meter { left, spent };
    }

    /// What a store says about who changed it: subject, and the number of the
    /// record in its chain.
    pub(crate) fn writer(&self, subject: Subject) -> (u32, u32) {
        (subject.0, self.task(subject).map_or(0, |task| task.chain.sequence()))
    }

    /// Puts a capability into a task's space.
    ///
    /// # Errors
    /// [`Error::TableFull`].
    pub(crate) fn give(&mut self, subject: Subject, it: Capability) -> Result<Handle, Error> {
        let task = self.task_mut(subject).ok_or(Error::TableFull)?;
        let handle = task.space.insert(it)?;
        self.objects.hold(it.object);
        Ok(handle)
    }

    /// Takes a capability out of a task's space. Whoever still has the handle
    /// is told `why`.
    pub(crate) fn take_away(&mut self, subject: Subject, handle: Handle, why: Error) {
        let task = self.task_mut(subject);
        if let Some(gone) = task.and_then(|task| task.space.remove(handle, why)) {
            self.discard(&gone);
        }
    }

    /// Lets go of what a capability that is no more held on to.
    pub(crate) fn discard(&mut self, capability: &Capability) {
        self.nodes.release(capability);
        self.objects.let_go(capability.object);
    }

    /// Derives from a task's capability one that is in nobody's space.
    ///
    /// # Errors
    /// [`Error::BadHandle`], [`Error::TableFull`]; nothing has changed then.
    pub(crate) fn derive(
        &mut self,
        subject: Subject,
        handle: Handle,
        child: Capability,
    ) -> Result<Capability, Error> {
        let place = self.place(subject).ok_or(Error::BadHandle)?;
        let task = self.tasks.get_mut(place).ok_or(Error::BadHandle)?;
        let parent = task.space.get_mut(handle).ok_or(Error::BadHandle)?;
        let child = self.nodes.derive(parent, child)?;
        self.objects.hold(child.object);
        Ok(child)
    }

    /// Takes all uses that are left of a task's capability, for what was derived
    /// from it.
    pub(crate) fn take_uses(&mut self, subject: Subject, handle: Handle) -> u32 {
        let task = self.task_mut(subject);
        task.and_then(|task| task.space.get_mut(handle)).map_or(0, Capability::take_uses)
    }

    /// Ends a task's subscriptions to a sensor.
    pub(crate) fn unsubscribe(&mut self, sensor: ObjectId, subject: Subject) {
        let mut number: usize = 0;
        while let Some(place) =
            self.objects.sensor_mut(sensor).ok().and_then(|it| it.subscription(number))
        {
            if place.is_some_and(|it| it.subscriber == subject) {
                self.end_subscription(sensor, number);
            }
            number = number.saturating_add(1);
        }
    }

    /// Ends the subscription of this number.
    pub(crate) fn end_subscription(&mut self, sensor: ObjectId, number: usize) {
        let ended = self.objects.sensor_mut(sensor).ok().and_then(|it| it.unsubscribe(number));
        if let Some(subscription) = ended {
            self.discard(&subscription.source);
            self.discard(&subscription.queue);
        }
    }

    /// Looks at a few slots, and empties those whose capability is dead.
    pub(crate) fn sweep(&mut self) {
        for _ in 0..SWEPT {
            let (place, slot) = self.sweep;
            let Some(task) = self.task_at(place) else {
                self.sweep = (0, 0);
                return;
            };
            if slot >= task.space.size() {
                self.sweep = (place.saturating_add(1), 0);
                continue;
            }
            let subject = task.subject;
            let held = task.space.at(slot);
            let dead = held.map(|(handle, it)| (handle, evidence::is_live(self, it)));
            self.sweep = (place, slot.saturating_add(1));
            if let Some((handle, Err(why))) = dead {
                self.take_away(subject, handle, why);
            }
        }
    }

    /// Frees what was doomed, with the memory it had. Not inside the gate.
    pub(crate) fn bury(&mut self) {
        while let Some(object) = self.objects.next_doomed() {
            match &object.body {
                // What a package brought is given back where it is unmounted.
                Body::Region(region) if region.is_created() => {
                    self.partitions.give_back(object.partition, Resource::Memory, region.cost());
                }
                Body::Queue(queue) => {
                    for reference in queue.references() {
                        self.nodes.release(reference);
                        self.objects.let_go(reference.object);
                    }
                }
                Body::Sensor(sensor) => {
                    for subscription in sensor.all() {
                        for capability in [&subscription.source, &subscription.queue] {
                            self.nodes.release(capability);
                            self.objects.let_go(capability.object);
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

/// Bytes that a task of this name takes in the manifest.
fn listed(name: &str) -> usize {
    name.len().saturating_add(LISTED)
}

fn kernel(space: Space) -> Task {
    Task {
        subject: Subject::KERNEL,
        name: String::from("kernel"),
        object: None,
        component: None,
        digest: Hash::default(),
        kind: TaskKind::Command,
        partition: None,
        parent: Subject::KERNEL,
        known_as: None,
        space,
        mailbox: None,
        priority: u8::MAX,
        deadline: u64::MAX,
        fuel: u64::MAX,
        spent: 0,
        given: 0,
        memory: 0,
        last_slice: 0,
        due: 0,
        needs: 0,
        waits_on: None,
        state: State::Kernel,
        chain: Chain::after_genesis(),
        blocked: None,
        answer: None,
        last_words: None,
    }
}

/// What a call leaves behind while it is in the gate is not there between
/// slices.
impl Saved for World {
    fn save(&self, to: &mut Writer<'_>) {
        let Self { hasher: _, signature_holds: _, call_fuel: _, guard_word: _, .. } = self;
        let Self { clock, objects, nodes, partitions, halted, slice_records, slice_fuel, .. } =
            self;
        let Self { next_record, approvals, plans, tasks, next_subject, sweep, .. } = self;
        clock.save(to);
        objects.save(to);
        nodes.save(to);
        partitions.save(to);
        halted.save(to);
        slice_records.save(to);
        slice_fuel.save(to);
        next_record.save(to);
        approvals.save(to);
        plans.save(to);
        tasks.save(to);
        next_subject.save(to);
        sweep.save(to);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        let mut world = Self {
            hasher: from.hasher()?,
            signature_holds: from.signature_holds()?,
            call_fuel: Meter::default(),
            guard_word: None,
            clock: Saved::load(from)?,
            objects: Saved::load(from)?,
            nodes: Saved::load(from)?,
            partitions: Saved::load(from)?,
            halted: Saved::load(from)?,
            slice_records: Saved::load(from)?,
            slice_fuel: Saved::load(from)?,
            next_record: Saved::load(from)?,
            approvals: Saved::load(from)?,
            plans: Saved::load(from)?,
            tasks: Saved::load(from)?,
            next_subject: Saved::load(from)?,
            listed: 0,
            sweep: Saved::load(from)?,
        };
        // No call may have to make room for a task.
        world.tasks.reserve((TASKS + 1).saturating_sub(world.tasks.len()));
        Some(world)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Outcome;

    #[test]
    fn looking_for_the_dead_goes_on_where_it_was_when_ended_tasks_go() {
        const OVER: [u32; 3] = [7, 100, 200];
        let sweep_after = |at: (usize, usize)| {
            let mut world = World::new(Hasher::SOFTWARE, |_, _, _| true);
            let task = |subject, state| {
                let subject = Subject(subject);
                Task { subject, state, ..kernel(Space::new(8)) }
            };
            for subject in 1..=TASKS as u32 {
                let is_over = OVER.contains(&subject);
                let state = if is_over { State::Ended(Outcome::Exit(0)) } else { State::Ready };
                world.add_task(task(subject, state), |_| panic!("there is room"));
            }
            world.sweep = at;
            let mut gone = Vec::new();
            world.add_task(task(999, State::Ready), |task| gone.push(task.subject.0));
            assert_eq!(gone, OVER);
            (world.task_at(world.sweep.0).map(|task| task.subject.0), world.sweep.1)
        };
        assert_eq!(sweep_after((5, 3)), (Some(5), 3));
        assert_eq!(sweep_after((150, 3)), (Some(150), 3));
        // The next one, from its first slot on, where it was at one that goes.
        assert_eq!(sweep_after((200, 3)), (Some(201), 0));
        assert_eq!(sweep_after((TASKS, 0)), (Some(TASKS as u32), 0));
    }
}
