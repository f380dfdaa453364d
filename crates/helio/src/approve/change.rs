//! A change of one slot of a store: its canonical bytes, its words, and
//! whether the store it is meant for can make it.

use std::fmt;

use abi::{Call, GraphMutation, Operation, PutHead};
use package::manifest::Metric;

use super::Store;
use crate::error::{HelioError, Result};

/// A change of one slot.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Put a vector.
    Put {
        /// Its key.
        key: u64,
        /// The slot it goes to.
        slot: u32,
        /// Its numbers.
        vector: Vec<f32>,
    },
    /// Change a node or an edge.
    Graph {
        /// Which of the five.
        operation: Operation,
        /// The slot that changes.
        slot: u32,
        /// The node, or where the edge begins.
        from: u64,
        /// Where the edge ends; 0 for a node.
        to: u64,
        /// The edge's weight; 0 where it has none.
        weight: f32,
    },
}

impl Change {
    /// Reads canonical bytes, of which the kind of store says what they mean.
    pub fn from_bytes(bytes: &[u8], store: Store<'_>) -> Option<Self> {
        let change = match store {
            Store::Vectors(_) => {
                let (head, numbers) = bytes.split_first_chunk()?;
                let PutHead { key, slot, dimension } = PutHead::from_bytes(head)?;
                let (numbers, rest) = numbers.as_chunks();
                let is_whole = rest.is_empty() && u32::try_from(numbers.len()) == Ok(dimension);
                let vector = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
                is_whole.then_some(Self::Put { key, slot, vector })?
            }
            Store::Graph(_) => {
                let block = GraphMutation::from_bytes(bytes.try_into().ok()?)?;
                let GraphMutation { operation, slot, from, to, weight } = block;
                let operation = Call::GraphApplyProved.operation(operation)?;
                Self::Graph { operation, slot, from, to, weight }
            }
        };
        (change.has_one_encoding() && change.to_bytes() == bytes).then_some(change)
    }

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Put { key, slot, vector } => {
                let dimension = u32::try_from(vector.len()).unwrap_or(u32::MAX);
                let head = PutHead { key: *key, slot: *slot, dimension };
                let numbers = vector.iter().flat_map(|number| number.to_le_bytes());
                head.to_bytes().into_iter().chain(numbers).collect()
            }
            Self::Graph { operation, slot, from, to, weight } => GraphMutation {
                operation: operation.code(),
                slot: *slot,
                from: *from,
                to: *to,
                weight: *weight,
            }
            .to_bytes()
            .to_vec(),
        }
    }

    /// The slot that changes.
    pub const fn slot(&self) -> u32 {
        match self {
            Self::Put { slot, .. } | Self::Graph { slot, .. } => *slot,
        }
    }

    /// Whether it can be made in an empty slot.
    pub const fn is_new(&self) -> bool {
        matches!(
            self,
            Self::Put { .. }
                | Self::Graph { operation: Operation::AddNode | Operation::AddEdge, .. }
        )
    }

    /// Whether members that the operation has no use for are zero.
    fn has_one_encoding(&self) -> bool {
        match self {
            Self::Put { .. } => true,
            Self::Graph { operation, to, weight, .. } => {
                (!is_node(*operation) || *to == 0)
                    && (has_weight(*operation) || weight.to_bits() == 0)
            }
        }
    }

    /// Whether the store can make it, as far as its declaration says.
    pub fn check(&self, store: Store<'_>) -> Result<()> {
        let refuse =
            |reason: String, advice: &str| Err(HelioError::input("mutation", self, reason, advice));
        let name = store.name();
        let (slots, of) = match (self, store) {
            (Self::Put { vector, .. }, Store::Vectors(entry)) => {
                if u32::try_from(vector.len()) != Ok(entry.dimension) {
                    let reason = format!("the vectors of \"{name}\" have {}", entry.dimension);
                    return refuse(reason, "give as many numbers");
                }
                let squares: f32 = vector.iter().map(|number| number * number).sum();
                if vector.iter().any(|number| !number.is_finite()) {
                    return refuse("a number is not finite".into(), "give finite numbers");
                }
                if entry.metric == Metric::Cosine && (squares == 0.0 || !squares.is_finite()) {
                    let reason = "its length is zero or too large for the cosine metric".into();
                    return refuse(reason, "give a vector of a length that can be divided by");
                }
                (0..entry.capacity, "the store's slots")
            }
            (Self::Graph { operation, weight, .. }, Store::Graph(entry)) => {
                if !weight.is_finite() {
                    return refuse("the weight is not finite".into(), "give a finite weight");
                }
                match is_node(*operation) {
                    true => (0..entry.nodes, "slots of nodes"),
                    false => (entry.nodes..entry.nodes + entry.edges, "slots of edges"),
                }
            }
            (Self::Put { .. }, Store::Graph(_)) => {
                return refuse(format!("\"{name}\" is a store of a graph"), "use --graph");
            }
            (Self::Graph { .. }, Store::Vectors(_)) => {
                return refuse(format!("\"{name}\" is a store of vectors"), "use --put");
            }
        };
        if !slots.contains(&self.slot()) {
            let reason = format!("{of} are {} to {}", slots.start, slots.end - 1);
            return refuse(reason, "give one of them with --slot");
        }
        Ok(())
    }
}

