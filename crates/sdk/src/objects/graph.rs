//! Graph stores.

use abi::{
    Approval, Error, GetNeighbours, GraphMutation, NeighboursOf, NodeHead, Operation,
    profile::NO_HANDLE,
};

use super::{
    GraphStore, Proof,
    store::{Neighbours, STRANGE, approve, opened},
    to_length,
};
use crate::{
    Mutation, Opening, SignedMutation,
    imports::{self, answer},
};

impl GraphStore {
    /// `vector_get`, neighbours: the edges out of a node to `least` and
    /// beyond, by growing end, as many as fit: 16 bytes of the window each.
    /// Needs READ.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn edges(self, node: u64, least: u64, window: &mut [u8]) -> Result<Neighbours<'_>, Error> {
        let question = GetNeighbours { key: node, other: least, of: NeighboursOf::Edges };
        Neighbours::parse(self.ask(question, window)?).ok_or(STRANGE)
    }

    /// `vector_get`, neighbours: the slot of a node, or the one it would go
    /// into. Needs READ. The window needs 96 bytes and 32 for each level of
    /// the tree.
    ///
    /// # Errors
    /// [`Error::StoreFull`], [`Error::TooSmall`].
    pub fn node(self, key: u64, window: &mut [u8]) -> Result<(NodeHead, Opening<'_>), Error> {
        self.slot(GetNeighbours { key, other: 0, of: NeighboursOf::Node }, window)
    }

    /// The same for the edge between two nodes.
    ///
    /// # Errors
    /// As [`Self::node`].
    pub fn edge(
        self,
        from: u64,
        to: u64,
        window: &mut [u8],
    ) -> Result<(NodeHead, Opening<'_>), Error> {
        self.slot(GetNeighbours { key: from, other: to, of: NeighboursOf::Edge }, window)
    }

    fn slot(
        self,
        question: GetNeighbours,
        window: &mut [u8],
    ) -> Result<(NodeHead, Opening<'_>), Error> {
        let (head, opening) = opened(self.ask(question, window)?).ok_or(STRANGE)?;
        Ok((NodeHead::from_bytes(head).ok_or(STRANGE)?, opening))
    }

    fn ask(self, question: GetNeighbours, window: &mut [u8]) -> Result<&[u8], Error> {
        let arguments = question.to_bytes();
        let written = imports::vector_get(self.0.0, Operation::Neighbours, &arguments, window);
        let length = to_length(answer(written)?)?;
        window.get(..length).ok_or(STRANGE)
    }

    /// `attest_emit`, approve: a Reflex proof of one mutation of one slot.
    /// Needs PROVE.
    ///
    /// # Errors
    /// [`Error::OutOfRange`], [`Error::ProofExpired`], [`Error::TableFull`].
    pub fn approve(self, slot: u32, mutation: &[u8; 32], terms: &Approval) -> Result<Proof, Error> {
        approve(self.0, slot, mutation, terms)
    }

    /// `graph_apply_proved`: one mutation, with a Reflex proof of exactly this
    /// one, which is used up. Needs WRITE on both.
    ///
    /// # Errors
    /// Any of the proof stage; [`Error::Busy`] for a node with edges,
    /// [`Error::AlreadyExists`], [`Error::NotFound`] and others from the store.
    pub fn apply<const N: usize>(self, mutation: &Mutation<N>, proof: Proof) -> Result<(), Error> {
        self.change(proof.0.0, mutation.bytes())
    }

    /// The same with a signed proof. Needs WRITE.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub fn apply_signed<const N: usize>(self, mutation: &SignedMutation<N>) -> Result<(), Error> {
        self.change(NO_HANDLE.0, mutation.bytes())
    }

    fn change(self, proof: u32, bytes: &[u8]) -> Result<(), Error> {
        let operation = operation_of(bytes).ok_or(Error::BadLength)?;
        answer(imports::graph_apply_proved(self.0.0, operation, proof, bytes)).map(drop)
    }
}

/// What the mutation says it is, which the call repeats.
fn operation_of(mutation: &[u8]) -> Option<Operation> {
    let change = GraphMutation::from_bytes(mutation.first_chunk()?)?;
    abi::Call::GraphApplyProved.operation(change.operation)
}
