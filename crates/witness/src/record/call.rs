//! The body that all twelve calls share.

use super::{
    RecordError, Short, Verdict,
    bytes::{Reader, Writer},
};
use crate::Hash;
use abi::{Call, Handle};

/// In place of an object's number: the handle named no object.
pub const NO_OBJECT: u32 = u32::MAX;

/// Most bytes of a call's tail.
pub const TAIL_MAX: usize = 128;

/// Bytes before the tail.
pub(super) const FIXED: usize = 72;

/// A call, as it came to the gate and as it was answered. What each field
/// means for each call stands in `docs/FORMAT.md`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CallBody<'a> {
    /// Which call.
    pub call: Call,
    /// The capability it was made with.
    pub handle: Handle,
    /// The object behind the handle, or [`NO_OBJECT`].
    pub object: u32,
    /// The capability's badge; zero where there is no capability.
    pub badge: u64,
    /// The operation's number, as given, also if it has no meaning.
    pub operation: u32,
    /// How many bytes the call moved, or was to move.
    pub length: u32,
    /// The argument that matters most.
    pub argument: u64,
    /// What the caller got. Written as zero unless the call was allowed.
    pub result: i64,
    /// SHA-256 of the bytes the call moved; zero where it moved none.
    pub digest: Hash,
    /// A claim's body, a mount path or a component's name; no other call has
    /// a tail, and none is written for them.
    pub tail: Short<'a, TAIL_MAX>,
}

/// Whether records of the call end in a tail.
pub(super) const fn has_tail(call: Call) -> bool {
    matches!(call, Call::AttestEmit | Call::RvfMount | Call::TaskSpawn)
}

impl<'a> CallBody<'a> {
    /// A call of which nothing is known but its number.
    pub const fn new(call: Call) -> Self {
        Self {
            call,
            handle: Handle(0),
            object: NO_OBJECT,
            badge: 0,
            operation: 0,
            length: 0,
            argument: 0,
            result: 0,
            digest: [0; 32],
            tail: Short::EMPTY,
        }
    }

    pub(super) fn encode(&self, verdict: Verdict, out: &mut Writer<'_>) {
        let allowed = matches!(verdict, Verdict::Allowed);
        out.u32(self.handle.0);
        out.u32(self.object);
        out.u64(self.badge);
        out.u32(self.operation);
        out.u32(self.length);
        out.u64(self.argument);
        out.u64(if allowed { self.result.cast_unsigned() } else { 0 });
        out.bytes(&self.digest);
        if has_tail(self.call) {
            out.bytes(self.tail.bytes());
        }
    }

    pub(super) fn decode(
        call: Call,
        verdict: Verdict,
        body: &mut Reader<'a>,
    ) -> Result<Self, RecordError> {
        let decoded = Self {
            call,
            handle: Handle(body.u32()?),
            object: body.u32()?,
            badge: body.u64()?,
            operation: body.u32()?,
            length: body.u32()?,
            argument: body.u64()?,
            result: body.u64()?.cast_signed(),
            digest: body.array()?,
            tail: if has_tail(call) { body.rest()? } else { Short::EMPTY },
        };
        let allowed = matches!(verdict, Verdict::Allowed);
        if !allowed && decoded.result != 0 {
            return Err(RecordError::Field("result of a call that was not allowed"));
        }
        if allowed && call.operation(decoded.operation).is_none() {
            return Err(RecordError::Field("operation of an allowed call"));
        }
        Ok(decoded)
    }
}
