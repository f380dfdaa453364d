//! queue_recv: take a message from a queue, waiting until a deadline.
//!
//! Right: READ on the queue. Effect: header and content of the next message
//! are in the caller's window and the message is out of the queue; its record
//! names the sending. Of a reference the caller gets a capability for the
//! region. Without a message the caller waits; the capability is looked at
//! again when there is one. Errors: TimedOut; TooSmall for a message that
//! does not fit the window, and TableFull for a reference that finds no room,
//! both of which leave it in the queue; BadArgument for a deadline beyond
//! 2^63 - 1 ns that is not for ever.

use super::{Context, Done, Effect, length};
use crate::{object::ObjectId, region::copy, world::World};
use abi::{Error, MessageHeader, Reference};

/// A deadline that never comes. Time must not get there, or what never
/// expires would.
const FOREVER: u64 = u64::MAX;

pub(super) fn receive(
    world: &mut World,
    context: &Context<'_>,
    deadline: u64,
    into: &mut [u8],
) -> Result<Effect, Error> {
    if deadline != FOREVER && i64::try_from(deadline).is_err() {
        return Err(Error::BadArgument);
    }
    let id: ObjectId = context.authorised.object();
    let now = world.clock.now_ns();
    let queue = world.objects.queue_mut(id)?;
    let Some(next) = queue.next() else {
        return if deadline <= now {
            Err(Error::TimedOut)
        } else {
            Ok(Effect::Message { deadline })
        };
    };
    let size = next.length.checked_add(MessageHeader::SIZE).ok_or(Error::TooSmall)?;
    let window = into.get_mut(..size).ok_or(Error::TooSmall)?;
    let (head, body) = window.split_at_mut_checked(MessageHeader::SIZE).ok_or(Error::TooSmall)?;
    let handle = match next.reference {
        Some(capability) => Some(world.give(context.subject, capability)?),
        None => None,
    };
    if let Some(capability) = next.reference {
        // It was held by the message.
        world.objects.let_go(capability.object);
    }
    let queue = world.objects.queue_mut(id)?;
    queue.take(body);
    let message = next.message;
    let header = MessageHeader {
        badge: message.badge,
        kind: message.kind,
        length: length(body)?,
        priority: message.priority,
        is_reference: handle.is_some(),
    };
    copy(head, &header.to_bytes());
    if let Some(handle) = handle
        && let Ok(block) = <&[u8; Reference::SIZE]>::try_from(&*body)
        && let Some(reference) = Reference::from_bytes(block)
    {
        copy(body, &Reference { region: handle, ..reference }.to_bytes());
    }
    let digest = world.hasher.hash(body);
    let moved = length(window)?;
    Ok(Effect::Done(Done { result: i64::from(moved), length: moved, digest, cause: message.sent }))
}
