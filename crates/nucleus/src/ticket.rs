//! Calls that have passed the gate and are not complete.

use crate::snapshot::saved;
use crate::{evidence::Authorised, object::ObjectId, partition::PartitionId};
use abi::{Error, Handle, RegionMode, SpawnArguments, profile::CAPABILITIES};
use package::manifest::TaskKind;
use witness::{
    Index, Reservation, Subject,
    record::{CallBody, Short, TAIL_MAX},
};

/// A call with a slot reserved for its record, not yet answered. It must be
/// completed, or its slot is lost.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) slot: Reservation,
    /// What its record says so far.
    pub(crate) body: CallBody<'static>,
    /// The rest of that.
    pub(crate) tail: Tail,
    /// The grant of the capability, if this is the first call with it.
    pub(crate) granted_by: Option<Index>,
}

/// A call that the gate let through and the machine has to prepare. Give it
/// back to the `commit_` method of [`Nucleus`](crate::Nucleus) for its
/// [`Work`].
#[must_use = "a call that is never committed leaves no record"]
#[derive(Debug)]
pub struct Ticket {
    pub(crate) subject: Subject,
    pub(crate) call: InFlight,
    pub(crate) authorised: Authorised,
    pub(crate) work: Work,
    /// Fuel for what the gate looked at.
    pub(crate) fuel: u64,
}

impl Ticket {
    /// Who called.
    pub fn subject(&self) -> Subject {
        self.subject
    }

    /// Fuel that its caller owes for what the gate looked at so far.
    pub fn fuel(&self) -> u64 {
        self.fuel
    }

    /// What is to be prepared.
    pub fn work(&self) -> &Work {
        &self.work
    }
}

/// What the machine has to prepare.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a box would allocate inside the gate")]
pub enum Work {
    /// An instance of a component.
    Spawn {
        /// The component.
        component: ObjectId,
        /// Budgets and order.
        start: SpawnArguments,
        /// How it runs.
        kind: TaskKind,
        /// What it gets to hold.
        passed: PassList,
    },
    /// A package, read and checked.
    Mount {
        /// The region that holds the file; none for the root package.
        region: Option<ObjectId>,
        /// The caller's capability for that.
        held_as: Option<Handle>,
    },
    /// What a package made, out of the tables.
    Unmount {
        /// What it is in.
        partition: PartitionId,
    },
    /// A region.
    Region {
        /// Of which kind.
        mode: RegionMode,
    },
    /// A guard program's word on a change of a store.
    Guard {
        /// The program.
        component: ObjectId,
    },
}

/// What a spawned task gets to hold, without borrowing from the caller.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a box would allocate inside the gate")]
pub enum PassList {
    /// Capabilities of the caller: so many of these.
    Handles([Handle; CAPABILITIES], usize),
    /// Those of this task of the root package's manifest.
    Listed(usize),
}

impl PassList {
    /// Reads handles of 4 bytes each, little-endian.
    ///
    /// # Errors
    /// [`Error::BadLength`].
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let mut handles = [Handle(0); CAPABILITIES];
        let (chunks, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() || chunks.len() > handles.len() {
            return Err(Error::BadLength);
        }
        for (handle, chunk) in handles.iter_mut().zip(chunks) {
            *handle = Handle(u32::from_le_bytes(*chunk));
        }
        Ok(Self::Handles(handles, chunks.len()))
    }

    /// The caller's handles; none where a manifest lists what to pass.
    pub(crate) fn handles(&self) -> &[Handle] {
        match self {
            Self::Handles(handles, count) => handles.get(..*count).unwrap_or_default(),
            Self::Listed(_) => &[],
        }
    }
}

/// The end of a call's record, kept while the call is under way.
#[derive(Debug)]
pub(crate) struct Tail {
    bytes: [u8; TAIL_MAX],
    length: usize,
}

impl Tail {
    /// As much of `from` as a record takes.
    pub(crate) fn of(from: &[u8]) -> Self {
        let mut tail = Self { bytes: [0; TAIL_MAX], length: from.len().min(TAIL_MAX) };
        for (to, from) in tail.bytes.iter_mut().zip(from) {
            *to = *from;
        }
        tail
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Where the tail is a path.
    pub(crate) fn text(&self) -> &str {
        core::str::from_utf8(self.bytes()).unwrap_or_default()
    }

    pub(crate) fn short(&self) -> Short<'_, TAIL_MAX> {
        Short::cut(self.bytes())
    }
}

saved!(struct InFlight { slot, body, tail, granted_by });
saved!(struct Tail { bytes, length });
