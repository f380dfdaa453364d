//! What a component must be to run: a module that this engine takes, with no
//! imports but the twelve calls, and an entry.

use crate::imports::is_typed_as;
use abi::{Call, Error, IMPORT_MODULE, profile::GROW_INSTRUCTIONS};
use alloc::{
    format,
    string::{String, ToString},
};
use wasmi::{Engine, ExternType, ImportType, Module, ValType};
use wasmparser::{BinaryReaderError, Operator, Parser, Payload};

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
    pub(crate) fn new(engine: &Engine, bytes: &[u8]) -> Result<Self, Unfit> {
        let module = Module::new(engine, bytes)
            .map_err(|error| Unfit::new(Error::NotWasm, error.to_string()))?;
        let growths = growths(bytes);
        let growths = growths.map_err(|error| Unfit::new(Error::NotWasm, error.to_string()))?;
        if growths > GROW_INSTRUCTIONS {
            let text = format!(
                "it has {growths} instructions that grow something, more than {GROW_INSTRUCTIONS}"
            );
            return Err(Unfit::new(Error::NotWasm, text));
        }
        for import in module.imports() {
            check_import(&import)?;
        }
        let returns_code = entry(&module)?;
        Ok(Self { module, returns_code })
    }
}

/// How many instructions grow a memory or a table; see [`GROW_INSTRUCTIONS`].
fn growths(bytes: &[u8]) -> Result<usize, BinaryReaderError> {
    let mut count = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        let Payload::CodeSectionEntry(body) = payload? else { continue };
        for operator in body.get_operators_reader()? {
            if let Operator::MemoryGrow { .. } | Operator::TableGrow { .. } = operator? {
                count += 1;
            }
        }
    }
    Ok(count)
}

fn check_import(import: &ImportType<'_>) -> Result<(), Unfit> {
    let (module, name) = (import.module(), import.name());
    let call = Call::ALL.into_iter().find(|call| call.name() == name);
    let Some(call) = call.filter(|_| module == IMPORT_MODULE) else {
        let text = format!("it imports \"{module}\" \"{name}\", which is not offered");
        return Err(Unfit::new(Error::UnknownImport, text));
    };
    match import.ty() {
        ExternType::Func(function) if is_typed_as(call, function) => Ok(()),
        _ => {
            let text = format!("it imports \"{module}\" \"{name}\" with another type");
            Err(Unfit::new(Error::UnknownImport, text))
        }
    }
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
