//! vector_put_proved: change a vector.
//!
//! Right: WRITE on the store. Proof: over the store, the slot, its old leaf
//! and the mutation. Effect: the vector is in its slot, the root has changed,
//! the proof is used up; the record names the approval. A store of the tier
//! Deep asks its guard in between, and everything is looked at again.
//! Errors: those of proofs; BadLength, NotFinite, ZeroNorm, WrongSlot,
//! OutOfRange, StoreFull, FuelBudget.

use super::{Context, Done, Effect, ask_guard, length};
use crate::{
    evidence::{self, Proved},
    store::Put,
    world::World,
};
use abi::{Error, profile::visit_fuel};

pub(super) fn put(
    world: &mut World,
    context: &Context<'_>,
    proved: &Proved,
    mutation: &[u8],
) -> Result<Effect, Error> {
    let object = context.authorised.object();
    let put = Put::parse(mutation)?;
    let vectors = world.objects.vectors_mut(object)?;
    vectors.store.check(&put)?;
    // Paid in full before, given back below.
    let each = visit_fuel(vectors.store.terms().dimension);
    let most = each.saturating_mul(u64::from(vectors.store.most_visits(&put)));
    world.pay(most)?;
    let asks = ask_guard(world, proved);
    if !matches!(asks, Ok(None)) {
        world.refund(most);
    }
    if let Some(effect) = asks? {
        return Ok(effect);
    }
    let by = world.writer(context.subject);
    let vectors = world.objects.vectors_mut(object)?;
    let visited = vectors.store.put(&put, by);
    world.refund(most.saturating_sub(each.saturating_mul(u64::from(visited))));
    evidence::spend_proof(world, object, proved.spends());
    Ok(Effect::Done(Done {
        result: 0,
        length: length(mutation)?,
        digest: proved.mutation(),
        cause: proved.cause(),
    }))
}
