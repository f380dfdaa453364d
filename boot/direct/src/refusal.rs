//! Why nothing is started.

use core::fmt;

use boot_contract::answer::AnswerError;
use boot_contract::archive::ArchiveError;
use boot_contract::elf::ElfError;
use boot_contract::memory::MemoryError;
use boot_contract::paging::MapError;
use boot_contract::request::RequestError;

/// The first thing that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no device tree, and no board that is known without.
    Tree,
    /// The device tree is damaged.
    DamagedTree,
    /// The device tree names no memory.
    NoMemoryNode,
    /// There is neither an initial RAM disk nor something behind the image.
    NoArchive,
    /// There is, but it is no archive.
    Archive(ArchiveError),
    /// The archive has no kernel.
    NoKernel,
    /// The kernel cannot be loaded.
    Elf(ElfError),
    /// The kernel asks for what this loader has not got.
    Request(RequestError),
    /// The kernel's own entry point is not in its code.
    Entry,
    /// The command line is too long, or holds something else than printable
    /// ASCII.
    CommandLine,
    /// There is not enough memory.
    NoMemory,
    /// The memory map cannot be handed over.
    Memory(MemoryError),
    /// The tables cannot be built.
    Map(MapError),
    /// The answers cannot be given.
    Answer(AnswerError),
    /// The machine was left at exception level 3 with an interrupt controller
    /// that nobody here can hand on.
    Secure,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tree => f.write_str("register x0 points to no device tree"),
            Self::DamagedTree => f.write_str("the device tree that x0 points to is damaged"),
            Self::NoMemoryNode => f.write_str("the device tree names no memory"),
            Self::NoArchive => f.write_str(
                "there is no archive with the kernel: give one as -initrd, or append it to the image",
            ),
            Self::Archive(error) => write!(f, "the initial RAM disk {error}"),
            Self::NoKernel => f.write_str("the archive has no file kernel.elf"),
            Self::Elf(error) => write!(f, "kernel.elf {error}"),
            Self::Request(error) => write!(f, "kernel.elf {error}"),
            Self::Entry => f.write_str("kernel.elf asks to be entered outside its code"),
            Self::CommandLine => f.write_str(
                "the command line is not printable ASCII, or longer than 3 KiB",
            ),
            Self::NoMemory => f.write_str("there is not enough memory in one piece"),
            Self::Memory(error) => error.fmt(f),
            Self::Map(error) => error.fmt(f),
            Self::Answer(error) => error.fmt(f),
            Self::Secure => f.write_str(
                "the image was entered at exception level 3, and the device tree has no GICv2",
            ),
        }
    }
}

impl core::error::Error for Refusal {}

boot_contract::from_errors! { Refusal:
    ArchiveError => Archive;
    ElfError => Elf;
    RequestError => Request;
    MemoryError => Memory;
    MapError => Map;
    AnswerError => Answer;
}
