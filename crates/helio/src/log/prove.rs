//! Proofs about logs, for people who have not all of them: that a record is in
//! a log (C2SP tlog-proof), and that one log is the beginning of another (RFC
//! 6962 consistency).

use std::fmt;

use serde::Serialize;
use witness::checkpoint::Checkpoint;
use witness::note::{self, NoteError, VerifierKey};
use witness::proof::{InclusionProof, ProofError};
use witness::{Hash, Hasher, tree};

use super::Folder;
use crate::exit::ExitCode;
use crate::keys::DeviceKey;

/// Why nothing can be proved about a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unprovable {
    /// It has no checkpoint, so nobody signed anything.
    NoCheckpoint,
    /// What should be its checkpoint is none.
    BadCheckpoint,
    /// The hashes of all its records are not at hand: this many of that many.
    Missing(u64, u64),
    /// Its records are not those that the checkpoint is over.
    OtherRoot,
    /// The record is not in it; it has this many.
    NoRecord(u64),
}

impl fmt::Display for Unprovable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCheckpoint => f.write_str("it has no checkpoint"),
            Self::BadCheckpoint => f.write_str("its checkpoint is none"),
            Self::Missing(have, of) => {
                write!(f, "{have} of the {of} records are there, which the checkpoint is over")
            }
            Self::OtherRoot => f.write_str("its records are not those that the checkpoint is over"),
            Self::NoRecord(size) => write!(f, "there is no such record: it has {size}"),
        }
    }
}

impl Unprovable {
    /// What to do about it.
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::NoRecord(_) => "give a smaller number",
            _ => "give a log that `helio verify` verifies",
        }
    }
}

/// The ids under a log's checkpoint, and that.
#[derive(Clone, Debug)]
pub struct Leaves<'a> {
    /// The checkpoint's text, opened under no key.
    pub checkpoint: Checkpoint<'a>,
    /// The note that carries it.
    pub note: &'a str,
    /// The ids of all its records.
    pub ids: Vec<Hash>,
}

impl<'a> Leaves<'a> {
    /// Of a log whose records have the root that its checkpoint states. The
    /// signature is for who has the key.
    ///
    /// # Errors
    /// A log without checkpoint, or with other records.
    pub fn of(log: &'a Folder) -> Result<Self, Unprovable> {
        let note = log.checkpoint.as_deref().ok_or(Unprovable::NoCheckpoint)?;
        let text = note::parse(note).map_err(|_| Unprovable::BadCheckpoint)?.text;
        let checkpoint = Checkpoint::parse(text).ok_or(Unprovable::BadCheckpoint)?;
        let ids: Vec<_> = log.entries.iter().map(|entry| Hasher::SOFTWARE.leaf(entry)).collect();
        let have = ids.len() as u64;
        if have != checkpoint.size {
            return Err(Unprovable::Missing(have, checkpoint.size));
        }
        if tree::root(Hasher::SOFTWARE, &ids) != checkpoint.root {
            return Err(Unprovable::OtherRoot);
        }
        Ok(Self { checkpoint, note, ids })
    }

    /// The proof that record `index` is in the log.
    ///
    /// # Errors
    /// There is no such record.
    pub fn inclusion(&self, index: u64) -> Result<InclusionProof, Unprovable> {
        InclusionProof::new(Hasher::SOFTWARE, &self.ids, index, self.note)
            .ok_or(Unprovable::NoRecord(self.checkpoint.size))
    }
}

/// What a proof, or a checkpoint, is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Worth {
    /// It holds.
    Holds,
    /// It is signed by another key than the one given.
    WrongKey,
    /// It does not hold.
    Forged,
}

impl Worth {
    /// The status `helio` exits with.
    pub const fn exit_code(self) -> ExitCode {
        match self {
            Self::Holds => ExitCode::Success,
            Self::WrongKey => ExitCode::WrongKey,
            Self::Forged => ExitCode::Forged,
        }
    }
}

/// Checks that `record` is in the log of a device with this key; with what
/// the checkpoint in the proof says.
///
/// # Errors
/// A checkpoint that is none: then there is nothing to check.
pub fn check<'a>(
    proof: &'a InclusionProof,
    record: &[u8],
    device_key: &DeviceKey,
) -> Result<(Checkpoint<'a>, Worth, Option<ProofError>), ProofError> {
    let text = note::parse(&proof.checkpoint).map_err(ProofError::Note)?.text;
    let checkpoint = Checkpoint::parse(text).ok_or(ProofError::Malformed)?;
    let unknown = ProofError::Note(NoteError::UnknownKey);
    let checked = match named(checkpoint.origin, device_key) {
        Some(key) => proof.check(Hasher::SOFTWARE, record, &key).map(|_| ()),
        None => Err(unknown),
    };
    let worth = match checked {
        Ok(()) => Worth::Holds,
        Err(error) if error == unknown => Worth::WrongKey,
        Err(_) => Worth::Forged,
    };
    Ok((checkpoint, worth, checked.err()))
}

/// Whether a note is signed by a device with this key, and by nobody else.
pub fn signature(checkpoint: &Leaves<'_>, device_key: &DeviceKey) -> Worth {
    let Some(key) = named(checkpoint.checkpoint.origin, device_key) else {
        return Worth::WrongKey;
    };
    match note::open_only(checkpoint.note, core::slice::from_ref(&key)) {
        Ok(_) => Worth::Holds,
        Err(NoteError::UnknownKey) => Worth::WrongKey,
        Err(_) => Worth::Forged,
    }
}

/// The key under the name of a log's origin, if it is for that log.
fn named(origin: &str, key: &DeviceKey) -> Option<VerifierKey> {
    VerifierKey::new(origin, &key.public).filter(|_| key.is_for(origin))
}

/// How one log relates to another, of which it may be the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It is: these hashes show it to who has both checkpoints.
    Prefix(Vec<Hash>),
    /// It is not: the first record where they part, which one of them may not
    /// have.
    Parts(u64),
}

/// Whether the log `a` is the beginning of `b`. What is decided by is the
/// proof, checked against the roots in both checkpoints.
pub fn relation(a: &Leaves<'_>, b: &Leaves<'_>) -> Relation {
    let (old, new) = (&a.checkpoint, &b.checkpoint);
    let proof = tree::consistency_proof(Hasher::SOFTWARE, &b.ids, old.size);
    let holds = |proof: &Vec<Hash>| {
        let (old, new) = ((old.size, &old.root), (new.size, &new.root));
        tree::verify_consistency(Hasher::SOFTWARE, old, new, proof)
    };
    match proof.filter(holds) {
        Some(proof) => Relation::Prefix(proof),
        None => {
            let same = a.ids.iter().zip(&b.ids).take_while(|(a, b)| a == b).count();
            Relation::Parts(same as u64)
        }
    }
}
