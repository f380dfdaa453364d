//! Where a program starts, and where its panic handler finds the console.

use core::sync::atomic::{AtomicU32, Ordering};

use abi::Handle;

use crate::Queue;

/// No console: a handle that no task ever has, for its slot is past the last.
const NONE: u32 = u32::MAX;

/// The console's handle for the panic handler, which nobody can pass one.
/// An atomic because a static has to be `Sync`; there is one thread.
static CONSOLE: AtomicU32 = AtomicU32::new(NONE);

/// Tells the panic handler where to report. [`entry!`](crate::entry) does.
pub fn announce_console(console: Queue) {
    CONSOLE.store(console.0.0, Ordering::Relaxed);
}

/// The console announced, if any.
#[cfg_attr(
    not(all(feature = "panic-handler", target_arch = "wasm32")),
    expect(dead_code, reason = "only the panic handler asks")
)]
pub(crate) fn announced_console() -> Option<Queue> {
    match CONSOLE.load(Ordering::Relaxed) {
        NONE => None,
        handle => Some(Queue(Handle(handle))),
    }
}

/// Exports `_start`, which runs a function that returns the exit code, 0 for
/// success. `console` is the queue that a panic is reported to.
///
/// Only for `wasm32`: elsewhere it expands to nothing, and the program has
/// a `main` of its own.
#[macro_export]
macro_rules! entry {
    ($main:path, console: $console:expr) => {
        #[cfg(target_arch = "wasm32")]
        #[unsafe(no_mangle)]
        extern "C" fn _start() -> i32 {
            $crate::announce_console($console);
            let main: fn() -> i32 = $main;
            main()
        }
    };
}

/// Exports `on_message`, which runs a function for each message: whenever the
/// mailbox has something and the last call has returned. The function takes
/// the message out itself, from [`Queue::MAILBOX`](crate::Queue::MAILBOX), and
/// returns 0 to wait for the next one; anything else ends the task with that
/// code.
///
/// With `initialize`, exports `_initialize` too, which runs a function once
/// before: nobody but the task itself has a capability for its mailbox, so
/// this is where it grants it, or subscribes it to a sensor.
///
/// Only for `wasm32`, as [`entry!`].
#[macro_export]
macro_rules! reactor {
    ($on_message:path, initialize: $initialize:path, console: $console:expr) => {
        $crate::reactor!($on_message);

        #[cfg(target_arch = "wasm32")]
        #[unsafe(no_mangle)]
        extern "C" fn _initialize() {
            $crate::announce_console($console);
            let initialize: fn() = $initialize;
            initialize()
        }
    };
    ($on_message:path) => {
        #[cfg(target_arch = "wasm32")]
        #[unsafe(no_mangle)]
        extern "C" fn on_message() -> i32 {
            let on_message: fn() -> i32 = $on_message;
            on_message()
        }
    };
}
