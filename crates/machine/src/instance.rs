//! A task's instance, and how it runs by slices.

use crate::{
    call::RawCall,
    frameless::Frameless,
    host::{Host, Leave, Meter, go_on, perform, settle, with_memory},
    journal::{Entry, Journal},
    program::{ALLOCATE, INITIALIZE, MEMORY, Program, Role, Unfit},
    root,
    seat::Seat,
    trap, wasi,
};
use abi::{Error, profile::SLICE_FUEL};
use alloc::{boxed::Box, string::ToString};
use nucleus::{
    Ending, Grant, Nucleus, Ticket,
    snapshot::{Reader, Saved, Writer},
};
use wasmi::{
    Func, Instance as Wasm, Linker, ResumableCall, ResumableCallHostTrap, ResumableCallOutOfFuel,
    Store, TrapCode as WasmTrap, Val,
    errors::{ErrorKind, InstantiationError},
};
use witness::{Hasher, Subject, record::TrapCode};

/// A task's Wasm state.
pub(crate) struct Instance {
    store: Store<Host>,
    wasm: Wasm,
    role: Role,
    entry: Func,
    /// What a reactor's first slice calls.
    initialize: Option<Func>,
    /// What the entry returns.
    results: Box<[Val]>,
    paused: Paused,
    /// Whether its state can be read off when no call is under way.
    is_exposed: bool,
    /// The state that its journal begins at; none for what it began with.
    base: Option<Frameless>,
    /// Bytes that were set aside for it.
    pub(crate) takes: u64,
}

/// Where it goes on.
enum Paused {
    /// At a reactor's initialization.
    Begin,
    /// At the entry.
    Entry,
    /// Where the slice ended.
    Fuel(ResumableCallOutOfFuel),
    /// In a call that was not made yet.
    Again(ResumableCallHostTrap, RawCall),
    /// In a call that is answered by now, or looks for its message.
    Call(ResumableCallHostTrap, RawCall),
    /// In a function of WASI, either way.
    Wasi(ResumableCallHostTrap, wasi::Call),
    /// Nowhere: it is over.
    Over,
}

/// Why an instance stopped.
pub(crate) enum Stop {
    /// Its slice is over; the next one must have so much fuel.
    Slice(u64),
    /// It waits in a call.
    Blocked,
    /// A reactor is done with its message.
    Idle,
    /// It made a call that the machine has to prepare.
    Prepare(Box<Ticket>),
    /// It is at its end.
    End(Ending),
    /// The nucleus has ended it.
    Ended,
    /// The host had no memory left. Nothing that follows could be the same
    /// everywhere.
    HostFailed,
}

/// Why a component could not be set up, if not for its limits.
fn failed_start(error: &wasmi::Error) -> Unfit {
    let text = match error.kind() {
        ErrorKind::TrapCode(WasmTrap::OutOfSystemMemory) => {
            return Unfit::new(Error::OutOfMemory, "the machine has no memory left for its stack");
        }
        // wasmi's own text shows numbers that differ from run to run.
        ErrorKind::Instantiation(InstantiationError::ElementSegmentDoesNotFit { .. }) => {
            "its elements do not fit into its table".to_string()
        }
        _ => error.to_string(),
    };
    Unfit::new(Error::StartFailed, text)
}

impl Instance {
    /// Sets up an instance. Its start function, if the module has one, runs
    /// here, under `fuel`, and cannot call. Gives the fuel spent, too.
    ///
    /// # Errors
    /// [`Error::MemoryLimit`], [`Error::StartFailed`], or
    /// [`Error::OutOfMemory`] where the host has none left.
    pub(crate) fn new(
        linker: &Linker<Host>,
        program: &Program,
        role: Role,
        memory_bytes: u32,
        fuel: u64,
    ) -> (Result<Self, Unfit>, u64) {
        let returns_code = match program.returns_code(role) {
            Ok(returns_code) => returns_code,
            Err(unfit) => return (Err(unfit), 0),
        };
        let mut store = Store::new(linker.engine(), Host::new(memory_bytes));
        store.limiter(|host| &mut host.limiter);
        // Metering is on in every engine of this crate.
        let _ = store.set_fuel(fuel);
        let made = linker.instantiate_and_start(&mut store, &program.module);
        let spent = fuel.saturating_sub(store.get_fuel().unwrap_or(0));
        let limiter = &store.data().limiter;
        let made = match made {
            Ok(wasm) => {
                let begun = Self::begin(store, wasm, role, returns_code);
                begun.map(|it| Self { is_exposed: program.is_exposed, ..it })
            }
            Err(_) if limiter.host_failed => {
                Err(Unfit::new(Error::OutOfMemory, "the machine has no memory left for it"))
            }
            Err(_) if limiter.exceeded_memory => {
                Err(Unfit::new(Error::MemoryLimit, "it needs more memory than it may have"))
            }
            Err(error) => Err(failed_start(&error)),
        };
        (made, spent)
    }

