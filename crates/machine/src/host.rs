//! What a task's store holds, and how a call leaves it for the gate.
//!
//! While a task runs, the nucleus is in its store, so that a call runs inside
//! the host function. A call that cannot be answered at once leaves by a host
//! error; the instance is then resumed with the answer.

use crate::{call::RawCall, limiter::Limiter, seat::Seat};
use abi::profile::data_fuel;
use core::fmt;
use nucleus::{Answer, Ticket};
use wasmi::{AsContext, AsContextMut, Memory};
use witness::Subject;

/// The data of a task's store.
pub(crate) struct Host {
    /// There while the task runs; not while it is being set up.
    pub(crate) nucleus: Seat,
    /// Who the task is.
    pub(crate) subject: Subject,
    /// Its exported memory.
    pub(crate) memory: Option<Memory>,
    pub(crate) limiter: Limiter,
    pub(crate) meter: Meter,
    /// A call that the machine has to prepare.
    pub(crate) ticket: Option<Ticket>,
}

/// Where a slice stands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Meter {
    /// What the engine had left when the nucleus was last told.
    pub(crate) seen: u64,
    /// Whether calls cost more than the slice had left. Its budget had it, so
    /// this slice runs longer, and the next call waits for the next one.
    pub(crate) is_overdrawn: bool,
}

/// Why a call left its host function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// It is called while the component is set up, when calls are refused.
    InStart,
    /// It has to be made again in the next slice.
    Again(RawCall),
    /// It waits for its time.
    Blocked,
    /// The machine has to prepare something.
    Prepare,
    /// The task's budget does not reach for it.
    OutOfFuel,
    /// The nucleus has ended the task.
    Ended,
}

impl fmt::Display for Leave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InStart => f.write_str("a call was made while the component was set up"),
            _ => f.write_str("a call is under way"),
        }
    }
}

impl wasmi::errors::HostError for Leave {}

/// Makes a call: at the gate if it can be made now.
pub(crate) fn perform(
    store: &mut impl AsContextMut<Data = Host>,
    raw: RawCall,
) -> Result<i64, Leave> {
    settle(store);
    let memory = store.as_context().data().memory;
    let size = memory.map_or(0, |memory| memory.data_size(store.as_context()));
    let mut context = store.as_context_mut();
    let host = context.data_mut();
    let subject = host.subject;
    let Some(nucleus) = host.nucleus.here() else { return Err(Leave::InStart) };
    if host.meter.is_overdrawn || nucleus.is_slice_full() {
        return Err(Leave::Again(raw));
    }
    if raw.most_fuel(size) > nucleus.allowance(subject) {
        return Err(Leave::OutOfFuel);
    }
    charge(store, raw.base_fuel());

    let mut context = store.as_context_mut();
    let answer = match memory {
        Some(memory) => {
            let (bytes, host) = memory.data_and_store_mut(&mut context);
            let Some(nucleus) = host.nucleus.here() else { return Err(Leave::InStart) };
            nucleus.gate(subject, raw.request(bytes))
        }
        None => {
            let Some(nucleus) = context.data_mut().nucleus.here() else {
                return Err(Leave::InStart);
            };
            nucleus.gate(subject, raw.request(&mut []))
        }
    };
    match answer {
        Answer::Done { value, moved } => {
            charge(store, data_fuel(u64::from(moved)));
            Ok(value)
        }
        Answer::Blocked => Err(Leave::Blocked),
        Answer::Prepare(ticket) => {
            store.as_context_mut().data_mut().ticket = Some(ticket);
            Err(Leave::Prepare)
        }
        Answer::NextSlice => Err(Leave::Again(raw)),
        Answer::Ended => Err(Leave::Ended),
    }
}

/// Tells the nucleus what the engine has spent since it was last told.
pub(crate) fn settle(store: &mut impl AsContextMut<Data = Host>) {
    let left = store.as_context().get_fuel().unwrap_or(0);
    let mut context = store.as_context_mut();
    let host = context.data_mut();
    let spent = host.meter.seen.saturating_sub(left);
    host.meter.seen = left;
    if let Some(nucleus) = host.nucleus.here() {
        nucleus.spend(host.subject, spent);
    }
}

/// Spends fuel for work outside Wasm.
fn charge(store: &mut impl AsContextMut<Data = Host>, fuel: u64) {
    let mut context = store.as_context_mut();
    let host = context.data_mut();
    host.meter.is_overdrawn |= fuel > host.meter.seen;
    let left = host.meter.seen.saturating_sub(fuel);
    host.meter.seen = left;
    if let Some(nucleus) = host.nucleus.here() {
        nucleus.spend(host.subject, fuel);
    }
    // Metering is on in every engine of this crate.
    let _ = context.set_fuel(left);
}

impl Host {
    /// The data of a store for a task that is being set up. Calls are refused
    /// until it has a nucleus.
    pub(crate) fn new(memory_bytes: u32) -> Self {
        Self {
            nucleus: Seat::empty(),
            subject: Subject::KERNEL,
            memory: None,
            limiter: Limiter::new(memory_bytes),
            meter: Meter::default(),
            ticket: None,
        }
    }
}
