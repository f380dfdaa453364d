//! The journal of a task: what it was given since its last frameless state.
//!
//! A Wasm call that is under way cannot be written down, but it can be made
//! again: from the state that it began in, with the same fuel and the same
//! answers, it comes to the same place. So a snapshot holds that state and
//! this journal, and restoring a task runs it with every call answered from
//! here, without the gate and without a record.
//!
//! It is as long as what it is about, and memory has an end. Where a package
//! asks for state roots, so that every machine keeps journals, one takes at
//! most what its task's budget of memory allows ([`Journal::of_at_most`]); a
//! task that comes to need more ends. What an entry counts for depends on the
//! entry alone, so it ends at the same place everywhere.

use crate::{
    call::RawCall,
    host::{Host, Leave},
    wasi,
};
use alloc::{boxed::Box, collections::VecDeque, vec::Vec};
use nucleus::snapshot::{Writer, saved};
use wasmi::AsContextMut;

/// Something that a task was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A slice, of so much fuel.
    Slice(u64),
    /// The answer to a call.
    Answer(Given),
    /// The call was left to be made again.
    Again,
    /// The call was left to wait.
    Blocked,
    /// The call was left for the machine to prepare something.
    Prepare,
    /// A call of WASI, first looked at at this logical time in ns, was left
    /// to be made again.
    WasiAgain(Option<u64>),
    /// The same, to wait.
    WasiBlocked(Option<u64>),
}

saved!(enum Entry {
    0 Slice(fuel), 1 Answer(given), 2 Again, 3 Blocked, 4 Prepare, 5 WasiAgain(began),
    6 WasiBlocked(began),
});

/// What a call came to, for the task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Given {
    /// What it returned.
    pub(crate) value: i64,
    /// Fuel that the engine had left after it.
    pub(crate) left: u64,
    /// What it wrote into the task's memory, and where.
    pub(crate) writes: Box<[(u32, Box<[u8]>)]>,
}

saved!(struct Given { value, left, writes });

/// Bytes that an entry counts for, beside what it wrote.
const ENTRY_BYTES: u64 = 48;

/// Bytes that each place it wrote to counts for, beside what it wrote there.
const WRITE_BYTES: u64 = 64;

/// Entries that lie together. They are never moved to make room for more:
/// that would take their memory twice.
const TOGETHER: usize = 64;

const _: () = assert!(size_of::<Entry>() as u64 <= ENTRY_BYTES);

impl Entry {
    /// Bytes of memory that it takes, at most.
    fn bytes(&self) -> u64 {
        match self {
            Self::Answer(given) => given.writes.iter().fold(ENTRY_BYTES, |sum, (_, written)| {
                let length = u64::try_from(written.len()).unwrap_or(u64::MAX);
                sum.saturating_add(WRITE_BYTES).saturating_add(length)
            }),
            _ => ENTRY_BYTES,
        }
    }
}

/// What a task was given, in order.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    entries: Vec<Vec<Entry>>,
    count: usize,
    /// Bytes that it takes, and may take.
    used: u64,
    most: u64,
    /// While the task is run again: the entries that come next.
    next: Option<VecDeque<Entry>>,
}

impl Journal {
    /// An empty one that may take so many bytes.
    pub(crate) const fn of_at_most(most: u64) -> Self {
        Self { entries: Vec::new(), count: 0, used: 0, most, next: None }
    }

    /// The same, to run a task again by these entries before it goes on.
    pub(crate) fn redoing(self, entries: Vec<Entry>) -> Self {
        Self { next: Some(entries.into()), ..self }
    }

    /// Writes its entries down, as a list.
    pub(crate) fn save(&self, to: &mut Writer<'_>) {
        to.list_in_parts(self.count, self.entries.iter().map(Vec::as_slice));
    }

    /// Whether there was more than it may hold. What it has is of no use
    /// then.
    pub(crate) const fn is_full(&self) -> bool {
        self.used > self.most
    }

    /// Whether it has room for an answer that wrote so many bytes.
    fn has_room_for(&self, written: usize) -> bool {
        let bytes = u64::try_from(written).unwrap_or(u64::MAX).saturating_add(WRITE_BYTES);
        let all = self.used.saturating_add(ENTRY_BYTES).saturating_add(bytes);
        written == 0 || all <= self.most
    }

    /// Gives up: there is more than it may hold.
    fn give_up(&mut self) {
        self.used = u64::MAX;
        self.entries = Vec::new();
        self.count = 0;
    }

    /// Forgets what is before a frameless state.
    pub(crate) fn clear(&mut self) {
        *self = Self::of_at_most(self.most);
    }

    /// Adds a slice.
    pub(crate) fn begin_slice(&mut self, fuel: u64) {
        self.push(Entry::Slice(fuel));
    }

    fn push(&mut self, entry: Entry) {
        self.used = self.used.saturating_add(entry.bytes());
        if self.is_full() {
            return self.give_up();
        }
        self.count = self.count.saturating_add(1);
        match self.entries.last_mut().filter(|last| last.len() < TOGETHER) {
            Some(last) => last.push(entry),
            None => {
                let mut last = Vec::with_capacity(TOGETHER);
                last.push(entry);
                self.entries.push(last);
            }
        }
    }

    /// While the task is run again: what comes next. `None` also where there
    /// is nothing more.
    fn redo(&mut self) -> Option<Entry> {
        let entry = self.next.as_mut()?.pop_front()?;
        self.push(entry.clone());
        Some(entry)
    }