    fn begin(
        mut store: Store<Host>,
        wasm: Wasm,
        role: Role,
        returns_code: bool,
    ) -> Result<Self, Unfit> {
        let Some(entry) = wasm.get_func(&store, role.entry()) else {
            return Err(Unfit::new(Error::MissingExport, "its entry is gone"));
        };
        let initialize = match role {
            Role::Reactor => wasm.get_func(&store, INITIALIZE),
            _ => None,
        };
        let memory = wasm.get_memory(&store, MEMORY);
        store.data_mut().memory = memory;
        let results = if returns_code { Box::from([Val::I32(0)]) } else { Box::from([]) };
        let paused = match role {
            Role::Reactor => Paused::Begin,
            _ => Paused::Entry,
        };
        Ok(Self {
            store,
            wasm,
            role,
            entry,
            initialize,
            results,
            paused,
            is_exposed: false,
            base: None,
            takes: 0,
        })
    }

    /// Runs for one slice, with the nucleus at hand.
    pub(crate) fn run(&mut self, nucleus: &mut Seat, grant: Grant) -> Stop {
        self.write_down(grant.fuel);
        self.store.data_mut().meter = Meter { seen: grant.fuel, is_overdrawn: false };
        let _ = self.store.set_fuel(grant.fuel);
        nucleus.lend(
            self,
            |instance| &mut instance.store.data_mut().nucleus,
            |instance| {
                let stop = instance.go_on();
                settle(&mut instance.store);
                stop
            },
        )
    }

    /// Has its journal begin, from here on, which may take so many bytes.
    pub(crate) fn begin_journal(&mut self, most: u64) {
        self.store.data_mut().journal = Some(Journal::of_at_most(most));
    }

    /// Whether its journal would take more than it may.
    pub(crate) fn is_journal_full(&self) -> bool {
        self.store.data().journal.as_ref().is_some_and(Journal::is_full)
    }

    /// Whether no call is under way, and its state can be read off.
    fn is_frameless(&self) -> bool {
        self.is_exposed && self.role == Role::Reactor && matches!(self.paused, Paused::Entry)
    }

    /// Writes a slice into the journal, which begins anew where it can.
    fn write_down(&mut self, fuel: u64) {
        if self.store.data().journal.is_none() {
            return;
        }
        if self.is_frameless() {
            // Both at once would take its memory twice.
            self.base = None;
            self.base = Some(Frameless::of(&self.store, self.wasm));
            if let Some(journal) = &mut self.store.data_mut().journal {
                journal.clear();
            }
        }
        if let Some(journal) = &mut self.store.data_mut().journal {
            journal.begin_slice(fuel);
        }
    }

    /// Writes down what [`Instance::restore`] needs.
    pub(crate) fn save(&self, to: &mut Writer<'_>) {
        self.takes.save(to);
        self.store.data().wasi.save(to);
        if self.is_frameless() {
            true.save(to);
            Frameless::save_current(&self.store, self.wasm, to);
            to.list::<Entry>(&[]);
        } else {
            self.base.save(to);
            match &self.store.data().journal {
                Some(journal) => journal.save(to),
                None => to.list::<Entry>(&[]),
            }
        }
    }

