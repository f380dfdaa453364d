//! What a call leaves the gate for: compiling and instantiating components,
//! reading and checking packages.
//!
//! Its price depends on size alone, and is the caller's. So is the fuel that
//! a start function spends, which a slice bounds.

use crate::{
    ceiling::Ceiling,
    cell::{Cell, Failure},
    instance::Instance,
    program::{Program, Role, Unfit},
    room::{self, Room, needs, translations},
    snapshot::Journals,
};
use abi::{
    Error,
    profile::{PAGE_BYTES, PAGE_FUEL, SLICE_FUEL, data_fuel},
};
use alloc::{format, string::String, sync::Arc, vec::Vec};
use nucleus::{Nucleus, ObjectId, Ticket, Word, Work, view::Body};
use package::manifest::TaskKind;
use package::{Package, PackageError};
use witness::Subject;

/// Most fuel that a guard may spend on one change.
const GUARD_FUEL: u64 = 10_000_000;

/// Bytes of memory that a guard may have.
const GUARD_MEMORY: u32 = 1 << 20;

impl Cell {
    /// Prepares and commits what a call asked for.
    pub(crate) fn prepare(&mut self, ticket: Ticket) {
        match *ticket.work() {
            Work::Spawn { component, start, kind, .. } => {
                // A refusal is in the report and in the caller's answer.
                let _ = self.spawn(ticket, component, role(kind), start.memory);
            }
            Work::Mount { region, .. } => self.mount(ticket, region),
            Work::Unmount { .. } => {
                // It is a ticket for that.
                let _ = self.nucleus.commit_unmount(ticket);
                self.forget();
            }
            Work::Guard { component } => self.guard(ticket, component),
            Work::Region { .. } => {
                // Made where the call is, with the caller's memory at hand.
                let subject = ticket.subject();
                let answer = self.nucleus.commit_region(ticket, &[]);
                self.nucleus.complete(subject, answer);
            }
        }
    }

    /// # Errors
    /// Why there is no such task.
    pub(crate) fn spawn(
        &mut self,
        ticket: Ticket,
        component: ObjectId,
        role: Role,
        memory: u32,
    ) -> Result<Subject, Error> {
        let made = self.instantiate(ticket.subject(), component, role, memory, SLICE_FUEL);
        let (instance, prepared) = match made {
            Ok(instance) => (Some(instance), Ok(())),
            Err(unfit) => {
                if unfit.error == Error::OutOfMemory {
                    self.failure = Some(Failure::OutOfMemory);
                }
                let name = self.nucleus.object(component).map_or("", |object| &object.name);
                self.reports.push(format!("component \"{name}\" cannot run: {}", unfit.text));
                (None, Err(unfit.error))
            }
        };
        let committed = self.nucleus.commit_spawn(ticket, prepared);
        if let Some(mut instance) = instance {
            match committed {
                Ok(child) => {
                    instance.belongs_to(child, self.seed);
                    self.instances.insert(child, instance);
                }
                Err(_) => self.room.give_back(instance.takes),
            }
        }
        committed
    }

    fn instantiate(
        &mut self,
        caller: Subject,
        component: ObjectId,
        role: Role,
        memory: u32,
        most_fuel: u64,
    ) -> Result<Instance, Unfit> {
        let module = match self.nucleus.object(component).map(|object| &object.body) {
            Some(Body::Component(component)) => Arc::clone(&component.module),
            _ => return Err(Unfit::new(Error::WrongKind, "it is not a component")),
        };
        self.pay(caller, module.len())
            .map_err(|error| Unfit::new(error, "its caller has not the fuel to translate it"))?;
        // Kept, good or bad: an engine never forgets a translation.
        let journals = self.journals();
        let translate = || Program::new(self.linker.engine(), &module, journals);
        let program = self.programs.entry(component).or_insert_with(translate).as_ref();
        let program = program.map_err(Unfit::clone)?;
        // More than it may have is not set up.
        let pages = program.pages.min(u64::from(memory) / PAGE_BYTES);
        pay(&mut self.nucleus, caller, pages.saturating_mul(PAGE_FUEL)).map_err(|error| {
            Unfit::new(error, "its caller has not the fuel to set up its memory")
        })?;
        // Those that the manifest lists were looked at when it was mounted.
        let takes = match caller.is_task() {
            true => room::task(journals).saturating_add(program.instance_bytes),
            false => 0,
        };
        self.room
            .take(takes)
            .map_err(|error| Unfit::new(error, "no memory is left to set aside for its stack"))?;
        let fuel = self.nucleus.allowance(caller).min(most_fuel);
        let (instance, spent) = Instance::new(&self.linker, program, role, memory, fuel);
        self.nucleus.spend(caller, spent);
        match instance {
            Ok(mut instance) => {
                instance.takes = takes;
                if journals != Journals::None && role != Role::Guard {
                    instance.begin_journal(room::journal(memory, journals));
                }
                Ok(instance)
            }
            Err(unfit) => {
                self.room.give_back(takes);
                Err(unfit)
            }
        }
    }

