#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
//! The Wasm machine: tasks run in it, and nothing they do depends on where.
//!
//! [`Cell`] is the whole of a running system but its devices: the nucleus, an
//! instance for each task, and the order in which they take turns. The kernel
//! drives one, `helio run --hosted` drives one, and both get the same records.
//!
//! Below it: `engine` says how wasmi is set up, `program` what a component
//! must be, `instance` how a task runs by slices, `imports` and `call` how a
//! payload's call becomes a request to the gate, `guest` how its pointers are
//! checked, `wasi` how WASI's functions become such calls, `limiter` how much it may grow, `weight` what it takes beside
//! that, `room` who may have how much of it, `root` what commits to its state.
//!
//! [`engine`] and [`Limiter`] are for who runs modules that are no components:
//! the tests that others wrote for engines.

extern crate alloc;

mod call;
mod ceiling;
mod cell;
mod engine;
mod frameless;
mod guest;
mod host;
mod imports;
mod instance;
mod journal;
mod limiter;
mod mount;
mod prepare;
mod program;
mod room;
mod root;
mod seat;
mod snapshot;
mod trap;
mod wasi;
mod weight;

pub use ceiling::Ceiling;
pub use cell::{Boot, Cell, Failure, Step};
pub use engine::engine;
pub use limiter::Limiter;
pub use nucleus::{Effect, Input, NotAdmitted, Nucleus};
pub use snapshot::{Loaded, NotKept, Surroundings};
