//! queue_send: put a message into a queue.
//!
//! Right: WRITE on the queue. Effect: the message is in the queue, with its
//! type, its priority and the badge of the capability it was sent with. What
//! is in the console's queue goes to the console when the slice ends. Errors:
//! QueueFull, WrongType, BadLength beyond
//! [`MESSAGE_BYTES`](abi::profile::MESSAGE_BYTES).

use super::{Context, Done, Effect};
use crate::{queue::Message, world::World};
use abi::{Error, profile::MESSAGE_BYTES};

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
    let queue = world.objects.queue_mut(context.authorised.object())?;
    queue.send(&Message {
        kind,
        priority,
        badge: context.authorised.badge(),
        sender: context.subject.0,
        sent: world.next_record,
        bytes,
    })?;
    let length = u32::try_from(bytes.len()).map_err(|_| Error::BadLength)?;
    Ok(Effect::Done(Done { length, digest: world.hasher.hash(bytes), ..Done::default() }))
}
