//! The graph store against maps.

use super::common::*;
use crate::store::{Change, GraphStore, GraphTerms, tree::SlotTree};
use abi::Operation;
use proptest::prelude::*;
use std::{collections::BTreeMap, format};

/// Which of the five, keys, a slot (none: the right one) and a weight.
type Step = (Operation, u64, u64, Option<u32>, f32);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    use Operation::{AddEdge, AddNode, RemoveEdge, RemoveNode, SetWeight};
    let operation = prop_oneof![
        4 => Just(AddNode),
        1 => Just(RemoveNode),
        5 => Just(AddEdge),
        2 => Just(RemoveEdge),
        2 => Just(SetWeight),
    ];
    let slot = prop_oneof![6 => Just(None), 1 => (0u32..14).prop_map(Some)];
    let weight = proptest::sample::select(vec![0.0, -0.0, 1.5, -2.0, f32::MAX]);
    proptest::collection::vec((operation, 0u64..6, 0u64..6, slot, weight), 0..80)
}

#[derive(Clone, Copy, Debug)]
struct Known {
    slot: u32,
    writes: u32,
    by: u32,
    weight: f32,
}

struct Model {
    terms: GraphTerms,
    nodes: BTreeMap<u64, Known>,
    edges: BTreeMap<(u64, u64), Known>,
}

impl Model {
    fn degree(&self, key: u64) -> u32 {
        let ends = self.edges.keys().flat_map(|(from, to)| [*from, *to]);
        ends.filter(|end| *end == key).count() as u32
    }

    fn is_taken(&self, slot: u32) -> bool {
        self.nodes.values().chain(self.edges.values()).any(|known| known.slot == slot)
    }

    fn refuses(&self, change: &Change) -> Option<Error> {
        let Change { operation, slot, from, to, .. } = *change;
        let GraphTerms { nodes, edges } = self.terms;
        let node = self.nodes.get(&from);
        let edge = self.edges.get(&(from, to));
        let is_node = matches!(operation, Operation::AddNode | Operation::RemoveNode);
        let is_new = matches!(operation, Operation::AddNode | Operation::AddEdge);
        let (known, is_full) = match is_node {
            true => (node, self.nodes.len() == nodes as usize),
            false => (edge, self.edges.len() == edges as usize),
        };
        let has_ends = is_node || node.is_some() && self.nodes.contains_key(&to);
        if slot >= nodes + edges {
            Some(Error::OutOfRange)
        } else if is_new && !has_ends {
            Some(Error::NotFound)
        } else if is_new {
            match known {
                Some(_) => Some(Error::AlreadyExists),
                None if is_node != (slot < nodes) => Some(Error::WrongSlot),
                None if is_full => Some(Error::StoreFull),
                None => self.is_taken(slot).then_some(Error::WrongSlot),
            }
        } else {
            match known {
                None => Some(Error::NotFound),
                Some(known) if known.slot != slot => Some(Error::WrongSlot),
                Some(_) if is_node && self.degree(from) > 0 => Some(Error::Busy),
                Some(_) => None,
            }
        }
    }

    fn apply(&mut self, change: &Change, by: u32) {
        let Change { operation, slot, from, to, weight } = *change;
        let new = Known { slot, writes: 1, by, weight };
        match operation {
            Operation::AddNode => drop(self.nodes.insert(from, new)),
            Operation::RemoveNode => drop(self.nodes.remove(&from)),
            Operation::AddEdge => drop(self.edges.insert((from, to), new)),
            Operation::RemoveEdge => drop(self.edges.remove(&(from, to))),
            _ => {
                let writes = self.edges[&(from, to)].writes + 1;
                self.edges.insert((from, to), Known { writes, ..new });
            }
        }
    }

    /// The commitment, from the documented bytes of each slot.
    fn tree(&self) -> SlotTree {
        let mut tree = SlotTree::new(HASHER, self.terms.nodes + self.terms.edges);
        let words = |words: [u32; 4]| words.into_iter().flat_map(u32::to_le_bytes);
        for (key, known) in &self.nodes {
            let mut content: Vec<u8> = words([1, known.by, 9, known.writes]).collect();
            content.extend(key.to_le_bytes());
            tree.set(known.slot, Some(&content));
        }
        for ((from, to), known) in &self.edges {
            let mut content: Vec<u8> = words([2, known.by, 9, known.writes]).collect();
            content.extend(from.to_le_bytes());
            content.extend(to.to_le_bytes());
            content.extend(known.weight.to_le_bytes());
            tree.set(known.slot, Some(&content));
        }
        tree
    }
}

/// The slot that an honest caller would name.
fn right_slot(store: &GraphStore, operation: Operation, from: u64, to: u64) -> u32 {
    let slot = match operation {
        Operation::AddNode => store.place_node(from),
        Operation::RemoveNode => store.node(from).map(|node| node.slot),
        Operation::AddEdge => store.place_edge(from, to),
        _ => store.edge(from, to).map(|edge| edge.slot),
    };
    slot.unwrap_or(0)
}

