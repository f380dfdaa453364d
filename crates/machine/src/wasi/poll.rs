//! Waiting: for a time, and for what is always ready.

use super::{
    Call,
    context::Context,
    errno::Errno,
    process::is_waited_for,
    reply::{Native, Reply, Step},
};
use abi::Operation;
use alloc::vec::Vec;

/// Most subscriptions in one call.
const SUBSCRIPTIONS_MAX: u32 = 1_024;

/// Bytes of a subscription, and of an event.
const SUBSCRIPTION: u32 = 48;
const EVENT: u32 = 32;

/// What is waited for.
const CLOCK: u8 = 0;
const FD_READ: u8 = 1;
const FD_WRITE: u8 = 2;

/// The flag of a clock's subscription that makes its time an absolute one.
const ABSOLUTE: u16 = 1;

/// Latest time that can be waited for, in ns.
const LATEST: u64 = i64::MAX as u64;

struct Subscription {
    userdata: [u8; 8],
    kind: u8,
    until: Until,
}

enum Until {
    /// A logical time in ns.
    Time(u64),
    /// It is as far as it will get: a descriptor is open, or is not.
    Ready(Errno),
}

pub(super) fn poll_oneoff(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    let all = subscriptions(context, call)?;
    context.room(call.word(1), call.word(2) * EVENT)?;
    context.room(call.word(3), 4)?;
    let times = all.iter().map(|it| match it.until {
        Until::Time(ns) => ns,
        Until::Ready(_) => 0,
    });
    let is_ready = all.iter().any(|it| matches!(it.until, Until::Ready(_)));
    match times.min() {
        None => Err(Errno::INVAL),
        Some(_) if is_ready => Ok(events(context, call, &all)?.into()),
        Some(ns) => {
            let timer = context.timer()?;
            Ok(Step::Gate(Native::Wait { timer, operation: Operation::Absolute, ns }))
        }
    }
}

/// The time has come.
pub(super) fn waited(context: &Context<'_>, call: &Call) -> Result<Reply, Errno> {
    let all = subscriptions(context, call)?;
    events(context, call, &all)
}

/// Lets others run: waits for the shortest time there is.
pub(super) fn sched_yield(context: &Context<'_>) -> Result<Step, Errno> {
    let timer = context.timer()?;
    Ok(Step::Gate(Native::Wait { timer, operation: Operation::Relative, ns: 1 }))
}

fn subscriptions(context: &Context<'_>, call: &Call) -> Result<Vec<Subscription>, Errno> {
    let count = call.word(2);
    if count > SUBSCRIPTIONS_MAX {
        return Err(Errno::INVAL);
    }
    let bytes = context.read(call.word(0), count * SUBSCRIPTION)?;
    let (words, _) = bytes.as_chunks::<8>();
    let (all, _) = words.as_chunks::<6>();
    all.iter().map(|words| subscription(context, call, words)).collect()
}

fn subscription(
    context: &Context<'_>,
    call: &Call,
    words: &[[u8; 8]; 6],
) -> Result<Subscription, Errno> {
    let [userdata, [kind, ..], [a, b, c, d, ..], timeout, _, [e, f, ..]] = *words;
    let (number, timeout) = (u32::from_le_bytes([a, b, c, d]), u64::from_le_bytes(timeout));
    let until = match kind {
        CLOCK if is_waited_for(number) => {
            let is_absolute = u16::from_le_bytes([e, f]) & ABSOLUTE != 0;
            let from = if is_absolute { 0 } else { call.began.unwrap_or(0) };
            Until::Time(from.saturating_add(timeout).min(LATEST))
        }
        FD_READ | FD_WRITE => {
            let open = context.state.descriptor(number);
            Until::Ready(open.err().unwrap_or(Errno::SUCCESS))
        }
        _ => return Err(Errno::INVAL),
    };
    Ok(Subscription { userdata, kind, until })
}

/// The events of all that is ready by this time.
fn events(context: &Context<'_>, call: &Call, all: &[Subscription]) -> Result<Reply, Errno> {
    let now = context.nucleus.clock().now_ns();
    let mut bytes = Vec::new();
    for subscription in all {
        let errno = match subscription.until {
            Until::Time(ns) if ns > now => continue,
            Until::Time(_) => Errno::SUCCESS,
            Until::Ready(errno) => errno,
        };
        bytes.extend(subscription.userdata);
        bytes.extend(errno.number().to_le_bytes());
        bytes.push(subscription.kind);
        // How much there is to read or write is not said.
        bytes.extend([0; 21]);
    }
    let count = u32::try_from(bytes.len()).map_err(|_| Errno::OVERFLOW)? / EVENT;
    let reply = Reply::success().put(context, call.word(1), bytes)?;
    reply.put(context, call.word(3), count.to_le_bytes())
}
