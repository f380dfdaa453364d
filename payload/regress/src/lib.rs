#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
//! Least squares on Longley's data, held to NIST's certified values.
//!
//! [`fit`](fit::fit) turns the table into estimates, [`report`](report::report)
//! into text with the digits that agree with [`certified`]. The program in
//! `main.rs` adds only where the table comes from and where the text goes.

extern crate alloc;

pub mod certified;
pub mod fit;
pub mod report;
