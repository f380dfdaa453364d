//! Ids of all records of a log, for as long as it grows.
//!
//! They lie in pieces, so that a long log takes no more memory than they do,
//! and the memory for them is asked for before it is needed: whoever finds
//! that there is none has lost nothing yet.

use crate::Hash;
use alloc::vec::Vec;

/// Ids in a piece: 32 KiB.
const PIECE: usize = 1_024;

/// A list of ids that grows.
#[derive(Default)]
pub struct Ids {
    pieces: Vec<Vec<Hash>>,
    count: usize,
}

impl Ids {
    /// How many more there is memory for.
    pub fn room(&self) -> usize {
        self.pieces.len().saturating_mul(PIECE).saturating_sub(self.count)
    }

    /// Asks for memory for so many more; whether it is there.
    pub fn reserve(&mut self, more: usize) -> bool {
        while self.room() < more {
            let mut piece = Vec::new();
            if self.pieces.try_reserve(1).is_err() || piece.try_reserve_exact(PIECE).is_err() {
                return false;
            }
            self.pieces.push(piece);
        }
        true
    }

    /// Adds one, for which there must be room.
    pub fn push(&mut self, id: Hash) {
        if let Some(piece) = self.pieces.get_mut(self.count / PIECE) {
            piece.push(id);
            self.count += 1;
        }
    }

    /// The one of this number.
    pub fn get(&self, index: usize) -> Option<&Hash> {
        self.pieces.get(index / PIECE)?.get(index % PIECE)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Hash> {
        self.pieces.iter().flatten()
    }
}
