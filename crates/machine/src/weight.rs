//! How much memory a component takes beside its linear memory, found out by
//! reading it before anything is translated.
//!
//! A few bytes of Wasm can become thousands when they are translated, and a
//! machine must know before it starts a package that it has room for all that
//! the package may come to take. The costs are upper bounds of what wasmi
//! 2.0.0 allocates; a test measures them.

use crate::{frameless, program::Unfit, snapshot::Journals};
use abi::{
    Error,
    profile::{STACK_BYTES, TABLE_ELEMENTS},
};
use alloc::{format, string::ToString};
use wasmparser::{
    BinaryReaderError, BlockType, CompositeInnerType, ElementItems, FuncType, FunctionBody,
    Operator, Parser, Payload,
};

/// Most results of a function or a block. A branch copies them one by one.
const RESULTS: usize = 16;

/// Most parameters of a function or a block.
const PARAMETERS: usize = 128;

/// Bytes that an element of a table takes while the table grows.
const ELEMENT_BYTES: u64 = 8;

/// Bytes that the stack of a task may come to take: it grows by doubling.
pub(crate) const TASK_BYTES: u64 = 2 * STACK_BYTES as u64;

/// What a component takes, in bytes, and what else reading it has told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weight {
    /// Once, translated.
    pub(crate) translation: u64,
    /// For each task that runs it, beside memory and stack.
    pub(crate) instance: u64,
    /// Instructions that grow a memory or a table.
    pub(crate) growths: usize,
    /// Pages of memory that it begins with.
    pub(crate) pages: u64,
    /// Its mutable globals.
    globals: u64,
}

/// What an export takes beside its name, translated and in an instance.
const EXPORT: (u64, u64) = (320, 128);

impl Weight {
    /// The same module, of which the mutable globals are exported if its
    /// package pays for snapshots.
    pub(crate) fn with(self, journals: Journals) -> Self {
        if journals != Journals::Asked {
            return self;
        }
        let grown = |bytes: u64, export: u64| {
            let each = export.saturating_add(2 * frameless::NAME_MAX);
            bytes.saturating_add(each.saturating_mul(self.globals))
        };
        let (translation, instance) = EXPORT;
        Self {
            translation: grown(self.translation, translation),
            instance: grown(self.instance, instance),
            ..self
        }
    }

    /// Weighs a module.
    ///
    /// # Errors
    /// [`Error::NotWasm`] if it cannot be read or has types that are too wide.
    pub(crate) fn of(module: &[u8]) -> Result<Self, Unfit> {
        let mut scales = Scales::default();
        for payload in Parser::new(0).parse_all(module) {
            let put = payload.and_then(|payload| scales.put(payload));
            put.map_err(|error| Unfit::new(Error::NotWasm, error.to_string()))?;
        }
        scales.read()
    }
}

/// Sums over what was read so far.
#[derive(Debug, Default)]
struct Scales {
    translation: u64,
    instance: u64,
    growths: usize,
    pages: u64,
    globals: u64,
    /// Elements that all tables may come to have.
    elements: u64,
    results: usize,
    parameters: usize,
    branches: u64,
    /// Blocks around the operator that is looked at, and the most there were.
    depth: u64,
    deepest: u64,
    /// Whether there is a loop with a type of its own.
    repeats_typed: bool,
}

impl Scales {
    /// So many things, each of so many bytes translated and in an instance.
    fn add(&mut self, count: impl TryInto<u64>, translation: u64, instance: u64) {
        let count = count.try_into().unwrap_or(u64::MAX);
        self.translation = self.translation.saturating_add(count.saturating_mul(translation));
        self.instance = self.instance.saturating_add(count.saturating_mul(instance));
    }

