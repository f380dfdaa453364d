//! WASI preview 1, as a thin layer over the calls.
//!
//! What a function does that others can see, or learns about an object, goes
//! through the gate with a capability of the task's own, as a call that the
//! payload could have made itself: one record. What is the task's alone
//! (arguments, variables, descriptors, the clock, random bytes) leaves no
//! record. docs/WASI.md lists the functions.
//!
//! A function begins by looking: at its arguments, the caller's memory and
//! what the caller holds ([`context`]). What comes of that ([`reply`]) is
//! carried out here, and nowhere else: a call at the gate in [`ask`], bytes
//! for the caller and the number it gets in [`deliver`].

mod context;
mod errno;
mod files;
mod function;
mod poll;
mod process;
mod reply;
mod state;
mod stream;

pub(crate) use function::{Function, MODULE, link};
pub(crate) use state::State;

use crate::{
    host::{Host, Leave, charge, settle},
    journal,
};
use abi::{
    Error,
    profile::{WASI_FUEL, data_fuel},
};
use context::Context;
use errno::Errno;
use nucleus::{Answer, Nucleus};
use reply::{Native, Reply, Step};
use wasmi::AsContextMut;
use witness::Subject;

/// Most parameters that a function has.
const WORDS: usize = 9;

/// A call as the payload made it: nothing is checked. An argument of 32 bits
/// is in the low half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    function: Function,
    words: [u64; WORDS],
    /// Logical time in ns at which it was first looked at.
    began: Option<u64>,
}

impl Call {
    const fn new(function: Function, words: [u64; WORDS]) -> Self {
        Self { function, words, began: None }
    }

    /// When it was first looked at, in ns of logical time, if it was.
    pub(crate) const fn began(&self) -> Option<u64> {
        self.began
    }

    /// The same call, first looked at then.
    pub(crate) const fn begun(self, began: Option<u64>) -> Self {
        Self { began, ..self }
    }

    fn word(&self, at: usize) -> u32 {
        // Keeps the low half, where those are.
        self.long(at) as u32
    }

    fn long(&self, at: usize) -> u64 {
        self.words.get(at).copied().unwrap_or(0)
    }

    /// Whether it reads at a place of its own, and not where the file is.
    fn is_positioned(&self) -> bool {
        self.function == Function::FdPread
    }

    /// Whether it asks about a path, and not about what is open.
    fn is_by_path(&self) -> bool {
        self.function == Function::PathFilestatGet
    }

    /// What it does, or why not.
    fn begin(&self, context: &mut Context<'_>) -> Result<Step, Errno> {
        match self.function {
            Function::ArgsGet => process::args_get(context, self),
            Function::ArgsSizesGet => process::args_sizes_get(context, self),
            Function::EnvironGet => process::environ_get(context, self),
            Function::EnvironSizesGet => process::environ_sizes_get(context, self),
            Function::ClockResGet => process::clock_res_get(context, self),
            Function::ClockTimeGet => process::clock_time_get(context, self),
            Function::RandomGet => process::random_get(context, self),
            // Keeps all bits.
            Function::ProcExit => Ok(Step::Exit(self.word(0).cast_signed())),
            Function::FdWrite => stream::fd_write(context, self),
            Function::FdRead => stream::fd_read(context, self),
            Function::FdPread => stream::fd_pread(context, self),
            Function::FdSeek => stream::fd_seek(context, self),
            Function::FdTell => stream::fd_tell(context, self),
            Function::FdClose => files::fd_close(context, self),
            Function::FdFdstatGet => files::fd_fdstat_get(context, self),
            Function::FdFdstatSetFlags => files::fd_fdstat_set_flags(context, self),
            Function::FdFilestatGet => files::fd_filestat_get(context, self),
            Function::FdPrestatGet => files::fd_prestat_get(context, self),
            Function::FdPrestatDirName => files::fd_prestat_dir_name(context, self),
            Function::FdReaddir => files::fd_readdir(context, self),
            Function::PathOpen => files::path_open(context, self),
            Function::PathFilestatGet => files::path_filestat_get(context, self),
            Function::PollOneoff => poll::poll_oneoff(context, self),
            Function::SchedYield => poll::sched_yield(context),
            _ => Err(Errno::NOSYS),
        }
    }

