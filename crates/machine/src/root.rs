//! State roots: a commitment to what a task leaves behind.
//!
//! The RFC 6962 root over these leaves, in order: each 64 KiB page of the
//! exported memory `memory`, as it is; then one leaf for each exported global,
//! by name: length of the name (u8), name, type (u8: 0x7F i32, 0x7E i64, 0x7D
//! f32, 0x7C f64, as in the Wasm binary format), value (8 bytes,
//! little-endian, floats by their bits). Globals of other types are left out,
//! and so is what a module does not export: tables, unexported globals and
//! memories. A module that exports none of these has the root of no leaves.

use crate::{frameless, host::Host, program::MEMORY};
use abi::profile::PAGE_BYTES;
use alloc::{collections::BTreeMap, vec::Vec};
use wasmi::{Extern, Instance, Store, Val};
use witness::{Hash, Hasher, tree::Tree};

/// Bytes of a Wasm page.
const PAGE: usize = PAGE_BYTES as usize;

pub(crate) fn of(
    store: &Store<Host>,
    instance: Instance,
    is_exposed: bool,
    hasher: Hasher,
) -> Hash {
    let mut tree = Tree::new(hasher);
    let empty = hasher.leaf(&[0; PAGE]);
    if let Some(memory) = instance.get_memory(store, MEMORY) {
        for page in memory.data(store).chunks(PAGE) {
            // Most pages of most tasks were never written: looking is cheaper
            // than hashing.
            let is_empty = page.iter().all(|&byte| byte == 0);
            tree.push(if is_empty { empty } else { hasher.leaf(page) });
        }
    }
    let mut globals = BTreeMap::new();
    for export in instance.exports(store) {
        if is_exposed && frameless::is_added(export.name()) {
            continue;
        }
        let name = Vec::from(export.name());
        if let Extern::Global(global) = export.into_extern()
            && let Some((kind, bits)) = value(&global.get(store))
        {
            globals.insert(name, (kind, bits));
        }
    }
    for (name, (kind, bits)) in globals {
        let Ok(length) = u8::try_from(name.len()) else { continue };
        let leaf = [&[length], name.as_slice(), &[kind], &bits.to_le_bytes()].concat();
        tree.push(hasher.leaf(&leaf));
    }
    tree.root()
}

fn value(value: &Val) -> Option<(u8, u64)> {
    Some(match value {
        Val::I32(value) => (0x7F, u64::from(value.cast_unsigned())),
        Val::I64(value) => (0x7E, value.cast_unsigned()),
        Val::F32(value) => (0x7D, u64::from(value.to_bits())),
        Val::F64(value) => (0x7C, value.to_bits()),
        _ => return None,
    })
}