fn of(store: &GraphStore, (operation, from, to, slot, weight): Step) -> Change {
    let is_node = matches!(operation, Operation::AddNode | Operation::RemoveNode);
    let has_weight = matches!(operation, Operation::AddEdge | Operation::SetWeight);
    let to = if is_node { 0 } else { to };
    let slot = slot.unwrap_or_else(|| right_slot(store, operation, from, to));
    Change { operation, slot, from, to, weight: if has_weight { weight } else { 0.0 } }
}

fn observe(store: &GraphStore, model: &Model) -> Result<(), TestCaseError> {
    let nodes = model.terms.nodes;
    for key in 0..6 {
        let known = model.nodes.get(&key);
        let node = store.node(key);
        let seen = node.map(|it| (it.slot, it.writes, it.subject, it.sequence, it.degree));
        let expected = known.map(|it| (it.slot, it.writes, it.by, 9, model.degree(key)));
        prop_assert_eq!(seen, expected);
        if let Some(node) = node {
            prop_assert_eq!(u32::from(store.risk(node.slot)), model.degree(key));
        }
        for other in 0..6 {
            let known = model.edges.get(&(key, other));
            let edge = store.edge(key, other);
            let seen = edge.map(|it| (it.slot, it.writes, it.subject, it.weight.to_bits()));
            let expected = known.map(|it| (it.slot, it.writes, it.by, it.weight.to_bits()));
            prop_assert_eq!(seen, expected);
            if let Some(edge) = edge {
                let risk = model.degree(key) + model.degree(other);
                prop_assert_eq!(u32::from(store.risk(edge.slot)), risk);
            }
            let out: Vec<_> = store.out_edges(key, other).map(|edge| edge.to).collect();
            let expected = model.edges.range((key, other)..=(key, u64::MAX));
            prop_assert_eq!(out, expected.map(|((_, to), _)| *to).collect::<Vec<_>>());
        }
    }
    let keys: Vec<_> = store.nodes().map(|node| node.key).collect();
    prop_assert_eq!(keys, model.nodes.keys().copied().collect::<Vec<_>>());
    let free = |slot: Option<u32>, slots: std::ops::Range<u32>, is_full: bool| match slot {
        Some(slot) => slots.contains(&slot) && !model.is_taken(slot),
        None => is_full,
    };
    let edges = model.terms.edges;
    let (node_count, edge_count) = store.counts();
    prop_assert!(free(store.place_node(77), 0..nodes, node_count == nodes));
    prop_assert!(free(store.place_edge(7, 8), nodes..nodes + edges, edge_count == edges));
    Ok(())
}

proptest! {
    #[test]
    fn a_graph_is_two_maps_with_slots(nodes in 1u32..6, edges in 1u32..7, steps in steps()) {
        let terms = GraphTerms { nodes, edges };
        let mut store = GraphStore::new(terms, HASHER);
        let mut model = Model { terms, nodes: BTreeMap::new(), edges: BTreeMap::new() };
        for (by, step) in (0..).zip(steps) {
            let change = of(&store, step);
            let before = store.root();
            let expected = model.refuses(&change);
            prop_assert_eq!(store.check(&change).err(), expected, "{:?}", change);
            prop_assert_eq!(store.apply(&change, (by, 9)).err(), expected);
            match expected {
                Some(_) => prop_assert_eq!(store.root(), before),
                None => model.apply(&change, by),
            }
            prop_assert_eq!(store.root(), model.tree().root());
        }
        observe(&store, &model)?;
    }

    #[test]
    fn the_same_changes_make_the_same_graph(steps in steps()) {
        let run = || {
            let mut store = GraphStore::new(GraphTerms { nodes: 5, edges: 6 }, HASHER);
            for step in &steps {
                let change = of(&store, *step);
                let _ = store.apply(&change, (1, 2));
            }
            format!("{store:?} {:?}", store.root())
        };
        prop_assert_eq!(run(), run());
    }
}

#[test]
fn what_is_removed_leaves_its_slot_as_if_it_had_never_been() {
    let mut store = GraphStore::new(GraphTerms { nodes: 4, edges: 4 }, HASHER);
    let empty = store.root();
    let mut step = |operation, from, to| {
        let change = of(&store, (operation, from, to, None, 1.0));
        store.apply(&change, (1, 2)).unwrap();
        store.root()
    };
    let first = step(Operation::AddNode, 8, 0);
    step(Operation::AddEdge, 8, 8);
    assert_eq!(step(Operation::RemoveEdge, 8, 8), first);
    assert_eq!(step(Operation::RemoveNode, 8, 0), empty);
    assert_eq!(step(Operation::AddNode, 8, 0), first);
}
