//! graph_apply_proved: change a graph.
//!
//! Right: WRITE on the store. Proof: over the store, the slot, its old leaf
//! and the mutation. Effect: one node or edge is added or removed, or one
//! weight changed; the root has changed, the proof is used up; the record
//! names the approval. A store of the tier Deep asks its guard in between.
//! Errors: those of proofs; BadOperation for a mutation that is another
//! operation than the call's, NotFinite, WrongSlot, OutOfRange, NotFound,
//! AlreadyExists, Busy for a node with edges, StoreFull.

use super::{Context, Done, Effect, ask_guard, length};
use crate::{
    evidence::{self, Proved},
    store::Change,
    world::World,
};
use abi::Error;

pub(super) fn apply(
    world: &mut World,
    context: &Context<'_>,
    proved: &Proved,
    mutation: &[u8],
) -> Result<Effect, Error> {
    let object = context.authorised.object();
    let change = Change::parse(mutation)?;
    if change.operation != context.operation {
        return Err(Error::BadOperation);
    }
    world.objects.graph_mut(object)?.store.check(&change)?;
    if let Some(effect) = ask_guard(world, proved)? {
        return Ok(effect);
    }
    let by = world.writer(context.subject);
    world.objects.graph_mut(object)?.store.apply(&change, by)?;
    evidence::spend_proof(world, object, proved.spends());
    Ok(Effect::Done(Done {
        result: 0,
        length: length(mutation)?,
        digest: proved.mutation(),
        cause: proved.cause(),
    }))
}
