//! task_spawn: start a component as a task.
//!
//! Right: EXECUTE on the component, GRANT on every capability passed on.
//! Effect, in the second pass: a task, ready to run, with the passed
//! capabilities as its handles 0, 1, 2 (each one derivation deeper and
//! without GRANT), in the partition of the component's package; a caller that
//! is a task has its fuel reduced by the child's and gets a capability for
//! the child, whose handle is the result. Errors: OverBudget, TableFull,
//! BadLength, BadArgument, those of passing on, and those of preparing:
//! NotWasm, UnknownImport, MissingExport, MemoryLimit, StartFailed,
//! OutOfMemory; QueueFull where the caller's mailbox has no room for the
//! report of the child's end.

use super::{Context, Effect};
use crate::{
    capability::Capability,
    evidence,
    partition::Resource,
    request::Passed,
    ticket::{PassList, Work},
    world::World,
};
use abi::{Error, Handle, Rights, SpawnArguments};
use package::manifest::TaskKind;
use witness::Subject;

pub(super) fn reserve(
    world: &World,
    context: &Context<'_>,
    start: SpawnArguments,
    kind: TaskKind,
    passed: Passed<'_>,
) -> Result<Effect, Error> {
    let subject = context.subject;
    let component = context.authorised.object();
    world.objects.component(component)?;
    let passed = match passed {
        Passed::Handles(bytes) => PassList::read(bytes)?,
        Passed::Listed(number) if subject == Subject::KERNEL => PassList::Listed(number),
        Passed::Listed(_) => return Err(Error::BadArgument),
    };
    for &handle in passed.handles() {
        passed_on(world, subject, handle)?;
    }
    let name = world.objects.get(component).map_or("", |object| &object.name);
    // A task has an object and a mailbox.
    if !world.has_room_for_task(name) || world.objects.room() < 2 {
        return Err(Error::TableFull);
    }
    let caller = world.task(subject).ok_or(Error::BadHandle)?;
    if subject.is_task() {
        if !caller.space.has_room(1) {
            return Err(Error::TableFull);
        }
        if start.fuel > caller.fuel_left() {
            return Err(Error::OverBudget);
        }
    }
    let partition = world.objects.get(component).and_then(|object| object.partition);
    if u64::from(start.memory) > world.partitions.left(partition, Resource::Memory) {
        return Err(Error::OverBudget);
    }
    Ok(Effect::Prepare(Work::Spawn { component, start, kind, passed }))
}

/// What a spawned task gets for a handle of its parent.
pub(crate) fn passed_on(
    world: &World,
    subject: Subject,
    handle: Handle,
) -> Result<Capability, Error> {
    let capability = evidence::named(world, subject, handle)?;
    evidence::use_of(world, capability, Rights::GRANT)?;
    capability.passed_on()
}
