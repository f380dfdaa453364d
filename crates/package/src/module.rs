//! The WebAssembly module in a WASM segment's payload.
//!
//! RVF's own tools put a 64-byte `WasmHeader` in front of the module
//! (`rvf-types` 0.3, `wasm_bootstrap.rs`); a package's components come
//! without one. Both are read.

use rvf_types::{CompressionAlgo, WASM_MAGIC, WasmHeader};

/// What a module begins with (WebAssembly core specification, 5.5.16).
const MODULE_MAGIC: &[u8; 4] = b"\0asm";

/// Version of `WasmHeader` that is understood.
const HEADER_VERSION: u16 = 1;

/// The payload with any `WasmHeader` taken off; `None` where that header
/// breaks its format, or the module is compressed.
pub(crate) fn bytecode(payload: &[u8]) -> Option<&[u8]> {
    if !payload.starts_with(&WASM_MAGIC.to_le_bytes()) {
        return Some(payload);
    }
    let (header, module) = payload.split_first_chunk::<64>()?;
    let header = WasmHeader::from_bytes(header).ok()?;
    let is_sound = header.header_version == HEADER_VERSION
        && header.compression == CompressionAlgo::None as u8
        && header.compressed_size == 0
        && header.reserved == [0; 6]
        && usize::try_from(header.bytecode_size) == Ok(module.len());
    is_sound.then_some(module)
}

/// The module, where the payload is one as far as its first bytes tell.
pub(crate) fn module(payload: &[u8]) -> Option<&[u8]> {
    bytecode(payload).filter(|module| module.starts_with(MODULE_MAGIC))
}
