//! What a kernel is built, and an image made, for.

use std::fmt;

use clap::ValueEnum;

use crate::arch::Arch;

/// A target: an architecture, or a board that needs an image of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// A PC.
    #[value(name = "x86_64")]
    X86_64,
    /// A 64-bit ARM machine with UEFI, or QEMU's virt.
    #[value(name = "aarch64")]
    Aarch64,
    /// A Raspberry Pi 4.
    #[value(name = "rpi4")]
    Rpi4,
}

impl Target {
    /// Its name, as in folders and on command lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
            Self::Rpi4 => "rpi4",
        }
    }

    /// The architecture of its processor.
    pub const fn arch(self) -> Arch {
        match self {
            Self::X86_64 => Arch::X86_64,
            Self::Aarch64 | Self::Rpi4 => Arch::Aarch64,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
