//! What a program is told about itself: arguments, variables, time, and
//! random bytes that are the same in every run.

use super::{
    Call,
    context::Context,
    errno::Errno,
    reply::{Reply, Step},
};
use abi::profile::{FUEL_PER_NS, data_fuel};
use alloc::vec::Vec;

/// Most random bytes in one call.
const RANDOM_MAX: u32 = 1 << 20;

/// Bytes in a block of random ones.
const BLOCK: usize = 32;

/// Bytes that are hashed for each: two blocks of SHA-256.
const BLOCK_COST: u64 = 128;

/// What the hash behind each random block begins with.
const DOMAIN: &[u8] = b"heliograph-wasi-random@v1\n";

/// The clocks.
const REALTIME: u32 = 0;
const MONOTONIC: u32 = 1;
const PROCESS_TIME: u32 = 2;
const THREAD_TIME: u32 = 3;

pub(super) fn args_sizes_get(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    sizes(context, call, &arguments(context))
}

pub(super) fn args_get(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    strings(context, call, &arguments(context))
}

pub(super) fn environ_sizes_get(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    sizes(context, call, &environment(context))
}

pub(super) fn environ_get(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    strings(context, call, &environment(context))
}

/// The task's name, then what the manifest gives it.
fn arguments<'a>(context: &'a Context<'_>) -> Vec<&'a str> {
    let name = context.task().map_or("", |task| &task.name);
    core::iter::once(name).chain(context.state.arguments.iter().map(|it| it.as_str())).collect()
}

fn environment<'a>(context: &'a Context<'_>) -> Vec<&'a str> {
    context.state.environment.iter().map(|it| it.as_str()).collect()
}

/// How many there are, and their bytes, each with a zero behind it.
fn sizes(context: &Context<'_>, call: &Call, all: &[&str]) -> Result<Step, Errno> {
    let bytes = all.iter().fold(0usize, |sum, it| sum.saturating_add(it.len()).saturating_add(1));
    let count = u32::try_from(all.len()).map_err(|_| Errno::OVERFLOW)?;
    let bytes = u32::try_from(bytes).map_err(|_| Errno::OVERFLOW)?;
    let reply = Reply::success().put(context, call.word(0), count.to_le_bytes())?;
    Ok(reply.put(context, call.word(1), bytes.to_le_bytes())?.into())
}

/// The strings, and where each begins.
fn strings(context: &Context<'_>, call: &Call, all: &[&str]) -> Result<Step, Errno> {
    let (places, start) = (call.word(0), call.word(1));
    let (mut pointers, mut bytes) = (Vec::new(), Vec::new());
    for string in all {
        let behind = u32::try_from(bytes.len()).map_err(|_| Errno::FAULT)?;
        let pointer = start.checked_add(behind).ok_or(Errno::FAULT)?;
        pointers.extend(pointer.to_le_bytes());
        bytes.extend(string.as_bytes());
        bytes.push(0);
    }
    Ok(Reply::success().put(context, places, pointers)?.put(context, start, bytes)?.into())
}

pub(super) fn clock_res_get(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    match call.word(0) {
        REALTIME | MONOTONIC | PROCESS_TIME | THREAD_TIME => {
            Ok(Reply::success().put(context, call.word(1), 1u64.to_le_bytes())?.into())
        }
        _ => Err(Errno::INVAL),
    }
}

pub(super) fn clock_time_get(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    let ns = time(context, call.word(0))?;
    Ok(Reply::success().put(context, call.word(2), ns.to_le_bytes())?.into())
}

fn time(context: &Context<'_>, clock: u32) -> Result<u64, Errno> {
    match clock {
        REALTIME | MONOTONIC => Ok(context.nucleus.clock().now_ns()),
        PROCESS_TIME | THREAD_TIME => Ok(context.task().map_or(0, |task| task.spent / FUEL_PER_NS)),
        _ => Err(Errno::INVAL),
    }
}

/// Whether a clock is one that can be waited for.
pub(super) fn is_waited_for(clock: u32) -> bool {
    matches!(clock, REALTIME | MONOTONIC)
}

/// A call begins with a block of its own.
pub(super) fn random_get(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    let (pointer, length) = (call.word(0), call.word(1));
    context.room(pointer, length)?;
    if length > RANDOM_MAX {
        return Err(Errno::INVAL);
    }
    let hashed = u64::from(length).div_ceil(BLOCK as u64).saturating_mul(BLOCK_COST);
    if data_fuel(hashed) > context.nucleus.allowance(context.subject) {
        return Ok(Step::Broke);
    }
    let length = usize::try_from(length).map_err(|_| Errno::INVAL)?;
    let mut bytes = Vec::with_capacity(length.next_multiple_of(BLOCK));
    while bytes.len() < length {
        bytes.extend(block(context));
        context.state.blocks = context.state.blocks.wrapping_add(1);
    }
    bytes.truncate(length);
    Ok(Reply::success().put(context, pointer, bytes)?.hashing(hashed).into())
}

fn block(context: &Context<'_>) -> [u8; BLOCK] {
    let mut input = Vec::from(DOMAIN);
    input.extend(context.state.seed.to_le_bytes());
    input.extend(context.subject.0.to_le_bytes());
    input.extend(context.state.blocks.to_le_bytes());
    context.nucleus.digest(&input)
}
