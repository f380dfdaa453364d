//! The graph store, as two maps.

use super::{merkle::Tree, proof::Rules};
use abi::{Error, first_slot, mix};
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub struct Graph {
    pub rules: Rules,
    pub most_nodes: u32,
    pub most_edges: u32,
    pub nodes: BTreeMap<u64, Written>,
    pub edges: BTreeMap<(u64, u64), (Written, f32)>,
}

#[derive(Clone, Copy, Debug)]
pub struct Written {
    pub slot: u32,
    pub writes: u32,
    pub subject: u32,
    pub sequence: u32,
}

#[derive(Clone, Debug)]
pub struct Change {
    pub operation: u32,
    pub slot: u32,
    pub from: u64,
    pub to: u64,
    pub weight: f32,
}

pub const ADD_NODE: u32 = 0;
pub const REMOVE_NODE: u32 = 1;
pub const ADD_EDGE: u32 = 2;
pub const REMOVE_EDGE: u32 = 3;
pub const SET_WEIGHT: u32 = 4;

impl Change {
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() != 32 {
            return Err(Error::BadLength);
        }
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let long = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        let change = Self {
            operation: word(0),
            slot: word(4),
            from: long(8),
            to: long(16),
            weight: f32::from_bits(word(24)),
        };
        let is_meant = match change.operation {
            ADD_NODE | REMOVE_NODE => change.to == 0 && word(24) == 0,
            REMOVE_EDGE => word(24) == 0,
            ADD_EDGE | SET_WEIGHT => true,
            _ => false,
        };
        if is_meant && word(28) == 0 { Ok(change) } else { Err(Error::BadArgument) }
    }
}

impl Graph {
    pub fn slots(&self) -> u32 {
        self.most_nodes + self.most_edges
    }

    /// Edges in and out; one to itself counts twice.
    pub fn degree(&self, key: u64) -> u32 {
        let ends = self.edges.keys().flat_map(|(from, to)| [*from, *to]);
        ends.filter(|end| *end == key).count() as u32
    }

    fn is_taken(&self, slot: u32) -> bool {
        let nodes = self.nodes.values().map(|it| it.slot);
        nodes.chain(self.edges.values().map(|it| it.0.slot)).any(|taken| taken == slot)
    }

    pub fn check(&self, change: &Change) -> Result<(), Error> {
        let Change { operation, slot, from, to, weight } = *change;
        if !weight.is_finite() {
            return Err(Error::NotFinite);
        }
        let (node, edge) = (self.nodes.get(&from), self.edges.get(&(from, to)));
        let right = |it: &Written| if it.slot == slot { Ok(()) } else { Err(Error::WrongSlot) };
        match operation {
            ADD_NODE if node.is_some() => Err(Error::AlreadyExists),
            ADD_NODE if slot >= self.most_nodes => Err(Error::WrongSlot),
            ADD_NODE if self.nodes.len() == self.most_nodes as usize => Err(Error::StoreFull),
            ADD_NODE if self.is_taken(slot) => Err(Error::WrongSlot),
            ADD_NODE => Ok(()),
            REMOVE_NODE => {
                right(node.ok_or(Error::NotFound)?)?;
                if self.degree(from) > 0 { Err(Error::Busy) } else { Ok(()) }
            }
            ADD_EDGE if node.is_none() || !self.nodes.contains_key(&to) => Err(Error::NotFound),
            ADD_EDGE if edge.is_some() => Err(Error::AlreadyExists),
            ADD_EDGE if slot < self.most_nodes => Err(Error::WrongSlot),
            ADD_EDGE if self.edges.len() == self.most_edges as usize => Err(Error::StoreFull),
            ADD_EDGE if slot >= self.slots() => Err(Error::OutOfRange),
            ADD_EDGE if self.is_taken(slot) => Err(Error::WrongSlot),
            ADD_EDGE => Ok(()),
            _ => right(&edge.ok_or(Error::NotFound)?.0),
        }
    }

    pub fn apply(&mut self, change: &Change, (subject, sequence): (u32, u32)) {
        let Change { operation, slot, from, to, weight } = *change;
        let old = self.edges.get(&(from, to)).map_or(0, |it| it.0.writes);
        let by = Written { slot, writes: old + 1, subject, sequence };
        match operation {
            ADD_NODE => drop(self.nodes.insert(from, Written { writes: 1, ..by })),
            REMOVE_NODE => drop(self.nodes.remove(&from)),
            REMOVE_EDGE => drop(self.edges.remove(&(from, to))),
            _ => drop(self.edges.insert((from, to), (by, weight))),
        }
    }

    fn content(&self, slot: u32) -> Vec<u8> {
        let head = |kind: u32, it: &Written| {
            [kind, it.subject, it.sequence, it.writes].map(u32::to_le_bytes).concat()
        };
        let node = self.nodes.iter().find(|(_, it)| it.slot == slot);
        let edge = self.edges.iter().find(|(_, it)| it.0.slot == slot);
        match (node, edge) {
            (Some((key, it)), _) => [head(1, it), key.to_le_bytes().to_vec()].concat(),
            (_, Some(((from, to), (it, weight)))) => {
                let ends = [from.to_le_bytes(), to.to_le_bytes()].concat();
                [head(2, it), ends, weight.to_le_bytes().to_vec()].concat()
            }
            (None, None) => vec![],
        }
    }

    pub fn tree(&self) -> Tree {
        Tree::of(self.slots(), &|slot| self.content(slot))
    }

    fn free_from(&self, first: u32, range: std::ops::Range<u32>) -> Option<u32> {
        (first..range.end).chain(range.start..first).find(|slot| !self.is_taken(*slot))
    }

    pub fn place_node(&self, key: u64) -> Option<u32> {
        self.free_from(first_slot(key, self.most_nodes), 0..self.most_nodes)
    }

    pub fn place_edge(&self, from: u64, to: u64) -> Option<u32> {
        let first = self.most_nodes + first_slot(from ^ mix(to), self.most_edges);
        self.free_from(first, self.most_nodes..self.slots())
    }

    pub fn edges_out(&self, key: u64, other: u64, window: usize) -> Result<Vec<u8>, Error> {
        self.nodes.get(&key).ok_or(Error::NotFound)?;
        let edges = self.edges.range((key, other)..=(key, u64::MAX)).take(window / 16);
        let bytes = |((_, to), (it, weight)): (&(u64, u64), &(Written, f32))| {
            [&to.to_le_bytes()[..], &weight.to_le_bytes(), &it.slot.to_le_bytes()].concat()
        };
        Ok(edges.flat_map(bytes).collect())
    }

    /// What there is to say of a slot: of one that is in use, or of the one
    /// that should be.
    pub fn slot(
        &self,
        found: Option<(Written, u32)>,
        place: Option<u32>,
    ) -> Result<Vec<u8>, Error> {
        let words = match (found, place) {
            (Some((it, degree)), _) => [it.slot, it.writes, it.subject, it.sequence, degree, 1],
            (None, Some(slot)) => [slot, 0, 0, 0, 0, 0],
            (None, None) => return Err(Error::StoreFull),
        };
        let mut answer = words.map(u32::to_le_bytes).concat();
        answer.extend(self.tree().opening(words[0]));
        Ok(answer)
    }
}
