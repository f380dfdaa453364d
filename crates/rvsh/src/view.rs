//! What the shell can see of a machine: the state behind the gate, which is
//! the same wherever it runs, and what only its surroundings know.
//!
//! Whoever has a machine, running or replayed, implements [`View`] over it.
//! All methods only look.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nucleus::{Nucleus, ObjectId, PartitionId, State, view::Object};
use package::Manifest;
use witness::record::{MachineFacts, Record, RecordError};
use witness::{Hash, Index, Subject};

pub use crate::hardware::{Hardware, Line, Work};
use crate::trace::Trace;

/// A machine, looked at between two slices.
pub trait View {
    /// The state behind the gate, and the log.
    fn nucleus(&self) -> &Nucleus;

    /// What it is and what it was started with.
    fn machine(&self) -> Machine<'_>;

    /// Bytes of linear memory that a task has; none once it has ended.
    fn memory(&self, task: Subject) -> u64;

    /// Number of records that the last signed checkpoint covers.
    fn checkpoint(&self) -> u64;

    /// The last signed checkpoint, a note; `None` where there is none over
    /// records that are here.
    fn signed(&self) -> Option<String> {
        None
    }

    /// What no log shows; `None` for a machine that is replayed.
    fn hardware(&self) -> Option<Hardware> {
        None
    }

    /// The setting of the trace, as its event has it.
    fn trace(&self) -> String {
        Trace::Off.setting()
    }

    /// What the loader handed over that can be mounted.
    fn modules(&self) -> Vec<Module> {
        Vec::new()
    }

    /// The last lines that the kernel said, the oldest first; `None` for a
    /// machine that is replayed.
    fn messages(&self) -> Option<Vec<Message>> {
        None
    }

    /// A record that the machine no longer has in memory, where the
    /// surroundings have the log.
    fn recorded(&self, _index: u64) -> Option<Entry<'_>> {
        None
    }
}

/// What a machine is and what it was started with.
#[derive(Clone, Copy, Debug)]
pub struct Machine<'a> {
    /// The kernel's version.
    pub version: &'a str,
    /// The name of the device, which is in the log's origin.
    pub device_name: &'a str,
    /// What leaf 1 says.
    pub facts: MachineFacts,
    /// What the package says about itself, unless it was refused.
    pub package: Option<&'a Manifest>,
    /// SHA-256 of the package's file, refused or not.
    pub package_digest: Hash,
    /// The kernel's heap; `None` where it has none of its own.
    pub heap: Option<Heap>,
}

/// A file that the loader handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A line that the kernel said on the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// How many lines it had said before.
    pub number: u64,
    /// The machine's clock, in ns; `None` where it had none yet.
    pub time_ns: Option<u64>,
    /// Whether somebody should look into it.
    pub is_warning: bool,
    /// What it said.
    pub text: String,
}

/// How full a heap is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heap {
    /// Bytes handed out.
    pub used: u64,
    /// Bytes in all.
    pub size: u64,
}

/// A record.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its id; `None` until it is sealed.
    pub id: Option<Hash>,
    /// Index of its subject's previous record, if this is not the first.
    pub previous: Option<u64>,
    /// Index of the record that caused it.
    pub cause: Option<u64>,
    /// Its content.
    pub record: Result<Record<'a>, RecordError>,
}

/// A record, from memory or from the log that was kept.
pub(crate) fn entry(view: &dyn View, index: u64) -> Option<Entry<'_>> {
    let Some(entry) = view.nucleus().log().entry(Index(index)) else { return view.recorded(index) };
    Some(Entry {
        id: entry.id,
        previous: entry.previous().map(|index| index.0),
        cause: entry.cause().map(|index| index.0),
        record: entry.record(),
    })
}

/// Index of the oldest record that can be shown.
pub(crate) fn oldest(view: &dyn View) -> u64 {
    if view.recorded(0).is_some() {
        return 0;
    }
    view.nucleus().log().recent(usize::MAX).next().map_or(0, |entry| entry.index.0)
}

/// What the machine is doing, in a word.
pub(crate) fn activity(nucleus: &Nucleus) -> &'static str {
    let mut states = nucleus.tasks().map(|(_, task)| task.state());
    if !nucleus.is_alive() {
        "finished"
    } else if states.any(|state| matches!(state, State::Ready | State::Running)) {
        "running"
    } else {
        "waiting"
    }
}

/// The name that an object has in the package or from the machine, such as
/// `console`; `None` where it has none.
pub(crate) fn object_name(nucleus: &Nucleus, object: u32) -> Option<&str> {
    let name = nucleus.object(ObjectId(object))?.name.as_str();
    (!name.is_empty()).then_some(name)
}

/// What an object is called in tables: its name, a task's with its number, or
/// kind and number where it has no name.
pub(crate) fn object_label(id: ObjectId, object: &Object) -> String {
    match &object.body {
        nucleus::view::Body::Task(subject) => format!("{} ({})", object.name, subject.0),
        body if object.name.is_empty() => format!("{} {}", body.kind().name(), id.0),
        _ => object.name.clone(),
    }
}

/// Where the package of a partition is mounted; `machine` for what belongs to
/// none.
pub(crate) fn partition_label(nucleus: &Nucleus, of: Option<PartitionId>) -> &str {
    let Some(id) = of else { return "machine" };
    nucleus.partition(id).map_or("", |partition| &partition.path)
}

/// What a subject is called in tables: its name, also of a task that ended
/// and left the table.
pub(crate) fn subject_name(nucleus: &Nucleus, subject: Subject) -> String {
    let gone = || nucleus.gone().iter().find(|gone| gone.subject == subject);
    let name = match nucleus.task(subject) {
        Some(task) => Some(&task.name),
        None => gone().map(|gone| &gone.name),
    };
    match name.filter(|_| subject.is_task()) {
        Some(name) => name.clone(),
        None => format!("{subject}"),
    }
}

/// The same, with the number of a task.
pub(crate) fn subject_label(nucleus: &Nucleus, subject: Subject) -> String {
    let name = subject_name(nucleus, subject);
    if subject.is_task() { format!("{name} ({})", subject.0) } else { name }
}
