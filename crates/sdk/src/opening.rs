//! Openings: what shows that a slot of a store has the leaf that is claimed.

use abi::OpeningHead;

use crate::hash::node;

/// The opening of one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening<'a> {
    /// The slot's leaf.
    pub leaf: [u8; 32],
    /// The root it belongs to.
    pub root: [u8; 32],
    /// The nodes beside the way from the leaf up.
    pub siblings: &'a [[u8; 32]],
}

impl<'a> Opening<'a> {
    /// An opening from the bytes of an answer, which must be all of it.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk()?;
        let OpeningHead { leaf, root, depth } = OpeningHead::from_bytes(head)?;
        let (siblings, rest) = rest.as_chunks();
        let is_whole = rest.is_empty() && siblings.len() == usize::try_from(depth).ok()?;
        is_whole.then_some(Self { leaf, root, siblings })
    }

    /// Whether leaf and siblings lead to the root from this slot. The kernel's
    /// own answers hold; one that came by message may not.
    pub fn holds(&self, slot: u32) -> bool {
        let depth = self.siblings.len();
        let climb = |(below, at): ([u8; 32], u32), beside| {
            let above = if at & 1 == 0 { node(&below, beside) } else { node(beside, &below) };
            (above, at >> 1)
        };
        let (top, at) = self.siblings.iter().fold((self.leaf, slot), climb);
        depth <= 32 && at == 0 && top == self.root
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::leaf;

    #[test]
    fn an_opening_holds_for_its_slot_and_its_leaf_only() {
        let leaves = [leaf(b"a"), leaf(b"b"), leaf(b"c"), leaf(&[])];
        let (left, right) = (node(&leaves[0], &leaves[1]), node(&leaves[2], &leaves[3]));
        let root = node(&left, &right);
        let siblings = [leaves[3], left];
        let opening = Opening { leaf: leaves[2], root, siblings: &siblings };
        for slot in 0..8 {
            assert_eq!(opening.holds(slot), slot == 2, "{slot}");
        }
        assert!(!Opening { leaf: leaves[1], ..opening }.holds(2));
        assert!(!Opening { siblings: &siblings[..1], ..opening }.holds(2));
    }

    #[test]
    fn an_opening_is_as_long_as_its_depth_says() {
        let head = OpeningHead { leaf: [1; 32], root: [2; 32], depth: 1 }.to_bytes();
        let mut bytes = [3; OpeningHead::SIZE + 32];
        bytes[..OpeningHead::SIZE].copy_from_slice(&head);
        assert_eq!(Opening::parse(&bytes).unwrap().siblings, [[3; 32]]);
        assert_eq!(Opening::parse(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Opening::parse(&bytes[..OpeningHead::SIZE]), None);
    }
}