    /// Brings an instance that has just begun to where a saved one was: puts
    /// its frameless state back and runs it again by its journal, which may
    /// take `most` bytes. `None` if what is read is not of this component.
    pub(crate) fn restore(mut self, from: &mut Reader<'_>, most: u64) -> Option<Self> {
        self.takes = Saved::load(from)?;
        self.store.data_mut().wasi = Saved::load(from)?;
        self.base = Saved::load(from)?;
        if let Some(base) = &self.base {
            if !self.is_exposed || self.role != Role::Reactor {
                return None;
            }
            base.put(&mut self.store, self.wasm)?;
            self.initialize = None;
            self.paused = Paused::Entry;
        }
        let journal = Journal::of_at_most(most).redoing(Saved::load(from)?);
        self.store.data_mut().journal = Some(journal);
        let mut needs = 0;
        while let Some(fuel) = self.store.data_mut().journal.as_mut()?.next_slice().ok()? {
            // No slice is longer, so a journal that was made up takes no
            // longer to run than its length allows.
            if fuel > SLICE_FUEL.max(needs) {
                return None;
            }
            let _ = self.store.set_fuel(fuel);
            // Why it stops is in the journal, but for a call's ticket.
            needs = if let Stop::Slice(needs) = self.go_on() { needs } else { 0 };
            if matches!(self.paused, Paused::Over) {
                return None;
            }
        }
        Some(self)
    }

    /// Bytes of linear memory it has.
    pub(crate) fn memory_bytes(&self) -> u64 {
        let memory = self.store.data().memory;
        memory.map_or(0, |memory| memory.data_size(&self.store) as u64)
    }

    /// Makes it the instance of this task. `seed` is the run's.
    pub(crate) fn belongs_to(&mut self, subject: Subject, seed: u64) {
        let host = self.store.data_mut();
        host.subject = subject;
        host.wasi = wasi::State::new(seed);
    }

    /// What WASI's functions remember for it.
    pub(crate) fn wasi(&mut self) -> &mut wasi::State {
        &mut self.store.data_mut().wasi
    }

    fn go_on(&mut self) -> Stop {
        let results = &mut self.results;
        let outcome = match core::mem::replace(&mut self.paused, Paused::Over) {
            Paused::Begin => match self.initialize {
                Some(initialize) => initialize.call_resumable(&mut self.store, &[], &mut []),
                None => return self.idle(),
            },
            Paused::Entry => self.entry.call_resumable(&mut self.store, &[], results),
            Paused::Fuel(paused) => {
                // Of an initialization there is nothing to return.
                let results = if self.initialize.is_some() { &mut [][..] } else { results };
                paused.resume(&mut self.store, results)
            }
            Paused::Again(paused, raw) => match perform(&mut self.store, raw) {
                Ok(value) => return self.returned(paused, Val::I64(value)),
                Err(leave) => return self.left(leave, paused),
            },
            Paused::Call(paused, raw) => match go_on(&mut self.store, raw) {
                Ok(value) => return self.returned(paused, Val::I64(value)),
                Err(leave) => return self.left(leave, paused),
            },
            Paused::Wasi(paused, call) => match wasi::go_on(&mut self.store, call) {
                Ok(errno) => return self.returned(paused, Val::I32(errno)),
                Err(leave) => return self.left(leave, paused),
            },
            Paused::Over => return Stop::Ended,
        };
        self.stopped(outcome)
    }

    /// A call that waited has its answer.
    fn returned(&mut self, paused: ResumableCallHostTrap, value: Val) -> Stop {
        let results = if self.initialize.is_some() { &mut [][..] } else { &mut self.results };
        let outcome = paused.resume(&mut self.store, &[value], results);
        self.stopped(outcome)
    }

    fn stopped(&mut self, outcome: Result<ResumableCall, wasmi::Error>) -> Stop {
        match outcome {
            Ok(ResumableCall::Finished) => match (self.role, self.initialize.take()) {
                (Role::Reactor, Some(_)) => self.idle(),
                (Role::Reactor, None) if self.code() == 0 => self.idle(),
                _ => Stop::End(self.exit(self.code())),
            },
            Ok(ResumableCall::OutOfFuel(paused)) => {
                let needs = paused.required_fuel();
                self.paused = Paused::Fuel(paused);
                Stop::Slice(needs)
            }
            Ok(ResumableCall::HostTrap(paused)) => {
                let leave = paused.host_error().downcast_ref().copied();
                self.left(leave.unwrap_or(Leave::Ended), paused)
            }
            Err(_) if self.store.data().limiter.host_failed => Stop::HostFailed,
            Err(error) => match trap::code(&error) {
                Some(code) => Stop::End(Ending::Trap(code)),
                None => Stop::HostFailed,
            },
        }
    }

