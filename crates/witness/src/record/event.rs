//! Input from outside: what no machine could compute.

use super::{
    RecordError, Short,
    bytes::{Reader, Writer},
};
use crate::{BootId, Hash};
use alloc::vec::Vec;

/// Most bytes of an event's data in one record.
pub const EVENT_PART: usize = 256;

/// Most bytes of an event's data in all.
pub const EVENT_MAX: usize = 65_536;

/// Bytes that end the data of a signed event: a counter, the operator's
/// public key and the signature.
pub const SIGNATURE_SIZE: usize = 8 + 32 + 64;

/// Before the message of a signed event.
const LABEL: &[u8] = b"heliograph-event@v1\n";

macro_rules! event_kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $number:literal, $name:literal;)*) => {
        /// What came in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u16)]
        pub enum EventKind { $($(#[doc = $doc])+ $variant = $number,)* }

        impl EventKind {
            /// Every kind, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The number in the record.
            pub const fn number(self) -> u16 {
                self as u16
            }

            /// The kind with this number.
            pub const fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What the data is, as a noun phrase.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc,)+).trim_ascii(),)* }
            }
        }
    };
}

event_kinds! {
    /// Bytes typed at the console.
    ConsoleInput = 1, "console-input";
    /// A verifier's nonce, 32 bytes.
    Challenge = 2, "challenge";
    /// The operator stops the gate; no data.
    Stop = 3, "stop";
    /// The operator resumes it; no data.
    Resume = 4, "resume";
    /// The machine is to power off; no data.
    Shutdown = 5, "shutdown";
    /// A sensor's reading.
    Sensor = 6, "sensor";
    /// Random bytes.
    Entropy = 7, "entropy";
    /// A Standard proof.
    Approval = 8, "approval";
    /// A package to mount: SHA-256 of its file, and the path.
    MountRequest = 9, "mount-request";
    /// A network packet.
    Packet = 10, "packet";
    /// The machine is to start again; no data.
    Reboot = 11, "reboot";
    /// A setting of the trace, in words.
    Trace = 12, "trace";
    /// The mark of a run that is about to use something that is not recorded:
    /// what, in words.
    Unrecorded = 13, "unrecorded";
    /// A snapshot is to be taken; no data.
    Snapshot = 14, "snapshot";
    /// The operator makes the kernel panic; no data.
    Panic = 15, "panic";
}

/// The data of a [`EventKind::MountRequest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MountRequest<'a> {
    /// SHA-256 of the package's file.
    pub package: Hash,
    /// Where it is to be mounted.
    pub path: &'a str,
}

impl<'a> MountRequest<'a> {
    /// As the event has it: the digest, then the path.
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.package.as_slice(), self.path.as_bytes()].concat()
    }

    /// Reads it.
    pub fn from_bytes(data: &'a [u8]) -> Option<Self> {
        let (package, path) = data.split_first_chunk()?;
        Some(Self { package: *package, path: core::str::from_utf8(path).ok()? })
    }
}

impl EventKind {
    /// How long the data must be, without a signature, where the kind says.
    const fn exact_length(self) -> Option<usize> {
        match self {
            Self::Challenge => Some(32),
            Self::Stop
            | Self::Resume
            | Self::Shutdown
            | Self::Reboot
            | Self::Snapshot
            | Self::Panic => Some(0),
            _ => None,
        }
    }
}

/// The first record of an event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event<'a> {
    /// What came in.
    pub kind: EventKind,
    /// Whether the data ends in an operator's signature.
    pub signed: bool,
    /// The object it came from or goes to, or [`super::NO_OBJECT`].
    pub source: u32,
    /// Bytes of the data in all, with the signature, at most [`EVENT_MAX`].
    pub total: u32,
    /// The first [`EVENT_PART`] bytes of the data, or all of it.
    pub data: Short<'a, EVENT_PART>,
}

/// The next [`EVENT_PART`] bytes of an event's data, or the rest of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Continuation<'a> {
    /// Bytes of the data before these.
    pub offset: u32,
    /// The bytes, at least one.
    pub data: Short<'a, EVENT_PART>,
}

