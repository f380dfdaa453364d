//! The model: a quadratic trend and four annual harmonics, as in Thoning, Tans
//! and Komhyr (1989, "Atmospheric carbon dioxide at Mauna Loa Observatory 2").

use alloc::vec::Vec;
use core::f64::consts::TAU;
use core::fmt;

use numerics::{Augmented, Matrix};

use crate::series::Series;

/// Columns of the trend: 1, t, t².
const TREND: usize = 3;

/// Cycles a year of the fastest harmonic.
pub const HARMONICS: usize = 4;

/// Parameters of the model.
pub const PARAMETERS: usize = TREND + 2 * HARMONICS;

/// What is asked of the model. Time is counted from the middle of the record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// How fast the trend grows in the middle of the record, in ppm a year.
    pub growth: f64,
    /// How fast that growth grows, in ppm a year².
    pub acceleration: f64,
}

/// A fitted model.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The estimates.
    pub trend: Trend,
    /// Their standard errors if the residuals were independent.
    pub errors: Trend,
    /// What the model leaves over, in ppm, one for each mean.
    pub residuals: Vec<f64>,
    /// Standard deviation of the residuals, in ppm.
    pub deviation: f64,
    /// What each residual adds to the growth: the estimate is linear in the
    /// data, so a response that differs by e has a growth that differs by the
    /// scalar product with e, and no resample needs a fit of its own.
    pub growth_weights: Vec<f64>,
    /// The same for the acceleration.
    pub acceleration_weights: Vec<f64>,
}

/// The record is too short for the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooShort;

impl fmt::Display for TooShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the record is too short for {PARAMETERS} parameters")
    }
}

impl core::error::Error for TooShort {}

/// Fits the model.
///
/// # Errors
/// [`TooShort`] where the parameters cannot be told from each other.
pub fn fit(series: &Series) -> Result<Fit, TooShort> {
    let rows = series.years.len();
    let freedom = rows.checked_sub(PARAMETERS).filter(|f| *f > 0).ok_or(TooShort)?;
    let design: Vec<_> = series.years.iter().map(|years| row(*years)).collect();
    let matrix = Matrix::new(rows, PARAMETERS, |row, column| design[row][column]);
    let system = Augmented::new(matrix).map_err(|_| TooShort)?;
    let solution = system.least_squares(&series.ppm);

    let deviation = libm::sqrt(sum_of_squares(&solution.r) / freedom as f64);
    let growth_weights = system.pseudo_inverse_row(1);
    // The acceleration is twice the coefficient of t².
    let half_weights = system.pseudo_inverse_row(2);
    let acceleration_weights: Vec<f64> = half_weights.iter().map(|weight| 2.0 * weight).collect();
    let error = |weights: &[f64]| deviation * libm::sqrt(sum_of_squares(weights));
    Ok(Fit {
        trend: Trend { growth: solution.x[1], acceleration: 2.0 * solution.x[2] },
        errors: Trend {
            growth: error(&growth_weights),
            acceleration: error(&acceleration_weights),
        },
        residuals: solution.r,
        deviation,
        growth_weights,
        acceleration_weights,
    })
}

/// The model's columns at a time.
fn row(years: f64) -> [f64; PARAMETERS] {
    let mut row = [0.0; PARAMETERS];
    row[..TREND].copy_from_slice(&[1.0, years, years * years]);
    let (sine, cosine) = libm::sincos(TAU * years);
    // Each harmonic turns the one before by the phase of the first.
    let (mut real, mut imaginary) = (1.0, 0.0);
    for pair in row[TREND..].chunks_exact_mut(2) {
        (real, imaginary) = (real * cosine - imaginary * sine, real * sine + imaginary * cosine);
        pair.copy_from_slice(&[real, imaginary]);
    }
    row
}

/// The share of a residual that is left in the next one.
pub fn autocorrelation(residuals: &[f64]) -> f64 {
    let pairs = residuals.iter().zip(residuals.iter().skip(1));
    pairs.map(|(a, b)| a * b).sum::<f64>() / sum_of_squares(residuals)
}

fn sum_of_squares(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum()
}
