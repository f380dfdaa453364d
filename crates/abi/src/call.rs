//! The twelve calls.

use crate::{Kind, Rights};

/// A system call. The discriminant is its number in records, and its name in
/// lower case is the name of the Wasm import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Call {
    /// Start a component as a task.
    TaskSpawn = 0,
    /// Derive, revoke or drop a capability.
    CapGrant = 1,
    /// Create a region, copy between it and the caller's memory, free a slot.
    RegionMap = 2,
    /// Put a message into a queue.
    QueueSend = 3,
    /// Take a message from a queue, waiting until a deadline.
    QueueRecv = 4,
    /// Wait until a point in logical time.
    TimerWait = 5,
    /// Mount or unmount a signed package.
    RvfMount = 6,
    /// Put a claim into the log, or approve a mutation.
    AttestEmit = 7,
    /// Read a vector or the neighbours of a node.
    VectorGet = 8,
    /// Change a vector, with a proof.
    VectorPutProved = 9,
    /// Change a graph, with a proof.
    GraphApplyProved = 10,
    /// Have a sensor's events arrive as messages.
    SensorSubscribe = 11,
}

impl Call {
    /// Every call, by number.
    pub const ALL: [Self; 12] = [
        Self::TaskSpawn,
        Self::CapGrant,
        Self::RegionMap,
        Self::QueueSend,
        Self::QueueRecv,
        Self::TimerWait,
        Self::RvfMount,
        Self::AttestEmit,
        Self::VectorGet,
        Self::VectorPutProved,
        Self::GraphApplyProved,
        Self::SensorSubscribe,
    ];

    /// The call with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The number, 0 to 11.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The import's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TaskSpawn => "task_spawn",
            Self::CapGrant => "cap_grant",
            Self::RegionMap => "region_map",
            Self::QueueSend => "queue_send",
            Self::QueueRecv => "queue_recv",
            Self::TimerWait => "timer_wait",
            Self::RvfMount => "rvf_mount",
            Self::AttestEmit => "attest_emit",
            Self::VectorGet => "vector_get",
            Self::VectorPutProved => "vector_put_proved",
            Self::GraphApplyProved => "graph_apply_proved",
            Self::SensorSubscribe => "sensor_subscribe",
        }
    }

    /// What the capability named by the call must be and allow, for a given
    /// operation. `None` as kind means any kind.
    pub const fn requires(self, operation: Operation) -> (Option<Kind>, Rights) {
        match (self, operation) {
            (Self::TaskSpawn, _) => (Some(Kind::Component), Rights::EXECUTE),
            (Self::CapGrant, Operation::Revoke) => (None, Rights::REVOKE),
            // Giving up one's own needs no right.
            (Self::CapGrant, Operation::Drop) => (None, Rights::NONE),
            (Self::CapGrant, _) => (None, Rights::GRANT),
            (Self::RegionMap, Operation::Create) => (Some(Kind::Memory), Rights::WRITE),
            (Self::RegionMap, Operation::Append | Operation::Write | Operation::Free) => {
                (Some(Kind::Region), Rights::WRITE)
            }
            (Self::RegionMap, _) => (Some(Kind::Region), Rights::READ),
            (Self::QueueSend, _) => (Some(Kind::Queue), Rights::WRITE),
            (Self::QueueRecv, _) => (Some(Kind::Queue), Rights::READ),
            (Self::TimerWait, _) => (Some(Kind::Timer), Rights::READ),
            (Self::RvfMount, _) => (Some(Kind::Namespace), Rights::MOUNT),
            (Self::AttestEmit, Operation::Approve) => (None, Rights::PROVE),
            (Self::AttestEmit, _) => (Some(Kind::Log), Rights::WRITE),
            (Self::VectorGet, Operation::Neighbours) => (Some(Kind::GraphStore), Rights::READ),
            (Self::VectorGet, _) => (Some(Kind::VectorStore), Rights::READ),
            (Self::VectorPutProved, _) => (Some(Kind::VectorStore), Rights::WRITE),
            (Self::GraphApplyProved, _) => (Some(Kind::GraphStore), Rights::WRITE),
            (Self::SensorSubscribe, _) => (Some(Kind::Sensor), Rights::READ),
        }
    }

    /// The operation that the number `code` selects, or `None` where this
    /// call has no such operation.
    pub const fn operation(self, code: u32) -> Option<Operation> {
        use Operation as Op;
        Some(match (self, code) {
            (
                Self::TaskSpawn
                | Self::QueueSend
                | Self::QueueRecv
                | Self::VectorPutProved
                | Self::SensorSubscribe,
                0,
            ) => Op::Plain,
            (Self::QueueSend, 1) => Op::Reference,
            (Self::CapGrant, 0) => Op::Grant,
            (Self::CapGrant, 1) => Op::Revoke,
            (Self::CapGrant, 2) => Op::Drop,
            (Self::RegionMap, 0) => Op::Read,
            (Self::RegionMap, 1) => Op::Append,
            (Self::RegionMap, 2) => Op::Write,
            (Self::RegionMap, 3) => Op::Create,
            (Self::RegionMap, 4) => Op::Free,
            (Self::TimerWait, 0) => Op::Absolute,
            (Self::TimerWait, 1) => Op::Relative,
            (Self::RvfMount, 0) => Op::Mount,
            (Self::RvfMount, 1) => Op::Unmount,
            (Self::AttestEmit, 0) => Op::Claim,
            (Self::AttestEmit, 1) => Op::Approve,
            (Self::VectorGet, 0) => Op::ByKey,
            (Self::VectorGet, 1) => Op::Nearest,
            (Self::VectorGet, 2) => Op::Neighbours,
            (Self::GraphApplyProved, 0) => Op::AddNode,
            (Self::GraphApplyProved, 1) => Op::RemoveNode,
            (Self::GraphApplyProved, 2) => Op::AddEdge,
            (Self::GraphApplyProved, 3) => Op::RemoveEdge,
            (Self::GraphApplyProved, 4) => Op::SetWeight,
            _ => return None,
        })
    }
}