impl<'a> Event<'a> {
    /// The first record of an event with this data, if there is not too much
    /// of it, or not what the kind asks for. The rest goes into
    /// [`Continuation::of`].
    pub fn new(kind: EventKind, signed: bool, source: u32, data: &'a [u8]) -> Option<Self> {
        let total = u32::try_from(data.len()).ok()?;
        let event = Self { kind, signed, source, total, data: Short::cut(data) };
        event.has_length_of_its_kind().then_some(event)
    }

    fn has_length_of_its_kind(&self) -> bool {
        let total = self.total as usize;
        let signature = if self.signed { SIGNATURE_SIZE } else { 0 };
        let Some(bare) = total.checked_sub(signature) else { return false };
        total <= EVENT_MAX && self.kind.exact_length().is_none_or(|exact| exact == bare)
    }

    pub(super) fn encode(&self, out: &mut Writer<'_>) {
        out.u16(self.kind.number());
        out.u16(u16::from(self.signed));
        out.u32(self.source);
        out.u32(self.total);
        out.bytes(self.data.bytes());
    }

    pub(super) fn decode(body: &mut Reader<'a>) -> Result<Self, RecordError> {
        let kind = EventKind::from_number(body.u16()?).ok_or(RecordError::Field("event type"))?;
        let signed = match body.u16()? {
            0 => false,
            1 => true,
            _ => return Err(RecordError::Field("event flags")),
        };
        let (source, total) = (body.u32()?, body.u32()?);
        let event = Self { kind, signed, source, total, data: body.rest()? };
        let part = (total as usize).min(EVENT_PART);
        if event.data.bytes().len() != part || !event.has_length_of_its_kind() {
            return Err(RecordError::Field("event length"));
        }
        Ok(event)
    }
}

impl<'a> Continuation<'a> {
    /// What follows the first record of an event with this data, in order.
    pub fn of(data: &'a [u8]) -> impl Iterator<Item = Self> + 'a {
        // Only u32 offsets: `Event::new` has refused data longer than 64 KiB.
        (0u32..)
            .step_by(EVENT_PART)
            .zip(data.chunks(EVENT_PART))
            .skip(1)
            .map(|(offset, part)| Self { offset, data: Short::cut(part) })
    }

    pub(super) fn encode(&self, out: &mut Writer<'_>) {
        out.u32(self.offset);
        out.bytes(self.data.bytes());
    }

    pub(super) fn decode(body: &mut Reader<'a>) -> Result<Self, RecordError> {
        let continuation = Self { offset: body.u32()?, data: body.rest()? };
        let offset = continuation.offset as usize;
        let placed = offset > 0 && offset < EVENT_MAX && offset.is_multiple_of(EVENT_PART);
        if !placed || continuation.data.bytes().is_empty() {
            return Err(RecordError::Field("continuation offset or length"));
        }
        Ok(continuation)
    }
}

/// The parts of a signed event's data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignedEvent<'a> {
    /// What was signed, the event's own data.
    pub data: &'a [u8],
    /// Grows with every event that the operator signs for one boot.
    pub counter: u64,
    /// The operator's public key.
    pub key: [u8; 32],
    /// Its signature over [`SignedEvent::message`].
    pub signature: [u8; 64],
}

impl<'a> SignedEvent<'a> {
    /// Takes the whole data of a signed event apart.
    pub fn split(all: &'a [u8]) -> Option<Self> {
        let (rest, signature) = all.split_last_chunk()?;
        let (rest, key) = rest.split_last_chunk()?;
        let (data, counter) = rest.split_last_chunk()?;
        Some(Self { data, counter: u64::from_le_bytes(*counter), key: *key, signature: *signature })
    }

    /// What an operator signs: a label, the boot id, the event's type and
    /// source, the counter, and the data. Bound to one boot and counted, so
    /// that it cannot be played again.
    pub fn message(
        boot: &BootId,
        kind: EventKind,
        source: u32,
        counter: u64,
        data: &[u8],
    ) -> Vec<u8> {
        let kind = kind.number().to_le_bytes();
        let (source, counter) = (source.to_le_bytes(), counter.to_le_bytes());
        [LABEL, boot, &kind, &source, &counter, data].concat()
    }
}
