//! What a component must be to run: a module that this engine takes, with no
//! imports but the twelve calls and WASI's functions, and the exports of its role.

use crate::{frameless, imports::is_typed_as, snapshot::Journals, wasi, weight::Weight};
use abi::{Call, Error, IMPORT_MODULE, profile::GROW_INSTRUCTIONS};
use alloc::{
    format,
    string::{String, ToString},
};
use wasmi::{Engine, ExternType, ImportType, Module, ValType, errors::ErrorKind};

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

/// Where the text of a refusal is cut off, in bytes.
const TEXT_MAX: usize = 200;

/// Why a component cannot run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    /// The reason, for the record.
    pub(crate) error: Error,
    /// The rest, for a person.
    pub(crate) text: String,
}

impl Unfit {
    /// The text may hold names that the component's author chose, and becomes
    /// a line of the kernel's own on a console: it must not end that line, nor
    /// steer a terminal, nor fill a screen.
    pub(crate) fn new(error: Error, text: impl AsRef<str>) -> Self {
        let mut plain = String::new();
        for symbol in text.as_ref().chars() {
            if plain.len() >= TEXT_MAX {
                plain.push_str("...");
                break;
            }
            match symbol.is_ascii_graphic() || symbol == ' ' {
                true => plain.push(symbol),
                false => plain.extend(symbol.escape_default()),
            }
        }
        Self { error, text: plain }
    }
}

/// A module that can be instantiated.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) module: Module,
    /// Bytes that each task takes that runs it, beside memory and stack.
    pub(crate) instance_bytes: u64,
    /// Pages of memory that each begins with.
    pub(crate) pages: u64,
    /// Whether its globals are exported, for its state to be read off.
    pub(crate) is_exposed: bool,
}

impl Program {
    /// Translates and checks a module, with its state to be read off if there
    /// are to be journals and it can be.
    pub(crate) fn new(engine: &Engine, bytes: &[u8], journals: Journals) -> Result<Self, Unfit> {
        let Weight { growths, instance, pages, .. } = Weight::of(bytes)?.with(journals);
        if growths > GROW_INSTRUCTIONS {
            let text = format!(
                "it has {growths} instructions that grow something, more than {GROW_INSTRUCTIONS}"
            );
            return Err(Unfit::new(Error::NotWasm, text));
        }
        let exposed = match journals {
            Journals::None => None,
            Journals::Kept | Journals::Asked => match frameless::exposed(bytes) {
                Some(bytes) => exposed(Module::new(engine, &bytes[..]))?,
                None => None,
            },
        };
        let is_exposed = exposed.is_some();
        let module = match exposed {
            Some(module) => module,
            None => Module::new(engine, bytes).map_err(|error| refusal(&error))?,
        };
        for import in module.imports() {
            check_import(&import)?;
        }
        Ok(Self { module, instance_bytes: instance, pages, is_exposed })
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

/// With its globals exported, a module can have more exports than an engine
/// takes: nobody but a snapshot is to find out. That the host has no memory
/// left says nothing of the module.
fn exposed(translated: Result<Module, wasmi::Error>) -> Result<Option<Module>, Unfit> {
    match translated.map_err(|error| refusal(&error)) {
        Err(unfit) if unfit.error == Error::OutOfMemory => Err(unfit),
        translated => Ok(translated.ok()),
    }
}

/// Why a module was not translated. That the host has no memory left is not
/// the module's fault: the same module runs elsewhere.
fn refusal(error: &wasmi::Error) -> Unfit {
    let text = error.to_string();
    // The type of this error is not public.
    match error.kind() {
        ErrorKind::Translation(_) if text.contains("out of system memory") => {
            Unfit::new(Error::OutOfMemory, "the machine has no memory left to translate it")
        }
        _ => Unfit::new(Error::NotWasm, text),
    }
}

fn check_import(import: &ImportType<'_>) -> Result<(), Unfit> {
    let (module, name) = (import.module(), import.name());
    let is_typed = match module {
        IMPORT_MODULE => {
            let call = Call::ALL.into_iter().find(|call| call.name() == name);
            call.map(|call| match import.ty() {
                ExternType::Func(function) => is_typed_as(call, function),
                _ => false,
            })
        }
        wasi::MODULE => {
            wasi::Function::named(name).map(|function| function.is_typed_as(import.ty()))
        }
        _ => None,
    };
    let what = match is_typed {
        Some(true) => return Ok(()),
        Some(false) => " with another type",
        None => ", which is not offered",
    };
    let text = format!("it imports \"{module}\" \"{name}\"{what}");
    Err(Unfit::new(Error::UnknownImport, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_component_says_stays_on_one_line_and_short() {
        let unfit = Unfit::new(Error::NotWasm, "a\n[kernel] b\u{1b}[2J\u{202e}c");
        assert_eq!(unfit.text, "a\\n[kernel] b\\u{1b}[2J\\u{202e}c");
        let unfit = Unfit::new(Error::NotWasm, "\0".repeat(100_000));
        assert!(unfit.text.len() < TEXT_MAX + 20, "{}", unfit.text.len());
    }
}
