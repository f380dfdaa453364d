//! The format, against its page, foreign vectors and other implementations.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;
mod format;
mod frame;
mod json;
mod log;
mod note;
mod record;
mod syscalls;
mod tiles;
mod tree;
mod trust;
mod verify;
