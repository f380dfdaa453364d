//! One file a command: its arguments, and what is printed.

pub mod approve;
pub mod build;
pub mod completions;
pub mod config;
pub mod diff;
pub mod dtb;
pub mod flash;
pub mod image;
pub mod keys;
pub mod log;
pub mod monitor;
pub mod pack;
pub mod replay;
pub mod run;
pub mod security;
pub mod sign;
pub mod symbolize;
pub mod trim;
pub mod verify;

/// Where keys are kept unless a command is told otherwise.
pub const KEYS: &str = "build/keys";

/// Where `make` puts kernels, loaders and packages.
pub const BUILD: &str = "build";
