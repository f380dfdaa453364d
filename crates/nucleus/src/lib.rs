#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
//! The nucleus: a deterministic state machine behind one gate.
//!
//! No hardware, no clock, no randomness, no threads, no global state. Its
//! input is the package it was started with, a list of events, and the
//! requests of tasks; the same input gives the same records, byte for byte.
//!
//! [`Nucleus::gate`] is the only way in for tasks and kernel alike: halt,
//! arguments, capability, proof, effect, witness, in this order, one record a
//! call. What a call needs stands in its file under `syscall/`. Evidence that
//! a stage was passed is a value only that stage can make ([`evidence`]), so
//! an effect without its checks does not compile.
//!
//! Nothing here allocates or loops without bound inside the gate. What must
//! do either (spawning, mounting) leaves the gate as a [`Ticket`], is prepared
//! outside by the machine, and is committed or refused by a second pass.
//!
//! Where to begin: [`gate`], then one call, then [`capability`] and [`task`].

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod capability;
mod clock;
mod end;
mod event;
mod evidence;
mod gate;
mod mount;
mod novelty;
mod nucleus;
mod object;
mod partition;
mod prepared;
mod proof;
mod queue;
mod region;
mod request;
mod rules;
mod schedule;
mod sensor;
pub mod snapshot;
mod space;
mod spawn;
mod store;
mod syscall;
mod task;
mod ticket;
pub mod view;
mod witness;
mod world;

pub use clock::Clock;
pub use end::Ending;
pub use event::{Input, NotAdmitted};
pub use gate::Answer;
pub use mount::{TaskPlan, objects_bytes};
pub use nucleus::{Effect, Gone, Grant, Nucleus, Start};
pub use object::ObjectId;
pub use partition::PartitionId;
pub use prepared::Word;
pub use request::{Arguments, ChangeProof, Passed, Request};
pub use task::{Outcome, State, Task};
pub use ticket::{PassList, Ticket, Work};
pub use world::Verify;
