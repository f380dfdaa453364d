//! Detached signatures over files that are checked before they run.

use crate::{Hash, hex, note, note::SigningKey};
use alloc::{format, string::String};

/// What a signed file is for, so that one cannot stand in for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A kernel.
    Kernel,
    /// A loader.
    Loader,
}

impl FileKind {
    /// Its name in the signed text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Loader => "loader",
        }
    }
}

/// The text that is signed for a file with this SHA-256.
pub fn text(kind: FileKind, digest: &Hash) -> String {
    format!("heliograph-signature@v1\n{}\n{}\n", kind.name(), hex::encode(digest))
}

/// The content of a signature file: a note signed by an operator.
pub fn sign(kind: FileKind, digest: &Hash, operator: &str, key: &SigningKey) -> String {
    note::sign(&text(kind, digest), operator, key)
}
