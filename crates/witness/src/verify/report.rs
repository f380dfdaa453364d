//! What a verification finds.

use crate::{
    Hash,
    manifest::RunManifest,
    note::NoteError,
    record::{MachineFacts, RecordError, TrapCode},
};
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::fmt;

/// Whether a log is what it claims to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything holds, to the end.
    Verified,
    /// What is there holds, but something is missing.
    Incomplete {
        /// What is missing.
        missing: Missing,
        /// How many records, from the first, hold under the checkpoint.
        verified: u64,
    },
    /// Everything holds under a key, but not the one that was given.
    WrongKey {
        /// The key that the log names for itself, and is signed by.
        named: [u8; 32],
    },
    /// Something was changed, by malice or by accident.
    Forged {
        /// Where.
        part: Part,
        /// What is wrong with it.
        reason: Reason,
    },
}

/// What an incomplete log lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the definitions")]
pub enum Missing {
    Checkpoint,
    Manifest,
    /// Tiles of hashes. Only who looks at files can tell; see
    /// [`crate::tiles::layout`].
    Tiles,
    /// Records that the checkpoint covers, up to but without `until`.
    Records {
        from: u64,
        until: u64,
    },
}

/// A part of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The record of this number: the first bad one.
    Record(u64),
    /// The records as a whole; which of them cannot be told without tiles.
    Tree,
    /// The tiles of leaf hashes.
    Tiles,
    /// The signed checkpoint.
    Checkpoint,
    /// The signed manifest.
    Manifest,
}

impl Part {
    pub(super) fn bad(self, reason: Reason) -> Verdict {
        Verdict::Forged { part: self, reason }
    }
}

/// Why a part is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The bytes are not a record.
    Record(RecordError),
    /// Leaf 0 is not a genesis, leaf 1 no machine record, or another one is.
    Place,
    /// The sequence number does not continue its subject's.
    Sequence,
    /// The previous record is not its subject's last.
    Previous,
    /// The causing record is not an earlier one, or it is leaf 1.
    Cause,
    /// Logical time or slice number goes back.
    Time,
    /// The subject's fuel goes back.
    Fuel,
    /// A task that was not spawned, or spawned out of order.
    Spawn,
    /// A task that had ended goes on.
    Ended,
    /// The parts of an event do not fit together.
    Event,
    /// A signed event's signature does not hold.
    EventSignature,
    /// An operator's counter does not grow.
    EventCounter,
    /// The hash is not the one in the tiles.
    OtherHash,
    /// No checkpoint covers it.
    NotCovered,
    /// The root is not the signed one.
    Root,
    /// The note does not open.
    Note(NoteError),
    /// The signed text is not what it should be.
    Text,
    /// The origin is not a device's.
    Origin,
    /// The log is too small to be one.
    TooSmall,
    /// The boot is another than the checkpoint's.
    OtherBoot,
    /// The device's key is another than the signer's.
    OtherDeviceKey,
    /// The package is another than expected.
    OtherPackage,
    /// The kernel is another than expected.
    OtherKernel,
    /// The trust file is another than expected.
    OtherTrust,
    /// The nonce is another than expected, or there is none.
    OtherNonce,
    /// This member of the manifest contradicts the records.
    Member(&'static str),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(index) => write!(f, "record {index}"),
            Self::Tree => f.write_str("the tree"),
            Self::Tiles => f.write_str("the tiles"),
            Self::Checkpoint => f.write_str("the checkpoint"),
            Self::Manifest => f.write_str("the manifest"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Record(error) => return error.fmt(f),
            Self::Note(error) => return error.fmt(f),
            Self::Member(member) => {
                return write!(f, "\"{member}\" contradicts the records");
            }
            Self::Place => "such a record cannot stand there",
            Self::Sequence => "the sequence number does not continue its subject's",
            Self::Previous => "the previous record is not its subject's last",
            Self::Cause => "the causing record is not an earlier one",
            Self::Time => "logical time goes back",
            Self::Fuel => "the subject's fuel goes back",
            Self::Spawn => "the task was not spawned, or out of order",
            Self::Ended => "the task had ended",
            Self::Event => "the parts of the event do not fit together",
            Self::EventSignature => "the event's signature does not hold",
            Self::EventCounter => "the operator's counter does not grow",
            Self::OtherHash => "its hash is not the signed one",
            Self::NotCovered => "the checkpoint does not cover it",
            Self::Root => "the root is not the signed one",
            Self::Text => "the signed text is not what it should be",
            Self::Origin => "the origin is not a device and a boot",
            Self::TooSmall => "a log has at least two records",
            Self::OtherBoot => "the boot is another than the checkpoint's",
            Self::OtherDeviceKey => "the device's key is another than the signer's",
            Self::OtherPackage => "the package is another than expected",
            Self::OtherKernel => "the kernel is another than expected",
            Self::OtherTrust => "the trust file is another than expected",
            Self::OtherNonce => "the expected nonce is not there",
        })
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint => f.write_str("the checkpoint"),
            Self::Manifest => f.write_str("the manifest"),
            Self::Tiles => f.write_str("tiles of hashes"),
            Self::Records { from, until } => write!(f, "records {from} to {}", until - 1),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verified => f.write_str("verified"),
            Self::Incomplete { missing, verified } => {
                write!(f, "incomplete: {missing} missing; {verified} records verify")
            }
            Self::WrongKey { named } => {
                write!(f, "wrong key: the log is signed by {}", crate::hex::Hex(named))
            }
            Self::Forged { part, reason } => write!(f, "forged or damaged: {part}: {reason}"),
        }
    }
}

/// How a task ended, by its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the records")]
pub enum TaskFacts {
    /// It has no record that ends it.
    Open,
    Exit(i32),
    Trap(TrapCode),
    OutOfFuel,
    BudgetSpent,
}

/// What a log says. Worth as much as the verdict.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Device and boot, as in the checkpoint.
    pub origin: String,
    /// Number of records that were there.
    pub records: u64,
    /// Number of records of each kind, by the kind's number.
    pub kinds: BTreeMap<u8, u64>,
    /// Number of calls that were denied.
    pub denied: u64,
    /// Digest of the package.
    pub package: Option<Hash>,
    /// The seed.
    pub seed: Option<u64>,
    /// Name of the engine profile.
    pub profile: String,
    /// Leaf 1.
    pub machine: Option<MachineFacts>,
    /// Tasks in order of spawn: the first is task 1.
    pub tasks: Vec<TaskFacts>,
    /// Nonces that came as challenges.
    pub challenges: Vec<[u8; 32]>,
    /// Operators' keys that signed events.
    pub operators: Vec<[u8; 32]>,
    /// Number of the first record that marks the run as one that used
    /// something unrecorded.
    pub unrecorded: Option<u64>,
    /// Logical time of the last record, in ns.
    pub time_ns: u64,
    /// The manifest, if it was there and holds.
    pub manifest: Option<RunManifest>,
}

/// Verdict and findings.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Whether the log is what it claims to be.
    pub verdict: Verdict,
    /// What it says.
    pub facts: Facts,
}
