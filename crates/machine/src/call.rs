//! From the numbers that an import is called with to a typed request.

use crate::guest::GuestSlice;
use abi::{
    Approval, CLAIM_BODY_MAX, Call, Error, GRANT_SIZE, GrantArguments, GraphMutation, Handle,
    NAME_MAX, Operation, PutHead, Reference, RegionMode, SPAWN_SIZE, SignedProof, SpawnArguments,
    profile::{CAPABILITIES, MESSAGE_BYTES, NO_HANDLE, VECTOR_DIMENSION_MAX, call_fuel, data_fuel},
};
use nucleus::{Arguments, ChangeProof, Passed, Request};
use package::manifest::TaskKind;

/// The operation of vector_get whose question begins with a u32.
const NEAREST: u32 = Operation::Nearest.code();

/// Longest canonical bytes of a put, in bytes.
const PUT_MAX: usize = PutHead::SIZE + 4 * VECTOR_DIMENSION_MAX as usize;

/// A call as the payload made it: nothing is checked. An argument of 32 bits
/// is in the low half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawCall {
    /// Which call.
    pub(crate) call: Call,
    /// Its arguments, in the import's order; those it does not have are zero.
    pub(crate) arguments: [u64; 6],
}

impl RawCall {
    /// Argument `at`, where it has 32 bits.
    fn word(&self, at: usize) -> u32 {
        // Keeps the low half, where those are.
        self.long(at) as u32
    }

    fn long(&self, at: usize) -> u64 {
        self.arguments.get(at).copied().unwrap_or(0)
    }

    /// The range in arguments `at` and `at + 1`.
    fn slice(&self, at: usize) -> GuestSlice {
        GuestSlice { pointer: self.word(at), length: self.word(at + 1) }
    }

    /// The data that the call is to move.
    fn data(&self) -> Option<GuestSlice> {
        match self.call {
            Call::RegionMap | Call::QueueSend | Call::GraphApplyProved => Some(self.slice(3)),
            Call::CapGrant | Call::QueueRecv | Call::VectorPutProved => Some(self.slice(2)),
            Call::AttestEmit | Call::VectorGet => Some(self.slice(4)),
            Call::TaskSpawn | Call::TimerWait | Call::RvfMount | Call::SensorSubscribe => None,
        }
    }

    /// Fuel that the call costs before it moves data.
    pub(crate) fn base_fuel(&self) -> u64 {
        call_fuel(self.call)
    }

    /// Most fuel that moving data can cost a task with so many bytes of
    /// memory. A range outside of them will be refused, and so move nothing.
    pub(crate) fn data_fuel(&self, memory: usize) -> u64 {
        let data = self.data().filter(|data| data.range(memory).is_ok());
        data.map_or(0, |data| data_fuel(u64::from(data.length)))
    }

    /// The operation's number. Calls with one operation don't pass it.
    fn operation(&self) -> u32 {
        match self.call {
            Call::TaskSpawn | Call::QueueRecv | Call::VectorPutProved | Call::SensorSubscribe => {
                Operation::Plain.code()
            }
            // Beside the priority.
            Call::QueueSend => self.word(2) >> 8,
            _ => self.word(1),
        }
    }

    /// What the record shows as the argument.
    fn argument(&self) -> u64 {
        match self.call {
            Call::RegionMap | Call::TimerWait => self.long(2),
            Call::QueueSend => u64::from(self.word(2) & 0xff) << 32 | u64::from(self.word(1)),
            Call::QueueRecv | Call::SensorSubscribe => self.long(1),
            Call::AttestEmit => self.long(2),
            // In the memory that their pointers point at, or not known yet.
            Call::TaskSpawn
            | Call::CapGrant
            | Call::RvfMount
            | Call::VectorGet
            | Call::VectorPutProved
            | Call::GraphApplyProved => 0,
        }
    }

