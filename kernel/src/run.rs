//! After init.

use hal::traits::{ExitStatus, Platform};

use crate::console::say;
use crate::{Kernel, heap, selftest};

/// Runs the machine until it is switched off.
pub fn run(mut kernel: Kernel) -> ! {
    if let Some(name) = kernel.command_line.get("test") {
        selftest::run(&mut kernel, name);
    }
    for (name, contents) in kernel.modules.iter() {
        say(format_args!("module {}: {} bytes", name.escape_ascii(), contents.len()));
    }
    say(format_args!("kernel {}", Hex(&kernel.kernel_digest)));
    say(format_args!("boot {}", Hex(&kernel.boot_id)));
    let (used, free) = heap::usage();
    say(format_args!("the heap has {used} bytes in use and {} MiB free", free >> 20));
    kernel.platform.power().off(ExitStatus::Success)
}

/// Bytes in hexadecimal digits.
struct Hex<'a>(&'a [u8]);

impl core::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
