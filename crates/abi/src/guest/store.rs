//! What calls on stores take and answer. Vectors, lists and openings follow
//! these heads; they have no block of their own.

use super::fields::{Block, Fields};

/// Head of the mutation that `vector_put_proved` takes; the vector follows,
/// `dimension` × f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PutHead {
    /// Key of the vector.
    pub key: u64,
    /// The slot it is put into.
    pub slot: u32,
    /// Numbers that follow.
    pub dimension: u32,
}

impl PutHead {
    /// Length in bytes.
    pub const SIZE: usize = 16;

    /// Layout: key u64, slot u32, dimension u32.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        Block::new().u64(self.key).u32(self.slot).u32(self.dimension).done()
    }

    /// The inverse.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        Some(Self { key: fields.u64()?, slot: fields.u32()?, dimension: fields.u32()? })
    }
}

/// The mutation that `graph_apply_proved` takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GraphMutation {
    /// Code of the operation, the same as the call's.
    pub operation: u32,
    /// The slot that changes.
    pub slot: u32,
    /// The node, or where the edge begins.
    pub from: u64,
    /// Where the edge ends; 0 for a node.
    pub to: u64,
    /// Weight of the edge; 0 for a node.
    pub weight: f32,
}

impl GraphMutation {
    /// Length in bytes.
    pub const SIZE: usize = 32;

    /// Layout: operation u32, slot u32, from u64, to u64, weight f32, 4 zero
    /// bytes.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        Block::new()
            .u32(self.operation)
            .u32(self.slot)
            .u64(self.from)
            .u64(self.to)
            .f32(self.weight)
            .zeros(4)
            .done()
    }

    /// The inverse; `None` where a padding byte is not zero. Whether the
    /// operation takes such members is not looked at.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        let (operation, slot) = (fields.u32()?, fields.u32()?);
        let (from, to, weight) = (fields.u64()?, fields.u64()?, fields.f32()?);
        fields.zeros::<4>()?;
        Some(Self { operation, slot, from, to, weight })
    }
}

/// What `vector_get`, by key, takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetByKey {
    /// Key of the vector.
    pub key: u64,
    /// Whether the answer ends in an opening of the slot.
    pub with_opening: bool,
}

impl GetByKey {
    /// Length in bytes.
    pub const SIZE: usize = 16;

    /// Layout: key u64, flags u32 (bit 0: with opening), 4 zero bytes.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        Block::new().u64(self.key).u32(self.with_opening.into()).zeros(4).done()
    }

    /// The inverse; `None` for an unknown flag or a padding byte not zero.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        let (key, flags) = (fields.u64()?, fields.u32()?);
        fields.zeros::<4>()?;
        Some(Self { key, with_opening: flag(flags)? })
    }
}

/// What `vector_get`, nearest, takes; the query follows, as many f32 as the
/// store's vectors have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetNearest {
    /// How many neighbours, 1 to 64.
    pub k: u32,
    /// Whether every vector is compared, instead of searching the index.
    pub is_exact: bool,
    /// Nodes of the index to visit; 0 for the default.
    pub visit: u32,
}

impl GetNearest {
    /// Length in bytes.
    pub const SIZE: usize = 16;

    /// Layout: k u32, flags u32 (bit 0: exact), visit u32, 4 zero bytes.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        Block::new().u32(self.k).u32(self.is_exact.into()).u32(self.visit).zeros(4).done()
    }

    /// The inverse; `None` for an unknown flag or a padding byte not zero.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        let (k, flags, visit) = (fields.u32()?, fields.u32()?, fields.u32()?);
        fields.zeros::<4>()?;
        Some(Self { k, is_exact: flag(flags)?, visit })
    }
}

/// What of a graph is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum NeighboursOf {
    /// Edges out of the node, those to `other` and beyond.
    Edges = 0,
    /// The node's slot, with its opening.
    Node = 1,
    /// The slot of the edge to `other`, with its opening.
    Edge = 2,
}

/// What `vector_get`, neighbours, takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetNeighbours {
    /// The node.
    pub key: u64,
    /// The node at the other end.
    pub other: u64,
    /// What is asked for.
    pub of: NeighboursOf,
}

