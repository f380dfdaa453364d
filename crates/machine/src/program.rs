//! What a component must be to run: a module that this engine takes, with no
//! imports but the twelve calls, and an entry.

use abi::{Call, Error, IMPORT_MODULE};
use alloc::{
    format,
    string::{String, ToString},
};
use wasmi::{Engine, ExternType, ImportType, Linker, Module, ValType};

use crate::host::Host;

/// The export that a command begins at.
pub(crate) const ENTRY: &str = "_start";

/// The export that calls point into.
pub(crate) const MEMORY: &str = "memory";

/// Why a component cannot run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    /// The reason, for the record.
    pub(crate) error: Error,
    /// The rest, for a person.
    pub(crate) text: String,
}

impl Unfit {
    pub(crate) fn new(error: Error, text: impl Into<String>) -> Self {
        Self { error, text: text.into() }
    }
}

/// A module that can be instantiated.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) module: Module,
    /// Whether the entry returns an exit code.
    pub(crate) returns_code: bool,
}

impl Program {
    /// Translates and checks a module.
    pub(crate) fn new(engine: &Engine, linker: &Linker<Host>, bytes: &[u8]) -> Result<Self, Unfit> {
        let module = Module::new(engine, bytes)
            .map_err(|error| Unfit::new(Error::NotWasm, error.to_string()))?;
        for import in module.imports() {
            check_import(&import, linker)?;
        }
        let returns_code = entry(&module)?;
        Ok(Self { module, returns_code })
    }
}

fn check_import(import: &ImportType<'_>, linker: &Linker<Host>) -> Result<(), Unfit> {
    let (module, name) = (import.module(), import.name());
    let is_call = Call::ALL.iter().any(|call| call.name() == name);
    if module != IMPORT_MODULE || !is_call {
        let text = format!("it imports \"{module}\" \"{name}\", which is not offered");
        return Err(Unfit::new(Error::UnknownImport, text));
    }
    let is_of_type = match import.ty() {
        ExternType::Func(wanted) => offers(linker, name, wanted),
        _ => false,
    };
    if is_of_type {
        return Ok(());
    }
    let text = format!("it imports \"{module}\" \"{name}\" with another type than the call has");
    Err(Unfit::new(Error::UnknownImport, text))
}

/// Whether the linker's function of this name has this type.
fn offers(linker: &Linker<Host>, name: &str, wanted: &wasmi::FuncType) -> bool {
    // Types can only be asked for through a store; this one is empty.
    let mut store = wasmi::Store::new(linker.engine(), Host::nobody());
    let offered = linker.get(&mut store, IMPORT_MODULE, name);
    offered
        .and_then(|offered| offered.into_func())
        .is_some_and(|function| function.ty(&store) == *wanted)
}

/// Whether the entry returns an exit code; an error if there is none to call.
fn entry(module: &Module) -> Result<bool, Unfit> {
    let Some(ExternType::Func(function)) = module.get_export(ENTRY) else {
        let text = format!("it does not export a function \"{ENTRY}\"");
        return Err(Unfit::new(Error::MissingExport, text));
    };
    match (function.params(), function.results()) {
        ([], []) => Ok(false),
        ([], [ValType::I32]) => Ok(true),
        _ => {
            let text = format!("its \"{ENTRY}\" takes arguments, or returns more than a code");
            Err(Unfit::new(Error::MissingExport, text))
        }
    }
}
