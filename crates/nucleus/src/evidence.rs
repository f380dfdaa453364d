//! Evidence: values that only a stage of the gate can make.
//!
//! An effect asks for them, so one that skips its checks does not compile.
//! Their fields are private to this module, which has the checks.

use crate::{
    capability::Capability,
    object::{Body, ObjectId},
    proof::{self, Change, Spends},
    request::{Arguments, ChangeProof},
    rules::Rules,
    store,
    world::World,
};
use abi::{
    Call, Error, Handle, Kind, Operation, Rights,
    profile::{PROOF_FUEL, data_fuel},
};
use package::manifest::Tier;
use witness::{Hash, Index, Subject};

/// The capability stage was passed: the caller may do this to this object.
#[derive(Clone, Copy, Debug)]
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

    /// The caller's handle of the capability.
    pub(crate) fn handle(&self) -> Handle {
        self.handle
    }
}

/// The proof stage was passed.
#[derive(Debug)]
pub(crate) enum Verified {
    /// The call needs no proof, or its right is one.
    NotNeeded,
    /// The proof is a package's signature, which is looked at where the file
    /// is read: committing takes a [`package::Package`], which only opening a
    /// well-signed file makes.
    BySignature,
    /// A standing approval of the caller's partition covers the claim.
    Approved(Approved),
    /// A proof covers the change of a store.
    Proved(Proved),
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

/// A proof that covers one change of one store.
#[derive(Debug)]
pub(crate) struct Proved {
    spends: Spends,
    mutation: Hash,
    cause: Option<Index>,
    guard: Option<ObjectId>,
}

impl Proved {
    /// What the change spends when it is made.
    pub(crate) fn spends(&self) -> Spends {
        self.spends
    }

    /// SHA-256 of the mutation's canonical bytes.
    pub(crate) fn mutation(&self) -> Hash {
        self.mutation
    }

    /// The record of the approval.
    pub(crate) fn cause(&self) -> Option<Index> {
        self.cause
    }

