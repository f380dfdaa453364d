//! The slots of a graph store: nodes in one part, edges in another.

use super::index::{Index, Occupied};
use crate::snapshot::saved;
use abi::Error;
use alloc::boxed::Box;

/// The slots of one kind.
#[derive(Debug)]
pub(super) struct Part<T> {
    slots: Box<[T]>,
    pub(super) index: Index,
    pub(super) occupied: Occupied,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Written {
    pub(super) writes: u32,
    pub(super) subject: u32,
    pub(super) sequence: u32,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NodeSlot {
    pub(super) key: u64,
    pub(super) degree: u32,
    pub(super) by: Written,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EdgeSlot {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) weight: f32,
    pub(super) by: Written,
}

/// A node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its key.
    pub key: u64,
    /// Its slot.
    pub slot: u32,
    /// Edges in and out; one to itself counts twice.
    pub degree: u32,
    /// How often it was written.
    pub writes: u32,
    /// Who wrote it last.
    pub subject: u32,
    /// Number of the record of that in the subject's chain.
    pub sequence: u32,
}

/// An edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    /// Where it comes from.
    pub from: u64,
    /// Where it goes to.
    pub to: u64,
    /// Its weight.
    pub weight: f32,
    /// Its slot.
    pub slot: u32,
    /// How often it was written.
    pub writes: u32,
    /// Who wrote it last.
    pub subject: u32,
    /// Number of the record of that in the subject's chain.
    pub sequence: u32,
}

impl<T: Copy + Default> Part<T> {
    /// Bytes that so many slots take.
    pub(super) fn bytes_needed(slots: u32) -> u64 {
        let each = u64::from(slots).saturating_mul(size_of::<T>() as u64);
        each.saturating_add(Index::bytes_needed(slots))
    }

    pub(super) fn new(slots: u32) -> Self {
        let size = usize::try_from(slots).unwrap_or(usize::MAX);
        Self {
            slots: alloc::vec![T::default(); size].into(),
            index: Index::new(slots),
            occupied: Occupied::new(slots),
        }
    }

    pub(super) fn get(&self, slot: u32) -> T {
        let at = usize::try_from(slot).ok();
        at.and_then(|at| self.slots.get(at)).copied().unwrap_or_default()
    }

    pub(super) fn set(&mut self, slot: u32, to: T) {
        let place = usize::try_from(slot).ok().and_then(|at| self.slots.get_mut(at));
        if let Some(place) = place {
            *place = to;
        }
    }

    /// Puts something into a free slot, at its place in the index.
    pub(super) fn add(&mut self, slot: u32, at: usize, new: T) {
        self.set(slot, new);
        self.index.insert(at, slot);
        self.occupied.set(slot, true);
    }

    pub(super) fn remove(&mut self, slot: u32, at: usize) {
        self.set(slot, T::default());
        self.index.remove(at);
        self.occupied.set(slot, false);
    }

    pub(super) fn is_full(&self) -> bool {
        usize::try_from(self.index.len()).is_ok_and(|count| count >= self.slots.len())
    }

    /// Whether something new may go into a slot.
    pub(super) fn takes(&self, slot: u32) -> Result<(), Error> {
        if self.is_full() {
            return Err(Error::StoreFull);
        }
        match self.occupied.get(slot) {
            None => Err(Error::OutOfRange),
            Some(true) => Err(Error::WrongSlot),
            Some(false) => Ok(()),
        }
    }
}

saved!(struct Part<T> { slots, index, occupied });
saved!(struct Written { writes, subject, sequence });
saved!(struct NodeSlot { key, degree, by });
saved!(struct EdgeSlot { from, to, weight, by });
