//! How types of other crates are written down.

use super::{Reader, Saved, Writer, saved};
use abi::{Call, Error, Handle, Kind, Rights, SignedProof, SpawnArguments};
use package::manifest::{Metric, StandingApproval, TaskKind, Tier};
use witness::manifest::{Outcome, TaskEnd};
use witness::{
    Index, Reservation, Subject,
    record::{CallBody, RootReason, Short, TrapCode},
};

/// A type that another stands for: how to get there, and back.
macro_rules! through {
    ($($name:ty => $other:ty, $there:expr, $back:expr;)*) => {$(
        impl Saved for $name {
            fn save(&self, to: &mut Writer<'_>) {
                let there: fn(&Self) -> $other = $there;
                there(self).save(to);
            }

            fn load(from: &mut Reader<'_>) -> Option<Self> {
                let back: fn($other) -> Option<Self> = $back;
                back(Saved::load(from)?)
            }
        }
    )*};
}

through! {
    Call => u8, |it| it.number(), Self::from_number;
    Error => u16, |it| it.number(), Self::from_number;
    Handle => u32, |it| it.0, |it| Some(Self(it));
    Index => u64, |it| it.0, |it| Some(Self(it));
    Rights => u8, |it| it.bits(), |it| Some(Self::from_bits(it));
    SignedProof => [u8; SignedProof::SIZE], Self::to_bytes, |it| Self::from_bytes(&it);
    Subject => u32, |it| it.0, |it| Some(Self(it));
    TrapCode => u16, |it| it.number(), Self::from_number;
    Kind => usize, |it| Self::ALL.iter().position(|other| other == it).unwrap_or(usize::MAX),
        |it| Self::ALL.get(it).copied();
}

saved!(enum TaskKind { 0 Command, 1 Reactor });
saved!(enum Tier { 0 Reflex, 1 Standard, 2 Deep });
saved!(enum Metric { 0 Cosine, 1 L2 });
saved!(struct StandingApproval { claim_types, max_bytes, max_claims });
saved!(struct SpawnArguments { fuel, memory, priority, deadline, capabilities, is_reactor });

saved!(enum RootReason { 0 Exit, 1 Snapshot, 2 Manifest });
saved!(struct TaskEnd { name, subject, outcome, code });
saved!(enum Outcome { 0 Exit, 1 Trap, 2 OutOfFuel, 3 Budget, 4 Killed, 5 Running, 6 Refused });

/// Without its tail, which whoever keeps one has beside it.
impl Saved for CallBody<'static> {
    fn save(&self, to: &mut Writer<'_>) {
        let Self {
            call,
            handle,
            object,
            badge,
            operation,
            length,
            argument,
            result,
            digest,
            tail: _,
        } = self;
        call.save(to);
        handle.save(to);
        object.save(to);
        badge.save(to);
        operation.save(to);
        length.save(to);
        argument.save(to);
        result.save(to);
        digest.save(to);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            call: Saved::load(from)?,
            handle: Saved::load(from)?,
            object: Saved::load(from)?,
            badge: Saved::load(from)?,
            operation: Saved::load(from)?,
            length: Saved::load(from)?,
            argument: Saved::load(from)?,
            result: Saved::load(from)?,
            digest: Saved::load(from)?,
            tail: Short::EMPTY,
        })
    }
}

/// Nothing is written; a new one is reserved.
impl Saved for Reservation {
    fn save(&self, _: &mut Writer<'_>) {}

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        from.reserve()
    }
}
