//! The kernel's voice.
//!
//! Every line goes to whatever console works. Until one does, lines are kept
//! and said later, so that a machine whose console must be found first still
//! tells how it began.

use core::fmt::{self, Write};

use hal::traits::Platform;
use kernel::text::KernelText;
use spin::Mutex;

use crate::Machine;

/// Bytes that are kept while there is no console.
const KEPT: usize = 4096;

struct Voice {
    works: bool,
    kept: [u8; KEPT],
    length: usize,
}

static VOICE: Mutex<Voice> = Mutex::new(Voice { works: false, kept: [0; KEPT], length: 0 });

/// Says one line (or more, if there are line ends in it) as the kernel.
pub fn say(text: fmt::Arguments<'_>) {
    write_with(&mut write, text);
}

/// Like [`say`], without regard to who may be speaking: for faults.
pub fn cry(text: fmt::Arguments<'_>) {
    write_with(&mut Machine::emergency_write, text);
}

fn write_with(out: &mut dyn FnMut(&[u8]), text: fmt::Arguments<'_>) {
    let mut lines = KernelText::new(out);
    // Writing to these consoles does not fail; what `fmt` could fail at is a
    // `Display` of ours, and half a line is better than a panic.
    let _ = lines.write_fmt(text);
    let _ = lines.write_char('\n');
}

/// Writes bytes as they are.
pub fn write(bytes: &[u8]) {
    // An interrupt handler or a fault that finds the lock taken must not
    // wait for what it interrupted.
    let Some(mut voice) = VOICE.try_lock() else { return Machine::emergency_write(bytes) };
    if voice.works {
        return Machine::emergency_write(bytes);
    }
    let start = voice.length;
    let end = start.saturating_add(bytes.len()).min(KEPT);
    voice.kept[start..end].copy_from_slice(&bytes[..end - start]);
    voice.length = end;
}

/// Whether lines are said at once.
pub fn works() -> bool {
    VOICE.try_lock().is_none_or(|voice| voice.works)
}

/// Says what was kept; from here on the console works.
pub fn replay() {
    let Some(mut voice) = VOICE.try_lock() else { return };
    if !core::mem::replace(&mut voice.works, true) {
        Machine::emergency_write(&voice.kept[..voice.length]);
    }
}
