//! The RFC 6962 Merkle tree, with proofs of inclusion and consistency.
//!
//! [`Tree`] grows a leaf at a time in logarithmic space. Proofs are made from
//! the leaf hashes and checked without them.

use crate::{Hash, Hasher, sha256};
use alloc::vec::Vec;

/// A tree of which only the roots of the complete subtrees on its right edge
/// are kept, largest first: one for each bit set in the size.
#[derive(Clone)]
pub struct Tree {
    hasher: Hasher,
    size: u64,
    edge: Vec<Hash>,
}

impl Tree {
    /// A tree without leaves.
    pub fn new(hasher: Hasher) -> Self {
        Self { hasher, size: 0, edge: Vec::with_capacity(64) }
    }

    /// Adds a leaf by its hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each trailing one of the size is a complete subtree as large as
        // what the new leaf completes: they become one.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.edge.pop() {
                node = self.hasher.node(&left, &node);
            }
        }
        self.edge.push(node);
        self.size += 1;
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root: of no leaves, the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut edge = self.edge.iter().rev();
        let Some(last) = edge.next() else { return sha256::EMPTY };
        edge.fold(*last, |right, left| self.hasher.node(left, &right))
    }
}

/// Root of the tree with these leaf hashes.
pub fn root(hasher: Hasher, leaves: &[Hash]) -> Hash {
    let mut tree = Tree::new(hasher);
    leaves.iter().for_each(|leaf| tree.push(*leaf));
    tree.root()
}

/// Largest power of two below `size`, where RFC 6962 splits a tree of `size`
/// (at least 2) leaves.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// Proof that leaf `index` is in the tree with these leaves: the siblings
/// from the leaf upward. `None` if there is no such leaf.
pub fn inclusion_proof(hasher: Hasher, leaves: &[Hash], index: u64) -> Option<Vec<Hash>> {
    let mut index = usize::try_from(index).ok().filter(|index| *index < leaves.len())?;
    let mut rest = leaves;
    let mut proof = Vec::new();
    while rest.len() > 1 {
        let (left, right) = rest.split_at(split(rest.len() as u64) as usize);
        let (inside, sibling) = if index < left.len() {
            (left, right)
        } else {
            index -= left.len();
            (right, left)
        };
        proof.push(root(hasher, sibling));
        rest = inside;
    }
    proof.reverse();
    Some(proof)
}

/// Proof that the tree with these leaves begins with the tree of its first
/// `old` leaves. `None` unless `old` is between 1 and the number of leaves.
pub fn consistency_proof(hasher: Hasher, leaves: &[Hash], old: u64) -> Option<Vec<Hash>> {
    let mut old = usize::try_from(old).ok().filter(|old| (1..=leaves.len()).contains(old))?;
    let mut rest = leaves;
    let mut proof = Vec::new();
    // Whether `rest` is on the left edge, where the verifier knows its root.
    let mut is_known = true;
    while old < rest.len() {
        let (left, right) = rest.split_at(split(rest.len() as u64) as usize);
        if old <= left.len() {
            proof.push(root(hasher, right));
            rest = left;
        } else {
            proof.push(root(hasher, left));
            is_known = false;
            old -= left.len();
            rest = right;
        }
    }
    if !is_known {
        proof.push(root(hasher, rest));
    }
    proof.reverse();
    Some(proof)
}

/// Root that follows from a leaf's hash and its proof of inclusion at `index`
/// in a tree of `size` leaves; `None` if the proof has the wrong length.
pub fn root_from_inclusion(
    hasher: Hasher,
    index: u64,
    size: u64,
    leaf: &Hash,
    proof: &[Hash],
) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            hash = hasher.node(sibling, &hash);
            // A right edge without siblings rises to where it has one.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = hasher.node(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

/// Whether the proof shows the leaf at `index` in the tree of `size` leaves.
pub fn verify_inclusion(
    hasher: Hasher,
    index: u64,
    size: u64,
    leaf: &Hash,
    root: &Hash,
    proof: &[Hash],
) -> bool {
    root_from_inclusion(hasher, index, size, leaf, proof).as_ref() == Some(root)
}

/// Whether the proof shows that the tree of `new` leaves begins with the tree
/// of `old` leaves. That it begins with an empty tree would show nothing, and
/// is refused.
pub fn verify_consistency(
    hasher: Hasher,
    (old, old_root): (u64, &Hash),
    (new, new_root): (u64, &Hash),
    proof: &[Hash],
) -> bool {
    if old == 0 || old > new {
        return false;
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    // Start at the largest complete subtree on the old tree's right edge. If
    // that is the whole old tree, its root is known and not in the proof.
    let (mut node, mut last) = (old - 1, new - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let mut proof = proof.iter();
    let first = if old.is_power_of_two() { Some(old_root) } else { proof.next() };
    let Some(first) = first else { return false };
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            old_hash = hasher.node(sibling, &old_hash);
            new_hash = hasher.node(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = hasher.node(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == *old_root && new_hash == *new_root
}
