//! Records: the leaves of the log.
//!
//! A record says what one subject did, or had done to it, at one point of
//! logical time, and names two earlier records: the subject's previous one and
//! the one that caused it. It has a fixed header and a body by [`Kind`], and
//! exactly one encoding. `docs/FORMAT.md` is the layout's definition.
//!
//! [`Draft`] is a record before its parents have ids, as the nucleus fills it;
//! [`Record`] is one that was decoded.

mod body;
mod bytes;
mod call;
mod decode;
mod display;
mod encode;
mod event;
mod kind;
mod machine;
mod subject;

pub use body::{
    Body, Budget, BudgetSpent, Exit, Genesis, Guard, OutOfFuel, PROFILE_MAX, RootReason, StateRoot,
    Trap, TrapCode,
};
pub use bytes::Short;
pub use call::{CallBody, NO_OBJECT, TAIL_MAX};
pub use decode::RecordError;
pub use encode::Encoded;
pub use event::{
    Continuation, EVENT_MAX, EVENT_PART, Event, EventKind, MountRequest, SIGNATURE_SIZE,
    SignedEvent,
};
pub use kind::Kind;
pub use machine::{Arch, Board, Flags, MachineFacts};
pub use subject::Subject;

use crate::{Hash, log::Index};
use abi::{Error, Stage};

/// Version in the first byte of every record.
pub const VERSION: u8 = 1;

/// Bytes of the header.
pub const HEADER_SIZE: usize = 104;

/// Most bytes of a whole record.
pub const RECORD_MAX: usize = 392;

/// How a call ended. Records of any other kind are always [`Self::Allowed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was done. Outcome 0.
    Allowed,
    /// It was refused, for this reason, and changed nothing. Outcome 1.
    Denied(Error),
    /// A kill, a stop or a shutdown ended it while it waited. Outcome 2.
    CutShort,
}

impl Verdict {
    /// The number in the header.
    pub const fn outcome(self) -> u8 {
        match self {
            Self::Allowed => 0,
            Self::Denied(_) => 1,
            Self::CutShort => 2,
        }
    }

    /// The reason, where it was not allowed.
    pub const fn reason(self) -> Option<Error> {
        match self {
            Self::Allowed => None,
            Self::Denied(error) => Some(error),
            Self::CutShort => Some(Error::CutShort),
        }
    }

    /// The stage of the gate that refused it: the stage the reason belongs to.
    pub const fn stage(self) -> Stage {
        match self.reason() {
            None => Stage::None,
            Some(error) => error.stage(),
        }
    }
}

/// What the header says about when a record was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Point {
    /// Logical time in ns.
    pub time_ns: u64,
    /// Number of the scheduler's slice.
    pub slice: u64,
    /// Fuel that the subject has spent so far.
    pub fuel: u64,
}

/// A record before sealing: its parents are indices of earlier records.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Draft<'a> {
    /// How it ended. Ignored for kinds other than calls.
    pub verdict: Verdict,
    /// Who did it.
    pub subject: Subject,
    /// Number of the record among those of its subject, from 0.
    pub sequence: u32,
    /// When it was written.
    pub point: Point,
    /// The subject's previous record; `None` for its first one, whose parent
    /// is the genesis.
    pub previous: Option<Index>,
    /// The record that caused this one, if one did.
    pub cause: Option<Index>,
    /// What happened.
    pub body: Body<'a>,
}

impl<'a> Draft<'a> {
    /// Leaf 0.
    pub fn genesis(genesis: Genesis<'a>) -> Self {
        Self::first(Subject::KERNEL, Body::Genesis(genesis))
    }

    /// Leaf 1.
    pub fn machine(facts: MachineFacts) -> Self {
        Self::first(Subject::MACHINE, Body::Machine(facts))
    }

    fn first(subject: Subject, body: Body<'a>) -> Self {
        Self {
            verdict: Verdict::Allowed,
            subject,
            sequence: 0,
            point: Point::default(),
            previous: None,
            cause: None,
            body,
        }
    }
}

/// A decoded record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record<'a> {
    /// How it ended.
    pub verdict: Verdict,
    /// Who did it.
    pub subject: Subject,
    /// Number of the record among those of its subject, from 0.
    pub sequence: u32,
    /// When it was written.
    pub point: Point,
    /// Id of the subject's previous record; the genesis for its first one;
    /// zero for the genesis itself and for a record not yet sealed.
    pub previous: Hash,
    /// Id of the record that caused this one.
    pub cause: Option<Hash>,
    /// What happened.
    pub body: Body<'a>,
}

impl Record<'_> {
    /// The kind, which is the body's.
    pub fn kind(&self) -> Kind {
        self.body.kind()
    }
}