/// What a call is to do, where it can do more than one thing. Each call
/// numbers its own operations from zero: see [`Call::operation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is explained with its call in docs/SYSCALLS.md")]
pub enum Operation {
    Plain,
    Grant,
    Revoke,
    Drop,
    Read,
    Append,
    Write,
    Create,
    Free,
    Reference,
    Absolute,
    Relative,
    Mount,
    Unmount,
    Claim,
    Approve,
    ByKey,
    Nearest,
    Neighbours,
    AddNode,
    RemoveNode,
    AddEdge,
    RemoveEdge,
    SetWeight,
}

impl Operation {
    /// The number that selects it within its call.
    pub const fn code(self) -> u32 {
        match self {
            Self::Plain
            | Self::Grant
            | Self::Read
            | Self::Absolute
            | Self::Mount
            | Self::Claim
            | Self::ByKey
            | Self::AddNode => 0,
            Self::Revoke
            | Self::Append
            | Self::Reference
            | Self::Relative
            | Self::Unmount
            | Self::Approve
            | Self::Nearest
            | Self::RemoveNode => 1,
            Self::Drop | Self::Write | Self::Neighbours | Self::AddEdge => 2,
            Self::Create | Self::RemoveEdge => 3,
            Self::Free | Self::SetWeight => 4,
        }
    }
}

const _: () = assert!(Call::ALL.len() == 12, "there are twelve calls");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_calls_convert_both_ways() {
        for (number, call) in (0u8..).zip(Call::ALL) {
            assert_eq!(call.number(), number);
            assert_eq!(Call::from_number(number), Some(call));
        }
        assert_eq!(Call::from_number(12), None);
    }

    #[test]
    fn operation_codes_convert_both_ways() {
        for call in Call::ALL {
            for code in 0..8 {
                if let Some(operation) = call.operation(code) {
                    assert_eq!(operation.code(), code, "{call:?} {operation:?}");
                }
            }
        }
    }
}
