//! Puts and questions in their bytes, and distances the slow way.

pub(super) use crate::store::{Put, VectorStore, VectorTerms};
pub(super) use abi::Error;
pub(super) use package::manifest::Metric;
pub(super) use std::{vec, vec::Vec};
use witness::Hasher;

pub(super) const HASHER: Hasher = Hasher::SOFTWARE;

/// As a put, the bytes that a proof names.
pub(super) fn put_bytes(key: u64, slot: u32, vector: &[f32]) -> Vec<u8> {
    let mut bytes = key.to_le_bytes().to_vec();
    bytes.extend(slot.to_le_bytes());
    bytes.extend((vector.len() as u32).to_le_bytes());
    bytes.extend(query(vector));
    bytes
}

pub(super) fn query(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|number| number.to_le_bytes()).collect()
}

pub(super) fn store(dimension: u32, capacity: u32, metric: Metric) -> VectorStore {
    VectorStore::new(VectorTerms { dimension, capacity, metric }, HASHER)
}

/// Puts where `place` says. Gives how many distances it measured.
pub(super) fn put(store: &mut VectorStore, key: u64, vector: &[f32]) -> u32 {
    let slot = store.place(key).unwrap();
    put_at(store, key, slot, vector).unwrap()
}

pub(super) fn put_at(
    store: &mut VectorStore,
    key: u64,
    slot: u32,
    vector: &[f32],
) -> Result<u32, Error> {
    let bytes = put_bytes(key, slot, vector);
    let put = Put::parse(&bytes)?;
    store.check(&put)?;
    let most = store.most_visits(&put);
    let measured = store.put(&put, (key as u32, 7));
    assert!(measured <= most, "{measured} > {most}");
    Ok(measured)
}

/// Key, score and slot of each that is found, and how many were visited.
pub(super) type Found = (Vec<(u64, f32, u32)>, u32);

pub(super) fn nearest(store: &mut VectorStore, vector: &[f32], k: u32, most: u32) -> Found {
    let mut found = vec![];
    let mut take = |key, score, slot| found.push((key, score, slot));
    let visited = store.nearest(&query(vector), k, false, most, &mut take).unwrap();
    assert!(visited <= most, "{visited} > {most}");
    (found, visited)
}

pub(super) fn exact(store: &mut VectorStore, vector: &[f32], k: u32) -> Found {
    let mut found = vec![];
    let mut take = |key, score, slot| found.push((key, score, slot));
    let visited = store.nearest(&query(vector), k, true, 0, &mut take).unwrap();
    (found, visited)
}

/// A sum as the documentation has it: every eighth term into the same of eight
/// sums, then these from the first to the last.
pub(super) fn lanes(terms: impl Iterator<Item = f32>) -> f32 {
    let mut sums = [0.0f32; 8];
    for (at, term) in terms.enumerate() {
        sums[at % 8] += term;
    }
    sums.into_iter().fold(0.0, |sum, lane| sum + lane)
}

pub(super) fn slow_score(metric: Metric, a: &[f32], b: &[f32]) -> f32 {
    let pairs = || a.iter().zip(b);
    let norm = |it: &[f32]| lanes(it.iter().map(|x| x * x)).sqrt();
    match metric {
        Metric::Cosine => {
            let cosine = lanes(pairs().map(|(a, b)| a * b)) / (norm(a) * norm(b));
            if cosine.is_nan() { 0.0 } else { cosine.clamp(-1.0, 1.0) }
        }
        Metric::L2 => lanes(pairs().map(|(a, b)| (a - b) * (a - b))),
    }
}

/// Numbers that look random and are the same everywhere.
pub(super) struct Stream(pub(super) u64);

impl Stream {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        abi::mix(self.0)
    }

    /// Between -1 and 1, a multiple of 2^-20, so that it is exact.
    pub(super) fn unit(&mut self) -> f32 {
        (self.next() >> 43) as f32 / (1 << 20) as f32 - 1.0
    }

    pub(super) fn vector(&mut self, dimension: u32) -> Vec<f32> {
        (0..dimension).map(|_| self.unit()).collect()
    }
}
