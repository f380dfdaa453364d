//! The manifest: what a package says about itself.
//!
//! [`Manifest`] can be made by anyone and says nothing yet; one that came out
//! of [`Manifest::parse`] keeps every rule of `docs/PACKAGE.md`, and is the
//! only one whose JSON is exactly the bytes it came from.

mod check;
mod name;
mod place;
mod read;
mod store;
mod wasi;
mod write;

pub use name::{is_name, well_known};
pub use store::{GraphStoreEntry, Metric, STORES_MAX, StoreRules, Tier, VectorStoreEntry};
pub use wasi::{WASI_STRINGS_MAX, WasiEntry};

use abi::{Kind, Rights};
use alloc::string::String;
use alloc::vec::Vec;
use witness::Hash;

/// Version of the manifest format.
pub const FORMAT: u64 = 1;

/// Largest manifest, in bytes.
pub const MANIFEST_BYTES_MAX: usize = 65_536;
/// Most components.
pub const COMPONENTS_MAX: usize = 64;
/// Most regions.
pub const REGIONS_MAX: usize = 256;
/// Most queues.
pub const QUEUES_MAX: usize = 64;
/// Most sensors.
pub const SENSORS_MAX: usize = 16;
/// Largest capacity of a queue, in bytes.
pub const QUEUE_BYTES_MAX: u64 = 1 << 20;
/// Most standing approvals.
pub const APPROVALS_MAX: usize = 16;
/// Most claim types in one standing approval.
pub const CLAIM_TYPES_MAX: usize = 64;

/// A package's own description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The package's name.
    pub name: String,
    /// Its version, compared with the trust file's minimum.
    pub version: u64,
    /// Seed of all pseudo-randomness in the run.
    pub seed: u64,
    /// What its tasks may spend together.
    pub limits: Limits,
    /// Programs.
    pub components: Vec<PartEntry>,
    /// Read-only data.
    pub regions: Vec<PartEntry>,
    /// Queues of its own.
    pub queues: Vec<QueueEntry>,
    /// Stores of vectors.
    pub vector_stores: Vec<VectorStoreEntry>,
    /// Stores of graphs.
    pub graph_stores: Vec<GraphStoreEntry>,
    /// Sensors whose samples its tasks may get.
    pub sensors: Vec<SensorEntry>,
    /// Claims its tasks may emit.
    pub standing_approvals: Vec<StandingApproval>,
    /// After how many slices the root of the whole state is recorded each
    /// time, at least 1; never if there is none.
    pub state_roots: Option<u64>,
    /// Tasks to start, in this order.
    pub tasks: Vec<TaskEntry>,
}

/// What all tasks of a package may spend together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Units of fuel.
    pub fuel: u64,
    /// Bytes of memory, below 2^53.
    pub memory: u64,
    /// Records in the log.
    pub records: u64,
    /// Its part of the fuel, beside the packages it runs with: 1 to 1000.
    pub share: u16,
}

impl Limits {
    /// Share of a package that asks for none.
    pub const DEFAULT_SHARE: u16 = 100;
    /// Largest share.
    pub const SHARE_MAX: u16 = 1_000;
}

/// A component or region: where it is and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartEntry {
    /// Its name.
    pub name: String,
    /// Id of the segment that holds it.
    pub segment: u64,
    /// SHA-256 of the module, or of the region's bytes.
    pub sha256: Hash,
}

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueEntry {
    /// Its name.
    pub name: String,
    /// Bytes it holds at most, 1 to [`QUEUE_BYTES_MAX`].
    pub capacity_bytes: u64,
    /// The only type of message it takes; any if there is none.
    pub accepts: Option<u32>,
}

/// A sensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SensorEntry {
    /// Its name.
    pub name: String,
}

/// A proof given in advance: claims of these types may be emitted, within
/// these bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingApproval {
    /// Types of claims, growing.
    pub claim_types: Vec<u32>,
    /// Bytes that the claims' bodies may have together, below 2^53.
    pub max_bytes: u64,
    /// How many claims, below 2^53.
    pub max_claims: u64,
}

/// How a task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    /// Its `_start` is called once.
    Command,
    /// An export of it is called for each message.
    Reactor,
}

/// A task to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskEntry {
    /// Its name, among the tasks.
    pub name: String,
    /// Name of the component it runs.
    pub component: String,
    /// How it runs.
    pub kind: TaskKind,
    /// Higher runs first among equal deadlines.
    pub priority: u8,
    /// Logical time in ns it is scheduled by, if any.
    pub deadline: Option<u64>,
    /// Fuel it may spend, at most the package's.
    pub fuel: u64,
    /// Bytes of linear memory it may have, at most the package's.
    pub memory: u32,
    /// What it starts with, in order of the handles.
    pub capabilities: Vec<CapabilityEntry>,
    /// What it is told through WASI, if anything.
    pub wasi: Option<WasiEntry>,
}

/// A capability that a task starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapabilityEntry {
    /// Kind of the object.
    pub kind: Kind,
    /// Name of the object.
    pub name: String,
    /// What the task may do with it, at least one right.
    pub rights: Rights,
}

impl TaskKind {
    /// Both, with their names in manifests.
    pub const NAMED: [(Self, &'static str); 2] =
        [(Self::Command, "command"), (Self::Reactor, "reactor")];

    /// Its name in manifests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Reactor => "reactor",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(_, n)| *n == name).map(|(kind, _)| *kind)
    }
}