    fn put(&mut self, payload: Payload<'_>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::TypeSection(groups) => {
                for group in groups {
                    for item in group?.types() {
                        if let CompositeInnerType::Func(function) = &item.composite_type.inner {
                            self.put_type(function);
                        }
                    }
                }
            }
            Payload::ImportSection(reader) => self.add(reader.count(), 384, 64),
            Payload::FunctionSection(reader) => self.add(reader.count(), 224, 64),
            Payload::TableSection(reader) => {
                for table in reader {
                    self.add(1u64, 256, 256);
                    let most = table?.ty.maximum.unwrap_or(u64::MAX);
                    self.elements = self.elements.saturating_add(most);
                }
            }
            Payload::MemorySection(reader) => {
                for memory in reader {
                    self.pages = self.pages.saturating_add(memory?.initial);
                }
            }
            Payload::GlobalSection(reader) => {
                self.add(reader.count(), 112, 48);
                for global in reader {
                    let is_mutable = global?.ty.mutable;
                    self.globals = self.globals.saturating_add(u64::from(is_mutable));
                }
            }
            Payload::ExportSection(reader) => {
                for export in reader {
                    self.add(1u64, EXPORT.0, EXPORT.1);
                    self.add(export?.name.len(), 2, 2);
                }
            }
            Payload::ElementSection(reader) => {
                for element in reader {
                    let items = match element?.items {
                        ElementItems::Functions(items) => items.count(),
                        ElementItems::Expressions(_, items) => items.count(),
                    };
                    self.add(1u64, 192, 64);
                    self.add(items, 64, 16);
                }
            }
            Payload::DataSection(reader) => {
                for data in reader {
                    self.add(1u64, 160, 64);
                    self.add(data?.data.len(), 1, 0);
                }
            }
            Payload::CodeSectionEntry(body) => self.put_code(&body)?,
            _ => {}
        }
        Ok(())
    }

    fn put_type(&mut self, function: &FuncType) {
        let (parameters, results) = (function.params().len(), function.results().len());
        self.parameters = self.parameters.max(parameters);
        self.results = self.results.max(results);
        self.add(1u64, 288, 0);
        self.add(parameters.saturating_add(results), 16, 0);
    }

    fn put_code(&mut self, body: &FunctionBody<'_>) -> Result<(), BinaryReaderError> {
        self.depth = 0;
        for operator in body.get_operators_reader()? {
            let bytes = match operator? {
                Operator::Block { blockty } => self.enter(blockty, false),
                Operator::Loop { blockty } => self.enter(blockty, true),
                Operator::If { blockty } => self.branch() + self.enter(blockty, false),
                Operator::Else => 64,
                Operator::End => {
                    self.depth = self.depth.saturating_sub(1);
                    16
                }
                Operator::Br { .. } | Operator::BrIf { .. } | Operator::Return => self.branch(),
                Operator::BrTable { targets } => {
                    self.branch().saturating_add(u64::from(targets.len()).saturating_mul(32))
                }
                Operator::MemoryGrow { .. } | Operator::TableGrow { .. } => {
                    self.growths = self.growths.saturating_add(1);
                    96
                }
                Operator::LocalGet { .. } | Operator::Nop | Operator::Drop => 8,
                _ => 96,
            };
            self.translation = self.translation.saturating_add(bytes);
        }
        Ok(())
    }

    /// Bytes for the beginning of a block.
    fn enter(&mut self, kind: BlockType, is_loop: bool) -> u64 {
        self.depth = self.depth.saturating_add(1);
        self.deepest = self.deepest.max(self.depth);
        self.repeats_typed |= is_loop && matches!(kind, BlockType::FuncType(_));
        64
    }

    fn branch(&mut self) -> u64 {
        self.branches = self.branches.saturating_add(1);
        64
    }

    fn read(mut self) -> Result<Weight, Unfit> {
        if self.results > RESULTS || self.parameters > PARAMETERS {
            let text =
                format!("it has a type of more than {PARAMETERS} parameters or {RESULTS} results");
            return Err(Unfit::new(Error::NotWasm, text));
        }
        // A branch copies the results of what it leaves, or the parameters of
        // the loop that it repeats.
        let parameters = if self.repeats_typed { self.parameters } else { 0 };
        let copies = u64::try_from(parameters.max(self.results)).unwrap_or(u64::MAX);
        self.add(self.branches, copies.saturating_mul(96).saturating_add(128), 0);
        self.add(self.deepest, 320, 0);
        self.add(self.elements.min(TABLE_ELEMENTS as u64), 0, ELEMENT_BYTES);
        let Self { translation, instance, growths, pages, globals, .. } = self;
        Ok(Weight { translation, instance, growths, pages, globals })
    }
}
