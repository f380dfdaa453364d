//! The bodies of records, by kind. The larger ones have files of their own.

use super::{
    CallBody, Continuation, Event, Kind, MachineFacts, RecordError, Short, Verdict,
    bytes::{Reader, Writer},
};
use crate::Hash;

/// Longest name of an engine profile, in bytes.
pub const PROFILE_MAX: usize = 128;

/// What a record says beyond its header.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "each is explained at its type")]
pub enum Body<'a> {
    Genesis(Genesis<'a>),
    Machine(MachineFacts),
    Event(Event<'a>),
    Continuation(Continuation<'a>),
    Call(CallBody<'a>),
    Trap(Trap),
    OutOfFuel(OutOfFuel),
    Exit(Exit),
    StateRoot(StateRoot),
    Guard(Guard),
    BudgetSpent(BudgetSpent),
}

/// What is run: everybody's ancestor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Genesis<'a> {
    /// SHA-256 of the package's file.
    pub package: Hash,
    /// The seed that all randomness of tasks comes from.
    pub seed: u64,
    /// Root of the state before the first record.
    pub state_root: Hash,
    /// Name of the engine profile, 1 to [`PROFILE_MAX`] bytes of visible
    /// ASCII.
    pub profile: Short<'a, PROFILE_MAX>,
}

/// Why a task was ended by the machine that ran it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum TrapCode {
    /// It executed `unreachable`.
    Unreachable = 1,
    /// It accessed memory out of bounds.
    MemoryOutOfBounds = 2,
    /// It accessed a table out of bounds.
    TableOutOfBounds = 3,
    /// It called a null entry of a table.
    IndirectCallToNull = 4,
    /// It divided an integer by zero.
    DivisionByZero = 5,
    /// A division's result does not fit.
    IntegerOverflow = 6,
    /// A float has no integer value.
    BadConversion = 7,
    /// Its calls nested too deeply.
    StackOverflow = 8,
    /// It called a function by the wrong signature.
    BadSignature = 9,
    /// It grew beyond its limit.
    GrowthLimit = 10,
    /// Anything else.
    Other = 11,
}

impl TrapCode {
    /// Every code, by number, with its name.
    pub const ALL: [(Self, &'static str); 11] = [
        (Self::Unreachable, "unreachable"),
        (Self::MemoryOutOfBounds, "memory out of bounds"),
        (Self::TableOutOfBounds, "table out of bounds"),
        (Self::IndirectCallToNull, "indirect call to null"),
        (Self::DivisionByZero, "integer division by zero"),
        (Self::IntegerOverflow, "integer overflow"),
        (Self::BadConversion, "bad conversion to integer"),
        (Self::StackOverflow, "stack overflow"),
        (Self::BadSignature, "bad signature"),
        (Self::GrowthLimit, "growth beyond the limit"),
        (Self::Other, "other"),
    ];

    /// The number in the record.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The code with this number.
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().map(|(code, _)| code).find(|code| code.number() == number)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(code, _)| *code == self).map_or("", |(_, name)| name)
    }
}

/// A task ended by a trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trap {
    /// Why.
    pub code: TrapCode,
    /// SHA-256 of the component it ran.
    pub component: Hash,
}

/// A task ended because its fuel was spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfFuel {
    /// What it was given.
    pub budget: u64,
    /// What it spent.
    pub spent: u64,
}

/// A task ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// What it returned.
    pub code: i32,
    /// Pages of 64 KiB of its memory.
    pub pages: u32,
}

/// What a state root was taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum RootReason {
    /// A task exited.
    Exit = 1,
    /// A snapshot was taken.
    Snapshot = 2,
    /// The package's manifest asks for it.
    Manifest = 3,
}

/// A commitment to the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateRoot {
    /// What for.
    pub reason: RootReason,
    /// The root.
    pub root: Hash,
}

/// A guard program's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The store it guards.
    pub store: u32,
    /// Whether it allowed the mutation.
    pub allowed: bool,
    /// SHA-256 of the guard's component.
    pub component: Hash,
    /// Fuel it spent.
    pub fuel: u64,
}

/// Which budget of a partition was spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Budget {
    /// Records.
    Records = 1,
}

/// A task ended because its partition's budget was spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetSpent {
    /// Which budget.
    pub budget: Budget,
    /// How much it was.
    pub limit: u64,
}

