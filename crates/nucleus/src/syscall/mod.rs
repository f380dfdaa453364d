//! The effects of the twelve calls, one file each.
//!
//! An effect runs after every check of the gate, on evidence of them. It
//! either does all it says or, with an error, nothing.

mod attest_emit;
mod cap_grant;
mod graph_apply_proved;
mod queue_recv;
mod queue_send;
mod region_map;
mod rvf_mount;
mod sensor_subscribe;
mod task_spawn;
mod timer_wait;
mod vector_get;
mod vector_put_proved;

pub(crate) use rvf_mount::ROOT;
pub(crate) use task_spawn::passed_on;

use crate::{
    evidence::{Authorised, Verified},
    request::Arguments,
    ticket::Work,
    world::World,
};
use abi::{Error, Operation};
use witness::{Hash, Index, Subject};

/// Who calls, what for, and the evidence that they may.
pub(crate) struct Context<'a> {
    pub(crate) subject: Subject,
    pub(crate) operation: Operation,
    pub(crate) authorised: &'a Authorised,
}

/// What an effect comes to.
#[expect(clippy::large_enum_variant, reason = "a box would allocate inside the gate")]
pub(crate) enum Effect {
    /// It is complete.
    Done(Done),
    /// It completes at this logical time in ns.
    Until(u64),
    /// It goes on outside the gate.
    Prepare(Work),
}

/// A completed effect.
#[derive(Default)]
pub(crate) struct Done {
    /// What caller and record get.
    pub(crate) result: i64,
    /// Bytes moved.
    pub(crate) length: u32,
    /// SHA-256 of them, or what a claim says.
    pub(crate) digest: Hash,
    /// What caused it.
    pub(crate) cause: Option<Index>,
}

/// The effect stage.
pub(crate) fn effect(
    world: &mut World,
    context: &Context<'_>,
    verified: Verified,
    arguments: Arguments<'_>,
) -> Result<Effect, Error> {
    use Arguments as A;
    use Operation as Op;
    match (context.operation, arguments, verified) {
        (Op::Plain, A::Spawn { start, kind, passed }, _) => {
            task_spawn::reserve(world, context, start, kind, passed)
        }
        (Op::Grant, A::Grant(grant), _) => cap_grant::grant(&grant),
        (Op::Revoke | Op::Drop, _, _) => cap_grant::take_back(),
        (Op::Read, A::Read { offset, into }, _) => region_map::read(world, context, offset, into),
        (Op::Append | Op::Write | Op::Create, _, _) => region_map::change(),
        (Op::Plain, A::Send { kind, priority, bytes }, _) => {
            queue_send::send(world, context, kind, priority, bytes)
        }
        (Op::Plain, A::Receive, _) => queue_recv::receive(),
        (Op::Absolute | Op::Relative, A::Wait { ns }, _) => timer_wait::wait(world, context, ns),
        (Op::Mount, A::Mount { region, path }, Verified::BySignature) => {
            rvf_mount::reserve(world, context, region, path)
        }
        (Op::Unmount, _, Verified::BySignature) => rvf_mount::unmount(),
        (Op::Claim, A::Claim { digest, body, .. }, Verified::Approved(approved)) => {
            attest_emit::claim(world, context, &approved, digest, body)
        }
        (Op::Approve, _, _) => attest_emit::approve(),
        (Op::ByKey | Op::Nearest | Op::Neighbours, _, _) => vector_get::get(),
        (Op::Plain, A::Put, _) => vector_put_proved::put(),
        (Op::AddNode | Op::RemoveNode | Op::AddEdge | Op::RemoveEdge | Op::SetWeight, _, _) => {
            graph_apply_proved::apply()
        }
        (Op::Plain, A::Subscribe, _) => sensor_subscribe::subscribe(),
        // Arguments of another call than the operation's.
        _ => Err(Error::BadArgument),
    }
}