    /// The component that has to allow it as well.
    pub(crate) fn guard(&self) -> Option<ObjectId> {
        self.guard
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
    // What is dead can be given up too.
    if operation != Operation::Drop {
        use_of(world, capability, rights)?;
    }
    Ok(Authorised { object: capability.object, badge: capability.badge, handle })
}

/// The capability stage again, when what the call asked for was prepared: time
/// has passed since.
pub(crate) fn still(
    world: &World,
    subject: Subject,
    handle: Handle,
    object: ObjectId,
) -> Result<(), Error> {
    let capability = named(world, subject, handle)?;
    if capability.object != object {
        return Err(Error::StaleHandle);
    }
    is_live(world, capability)
}

/// The same for a further capability that a call names.
pub(crate) fn authorise_also(
    world: &World,
    subject: Subject,
    handle: Handle,
    kind: Kind,
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
    if !capability.allows(rights) {
        return Err(Error::MissingRight);
    }
    is_live(world, capability)
}

/// Whether the capability is good for anything: unrevoked, for something that
/// is there, not expired, with uses left. What is dead stays so.
pub(crate) fn is_live(world: &World, capability: &Capability) -> Result<(), Error> {
    if !world.nodes.is_alive(capability) {
        return Err(Error::Revoked);
    }
    let is_there = match world.objects.get(capability.object).map(|object| &object.body) {
        Some(Body::Proof(minted)) => !minted.used,
        Some(_) => true,
        None => false,
    };
    if !is_there {
        // A proof is gone because it was used.
        return Err(if capability.kind == Kind::Proof { Error::Replayed } else { Error::Revoked });
    }
    if capability.expiry <= world.clock.now_ns() {
        return Err(Error::Expired);
    }
    if capability.uses == 0 {
        return Err(Error::Exhausted);
    }
    Ok(())
}

/// The proof stage.
pub(crate) fn verify(
    world: &mut World,
    subject: Subject,
    authorised: &Authorised,
    arguments: &Arguments<'_>,
) -> Result<Verified, Error> {
    match arguments {
        Arguments::Mount { .. } | Arguments::Unmount { .. } => Ok(Verified::BySignature),
        Arguments::Claim { kind, body, .. } => {
            let task = world.task(subject).ok_or(Error::NotApproved)?;
            let partition = task.partition.and_then(|id| world.partitions.get(id));
            let partition = partition.ok_or(Error::NotApproved)?;
            let length = u64::try_from(body.len()).unwrap_or(u64::MAX);
            let number = partition.approval_for(*kind, length).ok_or(Error::NotApproved)?;
            Ok(Verified::Approved(Approved { number, mount: partition.mount }))
        }
        Arguments::Put { mutation, proof } => {
            let slot = store::Put::parse(mutation)?.slot;
            covered(world, subject, authorised.object(), slot, mutation, proof)
        }
        Arguments::Apply { mutation, proof, .. } => {
            let slot = store::Change::parse(mutation)?.slot;
            covered(world, subject, authorised.object(), slot, mutation, proof)
        }
        _ => Ok(Verified::NotNeeded),
    }
}

/// Whether a proof covers the change of a store's slot.
fn covered(
    world: &mut World,
    subject: Subject,
    object: ObjectId,
    slot: u32,
    mutation: &[u8],
    proof: &ChangeProof,
) -> Result<Verified, Error> {
    let mutation = world.hasher.hash(mutation);
    let change = Change { object, slot, mutation, now_ns: world.clock.now_ns() };
    let tier = rules(world, object)?.tier;
    let (spends, cause, old_leaf) = match proof {
        ChangeProof::None => return Err(Error::ProofRequired),
        ChangeProof::Minted(handle) => {
            if tier > Tier::Reflex {
                return Err(Error::TierTooLow);
            }
            let held = authorise_also(world, subject, *handle, Kind::Proof, Rights::WRITE)?;
            let minted = *world.objects.proof_mut(held.object())?;
            minted.covers(&change)?;
            (Spends::Minted(held.object()), Some(minted.approval), minted.old_leaf)
        }
        ChangeProof::Signed(signed) => {
            world.pay(PROOF_FUEL)?;
            let rules = rules(world, object)?;
            proof::names(signed, &rules.id, &change)?;
            let (approver, known) = rules.approver(&signed.key)?;
            let nonce = signed.statement.nonce;
            known.window.check(nonce)?;
            let message = signed.statement.message();
            if !(world.signature_holds)(&signed.key, &message, &signed.signature) {
                return Err(Error::BadSignature);
            }
            let cause = world.approvals.record_of(signed).or_else(|| mount_of(world, object));
            (Spends::Nonce { approver, nonce }, cause, signed.statement.old_leaf)
        }
    };
    // The old leaf is opened: with the siblings that are stored, it must give
    // the root.
    let depth = tree_of(world, object)?.depth();
    world.pay(data_fuel(64).saturating_mul(u64::from(depth)))?;
    let tree = tree_of(world, object)?;
    let opened = tree.root_with(slot, old_leaf).ok_or(Error::OutOfRange)?;
    if opened != tree.root() {
        return Err(Error::StaleState);
    }
    let guard = if tier == Tier::Deep { rules(world, object)?.guard } else { None };
    if tier == Tier::Deep && guard.is_none() {
        return Err(Error::GuardRefused);
    }
    Ok(Verified::Proved(Proved { spends, mutation, cause, guard }))
}

/// The rules of a store that a capability was authorised for.
pub(crate) fn rules(world: &World, object: ObjectId) -> Result<&Rules, Error> {
    match world.objects.get(object).map(|object| &object.body) {
        Some(Body::Vectors(vectors)) => Ok(&vectors.rules),
        Some(Body::Graph(graph)) => Ok(&graph.rules),
        _ => Err(Error::WrongKind),
    }
}

/// Its commitment.
pub(crate) fn tree_of(world: &World, object: ObjectId) -> Result<&store::SlotTree, Error> {
    match world.objects.get(object).map(|object| &object.body) {
        Some(Body::Vectors(vectors)) => Ok(vectors.store.tree()),
        Some(Body::Graph(graph)) => Ok(graph.store.tree()),
        _ => Err(Error::WrongKind),
    }
}

fn mount_of(world: &World, object: ObjectId) -> Option<Index> {
    world.objects.get(object)?.made_by
}

/// Spends what a change was proved by.
pub(crate) fn spend_proof(world: &mut World, object: ObjectId, spends: Spends) {
    match spends {
        Spends::Minted(proof) => {
            if let Ok(minted) = world.objects.proof_mut(proof) {
                minted.used = true;
            }
            world.objects.doom(proof);
        }
        Spends::Nonce { approver, nonce } => {
            let rules = match world.objects.get_mut(object).map(|object| &mut object.body) {
                Some(Body::Vectors(vectors)) => &mut vectors.rules,
                Some(Body::Graph(graph)) => &mut graph.rules,
                _ => return,
            };
            rules.spend(approver, nonce);
        }
    }
}

/// Spends one use, when the call has been allowed.
pub(crate) fn spend_use(world: &mut World, subject: Subject, authorised: &Authorised) {
    let task = world.task_mut(subject);
    if let Some(capability) = task.and_then(|task| task.space.get_mut(authorised.handle)) {
        capability.spend_uses(1);
    }
}
