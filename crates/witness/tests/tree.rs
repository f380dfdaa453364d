//! The tree against RFC 6962's own definition and other people's vectors.

use proptest::prelude::*;
use serde_json::Value;
use witness::{Hash, Hasher, base64, tree};

const HASHER: Hasher = Hasher::SOFTWARE;

/// RFC 6962, 2.1, word by word.
fn naive(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => HASHER.hash(b""),
        [leaf] => *leaf,
        _ => {
            let mut k = 1;
            while k * 2 < leaves.len() {
                k *= 2;
            }
            HASHER.node(&naive(&leaves[..k]), &naive(&leaves[k..]))
        }
    }
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|i| HASHER.leaf(&i.to_le_bytes())).collect()
}

#[test]
fn every_size_has_the_naive_root() {
    let all = leaves(300);
    let mut tree = tree::Tree::new(HASHER);
    for size in 0..=all.len() {
        assert_eq!(tree.root(), naive(&all[..size]), "{size} leaves");
        assert_eq!(tree.size(), size as u64);
        if let Some(leaf) = all.get(size) {
            tree.push(*leaf);
        }
    }
}

#[test]
fn every_proof_of_small_trees_holds_and_no_other() {
    let all = leaves(20);
    for size in 1..=all.len() {
        let tree = &all[..size];
        let root = naive(tree);
        for index in 0..size {
            let proof = tree::inclusion_proof(HASHER, tree, index as u64).unwrap();
            for other in 0..size + 1 {
                let leaf = all.get(index).unwrap();
                let holds =
                    tree::verify_inclusion(HASHER, other as u64, size as u64, leaf, &root, &proof);
                assert_eq!(holds, other == index);
            }
        }
        for old in 1..=size {
            let proof = tree::consistency_proof(HASHER, tree, old as u64).unwrap();
            for other in 0..=size {
                let holds = tree::verify_consistency(
                    HASHER,
                    (other as u64, &naive(&all[..old])),
                    (size as u64, &root),
                    &proof,
                );
                assert_eq!(holds, other == old, "{other} instead of {old} in {size}");
            }
        }
    }
    assert_eq!(tree::inclusion_proof(HASHER, &all, 20), None);
    assert_eq!(tree::consistency_proof(HASHER, &all, 0), None);
    assert_eq!(tree::consistency_proof(HASHER, &all, 21), None);
}

proptest! {
    #[test]
    fn proofs_of_large_trees_hold(size in 1..3000usize, a: prop::sample::Index, flip: u8) {
        let all = leaves(size);
        let (index, root) = (a.index(size), tree::root(HASHER, &all));
        prop_assert_eq!(root, naive(&all));
        let mut proof = tree::inclusion_proof(HASHER, &all, index as u64).unwrap();
        let holds = |proof: &[Hash]| {
            tree::verify_inclusion(HASHER, index as u64, size as u64, &all[index], &root, proof)
        };
        prop_assert!(holds(&proof));
        if let Some(hash) = proof.first_mut() {
            hash[0] ^= flip;
            prop_assert_eq!(holds(&proof), flip == 0);
        }
        let old = index + 1;
        let proof = tree::consistency_proof(HASHER, &all, old as u64).unwrap();
        let old_root = tree::root(HASHER, &all[..old]);
        let (old, new) = ((old as u64, &old_root), (size as u64, &root));
        prop_assert!(tree::verify_consistency(HASHER, old, new, &proof));
    }
}

fn vectors(text: &str) -> Vec<Value> {
    serde_json::from_str::<Vec<Value>>(text).unwrap()
}

fn number(vector: &Value, key: &str) -> u64 {
    vector[key].as_u64().unwrap()
}

/// A hash, or `None` where the vector has something of another length.
fn hash(value: &Value) -> Option<Hash> {
    base64::decode_array(value.as_str().unwrap_or_default())
}

fn proof(vector: &Value) -> Option<Vec<Hash>> {
    vector["proof"].as_array().map_or(Some(Vec::new()), |hashes| hashes.iter().map(hash).collect())
}

fn included(vector: &Value, index: u64, size: u64) -> Option<bool> {
    let (leaf, root) = (hash(&vector["leafHash"])?, hash(&vector["root"])?);
    Some(tree::verify_inclusion(HASHER, index, size, &leaf, &root, &proof(vector)?))
}

fn consistent(vector: &Value, old: u64, new: u64) -> Option<bool> {
    let (old_root, new_root) = (hash(&vector["root1"])?, hash(&vector["root2"])?);
    Some(tree::verify_consistency(HASHER, (old, &old_root), (new, &new_root), &proof(vector)?))
}

fn check(vector: &Value, holds: Option<bool>) {
    let wanted = !vector["wantErr"].as_bool().unwrap();
    // Some valid vectors have roots that are no hashes; those cannot reach
    // code that takes 32 bytes.
    let is_hash =
        ["root", "root1"].iter().all(|key| vector[key].is_null() || hash(&vector[key]).is_some());
    if is_hash || !wanted {
        assert_eq!(holds.unwrap_or(false), wanted, "{}: {}", vector["file"], vector["desc"]);
    }
}

#[test]
fn inclusion_vectors_pass() {
    let vectors = vectors(include_str!("vectors/inclusion.json"));
    assert_eq!(vectors.len(), 98);
    for vector in vectors {
        check(&vector, included(&vector, number(&vector, "leafIdx"), number(&vector, "treeSize")));
    }
}

#[test]
fn consistency_vectors_pass() {
    let vectors = vectors(include_str!("vectors/consistency.json"));
    assert_eq!(vectors.len(), 98);
    for vector in vectors {
        check(&vector, consistent(&vector, number(&vector, "size1"), number(&vector, "size2")));
    }
}

/// A subtree that begins at a multiple of its width rounded up to a power of
/// two is a tree by itself.
fn is_subtree(start: u64, end: u64) -> bool {
    let width = end.checked_sub(start).filter(|width| *width > 0);
    let width = width.and_then(u64::checked_next_power_of_two);
    width.is_some_and(|width| start.is_multiple_of(width))
}

#[test]
fn subtree_inclusion_vectors_pass() {
    for vector in vectors(include_str!("vectors/subtreeinclusion.json")) {
        let (start, end) = (number(&vector, "start"), number(&vector, "end"));
        let place = number(&vector, "leafIdx").checked_sub(start);
        let holds = place
            .filter(|_| is_subtree(start, end))
            .and_then(|place| included(&vector, place, end - start));
        check(&vector, holds);
    }
}

#[test]
fn subtree_consistency_vectors_from_the_start_pass() {
    let mut tried = 0;
    for vector in vectors(include_str!("vectors/subtreeconsistency.json")) {
        let (start, end) = (number(&vector, "start"), number(&vector, "end"));
        // Ours are consistency proofs of whole trees, and not of empty ones.
        if start == 0 && end > 0 {
            check(&vector, consistent(&vector, end, number(&vector, "size")));
            tried += 1;
        }
    }
    assert!(tried > 50, "{tried}");
}
