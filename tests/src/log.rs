//! A log that came home.

use std::collections::BTreeMap;

use helio::diff::{self, Difference};
use helio::keys::Role;
use helio::log::{Folder, folder};
use helio::verify::{Finding, Word, verify_folder};
use tempfile::TempDir;
use witness::checkpoint::Checkpoint;
use witness::frame::Collected;
use witness::manifest::RunManifest;
use witness::note::SigningKey;
use witness::record::{Body, CallBody, Kind, Record};
use witness::verify::{Expected, Facts};
use witness::{Hash, Hasher, tree};

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

    /// The folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The same run with other records, as somebody with the device's key
    /// would write it: each names its parents by their new ids, and checkpoint
    /// and manifest are signed again.
    pub fn forged(&self, device: &SigningKey, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Self {
        let mut entries = self.folder.entries.clone();
        change(&mut entries);
        let mut new: BTreeMap<Hash, Hash> = BTreeMap::new();
        for (entry, old) in entries.iter_mut().zip(self.ids()) {
            for parent in [40..72, 72..104] {
                let Some(place) = entry.get_mut(parent) else { continue };
                if let Some(id) = <[u8; 32]>::try_from(&*place).ok().and_then(|id| new.get(&id)) {
                    place.copy_from_slice(id);
                }
            }
            new.insert(old, Hasher::SOFTWARE.leaf(entry));
        }
        let ids: Vec<Hash> = entries.iter().map(|entry| Hasher::SOFTWARE.leaf(entry)).collect();
        let (root, size) = (tree::root(Hasher::SOFTWARE, &ids), ids.len() as u64);
        let facts = self.verified(Expected::default());
        let checkpoint = Checkpoint { origin: &facts.origin, size, root }.sign(device);
        let package = match Record::decode(&entries[0]).unwrap().body {
            Body::Genesis(genesis) => genesis.package,
            other => panic!("{other:?}"),
        };
        let manifest = facts.manifest.map(|manifest| {
            RunManifest { package, records: size, root, ..manifest }.sign(&facts.origin, device)
        });
        let covered = entries.len();
        let checkpoint = Some(checkpoint);
        Self::new(&Collected { boot: None, entries, covered, checkpoint, manifest })
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