impl<'a> Body<'a> {
    /// The kind of record it belongs to.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Genesis(_) => Kind::Genesis,
            Self::Machine(_) => Kind::Machine,
            Self::Event(_) => Kind::Event,
            Self::Continuation(_) => Kind::Continuation,
            Self::Call(body) => Kind::Call(body.call),
            Self::Trap(_) => Kind::Trap,
            Self::OutOfFuel(_) => Kind::OutOfFuel,
            Self::Exit(_) => Kind::Exit,
            Self::StateRoot(_) => Kind::StateRoot,
            Self::Guard(_) => Kind::Guard,
            Self::BudgetSpent(_) => Kind::BudgetSpent,
        }
    }

    pub(super) fn encode(&self, verdict: Verdict, out: &mut Writer<'_>) {
        match self {
            Self::Genesis(genesis) => genesis.encode(out),
            Self::Machine(facts) => facts.encode(out),
            Self::Event(event) => event.encode(out),
            Self::Continuation(continuation) => continuation.encode(out),
            Self::Call(body) => body.encode(verdict, out),
            Self::Trap(trap) => {
                out.u16(trap.code.number());
                out.zeros::<2>();
                out.bytes(&trap.component);
            }
            Self::OutOfFuel(end) => {
                out.u64(end.budget);
                out.u64(end.spent);
            }
            Self::Exit(exit) => {
                out.u32(exit.code.cast_unsigned());
                out.u32(exit.pages);
            }
            Self::StateRoot(root) => {
                out.u16(root.reason as u16);
                out.zeros::<2>();
                out.bytes(&root.root);
            }
            Self::Guard(guard) => {
                out.u32(guard.store);
                out.u8(u8::from(guard.allowed));
                out.zeros::<3>();
                out.bytes(&guard.component);
                out.u64(guard.fuel);
            }
            Self::BudgetSpent(end) => {
                out.u16(end.budget as u16);
                out.zeros::<2>();
                out.u64(end.limit);
            }
        }
    }

    pub(super) fn decode(
        kind: Kind,
        verdict: Verdict,
        body: &mut Reader<'a>,
    ) -> Result<Self, RecordError> {
        Ok(match kind {
            Kind::Genesis => Self::Genesis(Genesis::decode(body)?),
            Kind::Machine => Self::Machine(MachineFacts::decode(body)?),
            Kind::Event => Self::Event(Event::decode(body)?),
            Kind::Continuation => Self::Continuation(Continuation::decode(body)?),
            Kind::Call(call) => Self::Call(CallBody::decode(call, verdict, body)?),
            Kind::Trap => {
                let code = TrapCode::from_number(body.u16()?);
                body.zeros::<2>()?;
                let code = code.ok_or(RecordError::Field("trap code"))?;
                Self::Trap(Trap { code, component: body.array()? })
            }
            Kind::OutOfFuel => {
                Self::OutOfFuel(OutOfFuel { budget: body.u64()?, spent: body.u64()? })
            }
            Kind::Exit => Self::Exit(Exit { code: body.u32()?.cast_signed(), pages: body.u32()? }),
            Kind::StateRoot => {
                let reason = match body.u16()? {
                    1 => RootReason::Exit,
                    2 => RootReason::Snapshot,
                    3 => RootReason::Manifest,
                    _ => return Err(RecordError::Field("reason of a state root")),
                };
                body.zeros::<2>()?;
                Self::StateRoot(StateRoot { reason, root: body.array()? })
            }
            Kind::Guard => {
                let store = body.u32()?;
                let allowed = match body.u8()? {
                    0 => false,
                    1 => true,
                    _ => return Err(RecordError::Field("guard's decision")),
                };
                body.zeros::<3>()?;
                let (component, fuel) = (body.array()?, body.u64()?);
                Self::Guard(Guard { store, allowed, component, fuel })
            }
            Kind::BudgetSpent => {
                if body.u16()? != Budget::Records as u16 {
                    return Err(RecordError::Field("budget"));
                }
                body.zeros::<2>()?;
                Self::BudgetSpent(BudgetSpent { budget: Budget::Records, limit: body.u64()? })
            }
        })
    }
}

impl<'a> Genesis<'a> {
    fn encode(&self, out: &mut Writer<'_>) {
        out.bytes(&self.package);
        out.u64(self.seed);
        out.bytes(&self.state_root);
        // At most PROFILE_MAX, which a byte holds.
        out.u8(self.profile.bytes().len() as u8);
        out.bytes(self.profile.bytes());
    }

    fn decode(body: &mut Reader<'a>) -> Result<Self, RecordError> {
        let (package, seed, state_root) = (body.array()?, body.u64()?, body.array()?);
        let length = usize::from(body.u8()?);
        let profile: Short<'a, PROFILE_MAX> = body.rest()?;
        let visible = profile.bytes().iter().all(u8::is_ascii_graphic);
        if profile.bytes().len() != length || length == 0 || !visible {
            return Err(RecordError::Field("profile name"));
        }
        Ok(Self { package, seed, state_root, profile })
    }
}
