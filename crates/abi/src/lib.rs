#![no_std]
#![forbid(unsafe_code)]
//! Numbers, names and layouts shared by payloads, kernel and tools.
//!
//! Everything here is plain data: which calls exist, what they need, how they
//! fail, what a capability may do, what a unit of work costs. The crate knows
//! neither Wasm nor hardware nor the log, and depends on nothing.

mod call;
mod error;
mod guest;
mod handle;
mod kind;
pub mod profile;
mod rights;
mod slot;

pub use call::{Call, Operation};
pub use error::{Error, Stage};
pub use guest::{
    Approval, CLAIM_BODY_MAX, EXIT_REPORT, EntryHead, ExitReport, GRANT_SIZE, GetByKey, GetNearest,
    GetNeighbours, GrantArguments, GraphMutation, MessageHeader, Neighbour, NeighboursOf, NodeHead,
    OpeningHead, PROOF_CONTEXT, PutHead, Reference, RegionMode, SPAWN_SIZE, SignedProof,
    SpawnArguments, Statement,
};
pub use handle::Handle;
pub use kind::Kind;
pub use rights::Rights;
pub use slot::{first_slot, mix};

/// Name of the Wasm module that a payload imports the calls from.
pub const IMPORT_MODULE: &str = "heliograph";

/// Longest name of a component, region, queue, task or path, in bytes.
pub const NAME_MAX: usize = 64;