impl GetNeighbours {
    /// Length in bytes.
    pub const SIZE: usize = 24;

    /// Layout: key u64, other u64, flags u32, 4 zero bytes.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        Block::new().u64(self.key).u64(self.other).u32(self.of as u32).zeros(4).done()
    }

    /// The inverse; `None` for unknown flags or a padding byte not zero.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        let (key, other) = (fields.u64()?, fields.u64()?);
        let of = match fields.u32()? {
            0 => NeighboursOf::Edges,
            1 => NeighboursOf::Node,
            2 => NeighboursOf::Edge,
            _ => return None,
        };
        fields.zeros::<4>()?;
        Some(Self { key, other, of })
    }
}

/// Head of the answer by key; the vector follows, then the opening if it was
/// asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EntryHead {
    /// The slot: the key's, or the one suggested for it.
    pub slot: u32,
    /// How often it was put; 0 if it is not there.
    pub writes: u32,
    /// Subject of the record of its last put.
    pub subject: u32,
    /// Sequence number of that record.
    pub sequence: u32,
    /// How well it fits what it is to fit.
    pub coherence: f32,
    /// Numbers that follow; 0 if it is not there.
    pub dimension: u32,
}

impl EntryHead {
    /// Length in bytes.
    pub const SIZE: usize = 24;

    /// Layout: slot, writes, subject, sequence u32, coherence f32, dimension
    /// u32.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        Block::new()
            .u32(self.slot)
            .u32(self.writes)
            .u32(self.subject)
            .u32(self.sequence)
            .f32(self.coherence)
            .u32(self.dimension)
            .done()
    }

    /// The inverse.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        Some(Self {
            slot: fields.u32()?,
            writes: fields.u32()?,
            subject: fields.u32()?,
            sequence: fields.u32()?,
            coherence: fields.f32()?,
            dimension: fields.u32()?,
        })
    }
}

/// Head of the answer about the slot of a node or an edge; the opening
/// follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeHead {
    /// The slot: its own, or the one suggested for it.
    pub slot: u32,
    /// How often it was written; 0 if it is not there.
    pub writes: u32,
    /// Subject of the record of its last change.
    pub subject: u32,
    /// Sequence number of that record.
    pub sequence: u32,
    /// Edges in and out; 0 for an edge.
    pub degree: u32,
    /// Whether it is there.
    pub is_present: bool,
}

impl NodeHead {
    /// Length in bytes.
    pub const SIZE: usize = 24;

    /// Layout: slot, writes, subject, sequence, degree, present u32 (0 or 1).
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        Block::new()
            .u32(self.slot)
            .u32(self.writes)
            .u32(self.subject)
            .u32(self.sequence)
            .u32(self.degree)
            .u32(self.is_present.into())
            .done()
    }

    /// The inverse; `None` where it is neither present nor absent.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        Some(Self {
            slot: fields.u32()?,
            writes: fields.u32()?,
            subject: fields.u32()?,
            sequence: fields.u32()?,
            degree: fields.u32()?,
            is_present: flag(fields.u32()?)?,
        })
    }
}

/// One of the answers to nearest, or one edge of the answer to neighbours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Key of the vector, or where the edge ends.
    pub key: u64,
    /// How near the vector is, or the weight of the edge.
    pub score: f32,
    /// Slot of the vector, or of the edge.
    pub slot: u32,
}

impl Neighbour {
    /// Length in bytes.
    pub const SIZE: usize = 16;

    /// Layout: key u64, score f32, slot u32.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        Block::new().u64(self.key).f32(self.score).u32(self.slot).done()
    }

    /// The inverse.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        Some(Self { key: fields.u64()?, score: fields.f32()?, slot: fields.u32()? })
    }
}

/// Head of an opening: the leaf, and the root it belongs to. `depth` siblings
/// of 32 bytes follow, from the leaf up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpeningHead {
    /// The slot's leaf.
    pub leaf: [u8; 32],
    /// The store's root.
    pub root: [u8; 32],
    /// Siblings that follow.
    pub depth: u32,
}

impl OpeningHead {
    /// Length in bytes.
    pub const SIZE: usize = 72;