    /// The request, with what its pointers point at in `memory`. It may spend
    /// `fuel` beside its price.
    pub(crate) fn request<'m>(&self, memory: &'m mut [u8], fuel: u64) -> Request<'m> {
        let operation = self.operation();
        let arguments = self.typed(memory);
        Request {
            call: self.call,
            handle: Handle(self.word(0)),
            operation,
            length: self.data().map_or(0, |data| data.length),
            argument: match &arguments {
                Ok(Arguments::Spawn { start, .. }) => start.fuel,
                Ok(Arguments::Grant(GrantArguments { to, rights, .. })) => {
                    u64::from(rights.bits()) << 32 | u64::from(to.0)
                }
                Ok(Arguments::Put { mutation, .. }) => word_at(mutation, 0),
                Ok(Arguments::Apply { mutation, .. }) => word_at(mutation, 8),
                Ok(Arguments::Get { question, .. }) if operation == NEAREST => {
                    word_at(question, 0) & 0xffff_ffff
                }
                Ok(Arguments::Get { question, .. }) => word_at(question, 0),
                _ => self.argument(),
            },
            fuel,
            arguments,
        }
    }

    /// What an immutable region is to hold.
    pub(crate) fn content<'m>(&self, memory: &'m [u8]) -> &'m [u8] {
        self.slice(3).read(memory).unwrap_or_default()
    }

    /// The window of a receive that has waited.
    pub(crate) fn window<'m>(&self, memory: &'m mut [u8]) -> Result<&'m mut [u8], Error> {
        self.slice(2).write(memory)
    }

    /// What a call that gave `value` wrote into the memory, and where.
    pub(crate) fn written<'m>(&self, value: i64, memory: &'m [u8]) -> (u32, &'m [u8]) {
        let window = match self.call {
            Call::RegionMap if self.operation() == Operation::Read.code() => self.slice(3),
            Call::QueueRecv => self.slice(2),
            Call::VectorGet => self.slice(4),
            _ => return (0, &[]),
        };
        let length = u32::try_from(value).map_or(0, |value| value.min(window.length));
        let written = GuestSlice { length, ..window };
        (written.pointer, written.read(memory).unwrap_or_default())
    }

    fn typed<'m>(&self, memory: &'m mut [u8]) -> Result<Arguments<'m>, Error> {
        let operation = self.call.operation(self.operation()).ok_or(Error::BadOperation)?;
        match self.call {
            Call::TaskSpawn => self.spawn(memory),
            Call::CapGrant => match operation {
                Operation::Grant => self.grant(memory),
                _ => Ok(Arguments::TakeBack),
            },
            Call::RegionMap => self.map(operation, memory),
            Call::QueueSend => self.send(operation, memory),
            Call::QueueRecv => {
                let into = self.slice(2).write(memory)?;
                Ok(Arguments::Receive { deadline: self.long(1), into })
            }
            Call::TimerWait => Ok(Arguments::Wait { ns: self.long(2) }),
            Call::RvfMount => self.mount(operation, memory),
            Call::AttestEmit => match operation {
                Operation::Claim => self.claim(memory),
                _ => self.approve(memory),
            },
            Call::VectorGet => {
                let (question, into) = self.slice(2).beside(self.slice(4), memory)?;
                Ok(Arguments::Get { question, into })
            }
            Call::VectorPutProved => {
                let (mutation, proof) = self.change(1, self.slice(2), None, memory)?;
                Ok(Arguments::Put { mutation, proof })
            }
            Call::GraphApplyProved => {
                let size = Some(GraphMutation::SIZE);
                let (mutation, proof) = self.change(2, self.slice(3), size, memory)?;
                Ok(Arguments::Apply { mutation, proof })
            }
            Call::SensorSubscribe => Ok(Arguments::Subscribe { queue: Handle(self.word(1)) }),
        }
    }

    fn map<'m>(&self, operation: Operation, memory: &'m mut [u8]) -> Result<Arguments<'m>, Error> {
        let window = self.slice(3);
        let offset = self.long(2);
        Ok(match operation {
            Operation::Read => Arguments::Read { offset, into: window.write(memory)? },
            Operation::Append => Arguments::Append(window.read(memory)?),
            Operation::Write => Arguments::Write { slot: offset, bytes: window.read(memory)? },
            Operation::Free => Arguments::Free { slot: offset },
            _ => {
                let mode = RegionMode::from_word(offset).ok_or(Error::BadArgument)?;
                Arguments::Create { mode, content: window.read(memory)? }
            }
        })
    }

    fn send<'m>(&self, operation: Operation, memory: &'m mut [u8]) -> Result<Arguments<'m>, Error> {
        let bytes = self.slice(3).read_at_most(MESSAGE_BYTES, memory)?;
        // Keeps the low byte, where it is.
        let (kind, priority) = (self.word(1), self.word(2) as u8);
        if operation == Operation::Plain {
            return Ok(Arguments::Send { kind, priority, bytes });
        }
        let block = bytes.try_into().map_err(|_| Error::BadLength)?;
        let reference = Reference::from_bytes(block).ok_or(Error::BadArgument)?;
        Ok(Arguments::SendReference { kind, priority, reference })
    }

    /// A change's canonical bytes and its proof: a signed one follows them
    /// where argument `at` names no handle. A change of no fixed `size` says
    /// itself how long it is.
    fn change<'m>(
        &self,
        at: usize,
        slice: GuestSlice,
        size: Option<usize>,
        memory: &'m [u8],
    ) -> Result<(&'m [u8], ChangeProof), Error> {
        let bytes = slice.read_at_most(PUT_MAX + SignedProof::SIZE, memory)?;
        let size = match size {
            Some(size) => size,
            None => {
                let head = bytes.first_chunk().ok_or(Error::BadLength)?;
                let head = PutHead::from_bytes(head).ok_or(Error::BadArgument)?;
                let dimension = head.dimension.min(VECTOR_DIMENSION_MAX + 1);
                let numbers = usize::try_from(dimension).map_err(|_| Error::BadLength)?;
                PutHead::SIZE + 4 * numbers
            }
        };
        let (mutation, rest) = bytes.split_at_checked(size).ok_or(Error::BadLength)?;
        let proof = match (Handle(self.word(at)), rest) {
            (NO_HANDLE, []) => ChangeProof::None,
            (NO_HANDLE, signed) => {
                let signed = signed.try_into().map_err(|_| Error::BadLength)?;
                ChangeProof::Signed(SignedProof::from_bytes(signed).ok_or(Error::BadArgument)?)
            }
            (handle, []) => ChangeProof::Minted(handle),
            _ => return Err(Error::BadLength),
        };
        Ok((mutation, proof))
    }

    fn spawn<'m>(&self, memory: &'m [u8]) -> Result<Arguments<'m>, Error> {
        let most = SPAWN_SIZE + 4 * CAPABILITIES;
        let bytes = self.slice(1).read_at_most(most, memory)?;
        let (block, handles) = bytes.split_first_chunk().ok_or(Error::BadLength)?;
        let start = SpawnArguments::from_bytes(block).ok_or(Error::BadArgument)?;
        let listed = u64::from(start.capabilities).saturating_mul(4);
        if u64::try_from(handles.len()) != Ok(listed) {
            return Err(Error::BadLength);
        }
        let passed = Passed::Handles(handles);
        let kind = if start.is_reactor { TaskKind::Reactor } else { TaskKind::Command };
        Ok(Arguments::Spawn { start, kind, passed })
    }

    fn grant<'m>(&self, memory: &'m [u8]) -> Result<Arguments<'m>, Error> {
        let bytes = self.slice(2).read_at_most(GRANT_SIZE, memory)?;
        let block: &[u8; GRANT_SIZE] = bytes.try_into().map_err(|_| Error::BadLength)?;
        GrantArguments::from_bytes(block).map(Arguments::Grant).ok_or(Error::BadArgument)
    }

    fn mount<'m>(&self, operation: Operation, memory: &'m [u8]) -> Result<Arguments<'m>, Error> {
        let path = self.slice(3).read_at_most(NAME_MAX, memory)?;
        let path = core::str::from_utf8(path).map_err(|_| Error::BadArgument)?;
        Ok(match operation {
            Operation::Mount => Arguments::Mount { region: Some(Handle(self.word(2))), path },
            _ => Arguments::Unmount { path },
        })
    }

    fn approve<'m>(&self, memory: &'m [u8]) -> Result<Arguments<'m>, Error> {
        let digest = GuestSlice { pointer: self.word(3), length: 32 }.read(memory)?;
        let mutation = digest.try_into().map_err(|_| Error::BadPointer)?;
        let body = self.slice(4).read_at_most(Approval::SIZE, memory)?;
        let body = body.try_into().map_err(|_| Error::BadLength)?;
        let Approval { old_leaf, expiry } = Approval::from_bytes(body);
        Ok(Arguments::Approve { slot: self.word(2), mutation, old_leaf, expiry })
    }

    fn claim<'m>(&self, memory: &'m [u8]) -> Result<Arguments<'m>, Error> {
        let digest = GuestSlice { pointer: self.word(3), length: 32 }.read(memory)?;
        let digest = digest.try_into().map_err(|_| Error::BadPointer)?;
        let body = self.slice(4).read_at_most(CLAIM_BODY_MAX, memory)?;
        Ok(Arguments::Claim { kind: self.word(2), digest, body })
    }
}

/// The u64 at this place, for a record to show.
fn word_at(bytes: &[u8], at: usize) -> u64 {
    let word = bytes.get(at..).and_then(<[u8]>::first_chunk);
    word.map_or(0, |word| u64::from_le_bytes(*word))
}
