//! One type for each kind of object, with the calls that its kind takes.
//!
//! The types are names, not evidence: making one checks nothing.

use abi::{Error, GRANT_SIZE, GrantArguments, Handle, Operation, SPAWN_SIZE, SpawnArguments};

use crate::imports::{self, answer};

/// Most capabilities passed to a spawned task.
const SPAWN_CAPABILITIES: usize = abi::profile::CAPABILITIES;

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
            /// that the receiver has it under. Needs GRANT.
            ///
            /// # Errors
            /// [`Error::Amplification`], [`Error::TooDeep`] and any refusal of
            /// the capability itself.
            pub fn grant(self, arguments: &GrantArguments) -> Result<Handle, Error> {
                grant(self.0, arguments)
            }

            /// `cap_grant`, revoke: takes back everything derived from this
            /// capability. Needs REVOKE.
            ///
            /// # Errors
            /// Any refusal of the capability.
            pub fn revoke(self) -> Result<(), Error> {
                answer(imports::cap_grant(self.0.0, Operation::Revoke, &[])).map(drop)
            }

            /// `cap_grant`, drop: gives up the capability. Needs no right.
            ///
            /// # Errors
            /// Any refusal of the capability.
            pub fn give_up(self) -> Result<(), Error> {
                answer(imports::cap_grant(self.0.0, Operation::Drop, &[])).map(drop)
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
    /// Bytes outside the task's own memory.
    Region;
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

fn grant(handle: Handle, arguments: &GrantArguments) -> Result<Handle, Error> {
    let block: [u8; GRANT_SIZE] = arguments.to_bytes();
    answer(imports::cap_grant(handle.0, Operation::Grant, &block)).and_then(to_handle)
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

impl Component {
    /// `task_spawn`: starts the component with copies of these capabilities as
    /// its handles 0, 1, 2 and so on. Needs EXECUTE. `arguments.capabilities`
    /// is filled in from the list.
    ///
    /// # Errors
    /// [`Error::BadLength`] for more than 64 capabilities;
    /// [`Error::OverBudget`], [`Error::TableFull`], [`Error::StartFailed`] and
    /// others from the kernel.
    pub fn spawn(self, arguments: SpawnArguments, capabilities: &[Handle]) -> Result<Task, Error> {
        let mut block = [0; SPAWN_SIZE + 4 * SPAWN_CAPABILITIES];
        if capabilities.len() > SPAWN_CAPABILITIES {
            return Err(Error::BadLength);
        }
        // At most 64, by the check above.
        let count = capabilities.len() as u32;
        let head = SpawnArguments { capabilities: count, ..arguments }.to_bytes();
        block[..SPAWN_SIZE].copy_from_slice(&head);
        for (slot, handle) in block[SPAWN_SIZE..].chunks_exact_mut(4).zip(capabilities) {
            slot.copy_from_slice(&handle.0.to_le_bytes());
        }
        let used = SPAWN_SIZE + 4 * capabilities.len();
        answer(imports::task_spawn(self.0.0, &block[..used])).and_then(to_handle).map(Task)
    }
}

impl Queue {
    /// `queue_send`: puts one message of type `kind` into the ring. Higher
    /// priorities are taken first. Needs WRITE.
    ///
    /// # Errors
    /// [`Error::QueueFull`] when it does not fit now; [`Error::BadLength`] for
    /// an empty message or more than 4,096 bytes; [`Error::WrongType`].
    pub fn send(self, kind: u32, priority: u8, message: &[u8]) -> Result<(), Error> {
        answer(imports::queue_send(self.0.0, kind, priority, message)).map(drop)
    }

    /// `queue_recv`: takes the next message, waiting for one until the logical
    /// time `deadline_ns`. Returns the number of bytes written. Needs READ.
    ///
    /// # Errors
    /// [`Error::TimedOut`] when nothing arrived.
    pub fn receive(self, deadline_ns: u64, into: &mut [u8]) -> Result<usize, Error> {
        answer(imports::queue_recv(self.0.0, deadline_ns, into)).and_then(to_length)
    }
}

impl Region {
    /// `region_map`, read, of no bytes: the region's size in bytes. Needs
    /// READ.
    ///
    /// # Errors
    /// Any refusal of the capability.
    pub fn size(self) -> Result<u64, Error> {
        answer(imports::region_into(self.0.0, Operation::Read, 0, &mut []))
    }

    /// `region_map`, read: copies from byte `offset` on into all of `into`.
    /// Needs READ.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where the region ends before `into` is filled.
    pub fn read(self, offset: u64, into: &mut [u8]) -> Result<(), Error> {
        if into.is_empty() {
            return Ok(());
        }
        let length = into.len();
        let copied = answer(imports::region_into(self.0.0, Operation::Read, offset, into))?;
        if to_length(copied)? == length { Ok(()) } else { Err(Error::OutOfRange) }
    }

    /// Reads the whole region into the front of `buffer`.
    ///
    /// # Errors
    /// [`Error::BadLength`] if it does not fit.
    pub fn read_all(self, buffer: &mut [u8]) -> Result<&mut [u8], Error> {
        let size = usize::try_from(self.size()?).map_err(|_| Error::BadLength)?;
        let into = buffer.get_mut(..size).ok_or(Error::BadLength)?;
        self.read(0, into)?;
        Ok(into)
    }

    /// `region_map`, append: adds bytes at the end of an append-only region.
    /// Needs WRITE.
    ///
    /// # Errors
    /// [`Error::WrongMode`] where the region is of another type.
    pub fn append(self, bytes: &[u8]) -> Result<(), Error> {
        answer(imports::region_from(self.0.0, Operation::Append, 0, bytes)).map(drop)
    }

    /// `region_map`, write: replaces bytes from `offset` on. Needs WRITE.
    ///
    /// # Errors
    /// [`Error::WrongMode`] and [`Error::OutOfRange`].
    pub fn write(self, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        answer(imports::region_from(self.0.0, Operation::Write, offset, bytes)).map(drop)
    }
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
    /// [`Error::NotApproved`], [`Error::BadLength`], [`Error::RecordBudget`].
    pub fn claim(self, kind: u32, digest: &[u8; 32], body: &[u8]) -> Result<(), Error> {
        answer(imports::attest_emit(self.0.0, Operation::Claim, kind, digest, body)).map(drop)
    }
}

impl Namespace {
    /// `rvf_mount`: mounts the signed package in `region` under `path`.
    /// Returns the number of objects made. Needs MOUNT.
    ///
    /// # Errors
    /// Whatever is wrong with the package: see [`Error`].
    pub fn mount(self, region: Region, path: &str) -> Result<u64, Error> {
        answer(imports::rvf_mount(self.0.0, Operation::Mount, region.0.0, path))
    }

    /// `rvf_mount`, unmount: the inverse of [`Self::mount`].
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Busy`].
    pub fn unmount(self, path: &str) -> Result<(), Error> {
        answer(imports::rvf_mount(self.0.0, Operation::Unmount, 0, path)).map(drop)
    }
}

impl VectorStore {
    /// `vector_get`: asks the store in the way `operation` says, with
    /// `arguments` as docs/SYSCALLS.md lays them out. Returns the number of
    /// bytes written to `out`. Needs READ.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::BadLength`].
    pub fn get(
        self,
        operation: Operation,
        arguments: &[u8],
        out: &mut [u8],
    ) -> Result<usize, Error> {
        answer(imports::vector_get(self.0.0, operation, arguments, out)).and_then(to_length)
    }

    /// `vector_put_proved`: replaces a vector. Needs WRITE, and a proof of
    /// exactly this mutation.
    ///
    /// # Errors
    /// Any of the proof stage.
    pub fn put(self, proof: Proof, arguments: &[u8]) -> Result<(), Error> {
        answer(imports::vector_put_proved(self.0.0, proof.0.0, arguments)).map(drop)
    }
}

impl GraphStore {
    /// `vector_get`, neighbours: the edges of a node. Returns the number of
    /// bytes written to `out`. Needs READ.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::BadLength`].
    pub fn neighbours(self, arguments: &[u8], out: &mut [u8]) -> Result<usize, Error> {
        answer(imports::vector_get(self.0.0, Operation::Neighbours, arguments, out))
            .and_then(to_length)
    }

    /// `graph_apply_proved`: one mutation. Needs WRITE, and a proof of exactly
    /// this mutation.
    ///
    /// # Errors
    /// Any of the proof stage.
    pub fn apply(self, operation: Operation, proof: Proof, arguments: &[u8]) -> Result<(), Error> {
        answer(imports::graph_apply_proved(self.0.0, operation, proof.0.0, arguments)).map(drop)
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

/// `attest_emit`, approve: mints a proof of one mutation of the object that
/// `object` names, which needs PROVE on it. The digest is that of the
/// mutation's canonical bytes; `body` binds slot, old leaf, nonce and expiry.
///
/// # Errors
/// Any refusal of the capability.
pub fn approve(object: Handle, digest: &[u8; 32], body: &[u8]) -> Result<Proof, Error> {
    answer(imports::attest_emit(object.0, Operation::Approve, 0, digest, body))
        .and_then(to_handle)
        .map(Proof)
}
