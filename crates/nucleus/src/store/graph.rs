//! The graph store: nodes by key, and weighted edges from node to node.
//!
//! Slots are the nodes', then the edges'. An index over nodes is sorted by
//! key, one over edges by where they come from and go to, so that the edges
//! out of a node are in a row.

use super::{
    change::Change,
    part::{Edge, EdgeSlot, Node, NodeSlot, Part, Written},
    tree::SlotTree,
};
use crate::snapshot::saved;
use abi::{
    Error, Operation, mix,
    profile::{GRAPH_EDGES_MAX, GRAPH_NODES_MAX},
};
use alloc::vec::Vec;
use witness::{Hash, Hasher};

/// Bytes of a leaf's content at most: an edge's.
const CONTENT: usize = 36;

/// How large a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GraphTerms {
    /// Nodes it holds at most.
    pub nodes: u32,
    /// Edges it holds at most.
    pub edges: u32,
}

/// Nodes and edges.
#[derive(Debug)]
pub struct GraphStore {
    terms: GraphTerms,
    tree: SlotTree,
    nodes: Part<NodeSlot>,
    edges: Part<EdgeSlot>,
}

impl GraphStore {
    /// An empty graph. All its memory is taken here.
    pub fn new(terms: GraphTerms, hasher: Hasher) -> Self {
        let terms = GraphTerms {
            nodes: terms.nodes.clamp(1, GRAPH_NODES_MAX),
            edges: terms.edges.clamp(1, GRAPH_EDGES_MAX),
        };
        Self {
            terms,
            tree: SlotTree::new(hasher, terms.nodes.saturating_add(terms.edges)),
            nodes: Part::new(terms.nodes),
            edges: Part::new(terms.edges),
        }
    }

    /// Bytes of memory that such a store takes.
    pub fn bytes_needed(terms: &GraphTerms) -> u64 {
        let nodes = Part::<NodeSlot>::bytes_needed(terms.nodes);
        let edges = Part::<EdgeSlot>::bytes_needed(terms.edges);
        let tree = SlotTree::bytes_needed(terms.nodes.saturating_add(terms.edges));
        nodes.saturating_add(edges).saturating_add(tree)
    }

    /// Bytes of memory that it takes.
    pub fn bytes(&self) -> u64 {
        Self::bytes_needed(&self.terms)
    }

    /// How large it is.
    pub fn terms(&self) -> &GraphTerms {
        &self.terms
    }

    /// Nodes and edges in it.
    pub fn counts(&self) -> (u32, u32) {
        (self.nodes.index.len(), self.edges.index.len())
    }

    /// The commitment to it.
    pub fn tree(&self) -> &SlotTree {
        &self.tree
    }

    /// Root of that.
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    fn seek_node(&self, key: u64) -> Result<(usize, u32), usize> {
        self.nodes.index.find(|slot| self.nodes.get(slot).key.cmp(&key))
    }

    fn seek_edge(&self, from: u64, to: u64) -> Result<(usize, u32), usize> {
        self.edges.index.find(|slot| {
            let edge = self.edges.get(slot);
            (edge.from, edge.to).cmp(&(from, to))
        })
    }

    /// The node with this key.
    pub fn node(&self, key: u64) -> Option<Node> {
        let (_, slot) = self.seek_node(key).ok()?;
        let NodeSlot { key, degree, by: Written { writes, subject, sequence } } =
            self.nodes.get(slot);
        Some(Node { key, slot, degree, writes, subject, sequence })
    }

    /// The edge between these nodes.
    pub fn edge(&self, from: u64, to: u64) -> Option<Edge> {
        let (_, slot) = self.seek_edge(from, to).ok()?;
        Some(self.edge_in(slot))
    }

    fn edge_in(&self, part_slot: u32) -> Edge {
        let EdgeSlot { from, to, weight, by: Written { writes, subject, sequence } } =
            self.edges.get(part_slot);
        let slot = self.terms.nodes.saturating_add(part_slot);
        Edge { from, to, weight, slot, writes, subject, sequence }
    }

    /// The edges out of a node, from the one to `at_least` on, by where they
    /// go to.
    pub fn out_edges(&self, from: u64, at_least: u64) -> impl Iterator<Item = Edge> {
        let at = match self.seek_edge(from, at_least) {
            Ok((at, _)) | Err(at) => at,
        };
        let rest = self.edges.index.slots().get(at..).unwrap_or_default();
        rest.iter().map(|slot| self.edge_in(*slot)).take_while(move |edge| edge.from == from)
    }

    /// All nodes, by key.
    pub fn nodes(&self) -> impl Iterator<Item = Node> {
        self.nodes.index.slots().iter().filter_map(|slot| self.node(self.nodes.get(*slot).key))
    }

    /// The free slot that a new node would best go to.
    pub fn place_node(&self, key: u64) -> Option<u32> {
        self.nodes.occupied.place(key)
    }

    /// The free slot that a new edge would best go to.
    pub fn place_edge(&self, from: u64, to: u64) -> Option<u32> {
        let place = self.edges.occupied.place(from ^ mix(to))?;
        self.terms.nodes.checked_add(place)
    }

    /// How much hangs on a slot, 0 to 255: a node's edges, or those of an
    /// edge's two ends.
    pub fn risk(&self, slot: u32) -> u8 {
        let degree = |key| self.node(key).map_or(0, |node| node.degree);
        let risk = match slot.checked_sub(self.terms.nodes) {
            None => self.nodes.get(slot).degree,
            Some(slot) if self.edges.occupied.get(slot) == Some(true) => {
                let edge = self.edges.get(slot);
                degree(edge.from).saturating_add(degree(edge.to))
            }
            Some(_) => 0,
        };
        u8::try_from(risk).unwrap_or(u8::MAX)
    }

