//! The state of a reactor between two messages, when no call is under way:
//! its memory and its globals, also those that it does not export.
//!
//! For that a module is translated with its globals exported under names of
//! their own, which changes nothing for it. What cannot be read off or put
//! back, tables and segments, must not change: a module that changes them has
//! no frameless state but the one it begins with, and its journal is as long
//! as its life.

use crate::{host::Host, program::MEMORY};
use abi::profile::PAGE_BYTES;
use alloc::{format, string::String, vec::Vec};
use nucleus::snapshot::{Writer, saved};
use wasmi::{AsContext, AsContextMut, Instance, Val};
use wasmparser::{BinaryReaderError, ExternalKind, GlobalType, Operator, Parser, Payload, ValType};

/// What the names of exported globals begin with.
const PREFIX: &str = "heliograph-global-";

/// Most bytes of such a name, with its number.
pub(crate) const NAME_MAX: u64 = PREFIX.len() as u64 + 10;

/// Number of the section of exports, and of the last one before it.
const EXPORTS: u8 = 7;
const GLOBALS: u8 = 6;

/// Bytes of what every module begins with.
const HEADER: usize = 8;

/// Memory and globals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frameless {
    memory: Vec<u8>,
    globals: Vec<u64>,
}

saved!(struct Frameless { memory, globals });

/// Name of a global that was exported for this.
fn name(number: usize) -> String {
    format!("{PREFIX}{number}")
}

/// Whether an export was added here.
pub(crate) fn is_added(name: &str) -> bool {
    name.starts_with(PREFIX)
}

impl Frameless {
    /// Reads the state off.
    pub(crate) fn of(store: &impl AsContext<Data = Host>, wasm: Instance) -> Self {
        let memory = store.as_context().data().memory;
        let memory = memory.map_or(&[][..], |memory| memory.data(store));
        Self { memory: memory.to_vec(), globals: globals(store, wasm) }
    }

    /// Writes down the state that there is, as [`Self::of`] would have it.
    pub(crate) fn save_current(
        store: &impl AsContext<Data = Host>,
        wasm: Instance,
        to: &mut Writer<'_>,
    ) {
        let memory = store.as_context().data().memory;
        to.list(memory.map_or(&[][..], |memory| memory.data(store)));
        to.list(&globals(store, wasm));
    }

    /// Puts the state into an instance that has just begun; whether it fits.
    pub(crate) fn put(
        &self,
        store: &mut impl AsContextMut<Data = Host>,
        wasm: Instance,
    ) -> Option<()> {
        if let Some(memory) = wasm.get_memory(store.as_context(), MEMORY) {
            let size = memory.data_size(store.as_context());
            let more = self.memory.len().checked_sub(size)?;
            let pages = u64::try_from(more).ok()? / PAGE_BYTES;
            memory.grow(store.as_context_mut(), pages).ok()?;
            memory.write(store.as_context_mut(), 0, &self.memory).ok()?;
        } else if !self.memory.is_empty() {
            return None;
        }
        for (number, bits) in self.globals.iter().enumerate() {
            let global = wasm.get_global(store.as_context(), &name(number))?;
            let value = match global.get(store.as_context()) {
                Val::I32(_) => Val::I32(u32::try_from(*bits).ok()?.cast_signed()),
                Val::I64(_) => Val::I64(bits.cast_signed()),
                Val::F32(_) => Val::F32(wasmi::F32::from_bits(u32::try_from(*bits).ok()?)),
                Val::F64(_) => Val::F64(wasmi::F64::from_bits(*bits)),
                _ => return None,
            };
            global.set(store.as_context_mut(), value).ok()?;
        }
        Some(())
    }
}

fn globals(store: &impl AsContext<Data = Host>, wasm: Instance) -> Vec<u64> {
    let value = |number| Some(wasm.get_global(store.as_context(), &name(number))?.get(store));
    (0..).map_while(value).map(|value| bits(&value)).collect()
}

fn bits(value: &Val) -> u64 {
    match value {
        Val::I32(value) => u64::from(value.cast_unsigned()),
        Val::I64(value) => value.cast_unsigned(),
        Val::F32(value) => u64::from(value.to_bits()),
        Val::F64(value) => value.to_bits(),
        // None of these is exported for this.
        _ => 0,
    }
}

