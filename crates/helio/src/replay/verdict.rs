//! What a replay comes to.

use std::fmt;

use machine::NotAdmitted;
use witness::manifest::TaskEnd;
use witness::{Hash, hex};

/// What the records of a log are to those that the machine makes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The same, from the first to the end of the run.
    Equal,
    /// The same as far as the log goes, of which the end is missing.
    Incomplete,
    /// The same up to where the replay was to stop.
    Stopped,
    /// The same up to a point, and not beyond.
    Diverged(Box<Divergence>),
    /// It cannot be told: what the run depended on is not at hand.
    NotReproducible(Gap),
}

/// Where a log and the machine part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// Number of the first record that is not the same; for a manifest that
    /// is not, the number of records.
    pub record: u64,
    /// What the log has there.
    pub log: Side,
    /// What the machine comes to.
    pub replay: Side,
}

/// One side of a divergence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// A record, in its bytes.
    Record(Vec<u8>),
    /// Nothing more: the log ends, in order, before it.
    End,
    /// No such record: nothing more happens by itself, or the log has an event
    /// at a point where the machine never stands.
    Stands {
        /// Its logical time in ns.
        time_ns: u64,
        /// Number of its last slice.
        slice: u64,
        /// Whether every task has ended.
        finished: bool,
    },
    /// The event that the log has there is refused.
    Refused(Refusal),
    /// The ends of the tasks, as a manifest lists them.
    Tasks(Vec<TaskEnd>),
}

/// Why the machine does not admit an event that the log says it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The nucleus admits no events that carry an operator's signature.
    Signed,
    /// What the nucleus says.
    Nucleus(NotAdmitted),
}

/// What a run depended on that is not at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// The package given is another one than the genesis names.
    OtherPackage {
        /// SHA-256 of the one that ran.
        named: Hash,
        /// SHA-256 of the one given.
        given: Hash,
    },
    /// The run was of another engine profile: fuel and time differ.
    OtherProfile {
        /// Its name.
        named: String,
    },
    /// The trust file given is another one than leaf 1 names.
    OtherTrust {
        /// SHA-256 of the one that was used; zero if there was none.
        named: Hash,
        /// SHA-256 of the one given.
        given: Hash,
    },
    /// The trust file that leaf 1 names was not given, and this record depends
    /// on it.
    NeedsTrust {
        /// Number of the record.
        record: u64,
    },
    /// A package that an operator mounted was not given.
    NeedsPackage {
        /// Number of the record that asks for it.
        record: u64,
        /// SHA-256 of its file.
        named: Hash,
    },
    /// The log says so itself.
    Marked {
        /// Number of the record that does.
        record: u64,
        /// What was used that is not recorded, as it says.
        what: String,
    },
}

/// What was taken for granted because only the log says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assumption {
    /// That the trust file let the package's signer sign it.
    SignerTrusted,
    /// That the trust file did not.
    SignerNotTrusted,
    /// That the machine did not have the memory that the package may take.
    NoMemory,
}

impl Verdict {
    /// The verdict in one word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Incomplete => "incomplete",
            Self::Stopped => "stopped",
            Self::Diverged(_) => "diverged",
            Self::NotReproducible(_) => "not-reproducible",
        }
    }
}

impl Gap {
    /// The record that shows it.
    pub const fn record(&self) -> u64 {
        match self {
            Self::OtherPackage { .. } | Self::OtherProfile { .. } => 0,
            Self::OtherTrust { .. } => 1,
            Self::NeedsTrust { record }
            | Self::NeedsPackage { record, .. }
            | Self::Marked { record, .. } => *record,
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zero = |digest: &Hash| *digest == Hash::default();
        match self {
            Self::OtherPackage { named, given } => write!(
                f,
                "the package is another one: record 0 names {}, this one is {}",
                hex::encode(named),
                hex::encode(given)
            ),
            Self::OtherProfile { named } => write!(
                f,
                "record 0 names the engine profile {named}, and this is {}",
                abi::profile::NAME
            ),
            Self::OtherTrust { named, .. } if zero(named) => {
                f.write_str("record 1 says that there was no trust file")
            }
            Self::OtherTrust { named, given } => write!(
                f,
                "the trust file is another one: record 1 names {}, this one is {}",
                hex::encode(named),
                hex::encode(given)
            ),
            Self::NeedsTrust { record } => write!(
                f,
                "record {record} depends on the trust file that record 1 names, which was not given"
            ),
            Self::NeedsPackage { record, named } => write!(
                f,
                "record {record} mounts the package with SHA-256 {}, which was not given; give it \
                 with --mounted",
                hex::encode(named)
            ),
            Self::Marked { record, what } => write!(
                f,
                "record {record} marks a run that used something unrecorded: {}",
                what.escape_default()
            ),
        }
    }
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SignerTrusted => "that the trust file allowed the package's signer",
            Self::SignerNotTrusted => "that the trust file did not allow the package's signer",
            Self::NoMemory => "that the machine had too little memory for the package",
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signed => f.write_str("no events signed by operators are admitted"),
            Self::Nucleus(error) => error.fmt(f),
        }
    }
}
