//! Cells that run packages to their end.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod calls;
mod common;
mod determinism;
mod guard;
mod hello;
mod journal;
mod messages;
mod mount;
mod payloads;
mod prices;
mod snapshot;
mod wasi;
