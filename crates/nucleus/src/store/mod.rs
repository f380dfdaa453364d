//! Stores: vectors by key, and graphs, each committed to by a Merkle tree over
//! its slots.
//!
//! All memory is taken when a store is made. What follows is the same on
//! every target: sums in a fixed order, ties broken by key, levels of the
//! index from a hash of the key.

mod graph;
mod hnsw;
mod index;
mod metric;
mod tree;
mod vectors;

pub use graph::{Change, Edge, GraphStore, GraphTerms, Node};
pub use tree::SlotTree;
pub use vectors::{Entry, Put, VectorStore, VectorTerms};

#[cfg(test)]
mod tests;
