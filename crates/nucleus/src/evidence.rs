//! Evidence: values that only a stage of the gate can make.
//!
//! An effect takes them by value, so one that skips its checks does not
//! compile. Their fields are private to this module, which has the checks.

use crate::{capability::Capability, object::ObjectId, request::Arguments, world::World};
use abi::{Call, Error, Handle, Operation, Rights, profile::DERIVATION_DEPTH};
use witness::{Index, Subject};

/// The capability stage was passed: the caller may do this to this object.
#[derive(Debug)]
pub(crate) struct Authorised {
    object: ObjectId,
    badge: u64,
    handle: Handle,
}

impl Authorised {
    /// The object.
    pub(crate) fn object(&self) -> ObjectId {
        self.object
    }

    /// The badge of the capability.
    pub(crate) fn badge(&self) -> u64 {
        self.badge
    }
}

/// The proof stage was passed.
#[derive(Debug)]
pub(crate) enum Verified {
    /// The call needs no proof.
    NotNeeded,
    /// The proof is a package's signature, which is looked at where the file
    /// is read: committing takes a [`package::Package`], which only opening a
    /// well-signed file makes.
    BySignature,
    /// A standing approval of the caller's partition covers the claim.
    Approved(Approved),
}

/// A standing approval that covers one claim.
#[derive(Debug)]
pub(crate) struct Approved {
    number: usize,
    mount: Index,
}

impl Approved {
    /// Its number in the partition.
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// The record of the mount that brought it.
    pub(crate) fn cause(&self) -> Index {
        self.mount
    }
}

/// First stage: is the gate open? The kernel passes, or nobody could resume.
pub(crate) fn halt(world: &World, subject: Subject) -> Result<(), Error> {
    if world.halted && subject != Subject::KERNEL { Err(Error::Halted) } else { Ok(()) }
}

/// The capability stage: generation, kind, rights, epoch, expiry, uses.
pub(crate) fn authorise(
    world: &World,
    subject: Subject,
    handle: Handle,
    call: Call,
    operation: Operation,
) -> Result<Authorised, Error> {
    let (kind, rights) = call.requires(operation);
    let capability = named(world, subject, handle)?;
    if kind.is_some_and(|kind| kind != capability.kind) {
        return Err(Error::WrongKind);
    }
    use_of(world, capability, rights)?;
    Ok(Authorised { object: capability.object, badge: capability.badge, handle })
}

/// The same for a further capability that a call names.
pub(crate) fn authorise_also(
    world: &World,
    subject: Subject,
    handle: Handle,
    kind: abi::Kind,
    rights: Rights,
) -> Result<Authorised, Error> {
    let capability = named(world, subject, handle)?;
    if capability.kind != kind {
        return Err(Error::WrongKind);
    }
    use_of(world, capability, rights)?;
    Ok(Authorised { object: capability.object, badge: capability.badge, handle })
}

/// What a handle names, if it names anything.
pub(crate) fn named(world: &World, subject: Subject, handle: Handle) -> Result<&Capability, Error> {
    world.task(subject).ok_or(Error::BadHandle)?.space.get(handle)
}

/// Whether the capability allows a use, now.
pub(crate) fn use_of(world: &World, capability: &Capability, rights: Rights) -> Result<(), Error> {
    if !capability.rights.contains(rights) {
        return Err(Error::MissingRight);
    }
    descent(world, capability)?;
    if capability.expiry <= world.clock.now_ns() {
        return Err(Error::Expired);
    }
    if capability.uses == 0 {
        return Err(Error::Exhausted);
    }
    Ok(())
}

/// Walks to the original: every ancestor must still be there and unrevoked.
/// The holder may have ended; its space stays as it left it.
fn descent(world: &World, capability: &Capability) -> Result<(), Error> {
    let mut link = capability.parent;
    for _ in 0..DERIVATION_DEPTH {
        let Some(up) = link else { return Ok(()) };
        let holder = world.task(up.holder).ok_or(Error::Revoked)?;
        let parent = holder.space.get(up.handle).map_err(|_| Error::Revoked)?;
        if parent.epoch != up.epoch {
            return Err(Error::Revoked);
        }
        link = parent.parent;
    }
    if link.is_none() { Ok(()) } else { Err(Error::TooDeep) }
}

/// The proof stage.
pub(crate) fn verify(
    world: &World,
    subject: Subject,
    call: Call,
    arguments: &Arguments<'_>,
) -> Result<Verified, Error> {
    match (call, arguments) {
        (Call::RvfMount, _) => Ok(Verified::BySignature),
        (Call::AttestEmit, Arguments::Claim { kind, body, .. }) => {
            let task = world.task(subject).ok_or(Error::NotApproved)?;
            let partition = task.partition.and_then(|id| world.partitions.get(id));
            let partition = partition.ok_or(Error::NotApproved)?;
            let length = u64::try_from(body.len()).unwrap_or(u64::MAX);
            let number = partition.approval_for(*kind, length).ok_or(Error::NotApproved)?;
            Ok(Verified::Approved(Approved { number, mount: partition.mount }))
        }
        // Proofs for stores, and approvals, are not in this build.
        _ if call.needs_proof() => Err(Error::Unsupported),
        _ => Ok(Verified::NotNeeded),
    }
}

/// Spends one use, when the call has been allowed.
pub(crate) fn spend_use(world: &mut World, subject: Subject, authorised: &Authorised) {
    let task = world.task_mut(subject);
    if let Some(capability) = task.and_then(|task| task.space.get_mut(authorised.handle))
        && capability.uses != crate::capability::UNLIMITED
    {
        capability.uses = capability.uses.saturating_sub(1);
    }
}
