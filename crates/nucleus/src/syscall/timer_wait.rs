//! timer_wait: wait until a point in logical time.
//!
//! Right: READ on a timer. Effect: the caller goes on at that time, and is
//! told which time it is. A time that has passed completes at once. Error:
//! BadArgument for a time beyond 2^63 - 1 ns.

use super::{Context, Done, Effect};
use crate::world::World;
use abi::{Error, Operation};

pub(super) fn wait(world: &World, context: &Context<'_>, ns: u64) -> Result<Effect, Error> {
    let now = world.clock.now_ns();
    let until = match context.operation {
        Operation::Relative => now.checked_add(ns).ok_or(Error::BadArgument)?,
        _ => ns,
    };
    if i64::try_from(until).is_err() {
        return Err(Error::BadArgument);
    }
    if until > now {
        return Ok(Effect::Until(until));
    }
    let result = i64::try_from(now).map_err(|_| Error::BadArgument)?;
    Ok(Effect::Done(Done { result, ..Done::default() }))
}
