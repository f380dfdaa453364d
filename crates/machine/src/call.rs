//! From the numbers that an import is called with to a typed request.

use crate::guest::GuestSlice;
use abi::{
    CLAIM_BODY_MAX, Call, Error, GRANT_SIZE, GrantArguments, Handle, NAME_MAX, Operation,
    SPAWN_SIZE, SpawnArguments,
    profile::{CAPABILITIES, MESSAGE_BYTES, call_fuel, data_fuel},
};
use nucleus::{Arguments, Passed, Request};
use package::manifest::TaskKind;

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

    /// Most fuel that the call can cost a task with so many bytes of memory. A
    /// range outside of them will be refused, and so move nothing.
    pub(crate) fn most_fuel(&self, memory: usize) -> u64 {
        let data = self.data().filter(|data| data.range(memory).is_ok());
        let data = data.map_or(0, |data| data_fuel(u64::from(data.length)));
        self.base_fuel().saturating_add(data)
    }

    /// The operation's number. Calls with one operation don't pass it.
    fn operation(&self) -> u32 {
        match self.call {
            Call::TaskSpawn
            | Call::QueueSend
            | Call::QueueRecv
            | Call::VectorPutProved
            | Call::SensorSubscribe => Operation::Plain.code(),
            _ => self.word(1),
        }
    }

    /// What the record shows as the argument.
    fn argument(&self) -> u64 {
        match self.call {
            Call::RegionMap | Call::TimerWait => self.long(2),
            Call::QueueSend => u64::from(self.word(2)) << 32 | u64::from(self.word(1)),
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

    /// The request, with what its pointers point at in `memory`.
    pub(crate) fn request<'m>(&self, memory: &'m mut [u8]) -> Request<'m> {
        let arguments = self.typed(memory);
        Request {
            call: self.call,
            handle: Handle(self.word(0)),
            operation: self.operation(),
            length: self.data().map_or(0, |data| data.length),
            argument: match &arguments {
                Ok(Arguments::Spawn { start, .. }) => start.fuel,
                Ok(Arguments::Grant(GrantArguments { to, rights, .. })) => {
                    u64::from(rights.bits()) << 32 | u64::from(to.0)
                }
                _ => self.argument(),
            },
            arguments,
        }
    }

    fn typed<'m>(&self, memory: &'m mut [u8]) -> Result<Arguments<'m>, Error> {
        let operation = self.call.operation(self.operation()).ok_or(Error::BadOperation)?;
        match self.call {
            Call::TaskSpawn => self.spawn(memory),
            Call::CapGrant => match operation {
                Operation::Grant => self.grant(memory),
                _ => Ok(Arguments::Other),
            },
            Call::RegionMap => match operation {
                Operation::Read => {
                    let into = self.slice(3).write(memory)?;
                    Ok(Arguments::Read { offset: self.long(2), into })
                }
                _ => self.slice(3).read(memory).map(|_| Arguments::Other),
            },
            Call::QueueSend => {
                let bytes = self.slice(3).read_at_most(MESSAGE_BYTES, memory)?;
                let priority = u8::try_from(self.word(2)).map_err(|_| Error::BadArgument)?;
                Ok(Arguments::Send { kind: self.word(1), priority, bytes })
            }
            Call::QueueRecv => self.slice(2).read(memory).map(|_| Arguments::Receive),
            Call::TimerWait => Ok(Arguments::Wait { ns: self.long(2) }),
            Call::RvfMount => match operation {
                Operation::Mount => self.mount(memory),
                _ => self.slice(3).read(memory).map(|_| Arguments::Other),
            },
            Call::AttestEmit => match operation {
                Operation::Claim => self.claim(memory),
                _ => self.slice(4).read(memory).map(|_| Arguments::Other),
            },
            Call::VectorGet => {
                let (from, to) = (self.slice(2), self.slice(4));
                from.range(memory.len())?;
                to.range(memory.len())?;
                if from.overlaps(to) { Err(Error::Overlap) } else { Ok(Arguments::Other) }
            }
            Call::VectorPutProved => self.slice(2).read(memory).map(|_| Arguments::Put),
            Call::GraphApplyProved => self.slice(3).read(memory).map(|_| Arguments::Other),
            Call::SensorSubscribe => Ok(Arguments::Subscribe),
        }
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
        Ok(Arguments::Spawn { start, kind: TaskKind::Command, passed })
    }

    fn grant<'m>(&self, memory: &'m [u8]) -> Result<Arguments<'m>, Error> {
        let bytes = self.slice(2).read_at_most(GRANT_SIZE, memory)?;
        let block: &[u8; GRANT_SIZE] = bytes.try_into().map_err(|_| Error::BadLength)?;
        GrantArguments::from_bytes(block).map(Arguments::Grant).ok_or(Error::BadArgument)
    }

    fn mount<'m>(&self, memory: &'m [u8]) -> Result<Arguments<'m>, Error> {
        let path = self.slice(3).read_at_most(NAME_MAX, memory)?;
        let path = core::str::from_utf8(path).map_err(|_| Error::BadArgument)?;
        Ok(Arguments::Mount { region: Some(Handle(self.word(2))), path })
    }

    fn claim<'m>(&self, memory: &'m [u8]) -> Result<Arguments<'m>, Error> {
        let digest = GuestSlice { pointer: self.word(3), length: 32 }.read(memory)?;
        let digest = digest.try_into().map_err(|_| Error::BadPointer)?;
        let body = self.slice(4).read_at_most(CLAIM_BODY_MAX, memory)?;
        Ok(Arguments::Claim { kind: self.word(2), digest, body })
    }
}
