//! The vector store: values by key, and the nearest of them.

use super::{
    around::{Around, vector_of, vector_of_mut},
    beam::BREADTH_MAX,
    entry::{Entry, HEAD, Meta, head_of},
    hnsw::{self, Hnsw},
    index::{Index, Occupied},
    metric::norm,
    put::Put,
    tree::SlotTree,
};
use crate::snapshot::saved;
use abi::{
    Error,
    profile::{VECTOR_CAPACITY_MAX, VECTOR_DIMENSION_MAX},
};
use alloc::{boxed::Box, vec::Vec};
use package::manifest::Metric;
use witness::{Hash, Hasher};

/// Neighbours that an entry's coherence is the mean score to.
const COHERENT: usize = 8;

/// Slots kept in view by a search for `k` nearest, beyond `k`.
const BEYOND: usize = 64;

/// How large a store is and what makes vectors near.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VectorTerms {
    /// Numbers in each vector.
    pub dimension: u32,
    /// Vectors it holds at most.
    pub capacity: u32,
    /// What makes them near.
    pub metric: Metric,
}

/// Vectors by key.
#[derive(Debug)]
pub struct VectorStore {
    terms: VectorTerms,
    tree: SlotTree,
    index: Index,
    occupied: Occupied,
    entries: Box<[Meta]>,
    numbers: Box<[f32]>,
    hnsw: Hnsw,
    /// For the content of a leaf, and for a query.
    content: Box<[u8]>,
    query: Box<[f32]>,
}

impl VectorStore {
    /// An empty store. All its memory is taken here.
    pub fn new(terms: VectorTerms, hasher: Hasher) -> Self {
        let terms = VectorTerms {
            dimension: terms.dimension.clamp(1, VECTOR_DIMENSION_MAX),
            capacity: terms.capacity.clamp(1, VECTOR_CAPACITY_MAX),
            ..terms
        };
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let (slots, dimension) = (size(terms.capacity), size(terms.dimension));
        let content = HEAD.saturating_add(dimension.saturating_mul(4));
        Self {
            terms,
            tree: SlotTree::new(hasher, terms.capacity),
            index: Index::new(terms.capacity),
            occupied: Occupied::new(terms.capacity),
            entries: alloc::vec![Meta::default(); slots].into(),
            numbers: alloc::vec![0.0; slots.saturating_mul(dimension)].into(),
            hnsw: Hnsw::new(terms.capacity),
            content: alloc::vec![0; content].into(),
            query: alloc::vec![0.0; dimension].into(),
        }
    }

    /// Bytes of memory that such a store takes.
    pub fn bytes_needed(terms: &VectorTerms) -> u64 {
        let vector = u64::from(terms.dimension).saturating_mul(4);
        let slot = (size_of::<Meta>() as u64).saturating_add(vector);
        let slots = u64::from(terms.capacity).saturating_mul(slot);
        let slots = slots.saturating_add(Index::bytes_needed(terms.capacity));
        // The query, and the content of a leaf.
        let scratch = vector.saturating_mul(2).saturating_add(HEAD as u64);
        let tree = SlotTree::bytes_needed(terms.capacity);
        let index = Hnsw::bytes_needed(terms.capacity);
        slots.saturating_add(scratch).saturating_add(tree).saturating_add(index)
    }

    /// Bytes of memory that it takes.
    pub fn bytes(&self) -> u64 {
        Self::bytes_needed(&self.terms)
    }

    /// How large it is.
    pub fn terms(&self) -> &VectorTerms {
        &self.terms
    }

    /// Vectors in it.
    pub fn count(&self) -> u32 {
        self.index.len()
    }

    /// The commitment to it.
    pub fn tree(&self) -> &SlotTree {
        &self.tree
    }

    /// Root of that.
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// The slots that are in use, by key.
    pub fn slots(&self) -> &[u32] {
        self.index.slots()
    }

    fn seek(&self, key: u64) -> Result<(usize, u32), usize> {
        self.index.find(|slot| self.meta(slot).key.cmp(&key))
    }

    /// The slot of a key.
    pub fn find(&self, key: u64) -> Option<u32> {
        self.seek(key).ok().map(|(_, slot)| slot)
    }

    /// The slot of a key, or the free one that it would best go to.
    pub fn place(&self, key: u64) -> Option<u32> {
        self.find(key).or_else(|| self.occupied.place(key))
    }

    fn meta(&self, slot: u32) -> Meta {
        let at = usize::try_from(slot).ok();
        at.and_then(|at| self.entries.get(at)).copied().unwrap_or_default()
    }

    fn vector(&self, slot: u32) -> &[f32] {
        vector_of(&self.numbers, self.terms.dimension, slot)
    }