    /// Asks a guard about the change that a call is to make. What goes wrong
    /// with the guard is a refusal.
    fn guard(&mut self, ticket: Ticket, component: ObjectId) {
        let caller = ticket.subject();
        let made = self.instantiate(caller, component, Role::Guard, GUARD_MEMORY, GUARD_FUEL);
        let guard = made.inspect_err(|unfit| {
            self.reports.push(format!("a guard cannot run: {}", unfit.text));
        });
        let takes = guard.as_ref().map_or(0, |guard| guard.takes);
        let Some(instance) = self.instances.get_mut(&caller) else { return };
        let answer = instance.again(&mut self.nucleus, |nucleus, raw, memory| {
            let fuel = nucleus.allowance(caller).min(GUARD_FUEL);
            let input = nucleus.guard_input(&ticket, &raw.request(memory, fuel));
            let (allows, spent) = match guard {
                Ok(mut guard) => guard.judge(&input, fuel),
                Err(_) => (false, 0),
            };
            nucleus.spend(caller, spent);
            // As in the first pass: the data is paid for when the call is done.
            let fuel = nucleus.allowance(caller).saturating_sub(raw.data_fuel(memory.len()));
            let word = Word { allows, fuel: spent };
            nucleus.commit_guard(ticket, raw.request(memory, fuel), word)
        });
        self.room.give_back(takes);
        if let Some(answer) = answer {
            self.nucleus.complete(caller, answer);
        }
    }

    /// Forgets translations of components that are gone.
    fn forget(&mut self) {
        let nucleus = &self.nucleus;
        self.programs.retain(|component, _| nucleus.object(*component).is_some());
    }

    /// Mounts a package that lies in a region.
    fn mount(&mut self, ticket: Ticket, region: Option<ObjectId>) {
        let body = region.and_then(|id| self.nucleus.object(id)).map(|object| &object.body);
        let file: Arc<[u8]> = match body {
            Some(Body::Region(region)) => match region.content() {
                Some((bytes, _)) => Arc::clone(bytes),
                // What can still change is no package.
                None => Arc::from([]),
            },
            _ => Arc::from([]),
        };
        let mut allowed = self.pay(ticket.subject(), file.len());
        // Who cannot pay for reading the file does not get it read.
        let readable = if allowed.is_ok() { &*file } else { &[] };
        let opened = Package::open(readable, &self.trust, self.hasher);
        let takes = opened.as_ref().map_or(0, |it| translations(it, self.journals()));
        if allowed.is_ok() {
            allowed = self.room.take(takes);
        }
        let is_taken = allowed.is_ok();
        let mounted = self.commit_mount(ticket, file.len(), allowed, opened);
        if is_taken && !mounted {
            self.room.give_back(takes);
        }
    }

    /// Mounts the root package, if it was opened and this machine has room
    /// for what it may take.
    pub(crate) fn mount_first(
        &mut self,
        ticket: Ticket,
        file: usize,
        opened: Result<Package<'_>, PackageError>,
        memory_limit: u64,
        ceiling: Ceiling,
    ) {
        let needs = opened.as_ref().map_or(0, needs);
        let excess = opened.as_ref().ok().and_then(|package| ceiling.excess(package));
        let fits = match needs <= memory_limit && excess.is_none() {
            true => Ok(()),
            false => Err(Error::OutOfMemory),
        };
        self.room = opened.as_ref().map_or_else(|_| Room::default(), Room::for_root);
        let paid = self.pay(Subject::KERNEL, file);
        if self.commit_mount(ticket, file, paid.and(fits), opened) {
            self.spare = memory_limit.saturating_sub(needs);
        }
        self.reports.extend(excess.map(|excess| format!("{excess}")));
        if needs > memory_limit {
            self.reports.push(format!(
                "the package may come to take {needs} bytes, of {memory_limit} that this machine \
                 has; lower its limits.memory or limits.records, or give the machine more"
            ));
        }
    }

    /// Says whether it is mounted.
    pub(crate) fn commit_mount(
        &mut self,
        ticket: Ticket,
        file: usize,
        allowed: Result<(), Error>,
        opened: Result<Package<'_>, PackageError>,
    ) -> bool {
        let length = u32::try_from(file).unwrap_or(u32::MAX);
        let refusal = opened.as_ref().err().filter(|_| allowed.is_ok());
        let reason = refusal.map(|refusal| format!("{refusal}"));
        let opened = opened.as_ref().map_err(PackageError::error);
        let trust = &self.trust;
        let is_revoked = |key: &[u8; 32]| trust.revoked.contains(key);
        let opened = allowed.and(opened);
        let mounted = self.nucleus.commit_mount(ticket, opened, length, &is_revoked);
        if let Err(error) = mounted {
            let plain = || format!("package refused: {error}");
            self.reports.push(reason.unwrap_or_else(plain));
        }
        mounted.is_ok()
    }

    /// Takes the price of looking at so many bytes.
    pub(crate) fn pay(&mut self, caller: Subject, bytes: usize) -> Result<(), Error> {
        let fuel = data_fuel(u64::try_from(bytes).unwrap_or(u64::MAX));
        pay(&mut self.nucleus, caller, fuel)
    }

    /// What was said since this was last asked, for a person, a line each.
    pub fn take_reports(&mut self) -> Vec<String> {
        core::mem::take(&mut self.reports)
    }
}

/// Takes the price of some work before it is done.
pub(crate) fn pay(nucleus: &mut Nucleus, caller: Subject, fuel: u64) -> Result<(), Error> {
    if fuel > nucleus.allowance(caller) {
        return Err(Error::FuelBudget);
    }
    nucleus.spend(caller, fuel);
    Ok(())
}

/// The role of a task of this kind.
pub(crate) fn role(kind: TaskKind) -> Role {
    match kind {
        TaskKind::Command => Role::Command,
        TaskKind::Reactor => Role::Reactor,
    }
}
