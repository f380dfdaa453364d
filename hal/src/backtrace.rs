//! Walking the chain of frame records.
//!
//! Both targets are compiled with frame pointers, and their records have the
//! same shape: the address of the caller's record, then the return address.

use crate::image;

/// Most frames that are reported.
const DEPTH: usize = 32;

/// Calls `each` with the return address of each frame from the record at
/// `frame_pointer` on, innermost first.
///
/// A damaged chain ends the walk: each record must lie on one of the
/// kernel's stacks, above the one before it.
pub fn walk(mut frame_pointer: u64, each: &mut dyn FnMut(u64)) {
    let stacks = [image::boot_stack(), image::fault_stack(), image::double_fault_stack()];
    for _ in 0..DEPTH {
        let Some(last) = frame_pointer.checked_add(15) else { return };
        let on_stack =
            stacks.iter().any(|stack| stack.contains(frame_pointer) && stack.contains(last));
        if !on_stack || !frame_pointer.is_multiple_of(8) {
            return;
        }
        let record = core::ptr::with_exposed_provenance::<u64>(frame_pointer as usize);
        // SAFETY: both words lie on one stack of the image, which is mapped
        // for good, and are aligned. They may be anything: they are only
        // compared and printed. The reads are volatile because compiled code
        // knows nothing of them.
        let (next, return_address) =
            unsafe { (record.read_volatile(), record.add(1).read_volatile()) };
        if return_address == 0 {
            return;
        }
        each(return_address);
        if next <= frame_pointer {
            return;
        }
        frame_pointer = next;
    }
}
