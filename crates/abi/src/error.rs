//! Why a call was refused. The numbers are part of the record format and of
//! the payload interface: a call returns its result, or the negated number.

/// Where in the gate a call was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// It was not refused.
    None = 0,
    /// The operator has stopped the gate.
    Halt = 1,
    /// Its arguments do not describe a call.
    Arguments = 2,
    /// The capability does not allow it.
    Capability = 3,
    /// It needs a proof that is not there or does not hold.
    Proof = 4,
    /// It is allowed, but cannot be done.
    Effect = 5,
    /// There is no room left to witness it.
    Witness = 6,
}

impl Stage {
    /// The stage with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::None,
            1 => Self::Halt,
            2 => Self::Arguments,
            3 => Self::Capability,
            4 => Self::Proof,
            5 => Self::Effect,
            6 => Self::Witness,
            _ => return None,
        })
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Halt => "halt",
            Self::Arguments => "arguments",
            Self::Capability => "capability",
            Self::Proof => "proof",
            Self::Effect => "effect",
            Self::Witness => "witness",
        }
    }
}

macro_rules! errors {
    ($($(#[doc = $doc:literal])+ $variant:ident = $number:literal, $stage:ident;)*) => {
        /// A reason. Zero means success and is not listed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u16)]
        pub enum Error { $($(#[doc = $doc])+ $variant = $number,)* }

        impl Error {
            /// Every reason, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The reason with this number.
            pub const fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// The stage it belongs to.
            pub const fn stage(self) -> Stage {
                match self { $(Self::$variant => Stage::$stage,)* }
            }

            /// What went wrong, as the second half of a sentence.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc,)+).trim_ascii(),)* }
            }

            /// Its name, as in this file.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)* }
            }
        }
    };
}

errors! {
    /// the operator has stopped the machine
    Halted = 1, Halt;
    /// the task, or the machine, ended before the call completed
    CutShort = 2, Halt;

    /// the memory range is not inside the caller's memory
    BadPointer = 16, Arguments;
    /// the length is zero or larger than the call takes
    BadLength = 17, Arguments;
    /// two memory ranges of the call overlap
    Overlap = 18, Arguments;
    /// the call has no such operation
    BadOperation = 19, Arguments;
    /// an argument has a value that means nothing
    BadArgument = 20, Arguments;
    /// a number is not finite
    NotFinite = 21, Arguments;

    /// the handle names no capability of the caller
    BadHandle = 32, Capability;
    /// the handle's slot was reused since
    StaleHandle = 33, Capability;
    /// the capability is for another kind of object
    WrongKind = 34, Capability;
    /// the capability lacks a right that the call needs
    MissingRight = 35, Capability;
    /// the capability was revoked
    Revoked = 36, Capability;
    /// the capability has expired
    Expired = 37, Capability;
    /// the capability has no uses left
    Exhausted = 38, Capability;
    /// the grant asks for more than the giver holds
    Amplification = 39, Capability;
    /// the capability is derived as deep as it may be
    TooDeep = 40, Capability;

    /// the mutation needs a proof
    ProofRequired = 48, Proof;
    /// the proof is of a lower tier than the object takes
    TierTooLow = 49, Proof;
    /// the signature does not hold
    BadSignature = 50, Proof;
    /// the signer is not trusted for this
    UntrustedKey = 51, Proof;
    /// the signer's key was revoked
    RevokedKey = 52, Proof;
    /// the file carries no signature
    Unsigned = 53, Proof;
    /// the proof is for another object
    WrongObject = 54, Proof;
    /// the proof is for another slot
    WrongSlot = 55, Proof;
    /// the proof is for another mutation
    WrongMutation = 56, Proof;
    /// the slot changed since the proof was made
    StaleState = 57, Proof;
    /// the nonce was used before, or is too old
    Replayed = 58, Proof;
    /// the proof has expired
    ProofExpired = 59, Proof;
    /// the guard program refused
    GuardRefused = 60, Proof;
    /// the package's version is below the least one trusted
    VersionTooOld = 61, Proof;
    /// no standing approval covers the claim
    NotApproved = 62, Proof;

    /// this build does not do that
    Unsupported = 80, Effect;
    /// the queue is full
    QueueFull = 81, Effect;
    /// nothing arrived before the deadline
    TimedOut = 82, Effect;
    /// the range is not inside the object
    OutOfRange = 83, Effect;
    /// there is nothing by that name or key
    NotFound = 84, Effect;
    /// there is already something by that name or key
    AlreadyExists = 85, Effect;
    /// the table of such objects is full
    TableFull = 86, Effect;
    /// the object is of a type that does not allow it
    WrongMode = 87, Effect;
    /// the message's type is not the queue's
    WrongType = 88, Effect;
    /// the object is in use
    Busy = 89, Effect;
    /// the machine has no memory left for it
    OutOfMemory = 90, Effect;
    /// the partition's budget of fuel is spent
    FuelBudget = 91, Effect;
    /// the partition's budget of bytes is spent
    ByteBudget = 92, Effect;
    /// the vector's norm is zero
    ZeroNorm = 93, Effect;
    /// the budget asked for is more than the caller has
    OverBudget = 94, Effect;
    /// the answer does not fit into the caller's window
    TooSmall = 96, Effect;
    /// the store has no free slot
    StoreFull = 97, Effect;
    /// the region has no room left
    RegionFull = 98, Effect;
    /// the slot of the slab was freed or reused since
    StaleSlot = 99, Effect;

    /// the file is not an RVF file
    NotRvf = 112, Effect;
    /// the file ends before its last segment does
    Truncated = 113, Effect;
    /// a segment's header breaks the format
    BadSegment = 114, Effect;
    /// the manifest is not what the format says
    BadManifest = 115, Effect;
    /// a part's SHA-256 is not the one in the manifest
    DigestMismatch = 116, Effect;
    /// the manifest names a part that the file does not have
    MissingPart = 117, Effect;
    /// the manifest names two objects alike
    DuplicateName = 118, Effect;

    /// the component is not a Wasm module this machine runs
    NotWasm = 128, Effect;
    /// the component imports something that is not offered
    UnknownImport = 129, Effect;
    /// the component does not export what it must
    MissingExport = 130, Effect;
    /// the component needs more memory than it may have
    MemoryLimit = 131, Effect;
    /// the component failed while it was set up
    StartFailed = 132, Effect;

    /// the partition's budget of records is spent
    RecordBudget = 144, Witness;
    /// the log has no room left
    LogFull = 145, Witness;
}

impl Error {
    /// The number, which is never zero.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// What a payload sees: the negated number.
    pub const fn to_guest(self) -> i64 {
        -(self as u16 as i64)
    }

    /// The reason in a payload's return value, where it is one.
    pub const fn from_guest(value: i64) -> Option<Self> {
        if value < 0 && value >= -(u16::MAX as i64) {
            Self::from_number((-value) as u16)
        } else {
            None
        }
    }
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_reasons_convert_both_ways() {
        for &error in Error::ALL {
            assert_eq!(Error::from_number(error.number()), Some(error));
            assert_eq!(Error::from_guest(error.to_guest()), Some(error));
        }
        assert_eq!(Error::from_number(0), None);
        assert_eq!(Error::from_guest(0), None);
        assert_eq!(Error::from_guest(i64::MIN), None);
    }

    #[test]
    fn texts_have_no_loose_blanks() {
        for &error in Error::ALL {
            assert_eq!(error.text(), error.text().trim());
        }
    }
}