    /// The bytes that a slot's leaf is the hash of; none if it is empty.
    /// Allocates.
    pub fn content(&self, slot: u32) -> Vec<u8> {
        let (bytes, length) = self.leaf_content(slot);
        bytes.get(..length).unwrap_or_default().to_vec()
    }

    fn leaf_content(&self, slot: u32) -> ([u8; CONTENT], usize) {
        let mut content = [0; CONTENT];
        let mut length: usize = 0;
        let mut put = |bytes: &[u8]| {
            let end = length.saturating_add(bytes.len());
            if let Some(place) = content.get_mut(length..end) {
                crate::region::copy(place, bytes);
                length = end;
            }
        };
        let mut head = |kind: u32, by: Written| {
            for word in [kind, by.subject, by.sequence, by.writes] {
                put(&word.to_le_bytes());
            }
        };
        match slot.checked_sub(self.terms.nodes) {
            None if self.nodes.occupied.get(slot) == Some(true) => {
                let node = self.nodes.get(slot);
                head(1, node.by);
                put(&node.key.to_le_bytes());
            }
            Some(edge) if self.edges.occupied.get(edge) == Some(true) => {
                let edge = self.edges.get(edge);
                head(2, edge.by);
                put(&edge.from.to_le_bytes());
                put(&edge.to.to_le_bytes());
                put(&edge.weight.to_le_bytes());
            }
            _ => {}
        }
        (content, length)
    }

    /// The slot among the edges.
    fn edge_slot(&self, slot: u32) -> Result<u32, Error> {
        slot.checked_sub(self.terms.nodes).ok_or(Error::WrongSlot)
    }

    /// Whether a change can be made.
    ///
    /// # Errors
    /// [`Error::OutOfRange`], [`Error::WrongSlot`], [`Error::NotFinite`],
    /// [`Error::NotFound`], [`Error::AlreadyExists`], [`Error::Busy`] for a
    /// node with edges, [`Error::StoreFull`].
    pub fn check(&self, change: &Change) -> Result<(), Error> {
        let Change { operation, slot, from, to, weight } = *change;
        self.tree.leaf(slot).ok_or(Error::OutOfRange)?;
        if !weight.is_finite() {
            return Err(Error::NotFinite);
        }
        let same = |found: u32| if found == slot { Ok(()) } else { Err(Error::WrongSlot) };
        match operation {
            Operation::AddNode => match self.node(from) {
                Some(_) => Err(Error::AlreadyExists),
                None if slot >= self.terms.nodes => Err(Error::WrongSlot),
                None => self.nodes.takes(slot),
            },
            Operation::RemoveNode => {
                let node = self.node(from).ok_or(Error::NotFound)?;
                same(node.slot)?;
                if node.degree > 0 { Err(Error::Busy) } else { Ok(()) }
            }
            Operation::AddEdge => {
                let ends = self.node(from).zip(self.node(to));
                ends.ok_or(Error::NotFound)?;
                match self.edge(from, to) {
                    Some(_) => Err(Error::AlreadyExists),
                    None => self.edges.takes(self.edge_slot(slot)?),
                }
            }
            Operation::RemoveEdge | Operation::SetWeight => {
                same(self.edge(from, to).ok_or(Error::NotFound)?.slot)
            }
            _ => Err(Error::BadArgument),
        }
    }

    /// Makes a change.
    ///
    /// # Errors
    /// As [`GraphStore::check`]; nothing has changed then.
    pub fn apply(&mut self, change: &Change, by: (u32, u32)) -> Result<(), Error> {
        self.check(change)?;
        let Change { operation, slot, from, to, weight } = *change;
        let (subject, sequence) = by;
        let first = Written { writes: 1, subject, sequence };
        match operation {
            Operation::AddNode => {
                if let Err(at) = self.seek_node(from) {
                    self.nodes.add(slot, at, NodeSlot { key: from, degree: 0, by: first });
                }
            }
            Operation::RemoveNode => {
                if let Ok((at, slot)) = self.seek_node(from) {
                    self.nodes.remove(slot, at);
                }
            }
            Operation::AddEdge => {
                let part_slot = self.edge_slot(slot)?;
                if let Err(at) = self.seek_edge(from, to) {
                    self.edges.add(part_slot, at, EdgeSlot { from, to, weight, by: first });
                    self.count(from, to, |degree| degree.saturating_add(1));
                }
            }
            Operation::RemoveEdge => {
                if let Ok((at, part_slot)) = self.seek_edge(from, to) {
                    self.edges.remove(part_slot, at);
                    self.count(from, to, |degree| degree.saturating_sub(1));
                }
            }
            _ => {
                let part_slot = self.edge_slot(slot)?;
                let old = self.edges.get(part_slot);
                let by = Written { writes: old.by.writes.saturating_add(1), ..first };
                self.edges.set(part_slot, EdgeSlot { weight, by, ..old });
            }
        }
        let (content, length) = self.leaf_content(slot);
        let content = content.get(..length).filter(|content| !content.is_empty());
        self.tree.set(slot, content);
        Ok(())
    }

    /// Changes the degrees of an edge's ends. Degrees are in no leaf: they
    /// follow from the edges.
    fn count(&mut self, from: u64, to: u64, change: impl Fn(u32) -> u32) {
        for key in [from, to] {
            if let Ok((_, slot)) = self.seek_node(key) {
                let node = self.nodes.get(slot);
                self.nodes.set(slot, NodeSlot { degree: change(node.degree), ..node });
            }
        }
    }
}

saved!(struct GraphTerms { nodes, edges });
saved!(struct GraphStore { terms, tree, nodes, edges });
