//! A cell: nucleus and machine, joined. Everything but devices.
//!
//! Whoever drives one repeats: admit what came in, step, seal the log and
//! make it safe, let effects out. A cell does the same for the same package
//! and the same events at the same points, however it is driven.

use crate::{
    ceiling::Ceiling,
    engine::engine,
    host::Host,
    imports::linker,
    instance::{Instance, Stop},
    prepare::{pay, role},
    program::{Program, Unfit},
    room::Room,
    seat::Seat,
    snapshot::{Journals, Roots},
};
use abi::{
    Call, Error,
    profile::{PAGE_BYTES, PAGE_FUEL, call_fuel, data_fuel},
};
use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use core::fmt;
use nucleus::{
    Answer, Effect, Ending, Grant, Input, NotAdmitted, Nucleus, ObjectId, Start, State, Task, Work,
};
use package::{Package, manifest::WasiEntry};
use wasmi::Linker;
use witness::{
    Hash, Hasher, Index, Log, Subject, Trust,
    manifest::{Outcome, TaskEnd},
    record::{EventKind, MachineFacts, TrapCode},
};

/// What a cell is started with.
pub struct Boot<'a> {
    /// The root package's file, good or not.
    pub package: &'a [u8],
    /// Whose signatures count.
    pub trust: Trust,
    /// SHA-256, as this machine does it best.
    pub hasher: Hasher,
    /// Leaf 1.
    pub facts: MachineFacts,
    /// Bytes of heap that the package may come to take. A package that may
    /// take more is refused, so that tasks never find out how much there is.
    pub memory_limit: u64,
    /// Whether snapshots are to be had also where the package asks for no
    /// state roots. Nothing that is recorded depends on it.
    pub keeps_journals: bool,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A task had a slice, or a state root was taken. There may be more to do.
    Ran,
    /// No task can run. The first goes on at this logical time in ns, if one
    /// waits for a time: [`Cell::jump`]. Else only an event helps.
    Waiting {
        /// That time.
        until: Option<u64>,
    },
    /// Every task has ended, or the machine is shut down.
    Finished,
    /// Nothing happened: the log has no room for a slice until it is sealed.
    SealFirst,
    /// The machine cannot go on. What the log has is true and is all there
    /// will be.
    Failed(Failure),
}

/// Why a machine cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The heap is exhausted. To tell a task would make what it does depend
    /// on the machine.
    OutOfMemory,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfMemory => {
                f.write_str("the machine has no memory left for its tasks and their records")
            }
        }
    }
}

impl core::error::Error for Failure {}

/// A running system.
pub struct Cell {
    pub(crate) nucleus: Seat,
    pub(crate) linker: Linker<Host>,
    pub(crate) programs: BTreeMap<ObjectId, Result<Program, Unfit>>,
    pub(crate) instances: BTreeMap<Subject, Instance>,
    pub(crate) trust: Trust,
    pub(crate) hasher: Hasher,
    pub(crate) failure: Option<Failure>,
    pub(crate) room: Room,
    pub(crate) reports: Vec<String>,
    /// When the root of the state is taken; none where nobody keeps journals.
    pub(crate) roots: Option<Roots>,
    /// Seed of all pseudo-randomness in the run.
    pub(crate) seed: u64,
    /// What the tasks of the package are told through WASI, in their order.
    pub(crate) wasi: Vec<Option<WasiEntry>>,
    /// Tasks of the package that could not be started.
    pub(crate) refused: Vec<TaskEnd>,
    /// Bytes of heap that no mounted package may come to take. Nothing that
    /// is recorded depends on it.
    pub(crate) spare: u64,
}

impl Cell {
    /// Starts with a package. One that is refused is a denied mount in the
    /// log and a line in the reports; the cell then has nothing to do.
    pub fn start(boot: Boot<'_>) -> Self {
        Self::start_within(boot, Ceiling::NONE)
    }

    /// The same on a machine that was told to take no package beyond this.
    pub fn start_within(boot: Boot<'_>, ceiling: Ceiling) -> Self {
        let Boot { package: file, trust, hasher, facts, memory_limit, keeps_journals } = boot;
        let opened = Package::open(file, &trust, hasher);
        let package = match &opened {
            Ok(package) => *package.digest(),
            Err(_) => hasher.hash(file),
        };
        let manifest = opened.as_ref().ok().and_then(Package::manifest);
        let seed = manifest.map_or(0, |manifest| manifest.seed);
        let every = manifest.and_then(|manifest| manifest.state_roots);
        let roots = (keeps_journals || every.is_some()).then(|| Roots::every(every));
        let tasks = manifest.map_or(&[][..], |manifest| &manifest.tasks);
        let wasi = tasks.iter().map(|task| task.wasi.clone()).collect();
        let signature_holds = witness::key::holds;
        let nucleus = Nucleus::new(Start { package, seed, facts, hasher, signature_holds });
        let engine = engine();
        let mut cell = Self {
            nucleus: Seat::new(nucleus),
            // The table of imports has no two of one name.
            linker: linker(&engine).unwrap_or_else(|_| Linker::new(&engine)),
            programs: BTreeMap::new(),
            instances: BTreeMap::new(),
            trust,
            hasher,
            failure: None,
            room: Room::default(),
            reports: Vec::new(),
            roots,
            seed,
            wasi,
            refused: Vec::new(),
            spare: memory_limit,
        };
        cell.nucleus.spend(Subject::KERNEL, call_fuel(Call::RvfMount));
        let answer = cell.nucleus.gate(Subject::KERNEL, Nucleus::mount_root());
        if let Answer::Prepare(ticket) = answer {
            cell.mount_first(ticket, file.len(), opened, memory_limit, ceiling);
        }
        cell.start_tasks(0);
        cell
    }