    /// A reactor waits for the next message.
    fn idle(&mut self) -> Stop {
        self.paused = Paused::Entry;
        Stop::Idle
    }

    /// A call left its host function.
    fn left(&mut self, leave: Leave, paused: ResumableCallHostTrap) -> Stop {
        match leave {
            Leave::Again(raw) => {
                self.paused = Paused::Again(paused, raw);
                Stop::Slice(0)
            }
            Leave::Blocked(raw) => {
                self.paused = Paused::Call(paused, raw);
                Stop::Blocked
            }
            Leave::Prepare(raw) => {
                self.paused = Paused::Call(paused, raw);
                match self.store.data_mut().ticket.take() {
                    Some(ticket) => Stop::Prepare(Box::new(ticket)),
                    None => Stop::Ended,
                }
            }
            Leave::WasiAgain(call) => {
                self.paused = Paused::Wasi(paused, call);
                Stop::Slice(0)
            }
            Leave::WasiBlocked(call) => {
                self.paused = Paused::Wasi(paused, call);
                Stop::Blocked
            }
            Leave::Exit(code) => Stop::End(self.exit(code)),
            Leave::OutOfFuel => Stop::End(Ending::OutOfFuel),
            Leave::Ended => Stop::Ended,
            // Only without a nucleus, and it had one.
            Leave::InStart => Stop::End(Ending::Trap(TrapCode::Other)),
        }
    }

    /// The call that it waits in, made again, with the nucleus at hand.
    pub(crate) fn again<R>(
        &mut self,
        nucleus: &mut Seat,
        act: impl FnOnce(&mut Nucleus, RawCall, &mut [u8]) -> R,
    ) -> Option<R> {
        let Paused::Call(_, raw) = self.paused else { return None };
        nucleus.lend(
            self,
            |instance| &mut instance.store.data_mut().nucleus,
            |instance| {
                with_memory(&mut instance.store, |nucleus, _, memory| act(nucleus, raw, memory))
            },
        )
    }

    /// What a guard says to some input. It runs here, under the fuel it was
    /// set up with. Gives the fuel it spent, too.
    pub(crate) fn judge(&mut self, input: &[u8], fuel: u64) -> (bool, u64) {
        let _ = self.store.set_fuel(fuel);
        let allows = self.ask(input).unwrap_or(false);
        (allows, fuel.saturating_sub(self.store.get_fuel().unwrap_or(0)))
    }

    fn ask(&mut self, input: &[u8]) -> Option<bool> {
        let allocate = self.wasm.get_func(&self.store, ALLOCATE)?;
        let length = i32::try_from(input.len()).ok()?;
        let mut place = [Val::I32(0)];
        allocate.call(&mut self.store, &[Val::I32(length)], &mut place).ok()?;
        let [Val::I32(place)] = place else { return None };
        let memory = self.store.data().memory?;
        let start = usize::try_from(place.cast_unsigned()).ok()?;
        memory.write(&mut self.store, start, input).ok()?;
        let mut said = [Val::I32(0)];
        let arguments = [Val::I32(place), Val::I32(length)];
        self.entry.call(&mut self.store, &arguments, &mut said).ok()?;
        Some(matches!(said, [Val::I32(1)]))
    }

    fn code(&self) -> i32 {
        match self.results.first() {
            Some(Val::I32(code)) => *code,
            _ => 0,
        }
    }

    fn exit(&self, code: i32) -> Ending {
        let memory = self.store.data().memory;
        let pages = memory.map_or(0, |memory| memory.size(&self.store));
        let pages = u32::try_from(pages).unwrap_or(u32::MAX);
        Ending::Exit { code, pages, root: [0; 32] }
    }

    /// Commits to the state.
    pub(crate) fn root(&self, hasher: Hasher) -> witness::Hash {
        root::of(&self.store, self.wasm, self.is_exposed, hasher)
    }
}
