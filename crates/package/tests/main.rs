//! Packages, honest and not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod arbitrary;
mod common;
mod example;
mod foreign;
mod manifest;
mod proof;
mod refusals;
mod runtime;
