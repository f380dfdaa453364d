//! How near two vectors are: always summed in the same order, so that the
//! result has the same bits on every target.

use crate::snapshot::saved;
use package::manifest::Metric;

/// Partial sums that go side by side, which lets a compiler use vector
/// instructions without changing the order of any sum.
const LANES: usize = 8;

/// Sums `term` over pairs of numbers. Shorter vectors count as far as they go.
fn sum(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (blocks_a, rest_a) = a.as_chunks::<LANES>();
    let (blocks_b, rest_b) = b.as_chunks::<LANES>();
    for (block_a, block_b) in blocks_a.iter().zip(blocks_b) {
        for ((lane, a), b) in lanes.iter_mut().zip(block_a).zip(block_b) {
            *lane += term(*a, *b);
        }
    }
    for ((lane, a), b) in lanes.iter_mut().zip(rest_a).zip(rest_b) {
        *lane += term(*a, *b);
    }
    lanes.iter().fold(0.0, |sum, lane| sum + lane)
}

/// The length of a vector.
pub(super) fn norm(vector: &[f32]) -> f32 {
    libm::sqrtf(sum(vector, vector, |a, b| a * b))
}

/// How near two vectors are, as callers see it: the cosine, or the square of
/// the distance. `norms` are their lengths.
pub(super) fn score(metric: Metric, a: &[f32], b: &[f32], norms: (f32, f32)) -> f32 {
    match metric {
        Metric::Cosine => {
            let cosine = sum(a, b, |a, b| a * b) / (norms.0 * norms.1);
            // At the ends of what a float can hold there is no quotient, and
            // rounding may carry it past one.
            if cosine.is_nan() { 0.0 } else { cosine.clamp(-1.0, 1.0) }
        }
        Metric::L2 => sum(a, b, |a, b| (a - b) * (a - b)),
    }
}

/// How far, from a score: less is nearer.
pub(super) fn distance(metric: Metric, score: f32) -> f32 {
    match metric {
        Metric::Cosine => 1.0 - score,
        Metric::L2 => score,
    }
}

/// A distance with its key, in an order that is total: nearer first, ties by
/// key.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Near {
    pub(super) distance: f32,
    pub(super) key: u64,
    pub(super) slot: u32,
}

impl Near {
    /// What decides. Bits of positive floats are in their order, and all that
    /// is not positive is the same.
    fn order(&self) -> (u32, u64) {
        let bits = if self.distance > 0.0 { self.distance.to_bits() } else { 0 };
        (bits, self.key)
    }
}

impl PartialEq for Near {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Near {}

impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Near {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}

saved!(struct Near { distance, key, slot });
