//! What the shell sees of this machine.

use alloc::string::String;
use alloc::vec::Vec;

use machine::Cell;
use nucleus::Nucleus;
use package::Manifest;
use rvsh::Trace;
use rvsh::view::{Hardware, Heap, Machine, Message, Module, View};
use witness::record::MachineFacts;
use witness::{Hash, Subject};

use crate::{Kernel, console, hardware, heap, log};

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
    /// The devices.
    pub kernel: &'a Kernel,
    /// Real time since the log was opened, in ns.
    pub up_ns: u64,
    /// What is traced.
    pub trace: &'a Trace,
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

    fn signed(&self) -> Option<String> {
        let guard = log::writer();
        guard.as_ref().and_then(|writer| writer.recorder.checkpoint()).map(String::from)
    }

    fn hardware(&self) -> Option<Hardware> {
        Some(hardware::look(self.kernel, self.up_ns))
    }

    fn trace(&self) -> String {
        self.trace.setting()
    }

    fn modules(&self) -> Vec<Module> {
        hardware::modules(&self.kernel.modules)
    }

    fn messages(&self) -> Option<Vec<Message>> {
        Some(console::messages())
    }
}
