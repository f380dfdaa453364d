#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
//! Packages: what a machine is started with.
//!
//! A package is an RVF file with a manifest, components and data regions,
//! signed by an operator. [`Package::open`] reads one: it finds the
//! [`Seal`] at the end, decides whether its key is trusted, checks the
//! signature over everything before it, and only then looks at segments, the
//! [`Manifest`] and the parts that it names. Whatever is wrong is a
//! [`PackageError`], which says at which stage, with what, and why.
//!
//! Writing is the host's business; the pieces both sides must agree on to the
//! byte ([`Manifest::to_json`], [`signing_message`], [`signature_payload`])
//! are here. `docs/PACKAGE.md` has the format.

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod error;
pub mod manifest;
mod module;
mod open;
mod seal;
mod segment;
mod trust;
mod xxh3;

pub use error::PackageError;
pub use manifest::Manifest;
pub use open::{Package, Part, Skipped};
pub use seal::{
    DOMAIN, MESSAGE_SIZE, PAYLOAD_SIZE, SEAL_SIZE, Seal, signature_payload, signing_message,
};
pub use segment::{DATA_SEGMENT, SEGMENTS_MAX};
