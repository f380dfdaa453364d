//! vector_put_proved: change a vector.
//!
//! Right: WRITE on the store. Proof: over the store, the slot, its old leaf
//! and the new vector. Effect: not in this build.

use super::Effect;
use abi::Error;

pub(super) fn put() -> Result<Effect, Error> {
    Err(Error::Unsupported)
}
