//! What a component must be to run: a module that this engine takes, with no
//! imports but the twelve calls, and the exports of its role.

use crate::imports::is_typed_as;
use abi::{Call, Error, IMPORT_MODULE, profile::GROW_INSTRUCTIONS};
use alloc::{
    format,
    string::{String, ToString},
};
use wasmi::{Engine, ExternType, ImportType, Module, ValType};
use wasmparser::{BinaryReaderError, Operator, Parser, Payload};

/// How a component is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Its `_start` is called once.
    Command,
    /// Its `on_message` is called whenever its mailbox has something.
    Reactor,
    /// Its `guard` is asked whether a change may be made.
    Guard,
}

impl Role {
    /// The export that is called.
    pub(crate) const fn entry(self) -> &'static str {
        match self {
            Self::Command => "_start",
            Self::Reactor => "on_message",
            Self::Guard => "guard",
        }
    }
}

/// The export that a reactor's first slice begins at, if it has one.
pub(crate) const INITIALIZE: &str = "_initialize";

/// The export by which a guard says where its input is to go.
pub(crate) const ALLOCATE: &str = "allocate";

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
        Ok(Self { module })
    }

    /// Whether the entry for this role returns a code; an error if the
    /// component cannot have the role.
    pub(crate) fn returns_code(&self, role: Role) -> Result<bool, Unfit> {
        match role {
            Role::Command | Role::Reactor => {
                if role == Role::Reactor && self.module.get_export(INITIALIZE).is_some() {
                    self.typed(INITIALIZE, &[], &[&[]])?;
                }
                let results = self.typed(role.entry(), &[], &[&[], &[ValType::I32]])?;
                Ok(results > 0)
            }
            Role::Guard => {
                let (one, two) = (&[ValType::I32][..], &[ValType::I32, ValType::I32][..]);
                self.typed(ALLOCATE, one, &[one])?;
                self.typed(role.entry(), two, &[one])?;
                Ok(true)
            }
        }
    }

    /// Looks for an exported function with these parameters and one of these
    /// lists of results. Gives the number of results.
    fn typed(
        &self,
        name: &str,
        parameters: &[ValType],
        results: &[&[ValType]],
    ) -> Result<usize, Unfit> {
        let Some(ExternType::Func(function)) = self.module.get_export(name) else {
            let text = format!("it does not export a function \"{name}\"");
            return Err(Unfit::new(Error::MissingExport, text));
        };
        if function.params() == parameters && results.contains(&function.results()) {
            return Ok(function.results().len());
        }
        let text = format!("its \"{name}\" takes or returns something else than it must");
        Err(Unfit::new(Error::MissingExport, text))
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
