//! The bootstrap: what the trend might have been.
//!
//! Residuals of a weekly record depend on those before them, so single ones
//! must not be shuffled. A circular block bootstrap (Politis and Romano 1992)
//! draws whole years of residuals instead, from anywhere in the record with
//! its end joined to its beginning, lays them end to end, and takes the
//! result for another history of the same kind. Weeks without a mean are not
//! in the record; a block that spans a gap is a little longer in time.

use alloc::vec::Vec;

use crate::model::{Fit, Trend};
use crate::random::Random;

/// Length of a block, in weeks: a year.
pub const BLOCK: usize = 52;

/// Number of resamples.
pub const RESAMPLES: usize = 1_000;

/// An endless stream of trends of resampled histories.
#[derive(Clone, Debug)]
pub struct Resamples<'a> {
    fit: &'a Fit,
    /// The residuals, and the first of them again, so that no block has to
    /// wrap.
    circle: Vec<f64>,
    random: Random,
}

impl<'a> Resamples<'a> {
    /// The stream of a seed.
    pub fn new(fit: &'a Fit, seed: u64) -> Self {
        let residuals = &fit.residuals;
        let circle = residuals.iter().chain(residuals.iter().cycle().take(BLOCK)).copied();
        Self { fit, circle: circle.collect(), random: Random::new(seed) }
    }
}

impl Iterator for Resamples<'_> {
    type Item = Trend;

    fn next(&mut self) -> Option<Trend> {
        let Fit { growth_weights, acceleration_weights, residuals, .. } = self.fit;
        let starts = u32::try_from(residuals.len()).ok()?;
        let mut trend = self.fit.trend;
        let blocks = growth_weights.chunks(BLOCK).zip(acceleration_weights.chunks(BLOCK));
        for (growth, acceleration) in blocks {
            let start = self.random.below(starts) as usize;
            let drawn = self.circle.get(start..start + BLOCK)?;
            for ((growth, acceleration), residual) in growth.iter().zip(acceleration).zip(drawn) {
                trend.growth += growth * residual;
                trend.acceleration += acceleration * residual;
            }
        }
        Some(trend)
    }
}

/// What a sample of estimates says about one of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Standard deviation.
    pub deviation: f64,
    /// The 2.5 % and the 97.5 % quantile.
    pub interval: (f64, f64),
}

impl Spread {
    /// Of a sample of two or more; sorts it.
    pub fn of(sample: &mut [f64]) -> Self {
        let count = sample.len() as f64;
        let mean = sample.iter().sum::<f64>() / count;
        let squares: f64 = sample.iter().map(|value| (value - mean) * (value - mean)).sum();
        sample.sort_unstable_by(f64::total_cmp);
        Self {
            deviation: libm::sqrt(squares / (count - 1.0)),
            interval: (quantile(sample, 0.025), quantile(sample, 0.975)),
        }
    }
}

/// A quantile of a sorted sample, linear between its members (type 7 of
/// Hyndman and Fan 1996).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let below = libm::floor(place);
    let (low, high) = (sorted[below as usize], sorted[libm::ceil(place) as usize]);
    low + (place - below) * (high - low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    #[test]
    fn quantiles_are_linear_between_members() {
        let mut sample: Vec<f64> = (0..=40).rev().map(f64::from).collect();
        let spread = Spread::of(&mut sample);
        assert!(
            (spread.interval.0 - 1.0).abs() < 1e-12 && (spread.interval.1 - 39.0).abs() < 1e-12
        );
        assert!((spread.deviation - libm::sqrt(143.5)).abs() < 1e-12);
    }

    proptest! {
        /// With all weight on one place the resampled growth is one residual.
        #[test]
        fn a_resample_is_made_of_residuals(
            residuals in prop::collection::vec(-9.0f64..9.0, 1..200),
            at: prop::sample::Index,
            seed: u64,
        ) {
            let mut weights = vec![0.0; residuals.len()];
            weights[at.index(residuals.len())] = 1.0;
            let zero = Trend { growth: 0.0, acceleration: 0.0 };
            let fit = Fit {
                trend: zero,
                errors: zero,
                deviation: 0.0,
                acceleration_weights: weights.clone(),
                growth_weights: weights,
                residuals,
            };
            for trend in Resamples::new(&fit, seed).take(20) {
                prop_assert!(fit.residuals.contains(&trend.growth));
                prop_assert_eq!(trend.growth, trend.acceleration);
            }
        }
    }
}
