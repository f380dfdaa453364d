#![no_std]
#![no_main]
//! The bare-metal program: from the loader to a running cell.
//!
//! The port's assembly gives it a stack and a working processor and calls
//! [`kernel_main`]. Init is a table of phases in [`init`]; what they make is
//! a [`Kernel`], which [`run`] drives until the machine is switched off.

extern crate alloc;

mod boot;
mod console;
mod hardware;
mod heap;
mod idle;
mod init;
mod log;
mod memory;
mod run;
mod selftest;
mod sensors;
mod session;
mod settings;
mod shell;
mod trap;
mod view;

use hal::boot::BootInfo;
use hal::traits::{ExitStatus, Platform};
use kernel::command_line::CommandLine;
use kernel::phases::{self, Progress};
use witness::sha256::{Hash, Hasher};

use crate::boot::Modules;
use crate::console::{say, warn};

/// The machine this kernel was built for.
pub type Machine = hal::Machine;
/// Its disk.
pub type Disk = <Machine as Platform>::Disk;

/// Everything that init has made.
pub struct Kernel {
    /// The devices.
    pub platform: Machine,
    /// How the kernel was started.
    pub boot: &'static BootInfo<'static>,
    /// The kernel command line.
    pub command_line: CommandLine<'static>,
    /// Files that the loader handed over.
    pub modules: Modules,
    /// SHA-256 by the fastest means the processor has.
    pub hasher: Hasher,
    /// SHA-256 of the kernel's own file; zeros where the loader does not hand
    /// it over.
    pub kernel_digest: Hash,
    /// Names this boot, as far as the machine has entropy.
    pub boot_id: [u8; 16],
    /// Where the log goes, if not out by the console.
    pub log_disk: Option<Disk>,
}

/// Called once by the port, on the boot stack, with interrupts disabled.
#[unsafe(no_mangle)]
extern "C" fn kernel_main() -> ! {
    say(format_args!("Heliograph {}", env!("CARGO_PKG_VERSION")));
    let mut init = init::Init::default();
    let fail = boot::command_line().get("fail");
    let result =
        phases::run(&init::PHASES, &mut init, fail, &mut |_, name, progress| match progress {
            Progress::Done => say(format_args!("init: {name} done")),
            Progress::Failed(why) => warn(format_args!("init: {name} failed: {why}")),
            Progress::Undone => say(format_args!("init: {name} undone")),
            Progress::Stays(why) => say(format_args!("init: {name} stays: {why}")),
        });
    match (result, init.finish()) {
        (Ok(()), Some(kernel)) => run::run(kernel),
        (Err(failure), _) => {
            warn(format_args!(
                "the machine cannot start: {} failed: {}",
                failure.phase, failure.diagnosis
            ));
            // Where the phase that finds a console was not reached, it is
            // found for this.
            if !console::works()
                && let Ok(boot) = boot::take()
            {
                Machine::early(boot, &trap::HANDLERS);
            }
            console::replay();
            Machine::emergency_off(ExitStatus::InitFailed)
        }
        (Ok(()), None) => {
            warn(format_args!("the machine cannot start: a phase left its work undone"));
            Machine::emergency_off(ExitStatus::InitFailed)
        }
    }
}
