//! What a panic does: one line to the console, then a trap, which ends the
//! task with a record of it.

use core::fmt::Write;
use core::panic::PanicInfo;

use crate::{Text, entry::announced_console};

/// Longest report. It is sent in one message, for there is no waiting here.
const REPORT_BYTES: usize = 256;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    if let Some(console) = announced_console() {
        let mut report = Text::<REPORT_BYTES>::new();
        // A longer report is cut, and a refused one is lost: the trap that
        // follows is witnessed either way.
        let _ = writeln!(report, "{info}");
        let _ = console.send(0, 0, report.as_bytes());
    }
    core::arch::wasm32::unreachable()
}
