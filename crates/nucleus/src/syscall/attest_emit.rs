//! attest_emit: put a claim into the log, or approve a mutation.
//!
//! Right: WRITE on the log to claim, PROVE on an object to approve. Proof of
//! a claim: a standing approval of the signed manifest that covers its type,
//! the number and the bytes of claims; its record names the mount that
//! brought the approval. Effect: the claim is in the record. Approving is not
//! in this build.

use super::{Context, Done, Effect};
use crate::{evidence::Approved, world::World};
use abi::{CLAIM_BODY_MAX, Error};
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
    let length = u32::try_from(body.len()).map_err(|_| Error::BadLength)?;
    let partition = world.partition_of(context.subject);
    let partition = partition.and_then(|id| world.partitions.get_mut(id));
    let approval = partition.and_then(|it| it.approvals.get_mut(approved.number()));
    let approval = approval.ok_or(Error::NotApproved)?;
    approval.claims = approval.claims.saturating_add(1);
    approval.bytes = approval.bytes.saturating_add(u64::from(length));
    Ok(Effect::Done(Done { result: 0, length, digest, cause: Some(approved.cause()) }))
}

pub(super) fn approve() -> Result<Effect, Error> {
    Err(Error::Unsupported)
}
