//! Why a package is refused: at which stage, because of which part of it, and
//! for what reason.

use alloc::string::String;
use core::fmt;

use abi::Error;

/// How far reading had come. The order is the order of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Headers, padding and the order of segments.
    Container,
    /// Finding and checking the signature.
    Signature,
    /// Whether the signer, and this version, are trusted.
    Trust,
    /// The manifest's bytes and what they say.
    Manifest,
    /// The components and regions that the manifest names.
    Parts,
}

impl Stage {
    /// Its name in one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Signature => "signature",
            Self::Trust => "trust",
            Self::Manifest => "manifest",
            Self::Parts => "parts",
        }
    }
}

/// What the refusal is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// The file as a whole.
    File,
    /// The segment whose header begins at this byte.
    Segment {
        /// Offset in the file, in bytes.
        offset: usize,
    },
    /// The signature segment.
    Signature,
    /// A signer's public key.
    Key([u8; 32]),
    /// A place in the manifest, such as `tasks[2].name`; empty for all of it.
    Manifest(String),
    /// A component or region, by its name.
    Part(String),
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("the file"),
            Self::Segment { offset } => write!(f, "the segment at byte {offset}"),
            Self::Signature => f.write_str("the signature segment"),
            Self::Key(key) => {
                f.write_str("the key ")?;
                key.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::Manifest(path) if path.is_empty() => f.write_str("the manifest"),
            Self::Manifest(path) => write!(f, "the manifest's {path}"),
            Self::Part(name) => write!(f, "the part \"{name}\""),
        }
    }
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $variant:ident => $error:ident;)*) => {
        /// What is wrong with it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Reason { $($(#[doc = $doc])+ $variant,)* }

        impl Reason {
            /// Every reason, in order of reading.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// What went wrong, as the second half of a sentence.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc,)+).trim_ascii(),)* }
            }

            /// The number it has in records and for payloads.
            pub const fn error(self) -> Error {
                match self { $(Self::$variant => Error::$error,)* }
            }
        }
    };
}

reasons! {
    /// is not an RVF file: it does not begin with a segment header
    NotRvf => NotRvf;
    /// ends before its last segment does
    Truncated => Truncated;
    /// is not a segment: its magic is wrong
    BadMagic => BadSegment;
    /// is of an RVF version other than 1
    UnknownVersion => BadSegment;
    /// is longer than a file can be
    TooLong => BadSegment;
    /// has padding that is not zero
    PaddingNotZero => BadSegment;
    /// has a signature footer that breaks the format
    BadFooter => BadSegment;
    /// has more than 1024 segments
    TooManySegments => BadSegment;
    /// has an id that does not follow the one before
    BadSegmentId => BadSegment;
    /// has a header with a field that is not what a package's part has
    BadHeaderField => BadSegment;
    /// has a content hash that its payload does not have
    BadContentHash => BadSegment;

    /// carries no signature
    Unsigned => Unsigned;
    /// was revoked
    RevokedKey => RevokedKey;
    /// is not an operator's
    UntrustedKey => UntrustedKey;
    /// signed something else, or did not sign
    BadSignature => BadSignature;
    /// is below the least version trusted
    VersionTooOld => VersionTooOld;

    /// is larger than 65536 bytes
    ManifestTooLarge => BadManifest;
    /// is not JSON
    NotJson => BadManifest;
    /// has a number that is not an integer from -(2^53 - 1) to 2^53 - 1
    BadNumber => BadManifest;
    /// is nested too deeply
    TooDeep => BadManifest;
    /// names a member twice
    DuplicateMember => BadManifest;
    /// is JSON, but not in canonical form (RFC 8785)
    NotCanonical => BadManifest;
    /// is not a format that this reader knows, which is 1
    UnknownFormat => BadManifest;
    /// has a value of another type than the format asks for
    WrongType => BadManifest;
    /// is missing
    MissingMember => BadManifest;
    /// is a member that the format does not know
    UnknownMember => BadManifest;
    /// says what leaving it out says, and so must be left out
    DefaultPresent => BadManifest;
    /// is not for a store of this tier
    NotForTier => BadManifest;
    /// is empty
    Empty => BadManifest;
    /// is out of range
    OutOfRange => BadManifest;
    /// has more elements than the format allows
    TooMany => BadManifest;
    /// is not a name: 1 to 64 characters of A-Z a-z 0-9 . _ -, a letter or digit first
    BadName => BadManifest;
    /// is not 32 bytes in lower-case hexadecimal
    BadDigest => BadManifest;
    /// is not a decimal number from 0 to 2^64 - 1, as a string without leading zeros
    BadCounter => BadManifest;
    /// is not one of the words that the format knows there
    UnknownWord => BadManifest;
    /// is not in growing order
    NotSorted => BadManifest;
    /// asks for more than the package's limits
    OverLimit => BadManifest;
    /// names an object that the package does not have
    NoSuchObject => MissingPart;
    /// is a name that is taken
    DuplicateName => DuplicateName;

    /// names a segment that the file does not have
    MissingPart => MissingPart;
    /// names a segment of another type
    WrongSegmentType => MissingPart;
    /// names a segment that an earlier part names
    SegmentTwice => BadManifest;
    /// has a WasmHeader that breaks RVF's format
    BadWasmHeader => BadSegment;
    /// has a SHA-256 other than the one in the manifest
    DigestMismatch => DigestMismatch;
}

/// A package's refusal, with all that a user needs to find the fault.
///
/// As text it is one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageError {
    /// How far reading had come.
    pub stage: Stage,
    /// What is at fault.
    pub object: Object,
    /// What is wrong with it.
    pub reason: Reason,
}

impl PackageError {
    /// The reason as a number for records and payloads.
    pub const fn error(&self) -> Error {
        self.reason.error()
    }
}

impl From<&PackageError> for Error {
    fn from(refusal: &PackageError) -> Self {
        refusal.error()
    }
}

impl fmt::Display for PackageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = self.stage.name();
        write!(f, "package refused ({stage}): {} {}", self.object, self.reason.text())
    }
}

impl core::error::Error for PackageError {}

/// Makes the constructors of each stage's errors short.
impl Stage {
    pub(crate) fn refuse(self, object: Object, reason: Reason) -> PackageError {
        PackageError { stage: self, object, reason }
    }

    pub(crate) fn refuse_segment(self, offset: usize, reason: Reason) -> PackageError {
        self.refuse(Object::Segment { offset }, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_refusal_reads_as_one_sentence() {
        for &reason in Reason::ALL {
            let text = reason.text();
            assert_eq!(text, text.trim());
            assert!(!text.ends_with('.') && !text.is_empty(), "{text}");
        }
        let refusal = Stage::Trust.refuse(Object::Key([0xab; 32]), Reason::RevokedKey);
        let text = "package refused (trust): the key ".to_string() + &"ab".repeat(32);
        assert_eq!(refusal.to_string(), text + " was revoked");
    }
}