    /// What is in a slot.
    pub fn entry(&self, slot: u32) -> Option<Entry<'_>> {
        if !self.occupied.get(slot)? {
            return None;
        }
        let Meta { key, writes, subject, sequence, coherence, .. } = self.meta(slot);
        let vector = self.vector(slot);
        Some(Entry { key, writes, subject, sequence, coherence, vector })
    }

    /// The bytes that a slot's leaf is the hash of; none if it is empty.
    /// Allocates.
    pub fn content(&self, slot: u32) -> Vec<u8> {
        let Some(entry) = self.entry(slot) else { return Vec::new() };
        let mut content = Vec::with_capacity(self.content.len());
        content.extend(head_of(&entry));
        content.extend(entry.vector.iter().flat_map(|number| number.to_le_bytes()));
        content
    }

    /// How much hangs on a slot, 0 to 255: the links of the index.
    pub fn risk(&self, slot: u32) -> u8 {
        u8::try_from(self.hnsw.links(slot)).unwrap_or(u8::MAX)
    }

    /// Most vectors that a put looks at.
    pub fn most_visits(&self, put: &Put<'_>) -> u32 {
        hnsw::most_measured(hnsw::level(put.key))
    }

    /// Whether a put can be done.
    ///
    /// # Errors
    /// [`Error::BadLength`], [`Error::NotFinite`], [`Error::ZeroNorm`],
    /// [`Error::OutOfRange`], [`Error::WrongSlot`], [`Error::StoreFull`].
    pub fn check(&mut self, put: &Put<'_>) -> Result<(), Error> {
        self.load(put.numbers)?;
        let is_occupied = self.occupied.get(put.slot).ok_or(Error::OutOfRange)?;
        match self.find(put.key) {
            Some(slot) if slot == put.slot => Ok(()),
            Some(_) => Err(Error::WrongSlot),
            None if self.count() >= self.terms.capacity => Err(Error::StoreFull),
            None if is_occupied => Err(Error::WrongSlot),
            None => Ok(()),
        }
    }

    /// Reads numbers into the query.
    fn load(&mut self, numbers: &[[u8; 4]]) -> Result<f32, Error> {
        if numbers.len() != self.query.len() {
            return Err(Error::BadLength);
        }
        for (place, bytes) in self.query.iter_mut().zip(numbers) {
            let number = f32::from_le_bytes(*bytes);
            if !number.is_finite() {
                return Err(Error::NotFinite);
            }
            *place = number;
        }
        let norm = norm(&self.query);
        if self.terms.metric == Metric::Cosine {
            if norm == 0.0 {
                return Err(Error::ZeroNorm);
            }
            // Too large to be measured.
            if !norm.is_finite() {
                return Err(Error::NotFinite);
            }
        }
        Ok(norm)
    }

    /// Does a put that was checked. Gives how many vectors it looked at.
    pub fn put(&mut self, put: &Put<'_>, (subject, sequence): (u32, u32)) -> u32 {
        let Ok(norm) = self.load(put.numbers) else { return 0 };
        let slot = put.slot;
        let old = self.seek(put.key);
        let writes = match old {
            Ok(_) => self.meta(slot).writes.saturating_add(1),
            Err(_) => 1,
        };
        let at = usize::try_from(slot).unwrap_or(usize::MAX);
        if let Some(meta) = self.entries.get_mut(at) {
            *meta = Meta { key: put.key, writes, subject, sequence, coherence: 0.0, norm };
        }
        let vector = vector_of_mut(&mut self.numbers, self.terms.dimension, slot);
        for (place, number) in vector.iter_mut().zip(&self.query) {
            *place = *number;
        }
        if let Err(at) = old {
            self.index.insert(at, slot);
        }
        self.occupied.set(slot, true);

        let coherence = self.settle(slot, put.key, norm, old.is_err());
        if let Some(meta) = self.entries.get_mut(at) {
            meta.coherence = coherence;
        }
        self.commit(slot);
        self.hnsw.take_measured()
    }

    /// Puts a slot into the index. Gives its coherence.
    fn settle(&mut self, slot: u32, key: u64, norm: f32, is_new: bool) -> f32 {
        let Self { terms, entries, numbers, hnsw, query, .. } = self;
        let near = Around { terms, entries, numbers, query, norm, but: slot };
        hnsw.insert(&near, slot, key, is_new);
        let mut count = 0.0f32;
        let mut sum = 0.0f32;
        for found in hnsw.found().filter(|found| found.slot != slot).take(COHERENT) {
            sum += near.score(found.slot);
            count += 1.0;
        }
        if count > 0.0 { sum / count } else { 0.0 }
    }

    fn commit(&mut self, slot: u32) {
        let Meta { key, writes, subject, sequence, coherence, .. } = self.meta(slot);
        let vector = vector_of(&self.numbers, self.terms.dimension, slot);
        let head = head_of(&Entry { key, writes, subject, sequence, coherence, vector });
        let bytes = head.into_iter().chain(vector.iter().flat_map(|number| number.to_le_bytes()));
        for (place, byte) in self.content.iter_mut().zip(bytes) {
            *place = byte;
        }
        self.tree.set(slot, Some(&self.content));
    }

    /// The nearest `k` to a query, nearest first: key, score and slot. Gives
    /// how many vectors were looked at, at most `most` unless the search is to
    /// be exact, which looks at all.
    ///
    /// # Errors
    /// [`Error::BadLength`], [`Error::NotFinite`], [`Error::ZeroNorm`].
    pub fn nearest(
        &mut self,
        query: &[u8],
        k: u32,
        is_exact: bool,
        most: u32,
        found: &mut dyn FnMut(u64, f32, u32),
    ) -> Result<u32, Error> {
        let (numbers, rest) = query.as_chunks();
        if !rest.is_empty() {
            return Err(Error::BadLength);
        }
        let norm = self.load(numbers)?;
        let k = usize::try_from(k).unwrap_or(0).min(BREADTH_MAX);
        let Self { terms, entries, numbers, hnsw, query, index, .. } = self;
        let near = Around { terms, entries, numbers, query, norm, but: u32::MAX };
        if is_exact {
            hnsw.rank(&near, index.slots(), k);
        } else {
            hnsw.find(&near, k.saturating_add(BEYOND), most);
        }
        for one in hnsw.found().take(k) {
            found(one.key, near.score(one.slot), one.slot);
        }
        Ok(hnsw.take_measured())
    }
}

saved!(struct VectorTerms { dimension, capacity, metric });
saved!(struct VectorStore {
    terms, tree, index, occupied, entries, numbers, hnsw, content, query,
});
