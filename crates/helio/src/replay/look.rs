//! What the shell sees of a replayed machine: what it would have shown on its
//! console there and then. All records are there, not only the last ones,
//! because the log is.

use std::collections::BTreeMap;

use machine::Cell;
use nucleus::Nucleus;
use package::Manifest;
use rvsh::Trace;
use rvsh::view::{Entry, Machine, View};
use witness::record::{Body, EventKind, MachineFacts, Record};
use witness::{Hash, Index, Subject};

/// A replayed machine between two slices.
pub struct Look<'a> {
    cell: &'a Cell,
    facts: MachineFacts,
    device_name: &'a str,
    manifest: Option<&'a Manifest>,
    package: Hash,
    /// The log's records, of which the machine made the first again.
    entries: &'a [Vec<u8>],
    equal: u64,
    numbers: BTreeMap<Hash, u64>,
    /// The log's checkpoint, if the replay has come to all that it covers.
    signed: Option<&'a str>,
}

impl<'a> Look<'a> {
    /// A look at a replay of the log with these records, from the first, by a
    /// device of this name, with the checkpoint that is signed over them.
    pub fn new(
        replay: &'a super::Replay<'_>,
        entries: &'a [Vec<u8>],
        device_name: &'a str,
        checkpoint: Option<&'a str>,
    ) -> Self {
        let cell = replay.driver.cell();
        let is_whole = replay.driver.equal() == entries.len() as u64;
        Self {
            cell,
            facts: replay.facts,
            device_name,
            manifest: replay.manifest.as_ref(),
            package: replay.package,
            entries,
            equal: replay.driver.equal(),
            numbers: cell.log().ids().copied().zip(0..).collect(),
            signed: checkpoint.filter(|_| is_whole),
        }
    }
}

impl View for Look<'_> {
    fn nucleus(&self) -> &Nucleus {
        self.cell.view()
    }

    fn machine(&self) -> Machine<'_> {
        Machine {
            version: env!("CARGO_PKG_VERSION"),
            device_name: self.device_name,
            facts: self.facts,
            package: self.manifest,
            package_digest: self.package,
            heap: None,
        }
    }

    fn memory(&self, task: Subject) -> u64 {
        self.cell.memory_bytes(task)
    }

    /// The log's signature covers what is equal to it.
    fn checkpoint(&self) -> u64 {
        self.equal
    }

    fn signed(&self) -> Option<String> {
        self.signed.map(str::to_owned)
    }

    /// What the last event about it says.
    fn trace(&self) -> String {
        let made = usize::try_from(self.equal).ok().and_then(|made| self.entries.get(..made));
        let records = made.unwrap_or_default().iter().rev();
        let setting =
            records.filter_map(|entry| Record::decode(entry).ok()).find_map(|record| match record
                .body
            {
                Body::Event(event) if event.kind == EventKind::Trace => {
                    let words = core::str::from_utf8(event.data.bytes()).ok();
                    words.and_then(Trace::parse)
                }
                _ => None,
            });
        setting.unwrap_or_default().setting()
    }

    fn recorded(&self, index: u64) -> Option<Entry<'_>> {
        if index >= self.equal {
            return None;
        }
        let record = Record::decode(self.entries.get(usize::try_from(index).ok()?)?);
        let parent = |id: &Hash| self.numbers.get(id).copied();
        let is_first = |record: &Record<'_>| record.sequence == 0;
        let parents = record.as_ref().ok();
        Some(Entry {
            id: self.cell.log().id(Index(index)),
            previous: parents.filter(|it| !is_first(it)).and_then(|it| parent(&it.previous)),
            cause: parents.and_then(|it| it.cause).and_then(|cause| parent(&cause)),
            record,
        })
    }
}
