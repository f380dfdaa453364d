//! sensor_subscribe: have a sensor's events arrive as messages.
//!
//! Right: READ on the sensor, WRITE on the queue. Effect: not in this build.

use super::Effect;
use abi::Error;

pub(super) fn subscribe() -> Result<Effect, Error> {
    Err(Error::Unsupported)
}
