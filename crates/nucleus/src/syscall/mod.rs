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
    evidence::{Authorised, Proved, Verified},
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
    /// It is complete when this task has been ended.
    Kill(Subject),
    /// It completes at this logical time in ns.
    Until(u64),
    /// It completes when there is a message, or at this logical time in ns.
    Message {
        /// That time.
        deadline: u64,
    },
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
        (Op::Grant, A::Grant(grant), _) => cap_grant::grant(world, context, &grant),
        (Op::Revoke, A::TakeBack, _) => cap_grant::revoke(world, context),
        (Op::Drop, A::TakeBack, _) => cap_grant::give_up(world, context),
        (Op::Read, A::Read { offset, into }, _) => region_map::read(world, context, offset, into),
        (Op::Append, A::Append(bytes), _) => region_map::append(world, context, bytes),
        (Op::Write, A::Write { slot, bytes }, _) => region_map::write(world, context, slot, bytes),
        (Op::Free, A::Free { slot }, _) => region_map::free(world, context, slot),
        (Op::Create, A::Create { mode, content }, _) => {
            region_map::create(world, context, mode, content)
        }
        (Op::Plain, A::Send { kind, priority, bytes }, _) => {
            queue_send::send(world, context, kind, priority, bytes)
        }
        (Op::Reference, A::SendReference { kind, priority, reference }, _) => {
            queue_send::refer(world, context, kind, priority, &reference)
        }
        (Op::Plain, A::Receive { deadline, into }, _) => {
            queue_recv::receive(world, context, deadline, into)
        }
        (Op::Absolute | Op::Relative, A::Wait { ns }, _) => timer_wait::wait(world, context, ns),
        (Op::Mount, A::Mount { region, path }, Verified::BySignature) => {
            rvf_mount::reserve(world, context, region, path)
        }
        (Op::Unmount, A::Unmount { path }, Verified::BySignature) => {
            rvf_mount::unmount(world, context, path)
        }
        (Op::Claim, A::Claim { digest, body, .. }, Verified::Approved(approved)) => {
            attest_emit::claim(world, context, &approved, digest, body)
        }
        (Op::Approve, A::Approve { slot, mutation, old_leaf, expiry }, _) => {
            attest_emit::approve(world, context, slot, mutation, old_leaf, expiry)
        }
        (Op::ByKey, A::Get { question, into }, _) => {
            vector_get::by_key(world, context, question, into)
        }
        (Op::Nearest, A::Get { question, into }, _) => {
            vector_get::nearest(world, context, question, into)
        }
        (Op::Neighbours, A::Get { question, into }, _) => {
            vector_get::neighbours(world, context, question, into)
        }
        (Op::Plain, A::Put { mutation, .. }, Verified::Proved(proved)) => {
            vector_put_proved::put(world, context, &proved, mutation)
        }
        (
            Op::AddNode | Op::RemoveNode | Op::AddEdge | Op::RemoveEdge | Op::SetWeight,
            A::Apply { mutation, .. },
            Verified::Proved(proved),
        ) => graph_apply_proved::apply(world, context, &proved, mutation),
        (Op::Plain, A::Subscribe { queue }, _) => {
            sensor_subscribe::subscribe(world, context, queue)
        }
        // Arguments of another call than the operation's.
        _ => Err(Error::BadArgument),
    }
}

/// What comes before a change that all else allows: a guard that is to be
/// asked, or nothing.
///
/// # Errors
/// [`Error::GuardRefused`].
fn ask_guard(world: &mut World, proved: &Proved) -> Result<Option<Effect>, Error> {
    let Some(component) = proved.guard() else { return Ok(None) };
    match world.guard_word.take() {
        None => Ok(Some(Effect::Prepare(Work::Guard { component }))),
        Some(true) => Ok(None),
        Some(false) => Err(Error::GuardRefused),
    }
}

/// A number of bytes, for a record and a result.
fn length(bytes: &[u8]) -> Result<u32, Error> {
    u32::try_from(bytes.len()).map_err(|_| Error::BadLength)
}
