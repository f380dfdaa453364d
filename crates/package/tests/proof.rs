//! Proofs that approvers sign: the worked example in docs/PACKAGE.md.

use crate::common::*;
use abi::{PutHead, SignedProof, Statement};
use ed25519_dalek::{Signer, SigningKey};
use package::Manifest;
use witness::hex;

const PAGE: &str = include_str!("../../../docs/PACKAGE.md");

fn id(manifest: &Manifest, path: &str, store: &str) -> [u8; 32] {
    manifest.store_id(operator().verifying_key().as_bytes(), path, store, HASHER)
}

#[test]
fn a_store_is_named_by_all_that_tells_it_from_others() {
    let manifest = manifest();
    let key = operator().verifying_key().to_bytes();
    let bytes = [
        b"heliograph-store@v1\n\x06sample\x03\0\0\0\0\0\0\0".as_slice(),
        &key,
        b"\x01/\x08memories",
    ];
    let sample = id(&manifest, "/", "memories");
    assert_eq!(sample, HASHER.hash(&bytes.concat()));

    let newer = Manifest { version: 4, ..manifest.clone() };
    let renamed = Manifest { name: "sample2".into(), ..manifest.clone() };
    let others = [
        id(&newer, "/", "memories"),
        id(&renamed, "/", "memories"),
        id(&manifest, "inner", "memories"),
        id(&manifest, "/", "facts"),
        // What moves from one text to the next is seen.
        id(&manifest, "/m", "emories"),
        manifest.store_id(stranger().verifying_key().as_bytes(), "/", "memories", HASHER),
    ];
    for (at, other) in others.iter().enumerate() {
        assert!(*other != sample && !others[..at].contains(other), "{at}");
    }
}

#[test]
fn texts_of_any_length_have_an_id() {
    let long = "x".repeat(300);
    let manifest = Manifest { name: long.clone(), ..manifest() };
    assert_ne!(id(&manifest, &long, &long), id(&manifest, &long, ""));
}

#[test]
fn the_document_shows_a_proof() {
    let approver = SigningKey::from_bytes(&[9; 32]);
    let head = PutHead { key: 42, slot: abi::first_slot(42, 1_000), dimension: 2 };
    let vector = [1.0f32, -0.5].map(f32::to_le_bytes);
    let mutation = [&head.to_bytes()[..], vector.as_flattened()].concat();
    let statement = Statement {
        store: id(&manifest(), "/", "memories"),
        slot: head.slot,
        old_leaf: HASHER.leaf(&[]),
        mutation: HASHER.hash(&mutation),
        nonce: 1,
        expiry: u64::MAX,
    };
    let signature = approver.sign(&statement.message()).to_bytes();
    let proof =
        SignedProof { statement, key: approver.verifying_key().to_bytes(), signature }.to_bytes();
    let shown = [
        format!("slot is {}", head.slot),
        hex::encode(&statement.store),
        hex::encode(&mutation),
        hex::encode(&statement.old_leaf),
        hex::encode(&statement.to_bytes()),
        hex::encode(&proof[120..152]),
        hex::encode(&proof[152..]),
    ];
    for text in shown {
        assert!(PAGE.contains(&text), "docs/PACKAGE.md lacks {text}");
    }
}
