//! Mutations: the canonical bytes of a change, which a proof names by their
//! SHA-256.

use abi::{Error, GraphMutation, PutHead, SignedProof};

use crate::hash::sha256;

/// A change of a store, in at most `N` bytes: [`Mutation::put_size`] of the
/// vector's dimension, or [`Mutation::GRAPH_SIZE`]; with a signed proof behind
/// it, [`SignedProof::SIZE`] more.
#[derive(Clone, Debug)]
pub struct Mutation<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

/// A mutation with a signed proof of it.
#[derive(Clone, Debug)]
pub struct SignedMutation<const N: usize>(Mutation<N>);

impl<const N: usize> Mutation<N> {
    /// Bytes of a change of a graph.
    pub const GRAPH_SIZE: usize = GraphMutation::SIZE;

    /// Bytes of a put of a vector of so many numbers.
    pub const fn put_size(dimension: usize) -> usize {
        PutHead::SIZE + 4 * dimension
    }

    /// A put of a vector into a slot.
    ///
    /// # Errors
    /// [`Error::BadLength`] if it does not fit.
    pub fn put(key: u64, slot: u32, vector: &[f32]) -> Result<Self, Error> {
        let dimension = u32::try_from(vector.len()).map_err(|_| Error::BadLength)?;
        let mut put = Self { bytes: [0; N], length: 0 };
        put.push(&PutHead { key, slot, dimension }.to_bytes())?;
        for number in vector {
            put.push(&number.to_le_bytes())?;
        }
        Ok(put)
    }

    /// A change of a graph.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub fn graph(change: &GraphMutation) -> Result<Self, Error> {
        Self::copied(&change.to_bytes())
    }

    /// One whose bytes came from elsewhere. Nobody has looked at them.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub fn copied(bytes: &[u8]) -> Result<Self, Error> {
        let mut copy = Self { bytes: [0; N], length: 0 };
        copy.push(bytes)?;
        Ok(copy)
    }

    /// The canonical bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// What a proof calls it.
    pub fn digest(&self) -> [u8; 32] {
        sha256(self.bytes())
    }

    /// The same with a signed proof behind it.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub fn signed(mut self, proof: &SignedProof) -> Result<SignedMutation<N>, Error> {
        self.push(&proof.to_bytes())?;
        Ok(SignedMutation(self))
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let end = self.length.checked_add(bytes.len()).ok_or(Error::BadLength)?;
        let room = self.bytes.get_mut(self.length..end).ok_or(Error::BadLength)?;
        room.copy_from_slice(bytes);
        self.length = end;
        Ok(())
    }
}

impl<const N: usize> SignedMutation<N> {
    /// Mutation and proof, as the calls take them.
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::{Call, Operation, Statement};

    #[test]
    fn a_put_is_its_head_and_its_vector() {
        let put = Mutation::<24>::put(42, 413, &[1.0, -0.5]).unwrap();
        // From docs/PACKAGE.md.
        let expected =
            [0x2a, 0, 0, 0, 0, 0, 0, 0, 0x9d, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xbf];
        assert_eq!(put.bytes(), expected);
        assert_eq!(put.digest()[..4], [0x77, 0x97, 0xda, 0xdd]);
        assert_eq!(Mutation::<24>::put_size(2), 24);
        assert!(Mutation::<23>::put(42, 413, &[1.0, -0.5]).is_err());
    }

    #[test]
    fn a_signed_proof_goes_behind_the_mutation() {
        let statement = Statement {
            store: [1; 32],
            slot: 2,
            old_leaf: [3; 32],
            mutation: [4; 32],
            nonce: 5,
            expiry: 6,
        };
        let proof = SignedProof { statement, key: [7; 32], signature: [8; 64] };
        let operation = Operation::AddEdge.code();
        let change = GraphMutation { operation, slot: 9, from: 1, to: 2, weight: 0.5 };
        assert!(Call::GraphApplyProved.operation(operation).is_some());
        let signed = Mutation::<248>::graph(&change).unwrap().signed(&proof).unwrap();
        assert_eq!(signed.bytes()[..32], change.to_bytes());
        assert_eq!(signed.bytes()[32..], proof.to_bytes());
        assert!(Mutation::<247>::graph(&change).unwrap().signed(&proof).is_err());
    }
}