    /// The fuel of the next slice to run again. What comes next may be the
    /// end, and then the journal goes on to be written.
    ///
    /// # Errors
    /// What comes next is no slice: the journal is of another task.
    pub(crate) fn next_slice(&mut self) -> Result<Option<u64>, Foreign> {
        match self.redo() {
            Some(Entry::Slice(fuel)) => Ok(Some(fuel)),
            Some(_) => Err(Foreign),
            None => {
                self.next = None;
                Ok(None)
            }
        }
    }
}

/// A journal does not fit to its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Foreign;

/// The outcome that the journal has for this call, while the task is run
/// again.
pub(crate) fn recall(
    store: &mut impl AsContextMut<Data = Host>,
    raw: RawCall,
) -> Option<Result<i64, Leave>> {
    Some(match next(store)? {
        Some(Entry::Answer(given)) => give(store, given),
        Some(Entry::Again) => Err(Leave::Again(raw)),
        Some(Entry::Blocked) => Err(Leave::Blocked(raw)),
        Some(Entry::Prepare) => Err(Leave::Prepare(raw)),
        // A journal of another task.
        _ => Err(Leave::Ended),
    })
}

/// The same for a function of WASI.
pub(crate) fn recall_wasi(
    store: &mut impl AsContextMut<Data = Host>,
    call: wasi::Call,
) -> Option<Result<i32, Leave>> {
    Some(match next(store)? {
        Some(Entry::Answer(given)) => give(store, given).and_then(|value| {
            // Its journal has what the function gave.
            i32::try_from(value).map_err(|_| Leave::Ended)
        }),
        Some(Entry::WasiAgain(began)) => Err(Leave::WasiAgain(call.begun(began))),
        Some(Entry::WasiBlocked(began)) => Err(Leave::WasiBlocked(call.begun(began))),
        _ => Err(Leave::Ended),
    })
}

/// What comes next, if the task is run again.
fn next(store: &mut impl AsContextMut<Data = Host>) -> Option<Option<Entry>> {
    let mut context = store.as_context_mut();
    let journal = context.data_mut().journal.as_mut()?;
    journal.next.is_some().then(|| journal.redo())
}

fn give(store: &mut impl AsContextMut<Data = Host>, given: Given) -> Result<i64, Leave> {
    let mut context = store.as_context_mut();
    // Metering is on in every engine of this crate. No call gives fuel.
    if given.left > context.get_fuel().unwrap_or(0) {
        return Err(Leave::Ended);
    }
    let _ = context.set_fuel(given.left);
    if let Some(memory) = context.data().memory {
        for (place, bytes) in &given.writes {
            let place = usize::try_from(*place).map_err(|_| Leave::Ended)?;
            memory.write(&mut context, place, bytes).map_err(|_| Leave::Ended)?;
        }
    }
    Ok(given.value)
}

/// Writes down what a call came to.
pub(crate) fn note(
    store: &mut impl AsContextMut<Data = Host>,
    raw: RawCall,
    outcome: &Result<i64, Leave>,
) {
    if !is_kept(store) {
        return;
    }
    match outcome {
        Ok(value) => {
            let context = store.as_context();
            let memory = context.data().memory.map_or(&[][..], |memory| memory.data(context));
            let (place, bytes) = raw.written(*value, memory);
            // Nothing is copied that would be thrown away.
            let has_room = |journal: &Journal| journal.has_room_for(bytes.len());
            if !context.data().journal.as_ref().is_some_and(has_room) {
                return with_journal(store, Journal::give_up);
            }
            let written = (!bytes.is_empty()).then(|| (place, Box::from(bytes)));
            let writes = written.into_iter().collect();
            answered(store, *value, writes);
        }
        Err(leave) => left(store, leave),
    }
}

/// Whether there is a journal to write into.
pub(crate) fn is_kept(store: &mut impl AsContextMut<Data = Host>) -> bool {
    store.as_context().data().journal.is_some()
}

/// Writes down an answer.
pub(crate) fn answered(
    store: &mut impl AsContextMut<Data = Host>,
    value: i64,
    writes: Box<[(u32, Box<[u8]>)]>,
) {
    let left = store.as_context().get_fuel().unwrap_or(0);
    push(store, Entry::Answer(Given { value, left, writes }));
}

/// Writes down that a call was left.
pub(crate) fn left(store: &mut impl AsContextMut<Data = Host>, leave: &Leave) {
    let entry = match *leave {
        Leave::Again(_) => Entry::Again,
        Leave::Blocked(_) => Entry::Blocked,
        Leave::Prepare(_) => Entry::Prepare,
        Leave::WasiAgain(call) => Entry::WasiAgain(call.began()),
        Leave::WasiBlocked(call) => Entry::WasiBlocked(call.began()),
        // The task is over.
        Leave::Exit(_) | Leave::OutOfFuel | Leave::Ended | Leave::InStart => return,
    };
    push(store, entry);
}

fn push(store: &mut impl AsContextMut<Data = Host>, entry: Entry) {
    with_journal(store, |journal| journal.push(entry));
}

fn with_journal(store: &mut impl AsContextMut<Data = Host>, act: impl FnOnce(&mut Journal)) {
    if let Some(journal) = &mut store.as_context_mut().data_mut().journal {
        act(journal);
    }
}
