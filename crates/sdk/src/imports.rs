//! The import boundary: the twelve functions a payload gets from the kernel.
//!
//! Each wrapper takes slices where the import takes a pointer and a length,
//! so that what the kernel reads or writes is memory the payload owns. An
//! answer is a result of zero or more, or a negated [`Error`] number; the
//! one place that tells them apart is [`answer`].

use core::sync::atomic::{AtomicU32, Ordering};

use abi::{Error, Operation};

/// Answers so far. An atomic because a static has to be `Sync`; there is one
/// thread.
static ANSWERS: AtomicU32 = AtomicU32::new(0);

/// How many calls this task has made through this crate. Each has one record,
/// so the last one's has this number less one as its sequence number, in a task
/// that makes no other calls and no guarded changes: a guard's word is a record
/// of its own.
pub fn calls_made() -> u32 {
    ANSWERS.load(Ordering::Relaxed)
}

/// A result of zero or more, or why there is none. Every call's answer passes
/// here once.
pub(crate) fn answer(value: i64) -> Result<u64, Error> {
    ANSWERS.fetch_add(1, Ordering::Relaxed);
    match u64::try_from(value) {
        Ok(result) => Ok(result),
        // A number that this crate does not know comes from a newer kernel;
        // what it means cannot be told, only that the call was refused.
        Err(_) => Err(Error::from_guest(value).unwrap_or(Error::Unsupported)),
    }
}

/// What a call is to do, as the import takes it.
fn code(operation: Operation) -> i32 {
    operation.code().cast_signed()
}

#[cfg(target_arch = "wasm32")]
mod raw {
    // The types are those of the import section: i32 for handles, pointers
    // and lengths, i64 for offsets and times. Pointers are passed as such;
    // they are i32 on this target.
    #[link(wasm_import_module = "heliograph")]
    unsafe extern "C" {
        pub safe fn timer_wait(timer: u32, operation: i32, ns: u64) -> i64;
        pub safe fn sensor_subscribe(sensor: u32, queue: u32) -> i64;
        pub fn task_spawn(component: u32, arguments: *const u8, length: usize) -> i64;
        pub fn cap_grant(cap: u32, operation: i32, arguments: *const u8, length: usize) -> i64;
        pub fn region_map(
            cap: u32,
            operation: i32,
            offset: u64,
            bytes: *mut u8,
            length: usize,
        ) -> i64;
        pub fn queue_send(
            queue: u32,
            kind: u32,
            priority: i32,
            bytes: *const u8,
            length: usize,
        ) -> i64;
        pub fn queue_recv(queue: u32, deadline: u64, bytes: *mut u8, length: usize) -> i64;
        pub fn rvf_mount(
            namespace: u32,
            operation: i32,
            region: u32,
            path: *const u8,
            length: usize,
        ) -> i64;
        pub fn attest_emit(
            cap: u32,
            operation: i32,
            kind: u32,
            digest: *const u8,
            body: *const u8,
            length: usize,
        ) -> i64;
        pub fn vector_get(
            store: u32,
            operation: i32,
            arguments: *const u8,
            length: usize,
            out: *mut u8,
            out_length: usize,
        ) -> i64;
        pub fn vector_put_proved(
            store: u32,
            proof: u32,
            arguments: *const u8,
            length: usize,
        ) -> i64;
        pub fn graph_apply_proved(
            store: u32,
            operation: i32,
            proof: u32,
            arguments: *const u8,
            length: usize,
        ) -> i64;
    }
}

/// Off the machine there is no kernel: every call is refused.
#[cfg(not(target_arch = "wasm32"))]
mod raw {
    const REFUSED: i64 = abi::Error::Unsupported.to_guest();

    macro_rules! refused {
        ($($name:ident($($argument:ty),*);)*) => {
            // Unsafe to call, like the import that each stands for.
            $(pub unsafe fn $name($(_: $argument),*) -> i64 {
                REFUSED
            })*
        };
    }

    pub fn timer_wait(_: u32, _: i32, _: u64) -> i64 {
        REFUSED
    }

    pub fn sensor_subscribe(_: u32, _: u32) -> i64 {
        REFUSED
    }

    refused! {
        task_spawn(u32, *const u8, usize);
        cap_grant(u32, i32, *const u8, usize);
        region_map(u32, i32, u64, *mut u8, usize);
        queue_send(u32, u32, i32, *const u8, usize);
        queue_recv(u32, u64, *mut u8, usize);
        rvf_mount(u32, i32, u32, *const u8, usize);
        attest_emit(u32, i32, u32, *const u8, *const u8, usize);
        vector_get(u32, i32, *const u8, usize, *mut u8, usize);
        vector_put_proved(u32, u32, *const u8, usize);
        graph_apply_proved(u32, i32, u32, *const u8, usize);
    }
}

pub(crate) use raw::sensor_subscribe;

pub(crate) fn timer_wait(timer: u32, operation: Operation, ns: u64) -> i64 {
    raw::timer_wait(timer, code(operation), ns)
}

