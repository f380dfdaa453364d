#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
//! Puts the witness log on a device before anything it tells of becomes
//! visible.
//!
//! A [`Recorder`] seals what the nucleus has written, sends it to a
//! [`Device`], waits until it is there, and only then signs and sends the
//! checkpoint over it. Whoever drives a cell lets effects out after
//! [`Recorder::commit`] has returned, never before. The kernel's devices are a
//! disk ([`disk`]) and the UART; on the host a log goes to memory.

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod disk;
mod recorder;

pub use recorder::{Device, Failure, Recorder, Work};
