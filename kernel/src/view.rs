//! What the shell sees of this machine.

use machine::Cell;
use nucleus::Nucleus;
use package::Manifest;
use rvsh::view::{Heap, Machine, View};
use witness::record::MachineFacts;
use witness::{Hash, Subject};

use crate::{heap, log};

/// The machine between two slices.
pub struct Look<'a> {
    /// What runs.
    pub cell: &'a Cell,
    /// What leaf 1 says.
    pub facts: &'a MachineFacts,
    /// The device in the log's origin.
    pub device_name: &'a str,
    /// What the package says about itself, unless it was refused.
    pub package: &'a Option<Manifest>,
    /// SHA-256 of its file.
    pub package_digest: Hash,
}

impl View for Look<'_> {
    fn nucleus(&self) -> &Nucleus {
        self.cell.view()
    }

    fn machine(&self) -> Machine<'_> {
        let (used, free) = heap::usage();
        Machine {
            version: env!("CARGO_PKG_VERSION"),
            device_name: self.device_name,
            facts: *self.facts,
            package: self.package.as_ref(),
            package_digest: self.package_digest,
            heap: Some(Heap { used: used as u64, size: (used + free) as u64 }),
        }
    }

    fn memory(&self, task: Subject) -> u64 {
        self.cell.memory_bytes(task)
    }

    fn checkpoint(&self) -> u64 {
        log::writer().as_ref().map_or(0, |writer| writer.recorder.covered())
    }
}
