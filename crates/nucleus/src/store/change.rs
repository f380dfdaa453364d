//! A change of a graph, as the proof names it.

use abi::{Call, Error, GraphMutation, Operation};

/// A change, from its canonical bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Which of the five.
    pub operation: Operation,
    /// The slot that it changes.
    pub slot: u32,
    /// The node, or where the edge comes from.
    pub from: u64,
    /// Where the edge goes to; zero for nodes.
    pub to: u64,
    /// The edge's weight; zero where it has none.
    pub weight: f32,
}

impl Change {
    /// Reads a change.
    ///
    /// # Errors
    /// [`Error::BadLength`], [`Error::BadArgument`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let block = bytes.try_into().map_err(|_| Error::BadLength)?;
        let mutation = GraphMutation::from_bytes(block).ok_or(Error::BadArgument)?;
        let GraphMutation { operation, slot, from, to, weight } = mutation;
        let operation = Call::GraphApplyProved.operation(operation).ok_or(Error::BadArgument)?;
        let is_node = matches!(operation, Operation::AddNode | Operation::RemoveNode);
        let has_weight = matches!(operation, Operation::AddEdge | Operation::SetWeight);
        // One encoding of one change.
        if is_node && to != 0 || !has_weight && weight.to_bits() != 0 {
            return Err(Error::BadArgument);
        }
        Ok(Self { operation, slot, from, to, weight })
    }
}
