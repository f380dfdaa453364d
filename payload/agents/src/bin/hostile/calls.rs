//! Calls with numbers that the SDK would not let anybody make.

use core::sync::atomic::{AtomicU32, Ordering};

use sdk::Error;

static RAW: AtomicU32 = AtomicU32::new(0);

mod import {
    #[link(wasm_import_module = "heliograph")]
    unsafe extern "C" {
        pub(super) fn queue_send(queue: u32, kind: u32, word: u32, at: u32, length: u32) -> i64;
        pub(super) fn cap_grant(cap: u32, operation: u32, at: u32, length: u32) -> i64;
        pub(super) fn vector_get(
            store: u32,
            operation: u32,
            at: u32,
            length: u32,
            out: u32,
            room: u32,
        ) -> i64;
    }
}

/// Calls that this task has made, by whatever way.
pub(crate) fn made() -> u32 {
    sdk::calls_made() + RAW.load(Ordering::Relaxed)
}

fn answer(value: i64) -> Result<i64, Error> {
    RAW.fetch_add(1, Ordering::Relaxed);
    if value >= 0 { Ok(value) } else { Err(Error::from_guest(value).unwrap_or(Error::Unsupported)) }
}

/// `queue_send`, of memory that is or is not there.
pub(crate) fn queue_send(
    queue: u32,
    kind: u32,
    word: u32,
    at: u32,
    length: u32,
) -> Result<i64, Error> {
    // SAFETY: the kernel reads the range if it is inside this task's memory,
    // and refuses the call if it is not.
    answer(unsafe { import::queue_send(queue, kind, word, at, length) })
}

/// `cap_grant`, with whatever operation, and no arguments.
pub(crate) fn cap_grant(cap: u32, operation: u32) -> Result<i64, Error> {
    // SAFETY: as above; the range is empty.
    answer(unsafe { import::cap_grant(cap, operation, 0, 0) })
}

/// `vector_get`, by key, that writes into `buffer`, from its byte `out` on,
/// the answer to what its first 16 bytes ask.
pub(crate) fn get_into_itself(store: u32, buffer: &mut [u8; 64], out: u32) -> Result<i64, Error> {
    // Pointers are 32 bits here.
    let at = buffer.as_mut_ptr() as u32;
    let room = 64_u32.saturating_sub(out);
    // SAFETY: the kernel reads and writes inside of the buffer, which is
    // borrowed exclusively; any bytes are good in it.
    answer(unsafe { import::vector_get(store, 0, at, 16, at + out, room) })
}
