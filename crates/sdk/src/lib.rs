#![no_std]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
//! What a payload links against.
//!
//! A payload is an ordinary Rust program for `wasm32-unknown-unknown` that can
//! do nothing but compute until it uses a capability. This crate wraps the
//! twelve calls of module `heliograph` in one type for each kind of object:
//! [`Queue`], [`Region`], [`Timer`], [`Log`] and so on. A value of such a type
//! is only a name; whether it names anything, and what may be done with it,
//! is decided by the gate at each use, and a refusal comes back as [`Error`].
//!
//! A program with the console as its first capability and a timer as its
//! second:
//!
//! ```ignore
//! #![no_std]
//! #![no_main]
//!
//! use sdk::{Console, Queue, Timer, println};
//!
//! const CONSOLE: Queue = Queue::initial(0);
//! const TIMER: Timer = Timer::initial(1);
//!
//! sdk::entry!(main, console: CONSOLE);
//!
//! fn main() -> i32 {
//!     let mut console = Console::new(CONSOLE, Some(TIMER));
//!     println!(console, "hello");
//!     0
//! }
//! ```
//!
//! A reactor has no `main`: [`reactor!`] exports a function that is called for
//! each message, and [`State`] keeps what it remembers.
//!
//! All `unsafe` code is in `imports`, where memory is handed to the kernel, in
//! `state`, and, with feature `alloc`, in `heap`. Compiled for anything but Wasm, the
//! crate has no kernel under it and every call answers
//! [`Error::Unsupported`], so that a payload's own logic can be tested on the
//! host.

mod console;
mod entry;
mod hash;
#[cfg(feature = "alloc")]
mod heap;
mod imports;
mod mutation;
mod objects;
mod opening;
#[cfg(all(feature = "panic-handler", target_arch = "wasm32"))]
mod panic;
mod state;
mod text;

pub use abi::{
    Approval, CLAIM_BODY_MAX, EntryHead, Error, ExitReport, GetNearest, GrantArguments,
    GraphMutation, Handle, Neighbour, NodeHead, Operation, Rights, SignedProof, SpawnArguments,
    Stage, Statement, first_slot,
};
pub use console::Console;
#[doc(hidden)]
pub use entry::announce_console;
pub use hash::{leaf, sha256};
#[cfg(feature = "alloc")]
pub use heap::Heap;
pub use imports::calls_made;
pub use mutation::{Mutation, SignedMutation};
pub use objects::{
    Component, Content, EVER, Entry, GraphStore, Log, MESSAGE_HEAD, Memory, Message, Namespace,
    Neighbours, Numbers, Proof, Queue, Region, Sensor, Slab, SlabSlot, Task, Timer, VectorStore,
};
pub use opening::Opening;
pub use state::State;
pub use text::Text;
