//! What QEMU's exit status says about the machine in it.

use std::fmt;
use std::process::ExitStatus;

use super::description::ExitDevice;

/// How the kernel ended. The numbers are those of the kernel's HAL
/// (`hal/src/traits.rs`, `ExitStatus`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum MachineStatus {
    /// Everything asked for was done.
    Success = 0,
    /// The run ended, but a task or the package failed.
    TaskFailed = 1,
    /// The kernel panicked.
    Panic = 2,
    /// A write to memory that is not writable.
    WriteFault = 3,
    /// A jump into memory that is not executable.
    ExecuteFault = 4,
    /// A stack ran into its guard page.
    StackOverflow = 5,
    /// Page zero was touched.
    NullAccess = 6,
    /// Another fault.
    OtherFault = 7,
    /// An init phase failed.
    InitFailed = 8,
    /// The log could not be written.
    LogFailed = 9,
}

impl MachineStatus {
    /// Every status, by number.
    pub const ALL: [Self; 10] = [
        Self::Success,
        Self::TaskFailed,
        Self::Panic,
        Self::WriteFault,
        Self::ExecuteFault,
        Self::StackOverflow,
        Self::NullAccess,
        Self::OtherFault,
        Self::InitFailed,
        Self::LogFailed,
    ];

    /// The status with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// What it means, as the end of "the machine …".
    pub const fn text(self) -> &'static str {
        match self {
            Self::Success => "did everything asked for",
            Self::TaskFailed => "ended, but a task or the package failed",
            Self::Panic => "panicked",
            Self::WriteFault => "wrote to memory that is not writable",
            Self::ExecuteFault => "jumped into memory that is not executable",
            Self::StackOverflow => "overflowed a stack",
            Self::NullAccess => "touched page zero",
            Self::OtherFault => "had a processor fault",
            Self::InitFailed => "did not finish its start",
            Self::LogFailed => "could not write its log",
        }
    }
}

/// How a run in QEMU ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The kernel said how.
    Machine(MachineStatus),
    /// The machine was switched off or reset without a word.
    Silent,
    /// QEMU itself failed, with this status.
    Qemu(i32),
    /// Something ended QEMU by a signal.
    Killed,
    /// The time limit was reached.
    TimedOut,
}

impl End {
    /// Reads a status as `device` makes it.
    pub fn of(status: ExitStatus, device: ExitDevice) -> Self {
        let Some(code) = status.code() else { return Self::Killed };
        // QEMU's own failures are status 1 on both machines: on x86_64 that is
        // a value no kernel writes, on AArch64 it is told apart by the caller,
        // which knows whether the machine ever said anything.
        let number = match device {
            ExitDevice::DebugPort => match code {
                0 => return Self::Silent,
                _ if code % 2 == 1 => (code / 2).checked_sub(0x10),
                _ => None,
            },
            ExitDevice::Semihosting => Some(code),
        };
        number
            .and_then(|number| u8::try_from(number).ok())
            .and_then(MachineStatus::from_number)
            .map_or(Self::Qemu(code), Self::Machine)
    }

    /// Whether the machine ended as it should.
    pub fn is_success(self) -> bool {
        self == Self::Machine(MachineStatus::Success)
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machine(status) => write!(f, "the machine {}", status.text()),
            Self::Silent => f.write_str("the machine was switched off or reset without a status"),
            Self::Qemu(code) => write!(f, "QEMU failed with status {code}"),
            Self::Killed => f.write_str("QEMU was killed"),
            Self::TimedOut => f.write_str("the machine reached the time limit"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn exit(code: i32, device: ExitDevice) -> End {
        End::of(ExitStatus::from_raw(code << 8), device)
    }

    #[test]
    fn every_status_survives_both_ways_out() {
        for (number, status) in (0..).zip(MachineStatus::ALL) {
            let end = End::Machine(status);
            assert_eq!(exit(((number + 0x10) << 1) | 1, ExitDevice::DebugPort), end);
            assert_eq!(exit(number, ExitDevice::Semihosting), end);
        }
    }

    #[test]
    fn qemus_own_statuses_are_not_the_machines() {
        assert_eq!(exit(0, ExitDevice::DebugPort), End::Silent);
        assert_eq!(exit(1, ExitDevice::DebugPort), End::Qemu(1));
        assert_eq!(exit(2, ExitDevice::DebugPort), End::Qemu(2));
        assert_eq!(exit(10, ExitDevice::Semihosting), End::Qemu(10));
        assert_eq!(End::of(ExitStatus::from_raw(9), ExitDevice::DebugPort), End::Killed);
    }
}
