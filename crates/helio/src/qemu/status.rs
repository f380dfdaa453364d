//! What QEMU's exit status says about the machine in it.

use std::fmt;
use std::process::ExitStatus;

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

/// What the kernel adds to its status.
const STATUS_BASE: i32 = 0x10;

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
            .and_then(|code| u8::try_from((code / 2).checked_sub(STATUS_BASE)?).ok())
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
            Self::Waits => f.write_str("the machine waits at its prompt"),
            Self::Left => f.write_str("you left the machine at its prompt"),
        }
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
            assert_eq!(exit(((number + STATUS_BASE) << 1) | 1), End::Machine(status));
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
