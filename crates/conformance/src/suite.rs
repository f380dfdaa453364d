//! One file of the specification's test suite.
//!
//! All its modules share a store, as they may share memories and tables. The
//! suite assumes more room than a task has, so other limits hold here: they
//! are part of what is tested, too, for a growth that fails at one page on a
//! machine must fail there on all.

use alloc::{collections::BTreeMap, vec, vec::Vec};

use wasmi::{
    Engine, Extern, ExternRef, F32, F64, Func, Global, Instance, Linker, Memory, MemoryType,
    Module, Mutability, Nullable, Ref, RefType, Store, StoreLimits, StoreLimitsBuilder, Table,
    TableType, Val,
};

use crate::list::{Action, Directive, Pattern, Value};
use crate::outcome::{Outcome, Verdict, value};

/// Fuel of each call: more than any in the suite takes.
const FUEL: u64 = 1 << 32;

/// Most bytes of a memory. The suite has one grow to 803 pages.
const MEMORY_BYTES: usize = 64 << 20;

/// Most elements of a table.
const TABLE_ELEMENTS: usize = 1 << 20;

/// The module that the suite's own imports are from.
const SPECTEST: &str = "spectest";

/// The state between a file's directives.
pub(crate) struct Suite {
    engine: Engine,
    store: Store<StoreLimits>,
    linker: Linker<StoreLimits>,
    modules: BTreeMap<u32, Module>,
    instances: BTreeMap<u32, Instance>,
}

impl Suite {
    pub(crate) fn new() -> Self {
        let engine = machine::engine();
        let limits = StoreLimitsBuilder::new()
            .memory_size(MEMORY_BYTES)
            .table_elements(TABLE_ELEMENTS)
            .build();
        let mut store = Store::new(&engine, limits);
        store.limiter(|limits| limits);
        let mut linker = Linker::new(&engine);
        linker.allow_shadowing(true);
        // Where it fails the suite's modules cannot be linked, which is seen.
        let _ = offer(&mut store, &mut linker);
        let (modules, instances) = (BTreeMap::new(), BTreeMap::new());
        Self { engine, store, linker, modules, instances }
    }

    /// Runs a directive that is no task; gives the fuel it took, too.
    pub(crate) fn run(&mut self, directive: Directive<'_>) -> (Outcome, Verdict, u64) {
        // Metering is on in every engine of the machine.
        let _ = self.store.set_fuel(FUEL);
        let (outcome, verdict) = self.judge(directive);
        let left = self.store.get_fuel().unwrap_or(0);
        (outcome, verdict, FUEL.saturating_sub(left))
    }

    fn judge(&mut self, directive: Directive<'_>) -> (Outcome, Verdict) {
        let done = |outcome: Outcome| {
            let passed = matches!(outcome, Outcome::Values(_));
            (outcome, passed.into())
        };
        let should = |outcome: Outcome, wanted: Outcome| {
            let passed = outcome == wanted;
            (outcome, passed.into())
        };
        match directive {
            Directive::Skip | Directive::Task(_) => (Outcome::Skipped, Verdict::Skipped),
            Directive::Module(slot, bytes) => done(self.start(bytes, Some(slot))),
            Directive::Define(slot, bytes) => done(self.define(slot, bytes)),
            Directive::Instance(slot, instance) => done(self.instance(slot, instance)),
            Directive::Register(instance, name) => done(self.register(instance, name)),
            Directive::Do(action) => done(self.act(&action)),
            Directive::Return(action, patterns) => {
                let outcome = self.act(&action);
                let passed = matches!(&outcome, Outcome::Values(values) if fit(values, &patterns));
                (outcome, passed.into())
            }
            Directive::Trap(action, trap) => should(self.act(&action), Outcome::Trap(trap)),
            Directive::Invalid(bytes) => should(self.start(bytes, None), Outcome::NotTranslated),
            Directive::Unlinkable(bytes) => should(self.start(bytes, None), Outcome::NotLinked),
            Directive::TrapAtStart(bytes, trap) => {
                should(self.start(bytes, None), Outcome::Trap(trap))
            }
        }
    }

    fn start(&mut self, bytes: &[u8], instance: Option<u32>) -> Outcome {
        match Module::new(&self.engine, bytes) {
            Ok(module) => self.instantiate(&module, instance),
            Err(error) => Outcome::failure(&error),
        }
    }

    fn define(&mut self, slot: u32, bytes: &[u8]) -> Outcome {
        match Module::new(&self.engine, bytes) {
            Ok(module) => {
                self.modules.insert(slot, module);
                Outcome::Values(Vec::new())
            }
            Err(error) => Outcome::failure(&error),
        }
    }