    /// Spawns what a package lists, in order: the plans from the `first` on.
    pub(crate) fn start_tasks(&mut self, first: usize) {
        for number in first..self.nucleus.plans().len() {
            let Some(plan) = self.nucleus.plans().get(number) else { return };
            let (name, request) = (plan.name.clone(), plan.request(number));
            self.nucleus.spend(Subject::KERNEL, call_fuel(Call::TaskSpawn));
            let spawned = match self.nucleus.gate(Subject::KERNEL, request) {
                Answer::Prepare(ticket) => match *ticket.work() {
                    Work::Spawn { component, start, kind, .. } => {
                        let spawned = self.spawn(ticket, component, role(kind), start.memory);
                        spawned.map(|subject| self.furnish(subject, number))
                    }
                    _ => Err(Error::BadArgument),
                },
                Answer::Done { value, .. } => Err(Error::from_guest(value).unwrap_or(Error::Busy)),
                _ => Err(Error::Busy),
            };
            if let Err(error) = spawned {
                self.reports.push(format!("task \"{name}\" was not started: {error}"));
                let code = i32::from(error.number());
                let outcome = Outcome::Refused;
                self.refused.push(TaskEnd { name, subject: 0, outcome, code });
            }
        }
    }

    /// Tells a task of the package what its entry has for WASI.
    fn furnish(&mut self, subject: Subject, number: usize) {
        let Some(Some(entry)) = self.wasi.get(number) else { return };
        let Some(instance) = self.instances.get_mut(&subject) else { return };
        instance.wasi().furnish(entry, &self.nucleus, subject);
    }

    /// Gives one task a slice.
    pub fn step(&mut self) -> Step {
        if let Some(failure) = self.failure {
            return Step::Failed(failure);
        }
        if self.nucleus.is_shut_down() {
            return Step::Finished;
        }
        if !self.nucleus.has_room() {
            if self.nucleus.log().pending() > 0 {
                return Step::SealFirst;
            }
            // Nothing is to be sealed: there is no memory for more records.
            self.failure = Some(Failure::OutOfMemory);
            return Step::Failed(Failure::OutOfMemory);
        }
        if self.take_root() {
            return Step::Ran;
        }
        let Some(grant) = self.nucleus.begin_slice() else {
            self.bury();
            return match self.nucleus.is_alive() {
                true => Step::Waiting { until: self.nucleus.earliest() },
                false => Step::Finished,
            };
        };
        let needs = self.run(grant);
        self.end_with_journal(grant.subject);
        self.nucleus.end_slice(grant.subject, needs);
        self.bury();
        self.failure.map_or(Step::Ran, Step::Failed)
    }

    /// Runs a slice to its end. Gives the fuel that the next one must have.
    fn run(&mut self, grant: Grant) -> u64 {
        let subject = grant.subject;
        let is_kept = self.journals() == Journals::Asked;
        let Some(instance) = self.instances.get_mut(&subject) else {
            // Every task of the nucleus was committed with its instance.
            self.nucleus.end(subject, Ending::Trap(TrapCode::Other));
            return 0;
        };
        match instance.run(&mut self.nucleus, grant) {
            Stop::Slice(needs) => return needs,
            Stop::Blocked => {}
            Stop::Idle => {
                // Its memory is kept when it is called again.
                if is_kept {
                    let pages = instance.memory_bytes() / PAGE_BYTES;
                    let fuel = pages.saturating_mul(PAGE_FUEL).min(self.nucleus.allowance(subject));
                    self.nucleus.spend(subject, fuel);
                }
                self.nucleus.idle(subject);
            }
            // The nucleus has ended it, or it can do nothing more.
            Stop::Ended => self.nucleus.end(subject, Ending::Trap(TrapCode::Other)),
            Stop::Prepare(ticket) => self.prepare(*ticket),
            Stop::End(Ending::Exit { code, pages, .. }) => {
                let fuel = data_fuel(u64::from(pages).saturating_mul(PAGE_BYTES));
                let ending = match pay(&mut self.nucleus, subject, fuel) {
                    Ok(()) => Ending::Exit { code, pages, root: instance.root(self.hasher) },
                    Err(_) => Ending::OutOfFuel,
                };
                self.nucleus.end(subject, ending);
            }
            Stop::End(ending) => self.nucleus.end(subject, ending),
            Stop::HostFailed => self.failure = Some(Failure::OutOfMemory),
        }
        0
    }

