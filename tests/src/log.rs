//! A log that came home.

use helio::diff::{self, Difference};
use helio::keys::Role;
use helio::log::{Folder, folder};
use helio::verify::{Finding, Word, verify_folder};
use tempfile::TempDir;
use witness::frame::Collected;
use witness::record::{Body, CallBody, Kind, Record};
use witness::verify::{Expected, Facts};
use witness::{Hash, Hasher};

use crate::artefacts;

/// A log as it lies in a folder.
pub struct Log {
    folder: Folder,
    device_key: [u8; 32],
}

impl Log {
    /// Takes what came out of a machine with the development keys through a
    /// folder, as its user does.
    pub fn new(collected: &Collected) -> Self {
        let place = TempDir::new().unwrap();
        let path = place.path().join("log");
        folder::write(&path, collected).unwrap();
        let device_key = artefacts::keys().public(Role::Device).unwrap();
        Self::of(folder::read(&path).unwrap(), device_key)
    }

    /// A folder that was read, signed with this key.
    pub fn of(folder: Folder, device_key: [u8; 32]) -> Self {
        Self { folder, device_key }
    }

    /// What `helio verify` finds.
    pub fn finding(&self, expected: Expected) -> Finding {
        verify_folder(&self.folder, self.device_key, expected)
    }

    /// Asserts that it verifies, and says what it says.
    #[track_caller]
    pub fn verified(&self, expected: Expected) -> Facts {
        let finding = self.finding(expected);
        assert_eq!(finding.word(), Word::Verified, "{}\n{self}", finding.sentence());
        finding.report.facts
    }

    /// Its records.
    pub fn records(&self) -> Vec<Record<'_>> {
        self.folder.entries.iter().map(|entry| Record::decode(entry).unwrap()).collect()
    }

    /// The ids of its records.
    pub fn ids(&self) -> Vec<Hash> {
        self.folder.entries.iter().map(|entry| Hasher::SOFTWARE.leaf(entry)).collect()
    }

    /// Its calls, with their records.
    pub fn calls(&self) -> Vec<(Record<'_>, CallBody<'_>)> {
        let call = |record| match record {
            Record { body: Body::Call(call), .. } => Some((record, call)),
            _ => None,
        };
        self.records().into_iter().filter_map(call).collect()
    }

    /// Its records of one kind.
    pub fn of_kind(&self, kind: Kind) -> Vec<Record<'_>> {
        self.records().into_iter().filter(|record| record.kind() == kind).collect()
    }

    /// Asserts that the records, but for leaf 1, are those of another log.
    #[track_caller]
    pub fn assert_same_records(&self, other: &Self) {
        assert_eq!(self.difference(other), None, "\n{self}\n{other}");
    }

    /// The first record, leaf 1 aside, that is not that of another log.
    pub fn difference(&self, other: &Self) -> Option<u64> {
        match diff::diff(&self.folder, &other.folder) {
            Difference::None { .. } => None,
            Difference::At { index } => Some(index),
        }
    }
}

/// The records in words, one a line.
impl std::fmt::Display for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut lines = (0..).zip(&self.folder.entries);
        lines.try_for_each(|(number, entry): (u64, _)| match Record::decode(entry) {
            Ok(record) => writeln!(f, "{number:>6}  {record}"),
            Err(error) => writeln!(f, "{number:>6}  {error}"),
        })
    }
}
