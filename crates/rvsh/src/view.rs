//! What the shell can see of a machine.
//!
//! Whoever has a machine, running or replayed, implements [`View`] over it.
//! All methods only look.

use alloc::string::String;

use witness::Hash;
use witness::manifest::Outcome;
use witness::record::{MachineFacts, Record, RecordError};

/// A machine, looked at between two slices.
pub trait View {
    /// What it is and what it was started with.
    fn machine(&self) -> Machine<'_>;

    /// The task at this place, in order of spawn from 0; `None` past the last.
    fn task(&self, place: usize) -> Option<Task<'_>>;

    /// The state of the log.
    fn log(&self) -> Log;

    /// A record that is still in memory.
    fn entry(&self, index: u64) -> Option<Entry<'_>>;

    /// The name that an object has in the package or from the machine, such
    /// as `console`; `None` where it has none.
    fn object_name(&self, object: u32) -> Option<&str>;
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
    /// The package, unless it was refused.
    pub package: Option<Package<'a>>,
    /// SHA-256 of the package's file, refused or not.
    pub package_digest: Hash,
    /// The engine profile.
    pub profile: &'a str,
    /// Logical time in ns.
    pub time_ns: u64,
    /// Slices run so far.
    pub slices: u64,
    /// Whether there is anything left to run.
    pub activity: Activity,
    /// The kernel's heap; `None` where it has none of its own.
    pub heap: Option<Heap>,
}

/// What the machine is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// A task can run.
    Running,
    /// Every task waits.
    Waiting,
    /// Every task has ended.
    Finished,
}

/// A mounted package.
#[derive(Clone, Copy, Debug)]
pub struct Package<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its version.
    pub version: u64,
    /// The seed of all pseudo-randomness.
    pub seed: u64,
}

/// How full a heap is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heap {
    /// Bytes handed out.
    pub used: u64,
    /// Bytes in all.
    pub size: u64,
}

/// A task.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// Its number in the log; `None` if it was refused before it had one.
    pub subject: Option<u32>,
    /// Its name.
    pub name: &'a str,
    /// What it does now.
    pub state: State,
    /// 0 to 255; higher runs first among equal deadlines.
    pub priority: u8,
    /// Logical time in ns it is scheduled by.
    pub deadline_ns: Option<u64>,
    /// Fuel spent so far.
    pub fuel_spent: u64,
    /// Fuel it may spend.
    pub fuel_budget: u64,
    /// Bytes of linear memory it has.
    pub memory: u64,
    /// Bytes of linear memory it may have.
    pub memory_limit: u64,
    /// Records it has left.
    pub records: u64,
}

/// What a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It can run.
    Ready,
    /// It waits, until this logical time in ns if it set one.
    Waiting(Option<u64>),
    /// Its call was denied because the gate is stopped; it goes on when that is
    /// resumed.
    Parked,
    /// It is over, with an exit code, trap code or error number.
    Ended(Outcome, i32),
}

/// The state of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// Records that are sealed.
    pub sealed: u64,
    /// Records written and not yet sealed.
    pub pending: u64,
    /// Index of the oldest record still in memory.
    pub oldest: u64,
    /// Root of the tree over the sealed records.
    pub root: Hash,
    /// Number of records that the last signed checkpoint covers.
    pub checkpoint: u64,
}

/// A record in memory.
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

/// What a task is called in tables: its name, or its number where the view
/// does not know it.
pub(crate) fn subject_name(view: &dyn View, subject: witness::Subject) -> String {
    let named = || {
        let mut tasks = (0..).map_while(|place| view.task(place));
        tasks.find(|task| task.subject == Some(subject.0))
    };
    match subject.is_task().then(named).flatten() {
        Some(task) => task.name.into(),
        None => alloc::format!("{subject}"),
    }
}
