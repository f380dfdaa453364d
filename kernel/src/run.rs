//! After init.

use hal::traits::{ExitStatus, Platform};

use crate::console::say;
use crate::{Kernel, selftest};

/// Runs the machine until it is switched off.
pub fn run(mut kernel: Kernel) -> ! {
    if let Some(name) = kernel.command_line.get("test") {
        selftest::run(&mut kernel, name);
    }
    for (name, contents) in kernel.modules.iter() {
        say(format_args!("module {}: {} bytes", name.escape_ascii(), contents.len()));
    }
    let kernel_bytes = kernel.kernel_file.map_or(0, <[u8]>::len);
    say(format_args!("the kernel's file has {kernel_bytes} bytes"));
    kernel.platform.power().off(ExitStatus::Success)
}
