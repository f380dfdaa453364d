//! Proofs: minted ones, and what is known of who signs.

use abi::{Error, SignedProof};
use package::manifest::Tier;
use std::collections::BTreeSet;
use witness::Hash;

#[derive(Clone, Debug)]
pub struct Rules {
    /// What signed proofs call the store.
    pub id: Hash,
    pub tier: Tier,
    pub approvers: Vec<Approver>,
    /// SHA-256 of the component that has the last word, for a deep store.
    pub guard: Option<Hash>,
}

#[derive(Clone, Debug)]
pub struct Approver {
    pub key: [u8; 32],
    pub revoked: bool,
    pub spent: BTreeSet<u64>,
}

/// A proof that a task made.
#[derive(Clone, Debug)]
pub struct Minted {
    pub store: u32,
    pub slot: u32,
    pub old_leaf: Hash,
    pub mutation: Hash,
    pub expiry: u64,
    /// The record of the approval.
    pub approval: u64,
    pub used: bool,
}

impl Minted {
    pub fn covers(&self, store: u32, slot: u32, mutation: &Hash, now: u64) -> Result<(), Error> {
        let is = (self.store == store, self.slot == slot, self.mutation == *mutation);
        agrees(is, self.expiry, now)
    }
}

impl Approver {
    /// Nonces that were not spent before, and not 64 or more below the
    /// highest that was.
    pub fn may_spend(&self, nonce: u64) -> bool {
        let is_old = self.spent.last().is_some_and(|highest| highest.saturating_sub(nonce) >= 64);
        !is_old && !self.spent.contains(&nonce)
    }
}

impl Rules {
    /// Everything about a signed proof but the slot's old leaf. Gives the
    /// approver's place.
    pub fn takes(
        &self,
        signed: &SignedProof,
        slot: u32,
        mutation: &Hash,
        now: u64,
    ) -> Result<usize, Error> {
        let it = &signed.statement;
        let is = (it.store == self.id, it.slot == slot, it.mutation == *mutation);
        agrees(is, it.expiry, now)?;
        let place = self.approvers.iter().position(|approver| approver.key == signed.key);
        let place = place.ok_or(Error::UntrustedKey)?;
        if self.approvers[place].revoked {
            return Err(Error::RevokedKey);
        }
        if !self.approvers[place].may_spend(it.nonce) {
            return Err(Error::Replayed);
        }
        let holds = crate::bench::holds(&signed.key, &it.message(), &signed.signature);
        if holds { Ok(place) } else { Err(Error::BadSignature) }
    }
}

/// Object, slot, mutation, time: the first that is wrong is told.
fn agrees(is: (bool, bool, bool), expiry: u64, now: u64) -> Result<(), Error> {
    match is {
        (false, ..) => Err(Error::WrongObject),
        (_, false, _) => Err(Error::WrongSlot),
        (.., false) => Err(Error::WrongMutation),
        _ if expiry <= now => Err(Error::ProofExpired),
        _ => Ok(()),
    }
}
