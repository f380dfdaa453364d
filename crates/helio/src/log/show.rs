//! Records for people and for scripts.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;
use witness::record::Record;
use witness::{Hash, Hasher, hex};

use super::Folder;

/// A record, decoded.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Its number in the log.
    pub index: u64,
    /// Its id.
    pub id: String,
    /// Name of its kind; `damaged` where it cannot be decoded.
    pub kind: String,
    /// Who did it: `kernel`, `task N`, `outside`, `machine`.
    pub subject: Option<String>,
    /// Number among the records of its subject.
    pub sequence: Option<u32>,
    /// Logical time in ns.
    pub time_ns: Option<u64>,
    /// The scheduler's slice.
    pub slice: Option<u64>,
    /// Fuel the subject had spent.
    pub fuel: Option<u64>,
    /// `allowed`, `denied` or `cut short`.
    pub outcome: Option<&'static str>,
    /// Number of the subject's previous record.
    pub previous: Option<u64>,
    /// Number of the record that caused it.
    pub cause: Option<u64>,
    /// All of it in one line.
    pub text: String,
    /// Its bytes.
    pub bytes: String,
}

/// Decodes records, looking up the numbers of their parents.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    numbers: HashMap<Hash, u64>,
}

impl Decoder {
    /// A decoder for the records of a log.
    pub fn new(folder: &Folder) -> Self {
        let mut decoder = Self::default();
        for (index, entry) in (0..).zip(&folder.entries) {
            decoder.learn(index, entry);
        }
        decoder
    }

    /// Takes note of a record's number. A second record of the same bytes
    /// keeps the number of the first.
    pub fn learn(&mut self, index: u64, bytes: &[u8]) {
        self.numbers.entry(Hasher::SOFTWARE.leaf(bytes)).or_insert(index);
    }

    /// The number of the record with this id.
    pub fn number(&self, id: &Hash) -> Option<u64> {
        self.numbers.get(id).copied()
    }

    /// A record, decoded.
    pub fn line(&self, index: u64, bytes: &[u8]) -> Line {
        let id = hex::encode(&Hasher::SOFTWARE.leaf(bytes));
        match Record::decode(bytes) {
            Ok(record) => Line {
                index,
                id,
                kind: record.kind().name().into(),
                subject: Some(record.subject.to_string()),
                sequence: Some(record.sequence),
                time_ns: Some(record.point.time_ns),
                slice: Some(record.point.slice),
                fuel: Some(record.point.fuel),
                outcome: Some(["allowed", "denied", "cut short"])
                    .and_then(|words| words.get(usize::from(record.verdict.outcome())).copied()),
                previous: self.numbers.get(&record.previous).copied(),
                cause: record.cause.and_then(|cause| self.numbers.get(&cause).copied()),
                text: record.to_string(),
                bytes: hex::encode(bytes),
            },
            Err(error) => Line {
                index,
                id,
                kind: "damaged".into(),
                subject: None,
                sequence: None,
                time_ns: None,
                slice: None,
                fuel: None,
                outcome: None,
                previous: None,
                cause: None,
                text: format!("not a record: {error}"),
                bytes: hex::encode(bytes),
            },
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>6}  {}  {}", self.index, &self.id[..12], self.text)
    }
}

/// One record with all that is known about it, for `log show LOG N`.
pub struct Full<'a>(pub &'a Line);

impl fmt::Display for Full<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line { index, id, kind, text, bytes, .. } = self.0;
        writeln!(f, "record {index}: {kind}")?;
        writeln!(f, "  {text}")?;
        writeln!(f, "  id        {id}")?;
        if let (Some(slice), Some(fuel)) = (self.0.slice, self.0.fuel) {
            writeln!(f, "  slice     {slice}, {fuel} fuel spent")?;
        }
        for (what, parent) in [("previous", self.0.previous), ("cause", self.0.cause)] {
            if let Some(parent) = parent {
                writeln!(f, "  {what:<9} record {parent}")?;
            }
        }
        for (at, part) in (0..).step_by(32).zip(bytes.as_bytes().chunks(64)) {
            writeln!(f, "  {at:>4}  {}", String::from_utf8_lossy(part))?;
        }
        Ok(())
    }
}
