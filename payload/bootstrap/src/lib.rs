#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
//! How fast does CO2 grow, and how sure is that?
//!
//! [`series`] reads the weekly means, [`model`] fits a quadratic trend and
//! annual harmonics by least squares, [`resample`] repeats the fit on
//! resampled residuals, [`report`] writes the result down. All randomness is
//! a [`random`] stream from a seed, so a run is as reproducible as a sum.

extern crate alloc;

pub mod model;
pub mod random;
pub mod report;
pub mod resample;
pub mod run;
pub mod series;
