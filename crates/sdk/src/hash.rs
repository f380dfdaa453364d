//! SHA-256, and the leaves and nodes of a store's commitment.

use sha2::{Digest, Sha256};

/// SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The leaf of a slot with this content; of an empty one, no bytes.
pub fn leaf(content: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update([0]).chain_update(content).finalize().into()
}

/// The node above two others.
pub(crate) fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}