    /// Layout: leaf 32 bytes, root 32 bytes, depth u32, 4 zero bytes.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        Block::new().bytes(self.leaf).bytes(self.root).u32(self.depth).zeros(4).done()
    }

    /// The inverse; `None` where a padding byte is not zero.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        let (leaf, root, depth) = (fields.bytes()?, fields.bytes()?, fields.u32()?);
        fields.zeros::<4>()?;
        Some(Self { leaf, root, depth })
    }
}

/// The only flag of a word of flags.
const fn flag(flags: u32) -> Option<bool> {
    match flags {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::fields::refuses_padding;

    #[test]
    fn mutations_survive_the_round_trip_and_refuse_padding() {
        let put = PutHead { key: 1 << 40, slot: 2, dimension: 3 };
        assert_eq!(PutHead::from_bytes(&put.to_bytes()), Some(put));
        refuses_padding(&put.to_bytes(), |_| false, PutHead::from_bytes);

        let graph = GraphMutation { operation: 4, slot: 1, from: 2, to: 3, weight: -0.5 };
        assert_eq!(GraphMutation::from_bytes(&graph.to_bytes()), Some(graph));
        refuses_padding(&graph.to_bytes(), |at| matches!(at, 28..32), GraphMutation::from_bytes);
    }

    #[test]
    fn questions_survive_the_round_trip_and_refuse_padding() {
        for yes in [false, true] {
            let by_key = GetByKey { key: 1 << 40, with_opening: yes };
            assert_eq!(GetByKey::from_bytes(&by_key.to_bytes()), Some(by_key));
            // A word of one flag has three bytes that are as good as padding.
            refuses_padding(&by_key.to_bytes(), |at| matches!(at, 9..16), GetByKey::from_bytes);

            let nearest = GetNearest { k: 64, is_exact: yes, visit: 4_096 };
            assert_eq!(GetNearest::from_bytes(&nearest.to_bytes()), Some(nearest));
            refuses_padding(
                &nearest.to_bytes(),
                |at| matches!(at, 5..8 | 12..16),
                GetNearest::from_bytes,
            );
        }
        for of in [NeighboursOf::Edges, NeighboursOf::Node, NeighboursOf::Edge] {
            let neighbours = GetNeighbours { key: 1, other: 2, of };
            let bytes = neighbours.to_bytes();
            assert_eq!(GetNeighbours::from_bytes(&bytes), Some(neighbours));
            if of != NeighboursOf::Edge {
                refuses_padding(&bytes, |at| matches!(at, 17..24), GetNeighbours::from_bytes);
            }
        }
        let mut bytes = GetNeighbours { key: 1, other: 2, of: NeighboursOf::Edge }.to_bytes();
        bytes[16] = 3;
        assert_eq!(GetNeighbours::from_bytes(&bytes), None);
    }

    #[test]
    fn answers_survive_the_round_trip_and_refuse_padding() {
        let entry = EntryHead {
            slot: 1,
            writes: 2,
            subject: 3,
            sequence: 4,
            coherence: f32::from_bits(5),
            dimension: 6,
        };
        assert_eq!(EntryHead::from_bytes(&entry.to_bytes()), Some(entry));
        assert_eq!(entry.to_bytes()[16..20], [5, 0, 0, 0]);

        for is_present in [false, true] {
            let (writes, subject, sequence, degree) = (2, 3, 4, 5);
            let node = NodeHead { slot: 1, writes, subject, sequence, degree, is_present };
            assert_eq!(NodeHead::from_bytes(&node.to_bytes()), Some(node));
            refuses_padding(&node.to_bytes(), |at| matches!(at, 21..24), NodeHead::from_bytes);
        }

        let neighbour = Neighbour { key: 1, score: -0.0, slot: 2 };
        assert_eq!(Neighbour::from_bytes(&neighbour.to_bytes()), Some(neighbour));

        let opening = OpeningHead { leaf: [1; 32], root: [2; 32], depth: 17 };
        assert_eq!(OpeningHead::from_bytes(&opening.to_bytes()), Some(opening));
        refuses_padding(&opening.to_bytes(), |at| matches!(at, 68..72), OpeningHead::from_bytes);
    }
}
