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
//! All `unsafe` code is in `imports`, where memory is handed to the kernel,
//! and, with feature `alloc`, in `heap`. Compiled for anything but Wasm, the
//! crate has no kernel under it and every call answers
//! [`Error::Unsupported`], so that a payload's own logic can be tested on the
//! host.

mod console;
mod entry;
#[cfg(feature = "alloc")]
mod heap;
mod imports;
mod objects;
#[cfg(all(feature = "panic-handler", target_arch = "wasm32"))]
mod panic;
mod text;

pub use abi::{CLAIM_BODY_MAX, Error, GrantArguments, Handle, Operation, Rights, SpawnArguments};
pub use console::Console;
#[doc(hidden)]
pub use entry::announce_console;
#[cfg(feature = "alloc")]
pub use heap::Heap;
pub use objects::{
    Component, GraphStore, Log, Namespace, Proof, Queue, Region, Sensor, Task, Timer, VectorStore,
    approve,
};
pub use text::Text;