/// The same module with its mutable globals exported; `None` if its state is
/// more than its memory and those.
pub(crate) fn exposed(module: &[u8]) -> Option<Vec<u8>> {
    let found = Found::in_module(module).ok()?;
    if !found.is_plain {
        return None;
    }
    let mut added = Vec::new();
    for (number, global) in found.globals.iter().enumerate() {
        let name = name(number);
        put_number(&mut added, u32::try_from(name.len()).ok()?);
        added.extend(name.as_bytes());
        // The kind of a global.
        added.push(3);
        put_number(&mut added, *global);
    }
    let count = found.exports.checked_add(u32::try_from(found.globals.len()).ok()?)?;
    let mut section = Vec::new();
    put_number(&mut section, count);
    section.extend(module.get(found.entries.clone())?);
    section.extend(added);
    let mut out = Vec::from(module.get(..found.start)?);
    out.push(EXPORTS);
    put_number(&mut out, u32::try_from(section.len()).ok()?);
    out.extend(section);
    out.extend(module.get(found.end..)?);
    Some(out)
}

/// LEB128, as the binary format has it.
fn put_number(to: &mut Vec<u8>, mut number: u32) {
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            to.push(low);
            return;
        }
        to.push(low | 0x80);
    }
}

/// What matters of a module.
struct Found {
    /// Numbers of the mutable globals.
    globals: Vec<u32>,
    /// Exports there are.
    exports: u32,
    /// Their bytes, without their number.
    entries: core::ops::Range<usize>,
    /// Where the section of exports begins and ends, or would.
    start: usize,
    end: usize,
    /// Whether memory and mutable globals are all that changes.
    is_plain: bool,
}

impl Found {
    fn in_module(module: &[u8]) -> Result<Self, BinaryReaderError> {
        let mut found = Self {
            globals: Vec::new(),
            exports: 0,
            entries: 0..0,
            start: HEADER,
            end: HEADER,
            is_plain: true,
        };
        let mut memories = 0;
        let mut is_exported = false;
        for payload in Parser::new(0).parse_all(module) {
            let payload = payload?;
            let section = payload.as_section();
            match payload {
                Payload::MemorySection(reader) => memories = reader.count(),
                Payload::GlobalSection(reader) => {
                    for (number, global) in (0..).zip(reader) {
                        found.global(number, global?.ty);
                    }
                }
                Payload::ExportSection(reader) => {
                    found.exports = reader.count();
                    // Behind the number of exports.
                    found.entries = reader.original_position()..reader.range().end;
                    for export in reader {
                        let export = export?;
                        found.is_plain &= !is_added(export.name);
                        is_exported |= export.kind == ExternalKind::Memory && export.name == MEMORY;
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    for operator in body.get_operators_reader()? {
                        found.is_plain &= !changes_more(&operator?);
                    }
                }
                _ => {}
            }
            if let Some((id, range)) = section {
                found.section(id, &range, module);
            }
        }
        found.is_plain &= memories == 0 || is_exported;
        Ok(found)
    }

    fn global(&mut self, number: u32, kind: GlobalType) {
        if kind.mutable {
            let numeric = [ValType::I32, ValType::I64, ValType::F32, ValType::F64];
            self.is_plain &= numeric.contains(&kind.content_type);
            self.globals.push(number);
        }
    }

    /// Keeps track of where exports are, or would have to be.
    fn section(&mut self, id: u8, content: &core::ops::Range<usize>, module: &[u8]) {
        if id == EXPORTS {
            // Its number and the length of its content are before it.
            self.start = header_of(module, content.start);
            self.end = content.end;
        } else if id <= GLOBALS && id > 0 {
            (self.start, self.end) = (content.end, content.end);
        }
    }
}

/// Where the section begins whose content begins here: one byte for its kind
/// and up to five for its length are before.
fn header_of(module: &[u8], content: usize) -> usize {
    let mut at = content.saturating_sub(1);
    // All bytes of the length but the last have the high bit.
    while let Some(before) = at.checked_sub(1)
        && module.get(before).is_some_and(|byte| byte & 0x80 != 0)
    {
        at = before;
    }
    at.saturating_sub(1)
}

/// Whether an instruction changes what cannot be read off.
fn changes_more(operator: &Operator<'_>) -> bool {
    use Operator::{DataDrop, ElemDrop, TableCopy, TableFill, TableGrow, TableInit, TableSet};
    matches!(
        operator,
        DataDrop { .. }
            | ElemDrop { .. }
            | TableSet { .. }
            | TableGrow { .. }
            | TableFill { .. }
            | TableCopy { .. }
            | TableInit { .. }
    )
}
