//! The result as text. Its SHA-256 is what the payload attests, so its form
//! is part of the result: change it and every log's claim changes.

use alloc::string::String;
use core::fmt::{self, Write};

use crate::model::{Fit, HARMONICS, Trend, autocorrelation};
use crate::resample::{BLOCK, Spread};
use crate::series::Series;

/// Writes down the record and the fit: what is known before any resample.
///
/// # Errors
/// None: writing to a `String` does not fail.
pub fn before(series: &Series, fit: &Fit, text: &mut String) -> fmt::Result {
    writeln!(
        text,
        "CO2 at Mauna Loa: {} weekly means, {} to {}, {} weeks missing\n\
         quadratic trend and {HARMONICS} annual harmonics, least squares by Householder QR\n\
         residuals: standard deviation {:.4} ppm, correlation with the week before {:.4}",
        series.ppm.len(),
        series.span.0,
        series.span.1,
        series.missing,
        fit.deviation,
        autocorrelation(&fit.residuals),
    )
}

/// Writes down the sample of trends. Sorts the parts of the sample.
///
/// # Errors
/// None: writing to a `String` does not fail.
pub fn after(
    fit: &Fit,
    seed: u64,
    growths: &mut [f64],
    accelerations: &mut [f64],
    text: &mut String,
) -> fmt::Result {
    let count = growths.len();
    let Fit { trend, errors, .. } = fit;
    writeln!(
        text,
        "{count} resamples in blocks of {BLOCK} weeks, xoshiro256** seeded with {seed}\n\n\
         {:<26}{:>10}  {:>13}  {:>9}  {:>20}",
        "trend", "estimate", "if independent", "bootstrap", "95 % interval"
    )?;
    let Trend { growth, acceleration } = *trend;
    let mut row = |name: &str, estimate: f64, error: f64, spread: Spread| {
        let (low, high) = spread.interval;
        let deviation = spread.deviation;
        writeln!(
            text,
            "{name:<26}{estimate:>10.6}  {error:>14.6}  {deviation:>9.6}  {low:>9.6} to {high:>8.6}"
        )
    };
    row("growth in ppm/year", growth, errors.growth, Spread::of(growths))?;
    row("acceleration in ppm/year2", acceleration, errors.acceleration, Spread::of(accelerations))
}
