//! Packages that an operator mounts while the machine runs.
//!
//! The event says which package, by its digest, and where. The file itself
//! comes from outside, as the root package's does; whoever makes the run again
//! needs it too. The kernel then mounts it by a call of its own, with the same
//! checks and records as at the start, and starts the tasks that it lists.

use crate::{cell::Cell, room};
use abi::{Call, Error, profile::call_fuel};
use alloc::{format, vec::Vec};
use nucleus::{Answer, Input, NotAdmitted, Nucleus};
use package::Package;
use witness::{
    Hash, Index, Subject,
    record::{EventKind, MountRequest},
};

impl Cell {
    /// Mounts a package for an operator, under a name of its own. Between
    /// slices only, with every record sealed. A package that is refused is an
    /// event and a denied mount in the log, and a line in the reports.
    ///
    /// # Errors
    /// See [`NotAdmitted`].
    pub fn mount_requested(&mut self, file: &[u8], path: &str) -> Result<Index, NotAdmitted> {
        // So that there is the same room for what follows wherever it is done.
        if self.nucleus.log().pending() > 0 {
            return Err(NotAdmitted::SealFirst);
        }
        let opened = Package::open(file, &self.trust, self.hasher);
        let needs = opened.as_ref().map_or(0, room::needs);
        let spare = self.spare.checked_sub(needs).ok_or(NotAdmitted::NoMemory)?;
        let package: Hash = self.hasher.hash(file);
        let data = MountRequest { package, path }.to_bytes();
        let index = self.nucleus.admit(Input::new(EventKind::MountRequest, &data))?;

        let share = opened.as_ref().map_or(0, room::share);
        let manifest = opened.as_ref().ok().and_then(Package::manifest);
        let tasks = manifest.map_or(&[][..], |manifest| &manifest.tasks);
        let wasi: Vec<_> = tasks.iter().map(|task| task.wasi.clone()).collect();
        let first = self.nucleus.plans().len();
        self.nucleus.spend(Subject::KERNEL, call_fuel(Call::RvfMount));
        match self.nucleus.gate(Subject::KERNEL, Nucleus::mount_at(path)) {
            Answer::Prepare(ticket) => {
                let paid = self.pay(Subject::KERNEL, file.len());
                if self.commit_mount(ticket, file.len(), paid, opened) {
                    self.spare = spare;
                    self.room.give_back(share);
                    // A cell that went on from a snapshot has forgotten them.
                    self.wasi.resize(first, None);
                    self.wasi.extend(wasi);
                    self.start_tasks(first);
                }
            }
            Answer::Done { value, .. } => {
                let error = Error::from_guest(value).unwrap_or(Error::Busy);
                self.reports.push(format!("package refused: {error}"));
            }
            _ => {}
        }
        Ok(index)
    }
}