    /// What it answers when the call at the gate that it came down to was
    /// done.
    fn finish(&self, context: &mut Context<'_>, native: Answered<'_>) -> Result<Reply, Errno> {
        match self.function {
            Function::FdWrite => stream::written(context, self, native),
            Function::FdRead | Function::FdPread => stream::was_read(context, self, native),
            Function::FdSeek => stream::sought(context, self, native),
            Function::FdFilestatGet | Function::PathFilestatGet => {
                files::was_sized(context, self, native)
            }
            Function::PollOneoff => poll::waited(context, self),
            Function::SchedYield => Ok(Reply::success()),
            // No other comes down to one.
            _ => Err(Errno::NOSYS),
        }
    }
}

/// What came of a call at the gate.
struct Answered<'a> {
    /// Its result.
    value: u64,
    /// Bytes that it was to move.
    length: usize,
    /// Room for what it read.
    buffer: &'a [u8],
}

/// Makes a call. Gives the number that the caller gets. A task that is run
/// again has it already.
pub(crate) fn perform(
    store: &mut impl AsContextMut<Data = Host>,
    call: Call,
) -> Result<i32, Leave> {
    journal::recall_wasi(store, call)
        .unwrap_or_else(|| make(store, call).inspect_err(|leave| journal::left(store, leave)))
}

/// Goes on with a call that left: its turn has come, or has come again.
pub(crate) fn go_on(store: &mut impl AsContextMut<Data = Host>, call: Call) -> Result<i32, Leave> {
    journal::recall_wasi(store, call)
        .unwrap_or_else(|| make_again(store, call).inspect_err(|leave| journal::left(store, leave)))
}

fn make(store: &mut impl AsContextMut<Data = Host>, mut call: Call) -> Result<i32, Leave> {
    settle(store);
    let is_overdrawn = store.as_context().data().meter.is_overdrawn;
    let step = with_context(store, |context| {
        call.began.get_or_insert(context.nucleus.clock().now_ns());
        (!is_overdrawn).then(|| call.begin(context))
    })?;
    match step {
        None | Some(Ok(Step::Later)) => Err(Leave::WasiAgain(call)),
        Some(Ok(Step::Gate(native))) => ask(store, call, &native),
        Some(Ok(Step::Exit(code))) => {
            pay(store, 0)?;
            Err(Leave::Exit(code))
        }
        Some(Ok(Step::Broke)) => Err(Leave::OutOfFuel),
        Some(Ok(Step::Reply(reply))) => {
            pay(store, reply.bytes())?;
            Ok(deliver(store, reply))
        }
        Some(Err(errno)) => {
            pay(store, 0)?;
            Ok(deliver(store, Reply::of(errno)))
        }
    }
}

fn make_again(store: &mut impl AsContextMut<Data = Host>, call: Call) -> Result<i32, Leave> {
    let answer = with_nucleus(store, Nucleus::take_answer)?;
    match answer {
        // The gate was stopped before it, or while it waited, and goes on.
        Some(value) if is_halt(value) => make(store, call),
        Some(value) => answered(store, call, value, 0, &[]),
        None => make(store, call),
    }
}

fn is_halt(value: i64) -> bool {
    matches!(Error::from_guest(value), Some(Error::Halted | Error::CutShort))
}

