#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
//! The shell on the machine's console.
//!
//! [`execute`] is a pure function from a line and a read-only [`View`] of the
//! machine to an [`Answer`]: text, and at most one [`Action`] for the kernel
//! to take. It has no state and no way to change what it looks at, so a
//! session that only looks leaves no trace in the run, and the same shell
//! serves the kernel, a replayed log and tests.
//!
//! [`Editor`] turns the bytes of a serial line into lines, and says what to
//! echo. It is a state machine of its own and takes any bytes whatever.
//!
//! The commands are rows of a table in [`command`], one file a command in
//! `commands/`.

extern crate alloc;
#[cfg(test)]
extern crate std;

mod answer;
pub mod command;
mod commands;
mod complete;
mod describe;
pub mod editor;
mod hardware;
#[cfg(test)]
mod sample;
mod table;
pub mod trace;
mod units;
pub mod view;

pub use answer::{Action, Answer};
pub use command::execute;
pub use complete::{Completion, complete};
pub use editor::{Editor, Input};
pub use trace::Trace;
pub use view::View;
