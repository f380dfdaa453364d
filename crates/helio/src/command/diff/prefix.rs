//! `helio diff --prefix`: whether one log is the beginning of another.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use witness::{base64, hex};

use super::line;
use crate::error::{HelioError, Result};
use crate::exit::ExitCode;
use crate::keys::DeviceKey;
use crate::log::Folder;
use crate::log::prove::{self, Leaves, Relation, Worth};
use crate::log::show::Line;
use crate::output::Output;

/// What is known of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    Prefix,
    NotAPrefix,
    /// A checkpoint is signed by another key than the one given.
    WrongKey,
    /// A checkpoint's signature does not hold.
    Forged,
}

#[derive(Serialize)]
struct Side {
    log: PathBuf,
    origin: String,
    size: u64,
    root: String,
    /// Whether the signature was checked and holds; none where no key was
    /// given.
    signature: Option<Worth>,
    record: Option<Line>,
}

#[derive(Serialize)]
struct Compared {
    verdict: Verdict,
    /// The first record that is not in both.
    first: Option<u64>,
    /// The consistency proof, in base64, as RFC 9162 orders it.
    proof: Vec<String>,
    a: Side,
    b: Side,
}

/// Compares two logs of which the paths are given, too.
pub(super) fn run(
    output: Output,
    (a_path, a): (&Path, &Folder),
    (b_path, b): (&Path, &Folder),
    key: Option<&str>,
) -> Result<ExitCode> {
    let key = key.map(DeviceKey::parse).transpose()?;
    let (a_leaves, b_leaves) = (leaves(a_path, a)?, leaves(b_path, b)?);
    let relation = prove::relation(&a_leaves, &b_leaves);
    let mut compared = Compared {
        verdict: Verdict::NotAPrefix,
        first: None,
        proof: Vec::new(),
        a: side(a_path, &a_leaves, key.as_ref()),
        b: side(b_path, &b_leaves, key.as_ref()),
    };
    match relation {
        Relation::Prefix(proof) => {
            compared.proof = proof.iter().map(|hash| base64::encode(hash)).collect();
            // Of one boot's log the origin is the same, for record 1 names it.
            if compared.a.origin == compared.b.origin {
                compared.verdict = Verdict::Prefix;
            }
        }
        Relation::Parts(index) => {
            compared.first = Some(index);
            compared.a.record = line(a, index);
            compared.b.record = line(b, index);
        }
    }
    for side in [&compared.a, &compared.b] {
        match side.signature {
            Some(Worth::Forged) => compared.verdict = Verdict::Forged,
            Some(Worth::WrongKey) if compared.verdict != Verdict::Forged => {
                compared.verdict = Verdict::WrongKey;
            }
            _ => {}
        }
    }
    output.show(&compared);
    Ok(match compared.verdict {
        Verdict::Prefix => ExitCode::Success,
        Verdict::NotAPrefix => ExitCode::Failed,
        Verdict::WrongKey => ExitCode::WrongKey,
        Verdict::Forged => ExitCode::Forged,
    })
}

fn leaves<'a>(path: &Path, log: &'a Folder) -> Result<Leaves<'a>> {
    Leaves::of(log)
        .map_err(|error| HelioError::input("diff --prefix", path.display(), error, error.advice()))
}

fn side(path: &Path, leaves: &Leaves<'_>, key: Option<&DeviceKey>) -> Side {
    Side {
        log: path.to_owned(),
        origin: leaves.checkpoint.origin.into(),
        size: leaves.checkpoint.size,
        root: hex::encode(&leaves.checkpoint.root),
        signature: key.map(|key| prove::signature(leaves, key)),
        record: None,
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { a, b, first, proof, .. } = self;
        match (self.verdict, first) {
            (Verdict::Prefix, _) => writeln!(
                f,
                "prefix: the {} records of {} are the first of the {} of {}",
                a.size,
                a.log.display(),
                b.size,
                b.log.display()
            )?,
            (Verdict::NotAPrefix, Some(index)) => {
                writeln!(f, "not a prefix: the logs part at record {index}")?;
            }
            (Verdict::NotAPrefix, None) => writeln!(f, "not a prefix: the logs have two origins")?,
            (Verdict::WrongKey, _) => writeln!(f, "wrong key: a checkpoint is signed by another")?,
            (Verdict::Forged, _) => writeln!(f, "forged: a checkpoint's signature does not hold")?,
        }
        for side in [a, b] {
            let signed = match side.signature {
                None => "signature not checked: no --key was given",
                Some(Worth::Holds) => "signed by the key",
                Some(Worth::WrongKey) => "not signed by the key",
                Some(Worth::Forged) => "its signature does not hold",
            };
            writeln!(f, "  {}  {} records of {}", side.log.display(), side.size, side.origin)?;
            writeln!(f, "    root {}, {signed}", side.root)?;
            match (&side.record, first) {
                (Some(record), _) => writeln!(f, "  {record}")?,
                (None, Some(index)) => writeln!(f, "    ends before record {index}")?,
                (None, None) => {}
            }
        }
        if self.verdict == Verdict::Prefix {
            writeln!(f, "  consistency proof of {} hashes:", proof.len())?;
            proof.iter().try_for_each(|hash| writeln!(f, "    {hash}"))?;
        }
        Ok(())
    }
}