/// Takes a call to the gate.
fn ask(
    store: &mut impl AsContextMut<Data = Host>,
    call: Call,
    native: &Native,
) -> Result<i32, Leave> {
    let (base, data) = (native.base_fuel(), native.data_fuel());
    let (is_full, allowance) = with_nucleus(store, |nucleus, subject| {
        (nucleus.is_slice_full(), nucleus.allowance(subject))
    })?;
    if is_full {
        return Err(Leave::WasiAgain(call));
    }
    if base.saturating_add(data) > allowance {
        return Err(Leave::OutOfFuel);
    }
    charge(store, base);
    let mut buffer = native.buffer();
    let answer = with_nucleus(store, |nucleus, subject| {
        let fuel = nucleus.allowance(subject).saturating_sub(data);
        nucleus.gate(subject, native.request(fuel, &mut buffer))
    })?;
    match answer {
        Answer::Done { value, fuel } => {
            charge(store, fuel);
            answered(store, call, value, native.length(), &buffer)
        }
        Answer::Blocked => Err(Leave::WasiBlocked(call)),
        Answer::NextSlice => Err(Leave::WasiAgain(call)),
        // None of these calls has anything to prepare.
        Answer::Ended | Answer::Prepare(_) => Err(Leave::Ended),
    }
}

fn answered(
    store: &mut impl AsContextMut<Data = Host>,
    call: Call,
    value: i64,
    length: usize,
    buffer: &[u8],
) -> Result<i32, Leave> {
    let finish = |context: &mut Context<'_>| match u64::try_from(value) {
        Ok(value) => call.finish(context, Answered { value, length, buffer }),
        // Behind a file's end there is nothing to read.
        Err(_) if Error::from_guest(value) == Some(Error::OutOfRange) => {
            call.finish(context, Answered { value: 0, length, buffer })
        }
        Err(_) => Err(Error::from_guest(value).map_or(Errno::IO, Errno::from)),
    };
    let reply = with_context(store, finish)?.unwrap_or_else(Reply::of);
    Ok(deliver(store, reply))
}

/// Gives a caller the outcome of its call. Every byte that the layer writes
/// into a task's memory and every number that a function returns goes through
/// here.
fn deliver(store: &mut impl AsContextMut<Data = Host>, reply: Reply) -> i32 {
    let memory = store.as_context().data().memory;
    let mut errno = reply.errno;
    for write in &reply.writes {
        let start = usize::try_from(write.pointer).unwrap_or(usize::MAX);
        let written =
            memory.map(|memory| memory.write(store.as_context_mut(), start, &write.bytes));
        // Each range was looked at before.
        if !matches!(written, Some(Ok(()))) {
            errno = Errno::FAULT;
        }
    }
    let errno = i32::from(errno.number());
    if journal::is_kept(store) {
        let write = |write: reply::Write| (write.pointer, write.bytes.into_boxed_slice());
        let writes = reply.writes.into_iter().map(write).collect();
        journal::answered(store, i64::from(errno), writes);
    }
    errno
}

/// Takes the price of a function that stays away from the gate.
fn pay(store: &mut impl AsContextMut<Data = Host>, bytes: u64) -> Result<(), Leave> {
    let fuel = WASI_FUEL.saturating_add(data_fuel(bytes));
    if fuel > with_nucleus(store, |nucleus, subject| nucleus.allowance(subject))? {
        return Err(Leave::OutOfFuel);
    }
    charge(store, fuel);
    Ok(())
}

fn with_nucleus<R>(
    store: &mut impl AsContextMut<Data = Host>,
    act: impl FnOnce(&mut Nucleus, Subject) -> R,
) -> Result<R, Leave> {
    let mut context = store.as_context_mut();
    let host = context.data_mut();
    let subject = host.subject;
    host.nucleus.here().map(|nucleus| act(nucleus, subject)).ok_or(Leave::InStart)
}

fn with_context<R>(
    store: &mut impl AsContextMut<Data = Host>,
    act: impl FnOnce(&mut Context<'_>) -> R,
) -> Result<R, Leave> {
    let memory = store.as_context().data().memory;
    let mut context = store.as_context_mut();
    let (memory, host) = match memory {
        Some(memory) => memory.data_and_store_mut(&mut context),
        None => (&mut [][..], context.data_mut()),
    };
    let Host { nucleus, wasi: state, subject, .. } = host;
    let nucleus = nucleus.here().ok_or(Leave::InStart)?;
    Ok(act(&mut Context { nucleus, subject: *subject, state, memory }))
}
