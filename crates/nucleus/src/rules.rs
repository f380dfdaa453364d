//! Stores as the gate sees them: content, and the rules by which it changes.

use crate::snapshot::saved;
use crate::{
    object::ObjectId,
    proof::Window,
    store::{GraphStore, VectorStore},
};
use abi::{Error, profile::APPROVERS_MAX};
use alloc::boxed::Box;
use package::manifest::Tier;
use witness::Hash;

/// Who may approve changes of a store, and how.
#[derive(Debug)]
pub struct Rules {
    /// What signed proofs call the store.
    pub id: Hash,
    /// The least tier of proof it takes.
    pub tier: Tier,
    /// Keys outside the machine whose proofs it takes.
    pub approvers: Box<[Approver]>,
    /// The component that has the last word, for the tier Deep.
    pub guard: Option<ObjectId>,
}

/// A key that may approve.
#[derive(Clone, Copy, Debug)]
pub struct Approver {
    /// Its Ed25519 public key.
    pub key: [u8; 32],
    /// Whether the trust file has revoked it.
    pub revoked: bool,
    /// What it has spent.
    pub window: Window,
}

impl Rules {
    /// The approver with this key.
    ///
    /// # Errors
    /// [`Error::UntrustedKey`], [`Error::RevokedKey`].
    pub(crate) fn approver(&self, key: &[u8; 32]) -> Result<(usize, &Approver), Error> {
        let mut approvers = self.approvers.iter().enumerate().take(APPROVERS_MAX);
        let found = approvers.find(|(_, approver)| approver.key == *key);
        let (place, approver) = found.ok_or(Error::UntrustedKey)?;
        if approver.revoked { Err(Error::RevokedKey) } else { Ok((place, approver)) }
    }

    /// Spends a nonce.
    pub(crate) fn spend(&mut self, approver: usize, nonce: u64) {
        if let Some(approver) = self.approvers.get_mut(approver) {
            approver.window.spend(nonce);
        }
    }
}

/// A store of vectors.
#[derive(Debug)]
pub struct Vectors {
    /// How it may change.
    pub rules: Rules,
    /// What it holds.
    pub store: VectorStore,
}

/// A store of nodes and edges.
#[derive(Debug)]
pub struct Graph {
    /// How it may change.
    pub rules: Rules,
    /// What it holds.
    pub store: GraphStore,
}

saved!(struct Rules { id, tier, approvers, guard });
saved!(struct Approver { key, revoked, window });
saved!(struct Vectors { rules, store });
saved!(struct Graph { rules, store });
