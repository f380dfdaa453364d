//! graph_apply_proved: change a graph.
//!
//! Right: WRITE on the store. Proof: over the store, the slot, its old leaf
//! and the mutation. Effect: not in this build.

use super::Effect;
use abi::Error;

pub(super) fn apply() -> Result<Effect, Error> {
    Err(Error::Unsupported)
}
