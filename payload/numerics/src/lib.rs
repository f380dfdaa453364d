#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
//! Least squares and tables of numbers, shared by the payloads.
//!
//! Everything is plain `f64` arithmetic in a fixed order, with `libm` for what
//! Wasm has no instruction for, so the same input gives the same bits on every
//! target. Nothing here knows the kernel.
//!
//! [`Qr`] factors a [`Matrix`]; [`Augmented`] solves least-squares systems
//! with it to nearly full precision; [`Column`] reads decimal numbers without
//! rounding; [`Significant`] prints them.

extern crate alloc;

mod augmented;
mod column;
mod matrix;
mod qr;
mod significant;
mod twofold;

pub use augmented::{Augmented, Solution};
pub use column::{Cell, Column, ColumnError};
pub use matrix::Matrix;
pub use qr::{Qr, RankDeficient};
pub use significant::Significant;
pub use twofold::Twofold;
