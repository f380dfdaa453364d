//! The kernel's voice.
//!
//! Every line goes to whatever console works, and the last ones are kept: for
//! the shell, and for a machine whose console must be found first, so that it
//! still tells how it began.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use hal::traits::Platform;
use kernel::messages::Messages;
use kernel::text::KernelText;
use rvsh::view::Message;
use spin::Mutex;

use crate::Machine;

struct Voice {
    works: bool,
    messages: Messages,
}

static VOICE: Mutex<Voice> = Mutex::new(Voice { works: false, messages: Messages::new() });

/// Says one line as the kernel.
pub fn say(text: fmt::Arguments<'_>) {
    speak(false, text);
}

/// Says one line that somebody should look into.
pub fn warn(text: fmt::Arguments<'_>) {
    speak(true, text);
}

fn speak(is_warning: bool, text: fmt::Arguments<'_>) {
    // An interrupt handler or a fault that finds the lock taken must not
    // wait for what it interrupted.
    if let Some(mut voice) = VOICE.try_lock() {
        voice.messages.push(Machine::clock_ns(), is_warning, text);
    }
    if works() {
        show(text);
    }
}

/// Shows lines as the kernel's, without keeping them and without regard to who
/// may be speaking: for faults, and for a trace, whose lines are in the log.
pub fn show(text: fmt::Arguments<'_>) {
    let mut out = Machine::emergency_write;
    let mut lines = KernelText::new(&mut out);
    // Writing to these consoles does not fail; what `fmt` could fail at is a
    // `Display` of ours, and half a line is better than a panic.
    let _ = lines.write_fmt(text);
    let _ = lines.write_char('\n');
}

/// Writes bytes as they are, where there is a console.
pub fn write(bytes: &[u8]) {
    if works() {
        Machine::emergency_write(bytes);
    }
}

/// Whether lines are said at once.
pub fn works() -> bool {
    VOICE.try_lock().is_none_or(|voice| voice.works)
}

/// Says what was kept; from here on the console works.
pub fn replay() {
    let Some(mut voice) = VOICE.try_lock() else { return };
    if !core::mem::replace(&mut voice.works, true) {
        voice.messages.iter().for_each(|message| show(format_args!("{}", message.text)));
    }
}

/// The lines that are kept, the oldest first.
pub fn messages() -> Vec<Message> {
    let Some(voice) = VOICE.try_lock() else { return Vec::new() };
    let kept = voice.messages.iter().map(|it| Message {
        number: it.number,
        time_ns: (it.time_ns > 0).then_some(it.time_ns),
        is_warning: it.is_warning,
        text: String::from(it.text),
    });
    kept.collect()
}
