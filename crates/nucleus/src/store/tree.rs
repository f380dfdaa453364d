//! The commitment to a store: a Merkle tree of fixed depth over its slots.
//!
//! An occupied slot is the leaf hash (RFC 6962, 2.1) of its content, an empty
//! one that of nothing. Because the shape is fixed, putting something into an
//! empty slot opens like replacing it, and two slots don't disturb each
//! other's openings but for the siblings.

use crate::snapshot::{Reader, Saved, Writer};
use alloc::boxed::Box;
use witness::{Hash, Hasher};

/// The tree: its nodes by number, the root being 1 and the children of n being
/// 2n and 2n + 1.
pub struct SlotTree {
    hasher: Hasher,
    nodes: Box<[Hash]>,
    slots: u32,
    depth: u32,
}

impl core::fmt::Debug for SlotTree {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SlotTree").field("slots", &self.slots).finish_non_exhaustive()
    }
}

impl SlotTree {
    /// A tree over so many empty slots. All its memory is taken here.
    pub(crate) fn new(hasher: Hasher, slots: u32) -> Self {
        let depth = depth_of(slots);
        let mut nodes = alloc::vec![Hash::default(); 2 << depth].into_boxed_slice();
        let mut empty = hasher.leaf(&[]);
        for level in (0..=depth).rev() {
            let row = nodes.get_mut(1 << level..2 << level).unwrap_or_default();
            row.fill(empty);
            empty = hasher.node(&empty, &empty);
        }
        Self { hasher, nodes, slots, depth }
    }

    /// Bytes that the tree over so many slots takes.
    pub(crate) fn bytes_needed(slots: u32) -> u64 {
        (2u64 << depth_of(slots)).saturating_mul(size_of::<Hash>() as u64)
    }

    /// Levels between the root and the leaves, at least 1.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// What the store is committed to by.
    pub fn root(&self) -> Hash {
        self.nodes.get(1).copied().unwrap_or_default()
    }

    fn number(&self, slot: u32) -> Option<usize> {
        let first = 1usize << self.depth.min(31);
        let slot = usize::try_from(slot).ok().filter(|_| slot < self.slots)?;
        Some(first.saturating_add(slot))
    }

    /// The leaf of a slot.
    pub fn leaf(&self, slot: u32) -> Option<Hash> {
        self.nodes.get(self.number(slot)?).copied()
    }

    /// The sibling of the slot's ancestor `level` levels up, from 0 for the
    /// leaf's own.
    pub fn sibling(&self, slot: u32, level: u32) -> Option<Hash> {
        let ancestor = self.number(slot)?.checked_shr(level).filter(|node| *node > 1)?;
        self.nodes.get(ancestor ^ 1).copied()
    }

    /// What the root would be if the slot had this leaf: how a leaf is opened
    /// under the root.
    pub fn root_with(&self, slot: u32, leaf: Hash) -> Option<Hash> {
        let mut node = self.number(slot)?;
        let mut hash = leaf;
        for _ in 0..self.depth {
            hash = self.join(node, hash)?;
            node >>= 1;
        }
        Some(hash)
    }

    /// The parent's hash, where `hash` is in the place of a node.
    fn join(&self, node: usize, hash: Hash) -> Option<Hash> {
        let sibling = self.nodes.get(node ^ 1)?;
        let is_left = node & 1 == 0;
        let (left, right) = if is_left { (&hash, sibling) } else { (sibling, &hash) };
        Some(self.hasher.node(left, right))
    }

    /// Puts content into a slot; none empties it.
    pub(crate) fn set(&mut self, slot: u32, content: Option<&[u8]>) {
        let mut hash = self.hasher.leaf(content.unwrap_or_default());
        let Some(mut node) = self.number(slot) else { return };
        for _ in 0..=self.depth {
            if let Some(place) = self.nodes.get_mut(node) {
                *place = hash;
            }
            if node > 1
                && let Some(parent) = self.join(node, hash)
            {
                hash = parent;
            }
            node >>= 1;
        }
    }
}

fn depth_of(slots: u32) -> u32 {
    slots.max(2).next_power_of_two().trailing_zeros()
}

impl Saved for SlotTree {
    fn save(&self, to: &mut Writer<'_>) {
        let Self { hasher: _, nodes, slots, depth } = self;
        nodes.save(to);
        slots.save(to);
        depth.save(to);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        let hasher = from.hasher()?;
        let (nodes, slots, depth) = (Saved::load(from)?, Saved::load(from)?, Saved::load(from)?);
        Some(Self { hasher, nodes, slots, depth })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// The root, from all leaves, without a thought for speed.
    fn naive(leaves: &[Hash]) -> Hash {
        if let [leaf] = leaves {
            return *leaf;
        }
        let (left, right) = leaves.split_at(leaves.len() / 2);
        Hasher::SOFTWARE.node(&naive(left), &naive(right))
    }

    proptest! {
        #[test]
        fn the_root_is_that_of_all_leaves(slots in 1u32..40, sets in proptest::collection::vec((any::<u32>(), any::<Option<u64>>()), 0..60)) {
            let hasher = Hasher::SOFTWARE;
            let mut tree = SlotTree::new(hasher, slots);
            let mut leaves: Vec<Hash> = std::vec![hasher.leaf(&[]); 1 << tree.depth()];
            for (slot, content) in sets {
                let slot = slot % slots;
                let bytes = content.map(u64::to_le_bytes);
                let bytes = bytes.as_ref().map(<[u8; 8]>::as_slice);
                let leaf = hasher.leaf(bytes.unwrap_or_default());
                prop_assert_eq!(tree.root_with(slot, tree.leaf(slot).unwrap()), Some(tree.root()));
                let foreseen = tree.root_with(slot, leaf).unwrap();
                tree.set(slot, bytes);
                leaves[slot as usize] = leaf;
                prop_assert_eq!(tree.root(), foreseen);
                prop_assert_eq!(tree.root(), naive(&leaves));
                // The siblings lead from the leaf to the root.
                let mut hash = leaf;
                for level in 0..tree.depth() {
                    let sibling = tree.sibling(slot, level).unwrap();
                    let is_left = slot >> level & 1 == 0;
                    hash = if is_left { hasher.node(&hash, &sibling) } else { hasher.node(&sibling, &hash) };
                }
                prop_assert_eq!(hash, tree.root());
            }
            prop_assert_eq!(tree.leaf(slots), None);
            prop_assert_eq!(tree.root_with(slots, [0; 32]), None);
        }
    }
}
