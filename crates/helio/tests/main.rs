//! The command, as its users call it: real files, real keys, real programs.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod approve;
mod audit_log;
mod build;
mod card;
mod cli;
mod common;
mod completions;
mod config;
mod diff;
mod dtb;
mod flash;
mod hosted;
mod image;
mod keys;
mod log;
mod monitor;
mod pack;
mod page;
mod program;
mod qemu;
mod replay;
mod security;
mod symbolize;
mod trim;
