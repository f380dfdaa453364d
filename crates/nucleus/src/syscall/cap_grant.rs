//! cap_grant: derive, revoke or drop a capability.
//!
//! Grant. Right: GRANT or GRANT_ONCE, and WRITE on the receiver's task
//! capability. Effect: the receiver has a capability that was derived from
//! the caller's, with no more of anything; the uses it got are debited. The
//! result is the receiver's handle. Errors: Amplification, TooDeep,
//! TableFull, BadArgument for no uses.
//!
//! Revoke. Right: REVOKE. Effect: everything derived from the capability is
//! dead from the next call on. On a task capability it kills the task.
//!
//! Drop. No right. Effect: the caller does not have it any more.

use super::{Context, Done, Effect};
use crate::{capability::Capability, evidence, object::Body, world::World};
use abi::{Error, GrantArguments, Kind, Rights};
use witness::Subject;

pub(super) fn grant(
    world: &mut World,
    context: &Context<'_>,
    terms: &GrantArguments,
) -> Result<Effect, Error> {
    let (subject, handle) = (context.subject, context.authorised.handle());
    let to = evidence::authorise_also(world, subject, terms.to, Kind::Task, Rights::WRITE)?;
    let receiver = match world.objects.get(to.object()).map(|object| &object.body) {
        Some(Body::Task(receiver)) => *receiver,
        _ => return Err(Error::WrongKind),
    };
    let child = evidence::named(world, subject, handle)?.lessened(terms)?;
    let target = world.task(receiver).filter(|task| task.state().is_alive());
    if !target.ok_or(Error::NotFound)?.space.has_room(1) {
        return Err(Error::TableFull);
    }
    let child = Capability { granted_by: Some(world.next_record), ..child };
    let child = world.derive(subject, handle, child)?;
    debit(world, context, terms.uses);
    if terms.to != handle {
        evidence::spend_use(world, subject, &to);
    }
    // `derive` counts a holder, and so does `give`.
    let given = world.give(receiver, child);
    world.objects.let_go(child.object);
    let result = i64::from(given?.0);
    let block = terms.to_bytes();
    Ok(Effect::Done(Done {
        result,
        length: super::length(&block)?,
        digest: world.hasher.hash(&block),
        cause: None,
    }))
}

/// The uses that were given, if the giver's are counted.
fn debit(world: &mut World, context: &Context<'_>, uses: u32) {
    let task = world.task_mut(context.subject);
    if let Some(giver) = task.and_then(|task| task.space.get_mut(context.authorised.handle())) {
        giver.spend_uses(uses);
    }
}

pub(super) fn revoke(world: &mut World, context: &Context<'_>) -> Result<Effect, Error> {
    let capability = *evidence::named(world, context.subject, context.authorised.handle())?;
    world.nodes.revoke(&capability);
    let task = match world.objects.get(capability.object).map(|object| &object.body) {
        Some(Body::Task(task)) => *task,
        _ => return Ok(Effect::Done(Done::default())),
    };
    let victim = world.task(task).filter(|task| task.state().is_alive());
    match victim.map(|task| task.subject) {
        Some(victim) if victim != Subject::KERNEL => Ok(Effect::Kill(victim)),
        _ => Ok(Effect::Done(Done::default())),
    }
}

pub(super) fn give_up(world: &mut World, context: &Context<'_>) -> Result<Effect, Error> {
    world.take_away(context.subject, context.authorised.handle(), Error::StaleHandle);
    Ok(Effect::Done(Done::default()))
}