/// Whether it changes a node, not an edge.
pub(crate) const fn is_node(operation: Operation) -> bool {
    matches!(operation, Operation::AddNode | Operation::RemoveNode)
}

/// Whether it gives an edge a weight.
pub(crate) const fn has_weight(operation: Operation) -> bool {
    matches!(operation, Operation::AddEdge | Operation::SetWeight)
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (operation, slot, from, to, weight) = match self {
            Self::Put { key, slot, vector } => {
                let count = vector.len();
                return write!(f, "put key {key}, a vector of {count}, into slot {slot}");
            }
            Self::Graph { operation, slot, from, to, weight } => {
                (operation, slot, from, to, weight)
            }
        };
        match operation {
            Operation::AddNode => write!(f, "add node {from} in slot {slot}"),
            Operation::RemoveNode => write!(f, "remove node {from} from slot {slot}"),
            Operation::AddEdge => {
                write!(f, "add an edge from {from} to {to}, weight {weight}, in slot {slot}")
            }
            Operation::RemoveEdge => {
                write!(f, "remove the edge from {from} to {to} from slot {slot}")
            }
            _ => write!(
                f,
                "set the weight of the edge from {from} to {to}, in slot {slot}, to {weight}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use package::manifest::{GraphStoreEntry, StoreRules, Tier, VectorStoreEntry};

    fn rules() -> StoreRules {
        StoreRules { tier: Tier::Reflex, approvers: Vec::new(), guard: None }
    }

    fn vectors(metric: Metric) -> VectorStoreEntry {
        let (name, rules) = ("memories".into(), rules());
        VectorStoreEntry { name, capacity: 10, dimension: 2, metric, rules }
    }

    fn graph() -> GraphStoreEntry {
        GraphStoreEntry { name: "facts".into(), nodes: 10, edges: 5, rules: rules() }
    }

    fn put(slot: u32, vector: &[f32]) -> Change {
        Change::Put { key: 7, slot, vector: vector.into() }
    }

    fn of_graph(operation: Operation, slot: u32, to: u64, weight: f32) -> Change {
        Change::Graph { operation, slot, from: 3, to, weight }
    }

    #[test]
    fn changes_survive_the_round_trip_and_have_one_encoding() {
        let (vectors, graph) = (vectors(Metric::L2), graph());
        let (vectors, graph) = (Store::Vectors(&vectors), Store::Graph(&graph));
        for (change, store) in [
            (put(9, &[1.0, -0.0]), vectors),
            (of_graph(Operation::AddNode, 9, 0, 0.0), graph),
            (of_graph(Operation::RemoveEdge, 14, 4, 0.0), graph),
            (of_graph(Operation::SetWeight, 10, 4, -0.5), graph),
        ] {
            let bytes = change.to_bytes();
            assert_eq!(Change::from_bytes(&bytes, store), Some(change.clone()));
            assert!(change.check(store).is_ok(), "{change}");
            for length in 0..bytes.len() {
                assert_eq!(Change::from_bytes(&bytes[..length], store), None);
            }
            assert_eq!(Change::from_bytes(&[&bytes[..], &[0; 4]].concat(), store), None);
        }
        for loose in [
            of_graph(Operation::AddNode, 9, 1, 0.0),
            of_graph(Operation::RemoveNode, 9, 0, 1.0),
            of_graph(Operation::RemoveEdge, 14, 4, -0.0),
        ] {
            assert_eq!(Change::from_bytes(&loose.to_bytes(), graph), None, "{loose}");
        }
    }

    #[test]
    fn what_the_store_cannot_do_is_refused() {
        let (cosine, l2, graph) = (vectors(Metric::Cosine), vectors(Metric::L2), graph());
        let (cosine, l2, graph) =
            (Store::Vectors(&cosine), Store::Vectors(&l2), Store::Graph(&graph));
        assert!(put(0, &[0.0, 0.0]).check(l2).is_ok());
        for (change, store) in [
            (put(10, &[1.0, 0.0]), l2),
            (put(0, &[1.0]), l2),
            (put(0, &[1.0, f32::NAN]), l2),
            (put(0, &[0.0, 0.0]), cosine),
            (put(0, &[f32::MAX, 0.0]), cosine),
            (put(0, &[1.0, 0.0]), graph),
            (of_graph(Operation::AddNode, 0, 0, 0.0), l2),
            (of_graph(Operation::AddNode, 10, 0, 0.0), graph),
            (of_graph(Operation::AddEdge, 9, 0, 0.0), graph),
            (of_graph(Operation::AddEdge, 15, 0, 0.0), graph),
            (of_graph(Operation::SetWeight, 10, 0, f32::INFINITY), graph),
        ] {
            assert!(change.check(store).is_err(), "{change}");
        }
    }
}
