//! A proof that one record is in a log (C2SP tlog-proof), for whoever has the
//! record and the device's key but not the log.

use crate::{
    Hash, Hasher, base64,
    checkpoint::Checkpoint,
    json, note,
    note::{NoteError, VerifierKey},
    tree,
};
use alloc::{format, string::String, vec::Vec};
use core::fmt;

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// A record's place in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionProof {
    /// The record's number.
    pub index: u64,
    /// Siblings from the leaf upward.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// Why a proof does not show what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofError {
    /// It breaks the format.
    Malformed,
    /// The checkpoint's note does not open.
    Note(NoteError),
    /// The record is not at this place under this root.
    NotIncluded,
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("not a tlog-proof"),
            Self::Note(error) => error.fmt(f),
            Self::NotIncluded => f.write_str("the record is not in the log at this place"),
        }
    }
}

impl core::error::Error for ProofError {}

impl InclusionProof {
    /// Proof for record `index` of the log with these ids, under a checkpoint
    /// of all of them. `None` if there is no such record.
    pub fn new(hasher: Hasher, ids: &[Hash], index: u64, checkpoint: &str) -> Option<Self> {
        let hashes = tree::inclusion_proof(hasher, ids, index)?;
        Some(Self { index, hashes, checkpoint: checkpoint.into() })
    }

    /// The proof as text.
    pub fn text(&self) -> String {
        let mut text = format!("{FIRST_LINE}\nindex {}\n", self.index);
        for hash in &self.hashes {
            base64::encode_into(hash, &mut text);
            text.push('\n');
        }
        text.push('\n');
        text + &self.checkpoint
    }

    /// Reads a proof. An `extra` line is refused: nothing signs it.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let (proof, checkpoint) = text.split_once("\n\n").ok_or(ProofError::Malformed)?;
        let mut lines = proof.split('\n');
        let first = lines.next();
        let index = lines.next().and_then(|line| json::decimal(line.strip_prefix("index ")?));
        let hashes = lines.map(base64::decode_array).collect::<Option<Vec<Hash>>>();
        match (first, index, hashes) {
            (Some(FIRST_LINE), Some(index), Some(hashes)) => {
                Ok(Self { index, hashes, checkpoint: checkpoint.into() })
            }
            _ => Err(ProofError::Malformed),
        }
    }

    /// Checks that `record` is in the log that `key` signs for, and returns
    /// the checkpoint that says so.
    pub fn check(
        &self,
        hasher: Hasher,
        record: &[u8],
        key: &VerifierKey,
    ) -> Result<Checkpoint<'_>, ProofError> {
        let opened = note::open(&self.checkpoint, core::slice::from_ref(key));
        let text = opened.map_err(ProofError::Note)?;
        let checkpoint = Checkpoint::parse(text).ok_or(ProofError::Malformed)?;
        if checkpoint.origin != key.name() {
            return Err(ProofError::Note(NoteError::UnknownKey));
        }
        let leaf = hasher.leaf(record);
        let Checkpoint { size, root, .. } = &checkpoint;
        if tree::verify_inclusion(hasher, self.index, *size, &leaf, root, &self.hashes) {
            Ok(checkpoint)
        } else {
            Err(ProofError::NotIncluded)
        }
    }
}
