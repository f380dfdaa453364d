//! Proofs: what approves one change of one slot of one store.

use super::fields::{Block, Fields};

/// What an approver signs begins with this; the statement follows.
pub const PROOF_CONTEXT: [u8; 20] = *b"heliograph-proof@v1\n";

/// What a signed proof says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Id of the store.
    pub store: [u8; 32],
    /// The slot that changes.
    pub slot: u32,
    /// Leaf of the slot before the change.
    pub old_leaf: [u8; 32],
    /// SHA-256 of the mutation's canonical bytes.
    pub mutation: [u8; 32],
    /// A number that this approver gives this store once.
    pub nonce: u64,
    /// Logical time in ns from which the proof is void; `u64::MAX` for never.
    pub expiry: u64,
}

impl Statement {
    /// Length in bytes.
    pub const SIZE: usize = 120;

    /// Layout: store 32 bytes, slot u32, 4 zero bytes, old leaf 32 bytes,
    /// mutation 32 bytes, nonce u64, expiry u64.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        Block::new()
            .bytes(self.store)
            .u32(self.slot)
            .zeros(4)
            .bytes(self.old_leaf)
            .bytes(self.mutation)
            .u64(self.nonce)
            .u64(self.expiry)
            .done()
    }

    /// The inverse; `None` where a padding byte is not zero.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        let (store, slot) = (fields.bytes()?, fields.u32()?);
        fields.zeros::<4>()?;
        Some(Self {
            store,
            slot,
            old_leaf: fields.bytes()?,
            mutation: fields.bytes()?,
            nonce: fields.u64()?,
            expiry: fields.u64()?,
        })
    }

    /// What the approver signs: [`PROOF_CONTEXT`], then the statement.
    pub fn message(&self) -> [u8; PROOF_CONTEXT.len() + Self::SIZE] {
        Block::new().bytes(PROOF_CONTEXT).bytes(self.to_bytes()).done()
    }
}

/// A statement with a signature: a Standard proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedProof {
    /// What it says.
    pub statement: Statement,
    /// The approver's Ed25519 public key.
    pub key: [u8; 32],
    /// Its signature over [`Statement::message`]. Nobody has checked it yet.
    pub signature: [u8; 64],
}

impl SignedProof {
    /// Length in bytes.
    pub const SIZE: usize = 216;

    /// Layout: statement 120 bytes, key 32 bytes, signature 64 bytes.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        Block::new().bytes(self.statement.to_bytes()).bytes(self.key).bytes(self.signature).done()
    }

    /// The inverse; `None` where a padding byte is not zero.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        Some(Self {
            statement: Statement::from_bytes(&fields.bytes()?)?,
            key: fields.bytes()?,
            signature: fields.bytes()?,
        })
    }
}

/// Body of `attest_emit`, approve: what a Reflex proof says beside the slot
/// and the mutation, which are arguments of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Leaf of the slot before the change.
    pub old_leaf: [u8; 32],
    /// Logical time in ns from which the proof is void; `u64::MAX` for never.
    pub expiry: u64,
}

impl Approval {
    /// Length in bytes.
    pub const SIZE: usize = 40;

    /// Layout: old leaf 32 bytes, expiry u64.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        Block::new().bytes(self.old_leaf).u64(self.expiry).done()
    }

    /// The inverse.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Self {
        let [leaf @ .., a, b, c, d, e, f, g, h] = *bytes;
        Self { old_leaf: leaf, expiry: u64::from_le_bytes([a, b, c, d, e, f, g, h]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::fields::refuses_padding;

    const STATEMENT: Statement = Statement {
        store: [1; 32],
        slot: 2,
        old_leaf: [3; 32],
        mutation: [4; 32],
        nonce: 5,
        expiry: u64::MAX - 6,
    };

    #[test]
    fn proofs_survive_the_round_trip_and_refuse_padding() {
        let bytes = STATEMENT.to_bytes();
        assert_eq!(Statement::from_bytes(&bytes), Some(STATEMENT));
        refuses_padding(&bytes, |at| matches!(at, 36..40), Statement::from_bytes);

        let proof = SignedProof { statement: STATEMENT, key: [7; 32], signature: [8; 64] };
        assert_eq!(SignedProof::from_bytes(&proof.to_bytes()), Some(proof));
        assert_eq!(proof.to_bytes()[..Statement::SIZE], bytes);
        refuses_padding(&proof.to_bytes(), |at| matches!(at, 36..40), SignedProof::from_bytes);

        let approval = Approval { old_leaf: [9; 32], expiry: 0x0102_0304_0506_0708 };
        assert_eq!(Approval::from_bytes(&approval.to_bytes()), approval);
        assert_eq!(approval.to_bytes()[32..], [8, 7, 6, 5, 4, 3, 2, 1]);
    }

    #[test]
    fn what_is_signed_is_the_context_and_the_statement() {
        let message = STATEMENT.message();
        assert_eq!(message[..20], *b"heliograph-proof@v1\n");
        assert_eq!(message[20..], STATEMENT.to_bytes());
    }
}
