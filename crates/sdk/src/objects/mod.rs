//! One type for each kind of object, with the calls that its kind takes.
//!
//! The types are names, not evidence: making one checks nothing.

mod graph;
mod queue;
mod region;
mod store;
mod task;
mod vectors;

pub use queue::{Content, EVER, MESSAGE_HEAD, Message};
pub use region::SlabSlot;
pub use store::{Neighbours, Numbers};
pub use vectors::Entry;

use abi::{Error, GrantArguments, Handle, Operation};

use crate::imports::{self, answer};

macro_rules! objects {
    ($($(#[doc = $doc:literal])+ $name:ident;)*) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub Handle);

        impl $name {
            /// The capability that the manifest lists at this place, from 0,
            /// for the task.
            pub const fn initial(place: u16) -> Self {
                Self(Handle::new(place, 0))
            }

            /// `cap_grant`: gives another task a capability for the object,
            /// with no more rights than this one has, and returns the handle
            /// that the receiver has it under. Needs GRANT, or GRANT_ONCE for
            /// one that cannot be passed on; see [`Task::terms`].
            ///
            /// # Errors
            /// [`Error::Amplification`], [`Error::TooDeep`] and any refusal of
            /// the capability itself.
            pub fn grant(self, arguments: &GrantArguments) -> Result<Handle, Error> {
                task::grant(self.0, arguments)
            }

            /// `cap_grant`, revoke: takes back everything derived from this
            /// capability. Needs REVOKE.
            ///
            /// # Errors
            /// Any refusal of the capability.
            pub fn revoke(self) -> Result<(), Error> {
                task::take_back(self.0, Operation::Revoke)
            }

            /// `cap_grant`, drop: gives up the capability. Needs no right.
            ///
            /// # Errors
            /// Any refusal of the capability.
            pub fn give_up(self) -> Result<(), Error> {
                task::take_back(self.0, Operation::Drop)
            }
        }
    )*};
}

objects! {
    /// A task started by this one.
    Task;
    /// Code that can be started as a task.
    Component;
    /// A bounded ring of messages.
    Queue;
    /// Bytes outside the task's own memory: set once, or growing at the end.
    Region;
    /// A region of slots.
    Slab;
    /// An allowance of bytes to make regions from.
    Memory;
    /// Logical time to wait on.
    Timer;
    /// The witness log.
    Log;
    /// A place to mount packages under.
    Namespace;
    /// Vectors by key, with nearest neighbours.
    VectorStore;
    /// Nodes and weighted edges.
    GraphStore;
    /// A source of samples.
    Sensor;
    /// An approval, used once.
    Proof;
}

/// A result that is a handle. The kernel gives no other numbers where it
/// gives a handle; one that does not fit is not a handle of ours.
fn to_handle(result: u64) -> Result<Handle, Error> {
    u32::try_from(result).map(Handle).map_err(|_| Error::BadHandle)
}

/// A result that is a number of bytes, at most the length that was asked for.
fn to_length(result: u64) -> Result<usize, Error> {
    usize::try_from(result).map_err(|_| Error::BadLength)
}

impl Timer {
    /// `timer_wait`, relative: waits `ns` nanoseconds of logical time. Returns
    /// what time it is then. Needs READ.
    ///
    /// # Errors
    /// [`Error::BadArgument`] for a time beyond 2^63 - 1 ns, and any refusal
    /// of the capability.
    pub fn wait(self, ns: u64) -> Result<u64, Error> {
        self.call(Operation::Relative, ns)
    }

    /// `timer_wait`, absolute: waits until the logical time `ns`. Returns what
    /// time it is then, which is later if `ns` was past. Needs READ.
    ///
    /// # Errors
    /// As [`Self::wait`].
    pub fn wait_until(self, ns: u64) -> Result<u64, Error> {
        self.call(Operation::Absolute, ns)
    }

    /// The logical time, in ns: a wait until a time that is past.
    ///
    /// # Errors
    /// As [`Self::wait`].
    pub fn now(self) -> Result<u64, Error> {
        self.wait_until(0)
    }

    fn call(self, operation: Operation, ns: u64) -> Result<u64, Error> {
        answer(imports::timer_wait(self.0.0, operation, ns))
    }
}

impl Log {
    /// `attest_emit`, claim: puts a claim of type `kind` into the log, with a
    /// digest and up to 128 bytes. A claim is the payload's word; the log
    /// proves only that it was given, when, and by which code. Needs WRITE,
    /// and a standing approval of the type.
    ///
    /// # Errors
    /// [`Error::NotApproved`], [`Error::BadLength`].
    pub fn claim(self, kind: u32, digest: &[u8; 32], body: &[u8]) -> Result<(), Error> {
        answer(imports::attest_emit(self.0.0, Operation::Claim, kind, digest, body)).map(drop)
    }
}

impl Namespace {
    /// `rvf_mount`: mounts the signed package in `region` under `path`.
    /// Returns the first of the handles, all in a row, that the caller has
    /// for its objects: components, regions, queues, vector stores, graph
    /// stores, sensors. Needs MOUNT here and READ on the region.
    ///
    /// # Errors
    /// Whatever is wrong with the package: see [`Error`].
    pub fn mount(self, region: Region, path: &str) -> Result<Handle, Error> {
        answer(imports::rvf_mount(self.0.0, Operation::Mount, region.0.0, path)).and_then(to_handle)
    }

    /// `rvf_mount`, unmount: the inverse of [`Self::mount`].
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Busy`].
    pub fn unmount(self, path: &str) -> Result<(), Error> {
        answer(imports::rvf_mount(self.0.0, Operation::Unmount, 0, path)).map(drop)
    }
}

impl Sensor {
    /// `sensor_subscribe`: has the sensor's samples arrive in `queue`. Needs
    /// READ here and WRITE on the queue.
    ///
    /// # Errors
    /// Any refusal of either capability.
    pub fn subscribe(self, queue: Queue) -> Result<(), Error> {
        answer(imports::sensor_subscribe(self.0.0, queue.0.0)).map(drop)
    }
}
