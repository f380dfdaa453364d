//! queue_recv: take a message from a queue, waiting until a deadline.
//!
//! Right: READ on the queue. Effect: not in this build.

use super::Effect;
use abi::Error;

pub(super) fn receive() -> Result<Effect, Error> {
    Err(Error::Unsupported)
}
