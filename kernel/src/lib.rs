#![cfg_attr(not(test), no_std)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
//! The kernel's thinking, apart from what only a bare machine can do.
//!
//! Init phases, the frame allocator, the command line, what a console line
//! and a trap report look like, which lines are kept: plain code over the traits of [`hal`], tested
//! on the host. The program in `main.rs` joins it to the machine.

pub mod command_line;
pub mod frames;
pub mod heap_size;
pub mod messages;
pub mod phases;
pub mod report;
pub mod text;
