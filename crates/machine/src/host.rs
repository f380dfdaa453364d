//! What a task's store holds, and how a call leaves it for the gate.
//!
//! While a task runs, the nucleus is in its store, so that a call runs inside
//! the host function. A call that cannot be answered at once leaves by a host
//! error; the instance is then resumed with the answer.

use crate::{
    call::RawCall,
    journal::{self, Journal},
    limiter::Limiter,
    seat::Seat,
    wasi,
};
use core::fmt;
use nucleus::{Answer, Nucleus, Ticket, Work};
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
    /// What the task was given, where snapshots are to be had.
    pub(crate) journal: Option<Journal>,
    /// What WASI's functions remember.
    pub(crate) wasi: wasi::State,
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
    /// It waits. When its turn comes it has an answer, or looks for its
    /// message.
    Blocked(RawCall),
    /// The machine has to prepare something.
    Prepare(RawCall),
    /// As [`Leave::Again`], from a function of WASI.
    WasiAgain(wasi::Call),
    /// As [`Leave::Blocked`], from a function of WASI.
    WasiBlocked(wasi::Call),
    /// The task is at its end, with this code.
    Exit(i32),
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

/// Makes a call: at the gate, if it can be made now. A task that is run again
/// has its answer already.
pub(crate) fn perform(
    store: &mut impl AsContextMut<Data = Host>,
    raw: RawCall,
) -> Result<i64, Leave> {
    if let Some(outcome) = journal::recall(store, raw) {
        return outcome;
    }
    let outcome = at_gate(store, raw);
    journal::note(store, raw, &outcome);
    outcome
}

fn at_gate(store: &mut impl AsContextMut<Data = Host>, raw: RawCall) -> Result<i64, Leave> {
    settle(store);
    let size = memory_size(store);
    let mut context = store.as_context_mut();
    let host = context.data_mut();
    let Some(nucleus) = host.nucleus.here() else { return Err(Leave::InStart) };
    if host.meter.is_overdrawn || nucleus.is_slice_full() {
        return Err(Leave::Again(raw));
    }
    let data = raw.data_fuel(size);
    if raw.base_fuel().saturating_add(data) > nucleus.allowance(host.subject) {
        return Err(Leave::OutOfFuel);
    }
    charge(store, raw.base_fuel());
    let answer = with_memory(store, |nucleus, subject, memory| {
        let fuel = nucleus.allowance(subject).saturating_sub(data);
        match nucleus.gate(subject, raw.request(memory, fuel)) {
            Answer::Prepare(ticket) if matches!(ticket.work(), Work::Region { .. }) => {
                nucleus.commit_region(ticket, raw.content(memory))
            }
            answer => answer,
        }
    });
    answered(store, raw, answer)
}

/// Goes on with a call that waited: its turn has come.
pub(crate) fn go_on(
    store: &mut impl AsContextMut<Data = Host>,
    raw: RawCall,
) -> Result<i64, Leave> {
    if let Some(outcome) = journal::recall(store, raw) {
        return outcome;
    }
    let outcome = waited(store, raw);
    journal::note(store, raw, &outcome);
    outcome
}

fn waited(store: &mut impl AsContextMut<Data = Host>, raw: RawCall) -> Result<i64, Leave> {
    let size = memory_size(store);
    let mut context = store.as_context_mut();
    let host = context.data_mut();
    let Some(nucleus) = host.nucleus.here() else { return Err(Leave::Ended) };
    if let Some(value) = nucleus.take_answer(host.subject) {
        return Ok(value);
    }
    let data = raw.data_fuel(size);
    if data > nucleus.allowance(host.subject) {
        return Err(Leave::OutOfFuel);
    }
    let answer = with_memory(store, |nucleus, subject, memory| {
        let fuel = nucleus.allowance(subject).saturating_sub(data);
        nucleus.receive(subject, fuel, raw.window(memory))
    });
    answered(store, raw, answer)
}

fn answered(
    store: &mut impl AsContextMut<Data = Host>,
    raw: RawCall,
    answer: Option<Answer>,
) -> Result<i64, Leave> {
    match answer.ok_or(Leave::InStart)? {
        Answer::Done { value, fuel } => {
            charge(store, fuel);
            Ok(value)
        }
        Answer::Blocked => Err(Leave::Blocked(raw)),
        Answer::Prepare(ticket) => {
            charge(store, ticket.fuel());
            store.as_context_mut().data_mut().ticket = Some(ticket);
            Err(Leave::Prepare(raw))
        }
        Answer::NextSlice => Err(Leave::Again(raw)),
        Answer::Ended => Err(Leave::Ended),
    }
}

fn memory_size(store: &impl AsContext<Data = Host>) -> usize {
    let memory = store.as_context().data().memory;
    memory.map_or(0, |memory| memory.data_size(store.as_context()))
}

/// Gives the nucleus and the task's memory, which is empty where the task
/// exports none; nothing where there is no nucleus.
pub(crate) fn with_memory<R>(
    store: &mut impl AsContextMut<Data = Host>,
    act: impl FnOnce(&mut Nucleus, Subject, &mut [u8]) -> R,
) -> Option<R> {
    let memory = store.as_context().data().memory;
    let mut context = store.as_context_mut();
    let (bytes, host) = match memory {
        Some(memory) => memory.data_and_store_mut(&mut context),
        None => (&mut [][..], context.data_mut()),
    };
    let subject = host.subject;
    host.nucleus.here().map(|nucleus| act(nucleus, subject, bytes))
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
pub(crate) fn charge(store: &mut impl AsContextMut<Data = Host>, fuel: u64) {
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
            journal: None,
            wasi: wasi::State::new(0),
        }
    }
}
