//! The log while the machine runs: slots for records not yet sealed, and the
//! tree of those that are.
//!
//! A slot is reserved before a call has any effect and written when the call
//! completes, so a call that could not be witnessed does not happen. Neither
//! step allocates or can fail. [`Log::seal`] then gives every pending record
//! the ids of its parents, in order, and puts it into the tree; only what is
//! sealed may leave the machine.

use crate::{
    Hash, Hasher,
    ids::Ids,
    record::{Draft, Encoded, Record, RecordError},
    tally::Tally,
    tree::Tree,
};
use alloc::{vec, vec::Vec};

/// Number of a record in the log, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Index(pub u64);

/// The right to write one record. It must be given back, by
/// [`Log::write`] or [`Log::release`], to the log it came from; one that is
/// dropped takes its slot with it.
#[must_use = "a reservation that is dropped loses its slot for good"]
#[derive(Debug)]
pub struct Reservation(());

#[derive(Clone)]
struct Slot {
    bytes: Encoded,
    previous: Option<Index>,
    cause: Option<Index>,
}

impl Slot {
    const EMPTY: Self = Self { bytes: Encoded::EMPTY, previous: None, cause: None };
}

/// A log that grows.
pub struct Log {
    hasher: Hasher,
    /// Record `i` is in slot `i` modulo the capacity until overwritten, so the
    /// last sealed ones can still be looked at.
    slots: Vec<Slot>,
    reserved: usize,
    pending: usize,
    tree: Tree,
    /// Leaf hashes of all sealed records.
    ids: Ids,
    /// What was written here.
    tally: Tally,
}

impl Log {
    /// An empty log that can hold `capacity` records (at least one) between
    /// two sealings. All slots are allocated here.
    pub fn new(hasher: Hasher, capacity: usize) -> Self {
        Self::with_ids(hasher, capacity, Vec::new())
    }

    /// A log that goes on after records with these ids, which are not in
    /// memory any more.
    pub fn with_ids(hasher: Hasher, capacity: usize, ids: Vec<Hash>) -> Self {
        let mut log = Self {
            hasher,
            slots: vec![Slot::EMPTY; capacity.max(1)],
            reserved: 0,
            pending: 0,
            tree: Tree::new(hasher),
            ids: Ids::default(),
            tally: Tally::default(),
        };
        log.ids.reserve(ids.len().saturating_add(log.slots.len()));
        ids.into_iter().for_each(|id| log.push(id));
        log
    }

    fn push(&mut self, id: Hash) {
        self.tree.push(id);
        self.ids.push(id);
    }

    /// Sets a slot aside; `None` if all are taken until the next sealing.
    pub fn reserve(&mut self) -> Option<Reservation> {
        if self.room() == 0 {
            return None;
        }
        self.reserved += 1;
        Some(Reservation(()))
    }

    /// Gives a reservation back unused.
    pub fn release(&mut self, reservation: Reservation) {
        let Reservation(()) = reservation;
        self.reserved = self.reserved.saturating_sub(1);
    }

    /// Writes a record into a reserved slot and says which it is.
    pub fn write(&mut self, reservation: Reservation, draft: &Draft<'_>) -> Index {
        self.release(reservation);
        let index = self.next();
        let place = self.place(index);
        // The place is a remainder by the number of slots: always there.
        if let Some(slot) = self.slots.get_mut(place) {
            draft.encode_into(&mut slot.bytes);
            slot.previous = draft.previous;
            slot.cause = draft.cause;
        }
        self.pending += 1;
        self.tally.count(draft);
        index
    }

    /// Slots neither reserved nor written. Fewer than there are where there is
    /// no memory for the ids of more records.
    pub fn room(&self) -> usize {
        let most = self.slots.len().min(self.ids.room());
        most.saturating_sub(self.pending).saturating_sub(self.reserved)
    }

    /// Records written and not yet sealed.
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// Slots reserved and not yet written.
    pub fn reserved(&self) -> usize {
        self.reserved
    }

    /// Index that the next record will have.
    pub fn next(&self) -> Index {
        Index(self.size() + self.pending as u64)
    }

    /// Seals what is pending, in order, showing each record and its id.
    pub fn seal(&mut self, visit: &mut dyn FnMut(&[u8], &Hash)) {
        while self.pending > 0 {
            let index = Index(self.size());
            let place = self.place(index);
            let Some(slot) = self.slots.get_mut(place) else { return };
            // A subject's first record descends from the genesis, which
            // itself descends from nothing.
            let id = |of: Index| self.ids.get(usize::try_from(of.0).ok()?);
            let previous = id(slot.previous.unwrap_or(Index(0)));
            let cause = slot.cause.and_then(id);
            slot.bytes.set_parents(previous.unwrap_or(&[0; 32]), cause.unwrap_or(&[0; 32]));
            let leaf = self.hasher.leaf(slot.bytes.as_bytes());
            visit(slot.bytes.as_bytes(), &leaf);
            self.push(leaf);
            self.pending -= 1;
        }
        // Without that memory there is no room, and nothing is lost.
        self.ids.reserve(self.slots.len());
    }

    /// Number of sealed records.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Root of the tree of sealed records.
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// Id of a sealed record.
    pub fn id(&self, index: Index) -> Option<Hash> {
        self.ids.get(usize::try_from(index.0).ok()?).copied()
    }

    /// Ids of all sealed records, in order: what proofs are made from.
    pub fn ids(&self) -> impl Iterator<Item = &Hash> {
        self.ids.iter()
    }

    /// How many records of each kind were written: all of them but for those
    /// before a log that went on.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// A record that is still in memory: any that is pending, or one of the
    /// last sealed ones.
    pub fn entry(&self, index: Index) -> Option<Entry<'_>> {
        let oldest = self.next().0.saturating_sub(self.slots.len() as u64);
        if index >= self.next() || index.0 < oldest {
            return None;
        }
        let slot = self.slots.get(self.place(index))?;
        // Before the first record of a log that went on there are none.
        if slot.bytes.as_bytes().is_empty() {
            return None;
        }
        Some(Entry { index, slot, id: self.id(index) })
    }

    /// The last `count` records that are still in memory, oldest first.
    pub fn recent(&self, count: usize) -> impl Iterator<Item = Entry<'_>> {
        let next = self.next().0;
        let count = count.min(self.slots.len()) as u64;
        (next.saturating_sub(count)..next).filter_map(|index| self.entry(Index(index)))
    }

    fn place(&self, index: Index) -> usize {
        // There is at least one slot.
        index.0.checked_rem(self.slots.len() as u64).unwrap_or(0) as usize
    }
}

/// A record in memory.
pub struct Entry<'a> {
    /// Its number.
    pub index: Index,
    /// Its id, once it is sealed.
    pub id: Option<Hash>,
    slot: &'a Slot,
}

impl<'a> Entry<'a> {
    /// Whether it is sealed. If not, the parents' ids in it are zero.
    pub fn is_sealed(&self) -> bool {
        self.id.is_some()
    }

    /// Its bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.slot.bytes.as_bytes()
    }

    /// Its content.
    pub fn record(&self) -> Result<Record<'a>, RecordError> {
        Record::decode(self.bytes())
    }

    /// The subject's previous record, if this is not its first.
    pub fn previous(&self) -> Option<Index> {
        self.slot.previous
    }

    /// The record that caused it.
    pub fn cause(&self) -> Option<Index> {
        self.slot.cause
    }
}
