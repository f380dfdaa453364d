//! The journal of a task: what it was given since its last frameless state.
//!
//! A Wasm call that is under way cannot be written down, but it can be made
//! again: from the state that it began in, with the same fuel and the same
//! answers, it comes to the same place. So a snapshot holds that state and
//! this journal, and restoring a task runs it with every call answered from
//! here, without the gate and without a record.

use crate::{
    call::RawCall,
    host::{Host, Leave},
};
use alloc::vec::Vec;
use nucleus::snapshot::saved;
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
}

saved!(enum Entry { 0 Slice(fuel), 1 Answer(given), 2 Again, 3 Blocked, 4 Prepare });

/// What a call came to, for the task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Given {
    /// What it returned.
    pub(crate) value: i64,
    /// Fuel that the engine had left after it.
    pub(crate) left: u64,
    /// Where it wrote into the task's memory.
    pub(crate) place: u32,
    /// What it wrote there.
    pub(crate) bytes: Vec<u8>,
}

saved!(struct Given { value, left, place, bytes });

/// What a task was given, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal {
    entries: Vec<Entry>,
    /// While the task is run again: the entry that comes next.
    next: Option<usize>,
}

impl Journal {
    /// One to run a task again by.
    pub(crate) fn to_redo(entries: Vec<Entry>) -> Self {
        Self { entries, next: Some(0) }
    }

    /// What it holds.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Forgets what is before a frameless state.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Adds a slice.
    pub(crate) fn begin_slice(&mut self, fuel: u64) {
        self.entries.push(Entry::Slice(fuel));
    }

    /// While the task is run again: what comes next. `None` also where there
    /// is nothing more.
    fn redo(&mut self) -> Option<Entry> {
        let at = self.next?;
        let entry = self.entries.get(at).cloned()?;
        self.next = at.checked_add(1);
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

/// The answer that the journal has for this call, while the task is run again.
pub(crate) fn recall(
    store: &mut impl AsContextMut<Data = Host>,
    raw: RawCall,
) -> Option<Result<i64, Leave>> {
    let mut context = store.as_context_mut();
    let journal = context.data_mut().journal.as_mut().filter(|it| it.next.is_some())?;
    Some(match journal.redo() {
        Some(Entry::Answer(given)) => {
            let _ = context.set_fuel(given.left);
            if let Some(memory) = context.data().memory
                && let Ok(place) = usize::try_from(given.place)
                && memory.write(&mut context, place, &given.bytes).is_err()
            {
                return Some(Err(Leave::Ended));
            }
            Ok(given.value)
        }
        Some(Entry::Again) => Err(Leave::Again(raw)),
        Some(Entry::Blocked) => Err(Leave::Blocked(raw)),
        Some(Entry::Prepare) => Err(Leave::Prepare(raw)),
        // A journal of another task.
        Some(Entry::Slice(_)) | None => Err(Leave::Ended),
    })
}

/// Writes down what a call came to.
pub(crate) fn note(
    store: &mut impl AsContextMut<Data = Host>,
    raw: RawCall,
    outcome: &Result<i64, Leave>,
) {
    let context = store.as_context_mut();
    if context.data().journal.is_none() {
        return;
    }
    let entry = match *outcome {
        Ok(value) => {
            let memory = context.data().memory.map_or(&[][..], |memory| memory.data(&context));
            let (place, bytes) = raw.written(value, memory);
            let left = context.get_fuel().unwrap_or(0);
            Entry::Answer(Given { value, left, place, bytes: bytes.to_vec() })
        }
        Err(Leave::Again(_)) => Entry::Again,
        Err(Leave::Blocked(_)) => Entry::Blocked,
        Err(Leave::Prepare(_)) => Entry::Prepare,
        // The task is over.
        Err(Leave::OutOfFuel | Leave::Ended | Leave::InStart) => return,
    };
    let mut context = context;
    if let Some(journal) = &mut context.data_mut().journal {
        journal.entries.push(entry);
    }
}
