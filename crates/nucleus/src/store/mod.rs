//! Stores: vectors by key, and graphs, each committed to by a Merkle tree over
//! its slots.
//!
//! All memory is taken when a store is made. What follows is the same on
//! every target: sums in a fixed order, ties broken by key, levels of the
//! index from a hash of the key.

mod around;
mod beam;
mod change;
mod entry;
mod graph;
mod hnsw;
mod index;
mod links;
mod metric;
mod part;
mod put;
mod tree;
mod vectors;

pub use change::Change;
pub use entry::Entry;
pub use graph::{GraphStore, GraphTerms};
pub use part::{Edge, Node};
pub use put::Put;
pub use tree::SlotTree;
pub use vectors::{VectorStore, VectorTerms};

#[cfg(test)]
mod tests;
