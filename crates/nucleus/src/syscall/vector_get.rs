//! vector_get: read a vector, its nearest, or the neighbours of a node.
//!
//! Right: READ on the store. Effect: not in this build.

use super::Effect;
use abi::Error;

pub(super) fn get() -> Result<Effect, Error> {
    Err(Error::Unsupported)
}
