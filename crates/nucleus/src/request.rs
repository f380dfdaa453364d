//! Requests: what comes to the gate, with every pointer already resolved.

use abi::{
    Call, Error, GrantArguments, Handle, Operation, Reference, RegionMode, SignedProof,
    SpawnArguments,
};
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
    /// Fuel it may spend beside its price.
    pub fuel: u64,
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
    /// For cap_grant, operations revoke and drop.
    TakeBack,
    /// For region_map, operation create.
    Create {
        /// Of which kind.
        mode: RegionMode,
        /// What an immutable region is to hold; else empty.
        content: &'a [u8],
    },
    /// For region_map, operation append.
    Append(&'a [u8]),
    /// For region_map, operation write.
    Write {
        /// The slot's handle.
        slot: u64,
        /// What it is to hold.
        bytes: &'a [u8],
    },
    /// For region_map, operation free.
    Free {
        /// The slot's handle.
        slot: u64,
    },
    /// For region_map, operation read: copy from the region. An empty window
    /// asks for the region's size.
    Read {
        /// Where in the region to begin, or a slot's handle.
        offset: u64,
        /// Where to copy to.
        into: &'a mut [u8],
    },
    /// For queue_send, operation plain.
    Send {
        /// Type of the message.
        kind: u32,
        /// Higher comes out first.
        priority: u8,
        /// Its content.
        bytes: &'a [u8],
    },
    /// For queue_send, operation reference.
    SendReference {
        /// Type of the message.
        kind: u32,
        /// Higher comes out first.
        priority: u8,
        /// What it refers to.
        reference: Reference,
    },
    /// For queue_recv.
    Receive {
        /// Logical time in ns until which to wait.
        deadline: u64,
        /// Where header and content go.
        into: &'a mut [u8],
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
    /// For rvf_mount, operation unmount.
    Unmount {
        /// The name it is mounted under.
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
    /// For attest_emit, operation approve.
    Approve {
        /// The slot that may change.
        slot: u32,
        /// SHA-256 of the mutation.
        mutation: Hash,
        /// What the slot holds before.
        old_leaf: Hash,
        /// Logical time in ns from which it is void.
        expiry: u64,
    },
    /// For vector_get.
    Get {
        /// What is asked, as the operation has it.
        question: &'a [u8],
        /// Where the answer goes.
        into: &'a mut [u8],
    },
    /// For vector_put_proved.
    Put {
        /// The mutation's canonical bytes.
        mutation: &'a [u8],
        /// What allows it.
        proof: ChangeProof,
    },
    /// For graph_apply_proved.
    Apply {
        /// The mutation's canonical bytes.
        mutation: &'a [u8],
        /// What allows it.
        proof: ChangeProof,
    },
    /// For sensor_subscribe.
    Subscribe {
        /// Where readings are to go.
        queue: Handle,
    },
}

impl Arguments<'_> {
    /// Whether they are this operation's of this call. What was checked for
    /// one call must not do another's work.
    pub(crate) fn fit(&self, call: Call, operation: Operation) -> bool {
        use Operation as Op;
        matches!(
            (call, operation, self),
            (Call::TaskSpawn, _, Self::Spawn { .. })
                | (Call::CapGrant, Op::Grant, Self::Grant(_))
                | (Call::CapGrant, Op::Revoke | Op::Drop, Self::TakeBack)
                | (Call::RegionMap, Op::Create, Self::Create { .. })
                | (Call::RegionMap, Op::Append, Self::Append(_))
                | (Call::RegionMap, Op::Write, Self::Write { .. })
                | (Call::RegionMap, Op::Free, Self::Free { .. })
                | (Call::RegionMap, Op::Read, Self::Read { .. })
                | (Call::QueueSend, Op::Plain, Self::Send { .. })
                | (Call::QueueSend, Op::Reference, Self::SendReference { .. })
                | (Call::QueueRecv, _, Self::Receive { .. })
                | (Call::TimerWait, _, Self::Wait { .. })
                | (Call::RvfMount, Op::Mount, Self::Mount { .. })
                | (Call::RvfMount, Op::Unmount, Self::Unmount { .. })
                | (Call::AttestEmit, Op::Claim, Self::Claim { .. })
                | (Call::AttestEmit, Op::Approve, Self::Approve { .. })
                | (Call::VectorGet, _, Self::Get { .. })
                | (Call::VectorPutProved, _, Self::Put { .. })
                | (Call::GraphApplyProved, _, Self::Apply { .. })
                | (Call::SensorSubscribe, _, Self::Subscribe { .. })
        )
    }
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

/// What allows a change of a store.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a box would allocate")]
pub enum ChangeProof {
    /// Nothing.
    None,
    /// A minted proof.
    Minted(Handle),
    /// A signed one.
    Signed(SignedProof),
}