    fn instance(&mut self, slot: u32, instance: u32) -> Outcome {
        match self.modules.get(&slot).cloned() {
            Some(module) => self.instantiate(&module, Some(instance)),
            None => Outcome::Absent,
        }
    }

    fn instantiate(&mut self, module: &Module, number: Option<u32>) -> Outcome {
        match self.linker.instantiate_and_start(&mut self.store, module) {
            Ok(instance) => {
                if let Some(number) = number {
                    self.instances.insert(number, instance);
                }
                Outcome::Values(Vec::new())
            }
            Err(error) => Outcome::failure(&error),
        }
    }

    fn register(&mut self, instance: u32, name: &str) -> Outcome {
        let Some(instance) = self.instances.get(&instance) else { return Outcome::Absent };
        match self.linker.instance(&mut self.store, name, *instance) {
            Ok(_) => Outcome::Values(Vec::new()),
            Err(error) => Outcome::failure(&error),
        }
    }

    fn act(&mut self, action: &Action<'_>) -> Outcome {
        let instance = self.instances.get(&action.instance);
        let export = instance.and_then(|it| it.get_export(&self.store, action.name));
        match export {
            Some(Extern::Global(global)) if action.is_get => {
                Outcome::Values(vec![value(&global.get(&self.store), &self.store)])
            }
            Some(Extern::Func(function)) if !action.is_get => self.call(function, action),
            _ => Outcome::Absent,
        }
    }

    fn call(&mut self, function: Func, action: &Action<'_>) -> Outcome {
        let arguments: Vec<Val> =
            action.arguments.iter().filter_map(|it| argument(*it, &mut self.store)).collect();
        let kind = function.ty(&self.store);
        let mut results: Vec<Val> =
            kind.results().iter().map(|it| Val::default_for_ty(*it)).collect();
        match function.call(&mut self.store, &arguments, &mut results) {
            Ok(()) => Outcome::Values(results.iter().map(|it| value(it, &self.store)).collect()),
            Err(error) => Outcome::failure(&error),
        }
    }
}

fn fit(values: &[Value], patterns: &[Pattern]) -> bool {
    let fits = |(value, pattern): (&Value, &Pattern)| pattern.fits(*value);
    values.len() == patterns.len() && values.iter().zip(patterns).all(fits)
}

/// A value to call a function with; a list cannot name a function.
fn argument(value: Value, store: &mut Store<StoreLimits>) -> Option<Val> {
    Some(match value {
        Value::I32(bits) => Val::I32(bits.cast_signed()),
        Value::I64(bits) => Val::I64(bits.cast_signed()),
        Value::F32(bits) => Val::F32(F32::from_bits(bits)),
        Value::F64(bits) => Val::F64(F64::from_bits(bits)),
        Value::NullFunc => Val::FuncRef(Nullable::Null),
        Value::NullExtern => Val::ExternRef(Nullable::Null),
        Value::Extern(number) => Val::ExternRef(Nullable::Val(ExternRef::new(store, number))),
        Value::Func => return None,
    })
}

/// What the suite's modules may import from the beginning (`README.md` of the
/// suite: "Spectest host module"). What is printed goes nowhere.
fn offer(
    store: &mut Store<StoreLimits>,
    linker: &mut Linker<StoreLimits>,
) -> Result<(), wasmi::Error> {
    linker.func_wrap(SPECTEST, "print", || {})?;
    linker.func_wrap(SPECTEST, "print_i32", |_: i32| {})?;
    linker.func_wrap(SPECTEST, "print_i64", |_: i64| {})?;
    linker.func_wrap(SPECTEST, "print_f32", |_: F32| {})?;
    linker.func_wrap(SPECTEST, "print_f64", |_: F64| {})?;
    linker.func_wrap(SPECTEST, "print_i32_f32", |_: i32, _: F32| {})?;
    linker.func_wrap(SPECTEST, "print_f64_f64", |_: F64, _: F64| {})?;
    let globals = [
        ("global_i32", Val::I32(666)),
        ("global_i64", Val::I64(666)),
        ("global_f32", Val::F32(666.6.into())),
        ("global_f64", Val::F64(666.6.into())),
    ];
    for (name, value) in globals {
        let global = Global::new(&mut *store, value, Mutability::Const);
        linker.define(SPECTEST, name, global)?;
    }
    let kind = TableType::new(RefType::Func, 10, Some(20));
    let table = Table::new(&mut *store, kind, Ref::Func(Nullable::Null))?;
    linker.define(SPECTEST, "table", table)?;
    let memory = Memory::new(&mut *store, MemoryType::new(1, Some(2)))?;
    linker.define(SPECTEST, "memory", memory)?;
    Ok(())
}
