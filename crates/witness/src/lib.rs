#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
//! The witness log: what a machine did, in a form a stranger can check.
//!
//! Everything between a state change and its proof lives here: the binary
//! [`record`], the [`log`] that holds records until they are sealed, the RFC
//! 6962 [`tree`] over them, signed [`note`]s for checkpoints and manifests,
//! the [`frame`]s in which a log leaves the machine, the [`tiles`] in which it
//! rests, the [`trust`] file, and the verification of all that ([`verify`]).
//! The formats are written down, to the byte, in `docs/FORMAT.md`.
//!
//! The crate knows no hardware, no files and no clock. The same code runs in
//! the kernel, in the loader and on the host.

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod base64;
pub mod checkpoint;
pub mod frame;
pub mod hex;
mod ids;
pub mod json;
pub mod key;
pub mod log;
pub mod manifest;
pub mod note;
pub mod proof;
pub mod record;
pub mod sha256;
pub mod signature;
pub mod tally;
pub mod tiles;
pub mod tree;
pub mod trust;
pub mod verify;

pub use log::{Index, Log, Reservation};
pub use record::{Body, Draft, Kind, Record, Subject, Verdict};
pub use sha256::{Hash, Hasher};
pub use trust::Trust;

/// Names one start of one machine: 16 bytes chosen at boot.
pub type BootId = [u8; 16];
