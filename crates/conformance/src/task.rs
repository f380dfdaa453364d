//! A module under the limits of a task.
//!
//! Everything that it exports is called once, with zeros, and looked at
//! afterwards: where two machines differ in anything that a program can see,
//! or in what it costs, their outcomes differ.

use alloc::vec::Vec;

use wasmi::{Error, Extern, Instance, Linker, Module, Store, Val};
use witness::Hasher;

use machine::Limiter;

use crate::list::Task;
use crate::outcome::{Outcome, TaskOutcome, Verdict, value};

/// Runs it; gives what came of it, and the fuel that it took in all. It
/// passes whatever it does, unless it cannot be translated or the host fails.
pub(crate) fn run(task: &Task<'_>, hasher: Hasher) -> (Outcome, Verdict, u64) {
    let engine = machine::engine();
    let module = match Module::new(&engine, task.module) {
        Ok(module) => module,
        Err(error) => return (Outcome::failure(&error), Verdict::Failed, 0),
    };
    let mut store = Store::new(&engine, Limiter::new(task.memory_bytes));
    store.limiter(|limiter| limiter);
    let mut outcome = TaskOutcome::default();
    // Metering is on in every engine of the machine.
    let _ = store.set_fuel(task.fuel);
    let made = Linker::new(&engine).instantiate_and_start(&mut store, &module);
    let instance = made.as_ref().ok().copied();
    note(&mut outcome, task, &store, made.map(|_| Vec::new()));
    if let Some(instance) = instance {
        call_all(&mut outcome, task, &mut store, instance);
        look(&mut outcome, &store, instance, hasher);
    }
    let has_failed = |(it, _): &(Outcome, u64)| *it == Outcome::HostFailed;
    let passed = !store.data().host_failed() && !outcome.calls.iter().any(has_failed);
    let fuel = outcome.calls.iter().fold(0u64, |sum, (_, fuel)| sum.saturating_add(*fuel));
    (Outcome::Task(outcome), passed.into(), fuel)
}

/// Calls each exported function in order of export.
fn call_all(
    outcome: &mut TaskOutcome,
    task: &Task<'_>,
    store: &mut Store<Limiter>,
    instance: Instance,
) {
    let functions: Vec<_> =
        instance.exports(&*store).filter_map(|export| export.into_func()).collect();
    for function in functions {
        let kind = function.ty(&*store);
        let zero = |kind: &wasmi::ValType| Val::default_for_ty(*kind);
        let arguments: Vec<Val> = kind.params().iter().map(zero).collect();
        let mut results: Vec<Val> = kind.results().iter().map(zero).collect();
        let _ = store.set_fuel(task.fuel);
        let called = function.call(&mut *store, &arguments, &mut results);
        note(outcome, task, store, called.map(|()| results));
    }
}

/// Notes what came of a call, and the fuel it took.
fn note(
    outcome: &mut TaskOutcome,
    task: &Task<'_>,
    store: &Store<Limiter>,
    called: Result<Vec<Val>, Error>,
) {
    let spent = task.fuel.saturating_sub(store.get_fuel().unwrap_or(0));
    let came = match called {
        Ok(results) => Outcome::Values(results.iter().map(|it| value(it, store)).collect()),
        Err(error) => Outcome::failure(&error),
    };
    outcome.calls.push((came, spent));
}

/// Looks at what the instance exports.
fn look(outcome: &mut TaskOutcome, store: &Store<Limiter>, instance: Instance, hasher: Hasher) {
    for export in instance.exports(store) {
        match export.into_extern() {
            Extern::Global(global) => outcome.globals.push(value(&global.get(store), store)),
            Extern::Table(table) => outcome.tables.push(table.size(store)),
            Extern::Memory(memory) if outcome.memory.is_none() => {
                outcome.memory = Some((memory.size(store), hasher.hash(memory.data(store))));
            }
            Extern::Memory(_) | Extern::Func(_) => {}
        }
    }
}
