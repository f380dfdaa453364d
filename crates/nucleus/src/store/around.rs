//! Distances between the vectors of a store, and to what is looked for.

use super::{
    entry::Meta,
    hnsw::Space,
    metric::{Near, distance, score},
    vectors::VectorTerms,
};

/// Distances around a query.
pub(super) struct Around<'a> {
    pub(super) terms: &'a VectorTerms,
    pub(super) entries: &'a [Meta],
    pub(super) numbers: &'a [f32],
    pub(super) query: &'a [f32],
    pub(super) norm: f32,
    /// A slot that is as far as can be.
    pub(super) but: u32,
}

impl Around<'_> {
    fn meta(&self, slot: u32) -> Meta {
        let at = usize::try_from(slot).ok();
        at.and_then(|at| self.entries.get(at)).copied().unwrap_or_default()
    }

    fn vector(&self, slot: u32) -> &[f32] {
        vector_of(self.numbers, self.terms.dimension, slot)
    }

    pub(super) fn score(&self, slot: u32) -> f32 {
        let norms = (self.norm, self.meta(slot).norm);
        score(self.terms.metric, self.query, self.vector(slot), norms)
    }
}

impl Space for Around<'_> {
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

pub(super) fn vector_of(numbers: &[f32], dimension: u32, slot: u32) -> &[f32] {
    numbers.get(range_of(dimension, slot)).unwrap_or_default()
}

pub(super) fn vector_of_mut(numbers: &mut [f32], dimension: u32, slot: u32) -> &mut [f32] {
    numbers.get_mut(range_of(dimension, slot)).unwrap_or_default()
}
