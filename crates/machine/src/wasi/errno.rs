//! Error numbers of WASI preview 1, and which of them a refusal of the gate
//! becomes.

use abi::Error;

/// What a function answers where it did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(u16);

impl Errno {
    pub(super) const SUCCESS: Self = Self(0);
    pub(super) const ACCES: Self = Self(2);
    pub(super) const BADF: Self = Self(8);
    pub(super) const EXIST: Self = Self(20);
    pub(super) const FAULT: Self = Self(21);
    pub(super) const INVAL: Self = Self(28);
    pub(super) const IO: Self = Self(29);
    pub(super) const ISDIR: Self = Self(31);
    pub(super) const MFILE: Self = Self(33);
    pub(super) const NAMETOOLONG: Self = Self(37);
    pub(super) const NOENT: Self = Self(44);
    pub(super) const NOSYS: Self = Self(52);
    pub(super) const NOTDIR: Self = Self(54);
    pub(super) const OVERFLOW: Self = Self(61);
    pub(super) const ROFS: Self = Self(69);
    pub(super) const SPIPE: Self = Self(70);
    pub(super) const NOTCAPABLE: Self = Self(76);

    /// Its number.
    pub(super) const fn number(self) -> u16 {
        self.0
    }
}

impl From<Error> for Errno {
    fn from(error: Error) -> Self {
        match error {
            Error::BadHandle | Error::StaleHandle | Error::WrongKind => Self::BADF,
            Error::MissingRight | Error::Revoked | Error::Expired | Error::Exhausted => Self::ACCES,
            Error::BadPointer => Self::FAULT,
            _ => Self::IO,
        }
    }
}
