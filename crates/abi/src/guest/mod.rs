//! Blocks of bytes in a payload's memory, for what is too large for registers.
//!
//! All integers are little-endian. A block has one length and one encoding:
//! what no field covers is zero, and a block where it is not is refused. One
//! file for each family of calls.

mod fields;
mod grant;
mod message;
mod proof;
mod region;
mod spawn;
mod store;

pub use grant::{GRANT_SIZE, GrantArguments};
pub use message::{EXIT_REPORT, ExitReport, MessageHeader, Reference};
pub use proof::{Approval, PROOF_CONTEXT, SignedProof, Statement};
pub use region::RegionMode;
pub use spawn::{SPAWN_SIZE, SpawnArguments};
pub use store::{
    EntryHead, GetByKey, GetNearest, GetNeighbours, GraphMutation, Neighbour, NeighboursOf,
    NodeHead, OpeningHead, PutHead,
};

/// Largest body of a claim, in bytes.
pub const CLAIM_BODY_MAX: usize = 128;
