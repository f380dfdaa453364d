//! The vector store, as a map from keys.

use super::{merkle::Tree, proof::Rules};
use abi::{Error, first_slot};
use package::manifest::Metric;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub struct Vectors {
    pub rules: Rules,
    pub dimension: usize,
    pub capacity: u32,
    pub metric: Metric,
    pub entries: BTreeMap<u64, Entry>,
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub slot: u32,
    pub writes: u32,
    pub subject: u32,
    pub sequence: u32,
    /// Bits. What it should be is the business of the store's own tests.
    pub coherence: u32,
    pub vector: Vec<f32>,
}

pub struct Put {
    pub key: u64,
    pub slot: u32,
    pub vector: Vec<f32>,
}

impl Put {
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let word = |at| bytes.get(at..at + 4).map(|it| u32::from_le_bytes(it.try_into().unwrap()));
        let (Some(low), Some(high), Some(slot), Some(dimension)) =
            (word(0), word(4), word(8), word(12))
        else {
            return Err(Error::BadLength);
        };
        if bytes.len() as u64 != 16 + 4 * u64::from(dimension) {
            return Err(Error::BadLength);
        }
        let vector = floats(&bytes[16..]);
        Ok(Self { key: u64::from(high) << 32 | u64::from(low), slot, vector })
    }
}

pub fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|it| f32::from_le_bytes(it.try_into().unwrap())).collect()
}

impl Vectors {
    /// Whether a vector is one that the store measures.
    pub fn measures(&self, vector: &[f32]) -> Result<(), Error> {
        if vector.len() != self.dimension {
            return Err(Error::BadLength);
        }
        if !vector.iter().all(|number| number.is_finite()) {
            return Err(Error::NotFinite);
        }
        if self.metric == Metric::Cosine {
            // In f32, as the store counts; tiny and huge ones have no norm.
            let squares: f32 = vector.iter().map(|number| number * number).sum();
            if squares == 0.0 {
                return Err(Error::ZeroNorm);
            }
            if !squares.is_finite() {
                return Err(Error::NotFinite);
            }
        }
        Ok(())
    }

    pub fn check(&self, put: &Put) -> Result<(), Error> {
        self.measures(&put.vector)?;
        if put.slot >= self.capacity {
            return Err(Error::OutOfRange);
        }
        let is_taken = self.entries.values().any(|entry| entry.slot == put.slot);
        match self.entries.get(&put.key) {
            Some(entry) if entry.slot == put.slot => Ok(()),
            Some(_) => Err(Error::WrongSlot),
            None if self.entries.len() as u64 == u64::from(self.capacity) => Err(Error::StoreFull),
            None if is_taken => Err(Error::WrongSlot),
            None => Ok(()),
        }
    }

    pub fn put(&mut self, put: &Put, (subject, sequence): (u32, u32), coherence: u32) {
        let writes = self.entries.get(&put.key).map_or(0, |entry| entry.writes) + 1;
        let (slot, vector) = (put.slot, put.vector.clone());
        let entry = Entry { slot, writes, subject, sequence, coherence, vector };
        self.entries.insert(put.key, entry);
    }

    /// The slot of a key, or the one that it should go to.
    pub fn place(&self, key: u64) -> Option<u32> {
        if let Some(entry) = self.entries.get(&key) {
            return Some(entry.slot);
        }
        let is_free = |slot: &u32| self.entries.values().all(|entry| entry.slot != *slot);
        let first = first_slot(key, self.capacity);
        (first..self.capacity).chain(0..first).find(is_free)
    }

    fn content(&self, slot: u32) -> Vec<u8> {
        let Some((key, it)) = self.entries.iter().find(|(_, entry)| entry.slot == slot) else {
            return vec![];
        };
        let words = [it.writes, it.subject, it.sequence, it.coherence];
        let vector = it.vector.iter().flat_map(|number| number.to_le_bytes());
        let words = words.into_iter().flat_map(u32::to_le_bytes);
        key.to_le_bytes().into_iter().chain(words).chain(vector).collect()
    }

    pub fn tree(&self) -> Tree {
        Tree::of(self.capacity, &|slot| self.content(slot))
    }

    pub fn by_key(&self, key: u64, with_opening: bool) -> Result<Vec<u8>, Error> {
        let (slot, mut answer) = match self.entries.get(&key) {
            Some(it) => {
                let dimension = self.dimension as u32;
                let head = [it.slot, it.writes, it.subject, it.sequence, it.coherence, dimension];
                let numbers = it.vector.iter().map(|number| number.to_bits());
                let words = head.into_iter().chain(numbers);
                (it.slot, words.flat_map(u32::to_le_bytes).collect::<Vec<u8>>())
            }
            None if with_opening => {
                let slot = self.place(key).ok_or(Error::StoreFull)?;
                (slot, [slot, 0, 0, 0, 0, 0].into_iter().flat_map(u32::to_le_bytes).collect())
            }
            None => return Err(Error::NotFound),
        };
        if with_opening {
            answer.extend(self.tree().opening(slot));
        }
        Ok(answer)
    }

    /// Exact search by squared distance; what the vectors hold is small whole
    /// numbers, so that there is no rounding.
    pub fn nearest(&self, query: &[f32], k: usize) -> Vec<u8> {
        let distance = |entry: &Entry| -> f32 {
            query.iter().zip(&entry.vector).map(|(a, b)| (a - b) * (a - b)).sum()
        };
        let mut all: Vec<_> =
            self.entries.iter().map(|(key, entry)| (distance(entry), *key, entry.slot)).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let bytes = |(score, key, slot): (f32, u64, u32)| {
            [&key.to_le_bytes()[..], &score.to_le_bytes(), &slot.to_le_bytes()].concat()
        };
        all.into_iter().take(k).flat_map(bytes).collect()
    }
}
