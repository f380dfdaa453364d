#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
//! What the agents share: how they speak, what the prover allows, and what a
//! year of measurements looks like.
//!
//! The programs are in `bin`. `planner` starts the others and gives each what
//! it needs; `feed` turns measurements into vectors; `prover` approves what
//! its [`policy`] allows; `memory` keeps the vectors; `claims` draws edges
//! between years that are alike; `hostile` tries to get round all of it.

#[cfg(target_arch = "wasm32")]
pub mod client;
pub mod likeness;
pub mod policy;
pub mod protocol;
pub mod years;
