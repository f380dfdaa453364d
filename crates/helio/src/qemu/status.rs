//! What QEMU's exit status says about the machine in it.

use std::fmt;
use std::process::ExitStatus;

/// How the kernel ended.
pub use hal::traits::ExitStatus as MachineStatus;

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
    /// The person at the prompt left it.
    Left,
    /// Not yet: it waits at its prompt.
    Waits,
}

impl End {
    /// Reads QEMU's exit status. Both machines give the kernel's in the same
    /// way (`isa-debug-exit` dictates it): with 16 added, doubled, plus one;
    /// smaller ones are QEMU's own.
    pub fn of(status: ExitStatus) -> Self {
        let Some(code) = status.code() else { return Self::Killed };
        if code == 0 {
            return Self::Silent;
        }
        Some(code)
            .filter(|code| code % 2 == 1)
            .and_then(|code| u8::try_from((code / 2).checked_sub(MachineStatus::BASE.into())?).ok())
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
            Self::Machine(status) => write!(f, "the machine {}", text(*status)),
            Self::Silent => f.write_str("the machine was switched off or reset without a status"),
            Self::Qemu(code) => write!(f, "QEMU failed with status {code}"),
            Self::Killed => f.write_str("QEMU was killed"),
            Self::TimedOut => f.write_str("the machine reached the time limit"),
            Self::Waits => f.write_str("the machine waits at its prompt"),
            Self::Left => f.write_str("you left the machine at its prompt"),
        }
    }
}

/// What a status means, as the end of "the machine …".
const fn text(status: MachineStatus) -> &'static str {
    match status {
        MachineStatus::Success => "did everything asked for",
        MachineStatus::TaskFailed => "ended, but a task or the package failed",
        MachineStatus::Panic => "panicked",
        MachineStatus::WriteFault => "wrote to memory that is not writable",
        MachineStatus::ExecuteFault => "jumped into memory that is not executable",
        MachineStatus::StackOverflow => "overflowed a stack",
        MachineStatus::NullAccess => "touched page zero",
        MachineStatus::OtherFault => "had a processor fault",
        MachineStatus::InitFailed => "did not finish its start",
        MachineStatus::LogFailed => "could not write its log",
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn exit(code: i32) -> End {
        End::of(ExitStatus::from_raw(code << 8))
    }

    #[test]
    fn every_status_survives_the_way_out() {
        for (number, status) in (0..).zip(MachineStatus::ALL) {
            assert_eq!(status as u8, number);
            let sum = i32::from(number + MachineStatus::BASE);
            assert_eq!(exit((sum << 1) | 1), End::Machine(status));
        }
    }

    #[test]
    fn qemus_own_statuses_are_not_the_machines() {
        assert_eq!(exit(0), End::Silent);
        for code in [1, 2, 10, 34, 53] {
            assert_eq!(exit(code), End::Qemu(code));
        }
        assert_eq!(End::of(ExitStatus::from_raw(9)), End::Killed);
    }
}