pub(crate) fn task_spawn(component: u32, arguments: &[u8]) -> i64 {
    // SAFETY: the kernel only reads `arguments.len()` bytes from the pointer,
    // all of the slice, and keeps no pointer after the call returns.
    unsafe { raw::task_spawn(component, arguments.as_ptr(), arguments.len()) }
}

pub(crate) fn cap_grant(cap: u32, operation: Operation, arguments: &[u8]) -> i64 {
    // SAFETY: as in `task_spawn`.
    unsafe { raw::cap_grant(cap, code(operation), arguments.as_ptr(), arguments.len()) }
}

/// `region_map` in the direction that fills the caller's memory.
pub(crate) fn region_into(cap: u32, operation: Operation, offset: u64, into: &mut [u8]) -> i64 {
    // SAFETY: the kernel writes at most `into.len()` bytes from the pointer,
    // all inside the slice, which is borrowed exclusively for the call; any
    // byte is a valid u8.
    unsafe { raw::region_map(cap, code(operation), offset, into.as_mut_ptr(), into.len()) }
}

/// `region_map` in the directions that only read the caller's memory:
/// append, write, and create from given content.
pub(crate) fn region_from(cap: u32, operation: Operation, offset: u64, from: &[u8]) -> i64 {
    debug_assert!(!matches!(operation, Operation::Read));
    // SAFETY: for every operation but read the kernel only reads the range,
    // which is the slice. The import has one pointer for both directions,
    // hence the cast from a shared pointer; nothing is written through it.
    unsafe { raw::region_map(cap, code(operation), offset, from.as_ptr().cast_mut(), from.len()) }
}

pub(crate) fn queue_send(
    queue: u32,
    operation: Operation,
    kind: u32,
    priority: u8,
    message: &[u8],
) -> i64 {
    let word = code(operation) << 8 | i32::from(priority);
    // SAFETY: as in `task_spawn`.
    unsafe { raw::queue_send(queue, kind, word, message.as_ptr(), message.len()) }
}

pub(crate) fn queue_recv(queue: u32, deadline_ns: u64, into: &mut [u8]) -> i64 {
    // SAFETY: as in `region_into`.
    unsafe { raw::queue_recv(queue, deadline_ns, into.as_mut_ptr(), into.len()) }
}

pub(crate) fn rvf_mount(namespace: u32, operation: Operation, region: u32, path: &str) -> i64 {
    // SAFETY: as in `task_spawn`.
    unsafe { raw::rvf_mount(namespace, code(operation), region, path.as_ptr(), path.len()) }
}

pub(crate) fn attest_emit(
    cap: u32,
    operation: Operation,
    kind: u32,
    digest: &[u8; 32],
    body: &[u8],
) -> i64 {
    // SAFETY: the kernel reads 32 bytes from the digest's pointer and
    // `body.len()` bytes from the body's, and keeps neither.
    unsafe {
        raw::attest_emit(cap, code(operation), kind, digest.as_ptr(), body.as_ptr(), body.len())
    }
}

pub(crate) fn vector_get(
    store: u32,
    operation: Operation,
    arguments: &[u8],
    out: &mut [u8],
) -> i64 {
    // SAFETY: the kernel reads the first range and writes inside the second.
    // They are different slices, the second borrowed exclusively, so they do
    // not overlap.
    unsafe {
        raw::vector_get(
            store,
            code(operation),
            arguments.as_ptr(),
            arguments.len(),
            out.as_mut_ptr(),
            out.len(),
        )
    }
}

pub(crate) fn vector_put_proved(store: u32, proof: u32, arguments: &[u8]) -> i64 {
    // SAFETY: as in `task_spawn`.
    unsafe { raw::vector_put_proved(store, proof, arguments.as_ptr(), arguments.len()) }
}

pub(crate) fn graph_apply_proved(
    store: u32,
    operation: Operation,
    proof: u32,
    arguments: &[u8],
) -> i64 {
    // SAFETY: as in `task_spawn`.
    unsafe {
        raw::graph_apply_proved(store, code(operation), proof, arguments.as_ptr(), arguments.len())
    }
}

// The import section declares pointers and lengths as i32.
#[cfg(target_arch = "wasm32")]
const _: () = assert!(size_of::<usize>() == 4);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_results_or_reasons() {
        assert_eq!(answer(0), Ok(0));
        assert_eq!(answer(i64::MAX), Ok(i64::MAX as u64));
        for &error in Error::ALL {
            assert_eq!(answer(error.to_guest()), Err(error));
        }
        assert_eq!(answer(i64::MIN), Err(Error::Unsupported));
        assert_eq!(answer(-9999), Err(Error::Unsupported));
    }

    #[test]
    fn without_a_kernel_every_call_is_refused() {
        assert_eq!(answer(timer_wait(0, Operation::Absolute, 0)), Err(Error::Unsupported));
        assert_eq!(answer(queue_send(0, Operation::Plain, 0, 0, b"x")), Err(Error::Unsupported));
    }
}
