#![no_std]
#![no_main]
//! Links only if the gate can neither panic nor allocate.
//!
//! The panic handler and the allocator call functions that exist nowhere. What
//! can reach them after optimisation leaves an undefined symbol, and the link
//! fails; so it does for `cargo build --profile panic-free -p panic-free`
//! whenever a path through the gate can. SHA-256 and Ed25519 are behind
//! function pointers and so not looked at here. The feature `broken` plants a
//! panic, to show that one is found.

use core::{
    alloc::{GlobalAlloc, Layout},
    panic::PanicInfo,
};
use nucleus::{Answer, Nucleus, Request};
use witness::Subject;

unsafe extern "C" {
    fn the_gate_can_panic() -> !;
    fn the_gate_can_allocate() -> *mut u8;
    fn the_gate_can_free();
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: never linked, so never called.
    unsafe { the_gate_can_panic() }
}

struct Nothing;

// SAFETY: never linked, so never called.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { the_gate_can_allocate() }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {
        // SAFETY: as above.
        unsafe { the_gate_can_free() }
    }
}

#[global_allocator]
static ALLOCATOR: Nothing = Nothing;

/// Whatever goes in.
///
/// # Safety
/// It is never called. `out` must be valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "Rust" fn gate(
    nucleus: &mut Nucleus,
    subject: Subject,
    request: Request<'_>,
    out: *mut Answer,
) {
    #[cfg(feature = "broken")]
    assert!(request.length < 77, "this must be found");
    // SAFETY: by the contract of this function.
    unsafe { out.write(nucleus.gate(subject, request)) };
}

/// The same for a call that has waited.
///
/// # Safety
/// As for [`gate`].
#[unsafe(no_mangle)]
pub unsafe extern "Rust" fn receive(
    nucleus: &mut Nucleus,
    subject: Subject,
    into: &mut [u8],
    out: *mut Answer,
) {
    // SAFETY: by the contract of this function.
    unsafe { out.write(nucleus.receive(subject, 0, Ok(into))) };
}
