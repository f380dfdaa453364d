//! Why nothing is started.

use core::fmt;

use boot_contract::answer::AnswerError;
use boot_contract::elf::ElfError;
use boot_contract::memory::MemoryError;
use boot_contract::paging::MapError;
use boot_contract::request::RequestError;
use package::PackageError;
use witness::note::NoteError;
use witness::trust::TrustError;

use crate::paths;

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A file is not there.
    Missing(&'static str),
    /// Firmware cannot read a file: its status.
    Unreadable(&'static str, usize),
    /// The trust file is not one of this loader's root key.
    Trust(TrustError),
    /// The kernel's signature is not one by a trusted operator.
    Kernel(NoteError),
    /// The package is not one of a trusted operator, or not whole.
    Package(PackageError),
    /// The kernel cannot be loaded.
    Elf(ElfError),
    /// The kernel asks for what this loader has not got.
    Request(RequestError),
    /// The kernel's own entry point is not in its code.
    Entry,
    /// The command line holds something else than printable ASCII.
    CommandLine,
    /// Firmware could not do something: what, and its status.
    Firmware(&'static str, usize),
    /// The memory map cannot be handed over.
    Memory(MemoryError),
    /// The tables cannot be built.
    Map(MapError),
    /// The answers cannot be given.
    Answer(AnswerError),
    /// The processor lacks something.
    Processor(&'static str),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = |path: &'static str| path.trim_start_matches('/');
        let (kernel, signature) = (path(paths::KERNEL), path(paths::KERNEL_SIGNATURE));
        match self {
            Self::Missing(paths::KERNEL_SIGNATURE) => {
                write!(f, "{kernel} is unsigned: {signature} is missing on the boot partition")
            }
            Self::Missing(file) => write!(f, "{} is missing on the boot partition", path(file)),
            Self::Unreadable(file, status) => {
                write!(f, "{} cannot be read: firmware says error {status}", path(file))
            }
            Self::Trust(error) => trust(f, path(paths::TRUST), error),
            Self::Kernel(error) => match error {
                NoteError::UnknownKey => {
                    write!(
                        f,
                        "{kernel} is signed by a stranger: {signature} is by no trusted operator"
                    )
                }
                NoteError::BadSignature => write!(
                    f,
                    "{kernel} is not the file that was signed: it or {signature} was changed or cut"
                ),
                NoteError::Malformed | NoteError::TooLarge => {
                    write!(f, "{kernel} is unsigned: {signature} is no signature ({error})")
                }
            },
            Self::Package(error) => write!(f, "{}: {error}", path(paths::PACKAGE)),
            Self::Elf(error) => write!(f, "{kernel} {error}"),
            Self::Request(error) => write!(f, "{kernel} {error}"),
            Self::Entry => write!(f, "{kernel} asks to be entered outside its code"),
            Self::CommandLine => {
                write!(f, "{} is not printable ASCII", path(paths::COMMAND_LINE))
            }
            Self::Firmware(what, status) => write!(f, "firmware cannot {what}: error {status}"),
            Self::Memory(error) => error.fmt(f),
            Self::Map(error) => error.fmt(f),
            Self::Answer(error) => error.fmt(f),
            Self::Processor(what) => f.write_str(what),
        }
    }
}

impl core::error::Error for Refusal {}

fn trust(f: &mut fmt::Formatter<'_>, file: &str, error: &TrustError) -> fmt::Result {
    match error {
        TrustError::Note(NoteError::UnknownKey) => {
            write!(f, "{file} is signed by a stranger: not by the root key of this loader")
        }
        TrustError::Note(NoteError::BadSignature) => {
            write!(f, "{file} was changed after the root key signed it")
        }
        TrustError::Note(error) => write!(f, "{file} is unsigned: {error}"),
        error => write!(f, "{file} is no trust file: {error}"),
    }
}

boot_contract::from_errors! { Refusal:
    TrustError => Trust;
    PackageError => Package;
    ElfError => Elf;
    RequestError => Request;
    MemoryError => Memory;
    MapError => Map;
    AnswerError => Answer;
}
