//! sensor_subscribe: have a sensor's events arrive as messages.
//!
//! Right: READ on the sensor, WRITE on the queue. Effect:
//! each reading arrives in the queue, for as long as the subscriber lives and
//! both capabilities hold; one that finds the queue full is lost. All uses that
//! are left of both go into the subscription, and each reading that arrives is
//! a use of both. A subscription that has died gives its place to a new one.
//! Errors: AlreadyExists, TableFull, TooDeep.

use super::{Context, Done, Effect};
use crate::{
    capability::Capability, evidence, object::ObjectId, sensor::Subscription, world::World,
};
use abi::{Error, Handle, Kind, Rights};
use witness::Subject;

pub(super) fn subscribe(
    world: &mut World,
    context: &Context<'_>,
    queue: Handle,
) -> Result<Effect, Error> {
    let (subject, sensor) = (context.subject, context.authorised.object());
    evidence::authorise_also(world, subject, queue, Kind::Queue, Rights::WRITE)?;
    let target = evidence::named(world, subject, queue)?;
    world.objects.get(sensor).ok_or(Error::Revoked)?;
    let target = target.narrowed(Rights::WRITE)?;
    let source = evidence::named(world, subject, context.authorised.handle())?;
    let source = source.narrowed(Rights::READ)?;
    let place = place(world, sensor, subject, target.object)?;
    let source = world.derive(subject, context.authorised.handle(), source)?;
    let derived = world.derive(subject, queue, target);
    let target = derived.inspect_err(|_| world.discard(&source))?;
    // The call itself is a use of the sensor's.
    let uses = source.uses_after(1);
    let subscription =
        Subscription { subscriber: subject, source: Capability { uses, ..source }, queue: target };
    world.end_subscription(sensor, place);
    world.objects.sensor_mut(sensor)?.subscribe(place, subscription)?;
    world.take_uses(subject, context.authorised.handle());
    world.take_uses(subject, queue);
    Ok(Effect::Done(Done::default()))
}

/// Where a new subscription goes.
fn place(
    world: &mut World,
    sensor: ObjectId,
    subscriber: Subject,
    queue: ObjectId,
) -> Result<usize, Error> {
    let mut free = None;
    let mut number: usize = 0;
    while let Some(place) = world.objects.sensor_mut(sensor)?.subscription(number) {
        let is_live = |it: &Capability| evidence::is_live(world, it).is_ok();
        match place.filter(|it| is_live(&it.source) && is_live(&it.queue)) {
            Some(it) if it.subscriber == subscriber && it.queue.object == queue => {
                return Err(Error::AlreadyExists);
            }
            Some(_) => {}
            None => free = free.or(Some(number)),
        }
        number = number.saturating_add(1);
    }
    free.ok_or(Error::TableFull)
}