    /// Ends a task whose journal takes more than it may: no snapshot could
    /// have it any more.
    fn end_with_journal(&mut self, subject: Subject) {
        if self.instances.get(&subject).is_some_and(Instance::is_journal_full) {
            self.nucleus.end(subject, Ending::Trap(TrapCode::GrowthLimit));
        }
    }

    /// Frees the instances of tasks that have ended.
    fn bury(&mut self) {
        let nucleus = &self.nucleus;
        let room = &mut self.room;
        let is_alive = |task: &Task| task.state().is_alive();
        self.instances.retain(|subject, instance| {
            let stays = nucleus.task(*subject).is_some_and(is_alive);
            if !stays {
                room.give_back(instance.takes);
            }
            stays
        });
    }

    /// Lets logical time pass to where the first waiting task goes on, and
    /// gives that time in ns.
    pub fn jump(&mut self) -> Option<u64> {
        self.nucleus.jump()
    }

    /// Records something that came in, before any task can see it. A request to
    /// mount a package comes with its file: [`Cell::mount_requested`].
    ///
    /// # Errors
    /// See [`NotAdmitted`].
    pub fn admit(&mut self, input: Input<'_>) -> Result<Index, NotAdmitted> {
        // Whether the package asks for them, not whether somebody keeps journals.
        if input.kind == EventKind::Snapshot && self.journals() != Journals::Asked {
            return Err(NotAdmitted::NoJournal);
        }
        if input.kind == EventKind::MountRequest {
            return Err(NotAdmitted::NoPackage);
        }
        let admitted = self.nucleus.admit(input);
        if let (Some(roots), Ok(index)) = (&mut self.roots, admitted)
            && input.kind == EventKind::Snapshot
        {
            roots.ask(index);
        }
        self.bury();
        admitted
    }

    /// Seals the records that are pending, showing each and its id.
    pub fn seal(&mut self, visit: &mut dyn FnMut(&[u8], &Hash)) {
        self.nucleus.log_mut().seal(visit);
    }

    /// What is to leave the machine, in order. Every record so far must be
    /// sealed, and safe, before the first byte of it does.
    pub fn effects(&mut self) -> Vec<Effect> {
        self.nucleus.take_effects()
    }

    /// The log.
    pub fn log(&self) -> &Log {
        self.nucleus.log()
    }

    /// The log, for who seals it.
    pub fn log_mut(&mut self) -> &mut Log {
        self.nucleus.log_mut()
    }

    /// Number of sealed records.
    pub fn size(&self) -> u64 {
        self.log().size()
    }

    /// Root of the tree of sealed records.
    pub fn root(&self) -> Hash {
        self.log().root()
    }

    /// The state behind the gate, to look at.
    pub fn view(&self) -> &Nucleus {
        &self.nucleus
    }

    /// Bytes of linear memory that a task has now; none once it has ended.
    pub fn memory_bytes(&self, subject: Subject) -> u64 {
        self.instances.get(&subject).map_or(0, Instance::memory_bytes)
    }

    /// Whether every task that is alive is a reactor that waits for its next
    /// message: nothing more happens unless something comes in.
    pub fn is_idle(&self) -> bool {
        self.nucleus.tasks().all(|(_, task)| !task.state().is_alive() || task.is_idle())
    }

    /// Whether the package was mounted and did everything asked for: every
    /// command returned 0, and so did every reactor that is not idle.
    pub fn is_success(&self) -> bool {
        let is_good = |end: &TaskEnd| match end.outcome {
            Outcome::Exit => end.code == 0,
            Outcome::Running => {
                let task = self.nucleus.task(Subject(end.subject));
                task.is_some_and(Task::is_idle)
            }
            _ => false,
        };
        let is_mounted = self.nucleus.partitions().next().is_some();
        is_mounted && self.outcomes().iter().all(is_good)
    }

    /// How each task of the run ended, for its manifest: those that were
    /// refused, then the others in order of spawn.
    pub fn outcomes(&self) -> Vec<TaskEnd> {
        let end = |name: &String, subject: Subject, state| {
            let (outcome, code) = outcome(state);
            TaskEnd { name: name.clone(), subject: subject.0, outcome, code }
        };
        let gone = self.nucleus.gone().iter().map(|it| end(&it.name, it.subject, it.state));
        let tasks = self.nucleus.tasks().map(|(it, task)| end(&task.name, it, task.state()));
        let mut tasks: Vec<_> = gone.chain(tasks).collect();
        tasks.sort_by_key(|end| end.subject);
        self.refused.iter().cloned().chain(tasks).collect()
    }
}

fn outcome(state: State) -> (Outcome, i32) {
    use nucleus::Outcome as End;
    match state {
        State::Ended(End::Exit(code)) => (Outcome::Exit, code),
        State::Ended(End::Trap(code)) => (Outcome::Trap, i32::from(code.number())),
        State::Ended(End::OutOfFuel) => (Outcome::OutOfFuel, 0),
        State::Ended(End::RecordsSpent) => (Outcome::Budget, 0),
        State::Ended(End::Killed) => (Outcome::Killed, 0),
        _ => (Outcome::Running, 0),
    }
}
