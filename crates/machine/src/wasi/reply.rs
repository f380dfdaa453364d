//! What comes of a call, before it is given to the caller.

use super::{context::Context, errno::Errno};
use abi::{
    Call, Handle, Operation,
    profile::{call_fuel, data_fuel},
};
use alloc::vec::Vec;
use nucleus::{Arguments, Request};

/// What a function does next.
pub(super) enum Step {
    /// It is done.
    Reply(Reply),
    /// A call at the gate decides.
    Gate(Native),
    /// It cannot be made in this slice.
    Later,
    /// The task ends with this code.
    Exit(i32),
    /// The task has not the fuel for it.
    Broke,
}

/// An answer: a number, and what is written into the caller's memory.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(super) errno: Errno,
    pub(super) writes: Vec<Write>,
    /// Bytes that were hashed for it.
    hashed: u64,
}

/// Bytes for the caller's memory.
#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) pointer: u32,
    pub(super) bytes: Vec<u8>,
}

/// A call at the gate that a function comes down to.
pub(super) enum Native {
    /// queue_send to the console.
    Send { console: Handle, kind: u32, bytes: Vec<u8> },
    /// region_map, operation read. Nothing to read asks for the size.
    Read { region: Handle, offset: u64, length: usize },
    /// timer_wait.
    Wait { timer: Handle, operation: Operation, ns: u64 },
}

impl Reply {
    /// It was done.
    pub(super) fn success() -> Self {
        Self::of(Errno::SUCCESS)
    }

    /// It was not.
    pub(super) fn of(errno: Errno) -> Self {
        Self { errno, writes: Vec::new(), hashed: 0 }
    }

    /// The same, with bytes for the caller.
    ///
    /// # Errors
    /// [`Errno::FAULT`].
    pub(super) fn put(
        mut self,
        context: &Context<'_>,
        pointer: u32,
        bytes: impl Into<Vec<u8>>,
    ) -> Result<Self, Errno> {
        let bytes = bytes.into();
        let length = u32::try_from(bytes.len()).map_err(|_| Errno::FAULT)?;
        context.room(pointer, length)?;
        self.writes.push(Write { pointer, bytes });
        Ok(self)
    }

    /// The same, for which so many bytes were hashed.
    pub(super) fn hashing(self, hashed: u64) -> Self {
        Self { hashed, ..self }
    }

    /// Bytes that it writes, and that were hashed for it.
    pub(super) fn bytes(&self) -> u64 {
        let lengths = self.writes.iter().map(|write| write.bytes.len());
        lengths.fold(self.hashed, |sum, length| sum.saturating_add(length as u64))
    }
}

impl From<Reply> for Step {
    fn from(reply: Reply) -> Self {
        Self::Reply(reply)
    }
}

impl Native {
    const fn call(&self) -> Call {
        match self {
            Self::Send { .. } => Call::QueueSend,
            Self::Read { .. } => Call::RegionMap,
            Self::Wait { .. } => Call::TimerWait,
        }
    }

    /// Bytes that it is to move.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Send { bytes, .. } => bytes.len(),
            Self::Read { length, .. } => *length,
            Self::Wait { .. } => 0,
        }
    }

    /// Its price before it moves data.
    pub(super) fn base_fuel(&self) -> u64 {
        call_fuel(self.call())
    }

    /// Most that moving its data costs.
    pub(super) fn data_fuel(&self) -> u64 {
        data_fuel(self.length() as u64)
    }

    /// Room for what it reads.
    pub(super) fn buffer(&self) -> Vec<u8> {
        match self {
            Self::Read { length, .. } => alloc::vec![0; *length],
            _ => Vec::new(),
        }
    }

    /// The request, as a payload that makes the call itself would make it.
    pub(super) fn request<'r>(&'r self, fuel: u64, buffer: &'r mut [u8]) -> Request<'r> {
        let (handle, operation, argument, arguments) = match self {
            Self::Send { console, kind, bytes } => {
                let arguments = Arguments::Send { kind: *kind, priority: 0, bytes };
                (*console, Operation::Plain, u64::from(*kind), arguments)
            }
            Self::Read { region, offset, .. } => {
                let arguments = Arguments::Read { offset: *offset, into: buffer };
                (*region, Operation::Read, *offset, arguments)
            }
            Self::Wait { timer, operation, ns } => {
                (*timer, *operation, *ns, Arguments::Wait { ns: *ns })
            }
        };
        Request {
            call: self.call(),
            handle,
            operation: operation.code(),
            // The three that a function makes move at most 65,536 bytes.
            length: u32::try_from(self.length()).unwrap_or(u32::MAX),
            argument,
            fuel,
            arguments: Ok(arguments),
        }
    }
}
