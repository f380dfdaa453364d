//! A task's instance, and how it runs by slices.

use crate::{
    call::RawCall,
    host::{Host, Leave, Meter, perform, settle},
    program::{ENTRY, MEMORY, Program, Unfit},
    root,
    seat::Seat,
    trap,
};
use abi::Error;
use alloc::{boxed::Box, string::ToString};
use nucleus::{Ending, Grant, Ticket};
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
    entry: Func,
    /// What the entry returns.
    results: Box<[Val]>,
    paused: Paused,
    /// Bytes that were set aside for it.
    pub(crate) takes: u64,
}

/// Where it goes on.
enum Paused {
    /// At the entry.
    Entry,
    /// Where the slice ended.
    Fuel(ResumableCallOutOfFuel),
    /// In a call that is answered by now, or has to be made again.
    Call(ResumableCallHostTrap, Option<RawCall>),
    /// Nowhere: it is over.
    Over,
}

/// Why an instance stopped.
pub(crate) enum Stop {
    /// Its slice is over; the next one must have so much fuel.
    Slice(u64),
    /// It waits in a call.
    Blocked,
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
        memory_bytes: u32,
        fuel: u64,
    ) -> (Result<Self, Unfit>, u64) {
        let mut store = Store::new(linker.engine(), Host::new(memory_bytes));
        store.limiter(|host| &mut host.limiter);
        // Metering is on in every engine of this crate.
        let _ = store.set_fuel(fuel);
        let made = linker.instantiate_and_start(&mut store, &program.module);
        let spent = fuel.saturating_sub(store.get_fuel().unwrap_or(0));
        let limiter = &store.data().limiter;
        let made = match made {
            Ok(wasm) => Self::begin(store, wasm, program.returns_code),
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

    fn begin(mut store: Store<Host>, wasm: Wasm, returns_code: bool) -> Result<Self, Unfit> {
        let Some(entry) = wasm.get_func(&store, ENTRY) else {
            return Err(Unfit::new(Error::MissingExport, "its entry is gone"));
        };
        let memory = wasm.get_memory(&store, MEMORY);
        store.data_mut().memory = memory;
        let results = if returns_code { Box::from([Val::I32(0)]) } else { Box::from([]) };
        Ok(Self { store, wasm, entry, results, paused: Paused::Entry, takes: 0 })
    }

    /// Runs for one slice, with the nucleus at hand.
    pub(crate) fn run(&mut self, nucleus: &mut Seat, grant: Grant) -> Stop {
        self.store.data_mut().meter = Meter { seen: grant.fuel, is_overdrawn: false };
        let _ = self.store.set_fuel(grant.fuel);
        nucleus.lend(
            self,
            |instance| &mut instance.store.data_mut().nucleus,
            |instance| {
                let stop = instance.go_on(grant.subject);
                settle(&mut instance.store);
                stop
            },
        )
    }

    /// Bytes of linear memory it has.
    pub(crate) fn memory_bytes(&self) -> u64 {
        let memory = self.store.data().memory;
        memory.map_or(0, |memory| memory.data_size(&self.store) as u64)
    }

    /// Makes it the instance of this task.
    pub(crate) fn belongs_to(&mut self, subject: Subject) {
        self.store.data_mut().subject = subject;
    }

    fn go_on(&mut self, subject: Subject) -> Stop {
        let results = &mut self.results;
        let outcome = match core::mem::replace(&mut self.paused, Paused::Over) {
            Paused::Entry => self.entry.call_resumable(&mut self.store, &[], results),
            Paused::Fuel(paused) => paused.resume(&mut self.store, results),
            Paused::Call(paused, again) => {
                let answer = match again {
                    Some(raw) => perform(&mut self.store, raw),
                    None => {
                        let nucleus = self.store.data_mut().nucleus.here();
                        nucleus.and_then(|it| it.take_answer(subject)).ok_or(Leave::Ended)
                    }
                };
                match answer {
                    Ok(value) => paused.resume(&mut self.store, &[Val::I64(value)], results),
                    Err(leave) => return self.left(leave, paused),
                }
            }
            Paused::Over => return Stop::Ended,
        };
        match outcome {
            Ok(ResumableCall::Finished) => Stop::End(self.exit()),
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

    /// A call left its host function.
    fn left(&mut self, leave: Leave, paused: ResumableCallHostTrap) -> Stop {
        let again = if let Leave::Again(raw) = leave { Some(raw) } else { None };
        self.paused = Paused::Call(paused, again);
        match leave {
            Leave::Again(_) => Stop::Slice(0),
            Leave::Blocked => Stop::Blocked,
            Leave::Prepare => match self.store.data_mut().ticket.take() {
                Some(ticket) => Stop::Prepare(Box::new(ticket)),
                None => Stop::Ended,
            },
            Leave::OutOfFuel => Stop::End(Ending::OutOfFuel),
            Leave::Ended => Stop::Ended,
            // Only without a nucleus, and it had one.
            Leave::InStart => Stop::End(Ending::Trap(TrapCode::Other)),
        }
    }

    fn exit(&self) -> Ending {
        let code = match self.results.first() {
            Some(Val::I32(code)) => *code,
            _ => 0,
        };
        let memory = self.store.data().memory;
        let pages = memory.map_or(0, |memory| memory.size(&self.store));
        let pages = u32::try_from(pages).unwrap_or(u32::MAX);
        Ending::Exit { code, pages, root: [0; 32] }
    }

    /// Commits to the state.
    pub(crate) fn root(&self, hasher: Hasher) -> witness::Hash {
        root::of(&self.store, self.wasm, hasher)
    }
}
