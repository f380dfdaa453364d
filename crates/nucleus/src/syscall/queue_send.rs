//! queue_send: put a message into a queue.
//!
//! Right: WRITE on the queue; for a reference, READ and a right to grant on
//! the region. Effect: the message is in the queue, with its type, its
//! priority and the badge of the capability it was sent with. A reference
//! gives its receiver a capability to read the region, which must be one
//! whose content cannot change, and takes all uses along that the sender's has
//! left. What is in the console's queue goes to the
//! console when the slice ends. Errors: QueueFull, WrongType, BadLength beyond
//! [`MESSAGE_BYTES`](abi::profile::MESSAGE_BYTES); WrongMode, OutOfRange,
//! TooDeep, TableFull for a reference.

use super::{Context, Done, Effect, length};
use crate::{evidence, object::ObjectId, queue::Message, world::World};
use abi::{Error, Handle, Kind, Reference, Rights, profile::MESSAGE_BYTES};

pub(super) fn send(
    world: &mut World,
    context: &Context<'_>,
    kind: u32,
    priority: u8,
    bytes: &[u8],
) -> Result<Effect, Error> {
    if bytes.len() > MESSAGE_BYTES {
        return Err(Error::BadLength);
    }
    let message = message(world, context, kind, priority);
    let queue = world.objects.queue_mut(context.authorised.object())?;
    queue.send(&message, bytes, None)?;
    let length = length(bytes)?;
    Ok(Effect::Done(Done { length, digest: world.hasher.hash(bytes), ..Done::default() }))
}

pub(super) fn refer(
    world: &mut World,
    context: &Context<'_>,
    kind: u32,
    priority: u8,
    reference: &Reference,
) -> Result<Effect, Error> {
    let (subject, handle) = (context.subject, reference.region);
    let region = evidence::authorise_also(world, subject, handle, Kind::Region, Rights::READ)?;
    let held = evidence::named(world, subject, handle)?;
    if !held.rights.intersects(Rights::GRANT | Rights::GRANT_ONCE) {
        return Err(Error::MissingRight);
    }
    let narrowed = held.narrowed(Rights::READ)?;
    let content = world.objects.region_mut(region.object())?;
    content.settled(reference.offset, reference.length)?;
    let queue = world.objects.queue_mut(context.authorised.object())?;
    queue.takes(kind, Reference::SIZE, true)?;
    let derived = world.derive(subject, handle, narrowed)?;
    // The region by its number, which means the same to everybody.
    let body = Reference { region: number(region.object()), ..*reference }.to_bytes();
    let message = message(world, context, kind, priority);
    let queue = world.objects.queue_mut(context.authorised.object())?;
    if let Err(error) = queue.send(&message, &body, Some(derived)) {
        world.discard(&derived);
        return Err(error);
    }
    world.take_uses(subject, handle);
    let digest = world.hasher.hash(&body);
    Ok(Effect::Done(Done { length: length(&body)?, digest, ..Done::default() }))
}

fn number(object: ObjectId) -> Handle {
    Handle(object.0)
}

fn message(world: &World, context: &Context<'_>, kind: u32, priority: u8) -> Message {
    Message {
        kind,
        priority,
        badge: context.authorised.badge(),
        sender: context.subject.0,
        sent: Some(world.next_record),
    }
}
