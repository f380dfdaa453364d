//! The vector store: values by key, and the nearest of them.

use super::{
    hnsw::{self, BREADTH_MAX, Hnsw},
    index::{Index, Occupied},
    metric::{Near, distance, norm, score},
    tree::SlotTree,
};
use abi::{
    Error, PutHead,
    profile::{VECTOR_CAPACITY_MAX, VECTOR_DIMENSION_MAX},
};
use alloc::{boxed::Box, vec::Vec};
use package::manifest::Metric;
use witness::{Hash, Hasher};

/// Neighbours that an entry's coherence is the mean score to.
const COHERENT: usize = 8;

/// Slots kept in view by a search for `k` nearest, beyond `k`.
const BEYOND: usize = 64;

/// Bytes of a leaf's content before the vector.
const HEAD: usize = 24;

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

#[derive(Clone, Copy, Debug, Default)]
struct Meta {
    key: u64,
    writes: u32,
    subject: u32,
    sequence: u32,
    coherence: f32,
    norm: f32,
}

/// What is in a slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry<'a> {
    /// Its key.
    pub key: u64,
    /// How often it was put.
    pub writes: u32,
    /// Who put it last.
    pub subject: u32,
    /// Number of the record of that in the subject's chain.
    pub sequence: u32,
    /// Mean score to its nearest when it was put; 0 if it was alone.
    pub coherence: f32,
    /// The vector.
    pub vector: &'a [f32],
}

/// A put, from its canonical bytes.
#[derive(Clone, Copy, Debug)]
pub struct Put<'a> {
    /// The key.
    pub key: u64,
    /// The slot.
    pub slot: u32,
    /// The vector, 4 bytes a number, little-endian.
    pub numbers: &'a [[u8; 4]],
}

impl<'a> Put<'a> {
    /// Reads a put.
    ///
    /// # Errors
    /// [`Error::BadLength`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let (head, rest) = bytes.split_first_chunk().ok_or(Error::BadLength)?;
        let PutHead { key, slot, dimension } = PutHead::from_bytes(head).ok_or(Error::BadLength)?;
        let (numbers, rest) = rest.as_chunks();
        if !rest.is_empty() || u32::try_from(numbers.len()) != Ok(dimension) {
            return Err(Error::BadLength);
        }
        Ok(Self { key, slot, numbers })
    }
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
        let each = u64::from(terms.dimension).saturating_mul(4);
        let each = each.saturating_add(size_of::<Meta>() as u64 + 8);
        let slots = u64::from(terms.capacity).saturating_mul(each);
        let tree = SlotTree::bytes_needed(terms.capacity);
        slots.saturating_add(tree).saturating_add(Hnsw::bytes_needed(terms.capacity))
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

        let coherence = self.settle(slot, put.key, norm);
        if let Some(meta) = self.entries.get_mut(at) {
            meta.coherence = coherence;
        }
        self.commit(slot);
        self.hnsw.take_measured()
    }

    /// Puts a slot into the index. Gives its coherence.
    fn settle(&mut self, slot: u32, key: u64, norm: f32) -> f32 {
        let Self { terms, entries, numbers, hnsw, query, .. } = self;
        let near = Around { terms, entries, numbers, query, norm, but: slot };
        hnsw.insert(&near, slot, key);
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

/// Distances around a query.
struct Around<'a> {
    terms: &'a VectorTerms,
    entries: &'a [Meta],
    numbers: &'a [f32],
    query: &'a [f32],
    norm: f32,
    /// A slot that is as far as can be.
    but: u32,
}

impl Around<'_> {
    fn meta(&self, slot: u32) -> Meta {
        let at = usize::try_from(slot).ok();
        at.and_then(|at| self.entries.get(at)).copied().unwrap_or_default()
    }

    fn vector(&self, slot: u32) -> &[f32] {
        vector_of(self.numbers, self.terms.dimension, slot)
    }

    fn score(&self, slot: u32) -> f32 {
        let norms = (self.norm, self.meta(slot).norm);
        score(self.terms.metric, self.query, self.vector(slot), norms)
    }
}

impl hnsw::Space for Around<'_> {
    fn to(&self, slot: u32) -> Near {
        let key = self.meta(slot).key;
        if slot == self.but {
            return Near { distance: f32::MAX, key, slot };
        }
        Near { distance: distance(self.terms.metric, self.score(slot)), key, slot }
    }

    fn between(&self, one: u32, other: u32) -> f32 {
        let norms = (self.meta(one).norm, self.meta(other).norm);
        let score = score(self.terms.metric, self.vector(one), self.vector(other), norms);
        distance(self.terms.metric, score)
    }
}

fn range_of(dimension: u32, slot: u32) -> core::ops::Range<usize> {
    let dimension = usize::try_from(dimension).unwrap_or(usize::MAX);
    let start = usize::try_from(slot).unwrap_or(usize::MAX).saturating_mul(dimension);
    start..start.saturating_add(dimension)
}

fn vector_of(numbers: &[f32], dimension: u32, slot: u32) -> &[f32] {
    numbers.get(range_of(dimension, slot)).unwrap_or_default()
}

fn vector_of_mut(numbers: &mut [f32], dimension: u32, slot: u32) -> &mut [f32] {
    numbers.get_mut(range_of(dimension, slot)).unwrap_or_default()
}

/// What a leaf says before the vector.
fn head_of(entry: &Entry<'_>) -> [u8; HEAD] {
    let Entry { key, writes, subject, sequence, coherence, .. } = *entry;
    let words = [writes, subject, sequence, coherence.to_bits()].map(u32::to_le_bytes);
    let mut head = [0; HEAD];
    let bytes = key.to_le_bytes().into_iter().chain(words.into_iter().flatten());
    for (place, byte) in head.iter_mut().zip(bytes) {
        *place = byte;
    }
    head
}
