//! What both kinds of store answer with.

use abi::{Approval, Error, Handle, Neighbour, Operation};

use super::{Proof, to_handle};
use crate::{
    Opening,
    imports::{self, answer},
};

/// A list of neighbours, as the kernel wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbours<'a>(&'a [[u8; Neighbour::SIZE]]);

impl<'a> Neighbours<'a> {
    /// A list as it lies in a message; `None` if it is not whole.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (all, rest) = bytes.as_chunks();
        rest.is_empty().then_some(Self(all))
    }

    /// How many.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each, in the kernel's order.
    pub fn iter(&self) -> impl Iterator<Item = Neighbour> + use<'a> {
        self.0.iter().filter_map(Neighbour::from_bytes)
    }
}

/// A vector, as the kernel wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers<'a>(pub(super) &'a [[u8; 4]]);

impl<'a> Numbers<'a> {
    /// How many.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each number.
    pub fn iter(&self) -> impl Iterator<Item = f32> + use<'a> {
        self.0.iter().map(|bytes| f32::from_le_bytes(*bytes))
    }
}

/// `attest_emit`, approve.
pub(super) fn approve(
    store: Handle,
    slot: u32,
    mutation: &[u8; 32],
    terms: &Approval,
) -> Result<Proof, Error> {
    let body = terms.to_bytes();
    answer(imports::attest_emit(store.0, Operation::Approve, slot, mutation, &body))
        .and_then(to_handle)
        .map(Proof)
}

/// Head and opening of an answer about one slot.
pub(super) fn opened<const N: usize>(written: &[u8]) -> Option<(&[u8; N], Opening<'_>)> {
    let (head, rest) = written.split_first_chunk()?;
    Some((head, Opening::parse(rest)?))
}

/// An answer that is not what the call answers comes from a kernel that this
/// crate does not know.
pub(super) const STRANGE: Error = Error::Unsupported;
