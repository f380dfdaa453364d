//! Proofs and the other blocks that a task's pointers point at, and the text
//! of inclusion proofs: what parses has one encoding.

use crate::world::{self, HASHER};
use abi::{
    Approval, EntryHead, ExitReport, GetByKey, GetNearest, GetNeighbours, GrantArguments,
    GraphMutation, MessageHeader, Neighbour, NodeHead, OpeningHead, PutHead, Reference,
    SignedProof, SpawnArguments, Statement,
};
use ed25519_dalek::Signer;
use witness::{note::VerifierKey, proof::InclusionProof};

macro_rules! blocks {
    ($input:ident: $($block:ident)*) => {
        $(if let Some(block) = $input.first_chunk()
            && let Some(value) = $block::from_bytes(block)
        {
            assert_eq!(value.to_bytes(), *block, "{value:?}");
        })*
    };
}

pub(crate) fn fuzz(input: &[u8]) {
    blocks!(input:
        SignedProof Statement Reference MessageHeader ExitReport GrantArguments SpawnArguments
        PutHead GraphMutation GetByKey GetNearest GetNeighbours EntryHead NodeHead Neighbour
        OpeningHead);
    if let Some(block) = input.first_chunk() {
        assert_eq!(Approval::from_bytes(block).to_bytes(), *block);
    }
    if let Some(proof) = input.first_chunk().and_then(SignedProof::from_bytes) {
        signature(proof, input.last().copied().unwrap_or(0));
    }
    if let Ok(text) = str::from_utf8(input) {
        inclusion(text);
    }
}

/// A signature holds for the statement that was signed, and for no other.
fn signature(proof: SignedProof, change: u8) {
    // No more than one in sixteen: signing takes longest.
    if proof.signature[0] & 15 != 0 {
        return;
    }
    let key = world::approver();
    let signature = key.sign(&proof.statement.message()).to_bytes();
    let public = key.verifying_key().to_bytes();
    assert!(witness::key::holds(&public, &proof.statement.message(), &signature));
    let mut other = proof.statement.to_bytes();
    let at = usize::from(change) % other.len();
    other[at] ^= 1;
    if let Some(other) = Statement::from_bytes(&other) {
        assert!(!witness::key::holds(&public, &other.message(), &signature));
    }
    let _ = witness::key::holds(&proof.key, &proof.statement.message(), &proof.signature);
}

fn inclusion(text: &str) {
    let Ok(proof) = InclusionProof::parse(text) else { return };
    assert_eq!(proof.text(), text);
    let (record, key) = (b"record", world::facts().device_key);
    let key = VerifierKey::new(&world::log_origin(), &key).unwrap();
    // As it is, and with a checkpoint that the device did sign.
    let _ = proof.check(HASHER, record, &key);
    let size = proof.index.wrapping_add(proof.hashes.len() as u64);
    let root = proof.hashes.first().copied().unwrap_or_default();
    let signed = InclusionProof { checkpoint: world::checkpoint(size, root), ..proof };
    if signed.check(HASHER, record, &key).is_ok() {
        // Only of a tree of one is the root known without a second preimage.
        assert!(signed.hashes.is_empty());
    }
}
