//! Exit codes. They are part of the interface: scripts and CI rely on them.

/// How `helio` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Done; for `verify` and `run`: verified; for `replay`: equal, or stopped
    /// where it was to stop.
    Success = 0,
    /// `diff`: the logs differ, or the one is no prefix of the other. `run`:
    /// the machine, a task or QEMU failed. `dtb`: the kernel cannot run with
    /// this tree. `security`: there are findings of the level that counts.
    Failed = 1,
    /// The command line or a file given to it is wrong. Nothing was written.
    WrongInput = 2,
    /// The log is forged or damaged; `keys verify`: the signature does not hold.
    Forged = 3,
    /// The log is not all there.
    Incomplete = 4,
    /// The log is signed by another key than the one given.
    WrongKey = 5,
    /// QEMU, its firmware or another program is not installed.
    Missing = 6,
    /// `replay`: the log is not what the package computes.
    Diverged = 7,
    /// `replay`: an input of the run is not at hand.
    NotReproducible = 8,
}

impl ExitCode {
    /// Every code, in order.
    pub const ALL: [Self; 9] = [
        Self::Success,
        Self::Failed,
        Self::WrongInput,
        Self::Forged,
        Self::Incomplete,
        Self::WrongKey,
        Self::Missing,
        Self::Diverged,
        Self::NotReproducible,
    ];
}

/// The table that `helio --help` ends with.
pub const HELP: &str = "Exit codes:
  0  done; verified; equal; replayed equal
  1  the run or a task failed; the logs differ; the tree or image is not fit
  2  wrong input or usage; nothing was written
  3  the log is forged or damaged; a signature does not hold
  4  the log is incomplete
  5  the log is signed by another key
  6  a program that is needed is not installed
  7  the replay diverged from the log
  8  the run cannot be reproduced: an input is not at hand";

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_lists_every_code() {
        for code in ExitCode::ALL {
            assert!(HELP.contains(&format!("\n  {}  ", code as u8)), "{code:?}");
        }
    }
}
