//! Proofs: what stands between the right to change a store and the change.
//!
//! A proof names the store's slot, the leaf that is there before, the mutation
//! by its SHA-256, and an end. It is used once. A task that holds PROVE mints
//! one with attest_emit (Reflex), or a key outside the machine signs one
//! (Standard); who mutates need not be who approves.

use crate::object::ObjectId;
use crate::snapshot::saved;
use abi::{Error, SignedProof};
use witness::{Hash, Index};

/// An approval that a task gave: a Reflex proof. Its capability is all that
/// is needed to use it, and it goes when it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Minted {
    /// The store.
    pub object: ObjectId,
    /// Its slot.
    pub slot: u32,
    /// What the slot holds before.
    pub old_leaf: Hash,
    /// SHA-256 of the mutation's canonical bytes.
    pub mutation: Hash,
    /// Logical time in ns from which it is void.
    pub expiry: u64,
    /// The record of the approval.
    pub approval: Index,
    /// How much hangs on the slot, 0 to 255.
    pub risk: u8,
    /// Whether it was used.
    pub used: bool,
}

/// What a change is, for a proof to be held against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) object: ObjectId,
    pub(crate) slot: u32,
    pub(crate) mutation: Hash,
    pub(crate) now_ns: u64,
}

impl Minted {
    /// Whether it approves this change.
    ///
    /// # Errors
    /// [`Error::WrongObject`], [`Error::WrongSlot`], [`Error::WrongMutation`],
    /// [`Error::ProofExpired`], [`Error::Replayed`].
    pub(crate) fn covers(&self, change: &Change) -> Result<(), Error> {
        if self.used {
            return Err(Error::Replayed);
        }
        if self.object != change.object {
            return Err(Error::WrongObject);
        }
        if self.slot != change.slot {
            return Err(Error::WrongSlot);
        }
        if self.mutation != change.mutation {
            return Err(Error::WrongMutation);
        }
        if self.expiry <= change.now_ns { Err(Error::ProofExpired) } else { Ok(()) }
    }
}

/// The nonces of one approver: the highest that was spent, and which of the
/// 63 before it were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    highest: u64,
    /// Bit i: `highest - i` was spent. Empty before the first.
    spent: u64,
}

impl Window {
    /// Numbers that are told apart.
    const WIDTH: u64 = 64;

    /// Whether the nonce can be spent.
    ///
    /// # Errors
    /// [`Error::Replayed`].
    pub(crate) fn check(&self, nonce: u64) -> Result<(), Error> {
        if self.spent == 0 || nonce > self.highest {
            return Ok(());
        }
        let age = self.highest.saturating_sub(nonce);
        let is_free = age < Self::WIDTH && self.spent >> (age & 63) & 1 == 0;
        if is_free { Ok(()) } else { Err(Error::Replayed) }
    }

    /// Spends it.
    pub(crate) fn spend(&mut self, nonce: u64) {
        if self.spent == 0 {
            *self = Self { highest: nonce, spent: 1 };
        } else if nonce > self.highest {
            let step = nonce.saturating_sub(self.highest);
            let kept = if step < Self::WIDTH { self.spent << (step & 63) } else { 0 };
            *self = Self { highest: nonce, spent: kept | 1 };
        } else {
            let age = self.highest.saturating_sub(nonce);
            if age < Self::WIDTH {
                self.spent |= 1 << (age & 63);
            }
        }
    }
}

/// How a change was proved, and so what it spends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spends {
    /// A minted proof.
    Minted(ObjectId),
    /// A nonce of this approver of the store.
    Nonce {
        /// The approver's place in the store's list.
        approver: usize,
        /// The number.
        nonce: u64,
    },
}

/// Whether a signed proof is about this change, before its signature is
/// looked at.
///
/// # Errors
/// [`Error::WrongObject`], [`Error::WrongSlot`], [`Error::WrongMutation`],
/// [`Error::ProofExpired`].
pub(crate) fn names(proof: &SignedProof, store: &Hash, change: &Change) -> Result<(), Error> {
    let statement = &proof.statement;
    if statement.store != *store {
        return Err(Error::WrongObject);
    }
    if statement.slot != change.slot {
        return Err(Error::WrongSlot);
    }
    if statement.mutation != change.mutation {
        return Err(Error::WrongMutation);
    }
    if statement.expiry <= change.now_ns { Err(Error::ProofExpired) } else { Ok(()) }
}

saved!(struct Minted { object, slot, old_leaf, mutation, expiry, approval, risk, used });
saved!(struct Window { highest, spent });

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// Against the set of all nonces ever spent.
        #[test]
        fn a_nonce_is_spent_once(start in prop_oneof![Just(0u64), any::<u64>()], steps in proptest::collection::vec(0u64..200, 0..200)) {
            let mut window = Window::default();
            let mut spent = BTreeSet::new();
            for step in steps {
                let nonce = start.saturating_add(step);
                let highest = spent.last().copied();
                let is_old = highest.is_some_and(|highest| nonce <= highest && highest - nonce >= 64);
                let expected = !spent.contains(&nonce) && !is_old;
                prop_assert_eq!(window.check(nonce).is_ok(), expected);
                if expected {
                    window.spend(nonce);
                    spent.insert(nonce);
                }
            }
        }
    }

    #[test]
    fn each_binding_has_its_own_answer() {
        let minted = Minted {
            object: ObjectId(9),
            slot: 4,
            old_leaf: [1; 32],
            mutation: [2; 32],
            expiry: 100,
            approval: Index(7),
            risk: 0,
            used: false,
        };
        let change = Change { object: ObjectId(9), slot: 4, mutation: [2; 32], now_ns: 99 };
        assert_eq!(minted.covers(&change), Ok(()));
        for (change, error) in [
            (Change { object: ObjectId(8), ..change }, Error::WrongObject),
            (Change { slot: 5, ..change }, Error::WrongSlot),
            (Change { mutation: [3; 32], ..change }, Error::WrongMutation),
            (Change { now_ns: 100, ..change }, Error::ProofExpired),
        ] {
            assert_eq!(minted.covers(&change), Err(error));
        }
    }
}
