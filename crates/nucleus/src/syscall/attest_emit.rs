//! attest_emit: put a claim into the log, or approve a mutation.
//!
//! Claim. Right: WRITE on the log. Proof: a standing approval of the signed
//! manifest that covers its type, the number and the bytes of claims; its
//! record names the mount that brought the approval. Effect: the claim is in
//! the record. Errors: NotApproved, BadLength.
//!
//! Approve. Right: PROVE on a store, which is its own proof. Effect: a Proof
//! object for one change of one slot; the caller has a capability for it,
//! to use (WRITE) or to pass on (GRANT). The result is the handle. Errors:
//! WrongKind for what is no store, OutOfRange, ProofExpired, TableFull.

use super::{Context, Done, Effect, length};
use crate::{
    capability::Capability,
    evidence::{self, Approved},
    object::Body,
    proof::Minted,
    world::World,
};
use abi::{CLAIM_BODY_MAX, Error, Kind, Rights};
use witness::Hash;

pub(super) fn claim(
    world: &mut World,
    context: &Context<'_>,
    approved: &Approved,
    digest: Hash,
    body: &[u8],
) -> Result<Effect, Error> {
    if body.len() > CLAIM_BODY_MAX {
        return Err(Error::BadLength);
    }
    let length = length(body)?;
    let partition = world.partition_of(context.subject);
    let partition = partition.and_then(|id| world.partitions.get_mut(id));
    let approval = partition.and_then(|it| it.approvals.get_mut(approved.number()));
    let approval = approval.ok_or(Error::NotApproved)?;
    approval.claims = approval.claims.saturating_add(1);
    approval.bytes = approval.bytes.saturating_add(u64::from(length));
    Ok(Effect::Done(Done { result: 0, length, digest, cause: Some(approved.cause()) }))
}

pub(super) fn approve(
    world: &mut World,
    context: &Context<'_>,
    slot: u32,
    mutation: Hash,
    old_leaf: Hash,
    expiry: u64,
) -> Result<Effect, Error> {
    let (subject, object) = (context.subject, context.authorised.object());
    let leaf = evidence::tree_of(world, object)?.leaf(slot);
    if expiry <= world.clock.now_ns() {
        return Err(Error::ProofExpired);
    }
    leaf.ok_or(Error::OutOfRange)?;
    if !world.task(subject).is_some_and(|task| task.space.has_room(1)) {
        return Err(Error::TableFull);
    }
    let risk = match world.objects.get(object).map(|object| &object.body) {
        Some(Body::Vectors(vectors)) => vectors.store.risk(slot),
        Some(Body::Graph(graph)) => graph.store.risk(slot),
        _ => return Err(Error::WrongKind),
    };
    let approval = world.next_record;
    let minted = Minted { object, slot, old_leaf, mutation, expiry, approval, risk, used: false };
    let partition = world.partition_of(subject);
    let proof = world.objects.add_proof(minted, partition)?;
    let rights = Rights::WRITE | Rights::GRANT;
    let handle = world.give(subject, Capability::original(proof, Kind::Proof, rights))?;
    let result = i64::from(handle.0);
    Ok(Effect::Done(Done { result, digest: mutation, ..Done::default() }))
}
