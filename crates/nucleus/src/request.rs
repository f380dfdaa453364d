//! Requests: what comes to the gate, with every pointer already resolved.

use abi::{Call, Error, GrantArguments, Handle, SpawnArguments};
use package::manifest::TaskKind;
use witness::Hash;

/// A call as its caller made it. What could not be resolved comes to the
/// gate too, as an error, so that it leaves its record.
#[derive(Debug)]
pub struct Request<'a> {
    /// Which call.
    pub call: Call,
    /// The capability it is made with.
    pub handle: Handle,
    /// The operation's number within the call.
    pub operation: u32,
    /// How many bytes it is to move.
    pub length: u32,
    /// What its record shows as its argument.
    pub argument: u64,
    /// The rest, or why it makes no sense.
    pub arguments: Result<Arguments<'a>, Error>,
}

/// What a call needs beyond capability and operation.
#[derive(Debug)]
pub enum Arguments<'a> {
    /// For task_spawn.
    Spawn {
        /// Budgets and order.
        start: SpawnArguments,
        /// How it runs.
        kind: TaskKind,
        /// What it gets to hold.
        passed: Passed<'a>,
    },
    /// For cap_grant, operation grant.
    Grant(GrantArguments),
    /// For region_map, operation read: copy from the region. An empty window
    /// asks for the region's size.
    Read {
        /// Where in the region to begin.
        offset: u64,
        /// Where to copy to.
        into: &'a mut [u8],
    },
    /// For queue_send.
    Send {
        /// Type of the message.
        kind: u32,
        /// Higher comes out first.
        priority: u8,
        /// Its content.
        bytes: &'a [u8],
    },
    /// For timer_wait.
    Wait {
        /// Logical time, or how long from now.
        ns: u64,
    },
    /// For rvf_mount, operation mount.
    Mount {
        /// The region that holds the file; none for the root package, which
        /// only the kernel mounts.
        region: Option<Handle>,
        /// The name to mount it under.
        path: &'a str,
    },
    /// For attest_emit, operation claim.
    Claim {
        /// Type of the claim.
        kind: u32,
        /// What is claimed.
        digest: Hash,
        /// More about it.
        body: &'a [u8],
    },
    /// For queue_recv.
    Receive,
    /// For vector_put_proved.
    Put,
    /// For sensor_subscribe.
    Subscribe,
    /// For operations that need no more, or whose effect this build does not
    /// have.
    Other,
}

/// What a spawned task gets to hold.
#[derive(Debug)]
pub enum Passed<'a> {
    /// Capabilities of the caller, by handle, 4 bytes each, little-endian.
    Handles(&'a [u8]),
    /// What the root package's signed manifest lists for the task of this
    /// number. Only the kernel passes these.
    Listed(usize),
}
