//! After init: one run, from its settings to the end of the machine.

use hal::traits::{ExitStatus, Platform};

use crate::console::warn;
use crate::session::{Finish, Session};
use crate::settings::Settings;
use crate::{Kernel, selftest};

/// Runs the machine until it is switched off.
pub fn run(mut kernel: Kernel) -> ! {
    if let Some(name) = kernel.command_line.get("test") {
        selftest::run(&mut kernel, name);
    }
    let settings = match Settings::read(&kernel, kernel.hasher) {
        Ok(settings) => settings,
        Err(unfit) => {
            warn(format_args!("there is nothing to run: {unfit}"));
            kernel.platform.power().off(ExitStatus::TaskFailed)
        }
    };
    let mut session = match Session::start(kernel, settings) {
        Ok(session) => session,
        Err(failure) => {
            warn(format_args!("the log cannot be written: {failure}"));
            crate::Machine::emergency_off(ExitStatus::LogFailed)
        }
    };
    let finish = session.run();
    let mut kernel = session.into_kernel();
    match finish {
        Ok(Finish { reboot: true, .. }) => kernel.platform.power().reboot(),
        Ok(Finish { status, .. }) => kernel.platform.power().off(status),
        Err(failure) => {
            // What was not committed is not shown either.
            warn(format_args!("the log cannot be written: {failure}"));
            kernel.platform.power().off(ExitStatus::LogFailed)
        }
    }
}
