#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
//! The host side of Heliograph: everything that happens to keys, packages,
//! images and logs outside the machine.
//!
//! The command `helio` is a thin layer over this library: one file a command
//! under [`command`], each of which reads its arguments, calls one of the
//! modules below and prints what came back. Integration tests and other tools
//! use the modules directly.
//!
//! What does not belong here: anything the kernel also needs (`witness`,
//! `package`, `machine`), and any decision about what a record means.

pub mod approve;
pub mod arch;
pub mod build;
pub mod cli;
pub mod command;
pub mod config;
pub mod console;
pub mod device_tree;
pub mod diff;
pub mod error;
pub mod exit;
pub mod file;
pub mod flash;
pub mod image;
pub mod keys;
pub mod log;
pub mod monitor;
pub mod output;
pub mod pack;
pub mod progress;
pub mod qemu;
pub mod replay;
pub mod security;
pub mod session;
pub mod snapshot;
pub mod symbolize;
pub mod target;
pub mod terminal;
pub mod trim;
pub mod verify;

pub use arch::Arch;
pub use error::{HelioError, Result};
