//! Memory of the machine beside tasks' linear memories: who may have how much.
//!
//! A package is started only where all that it may come to take fits, so that
//! its tasks never find out how much there is. What its manifest names is
//! weighed at the start; what its tasks bring later, children and packages,
//! comes out of a share that is set aside for that, of a size that depends on
//! the manifest alone.

use crate::{
    snapshot::Journals,
    weight::{TASK_BYTES, Weight},
};
use abi::Error;
use alloc::vec::Vec;
use package::Package;

/// How many times a package's allowance of memory must fit on the machine.
/// While a memory grows its old bytes and new ones, up to twice as many, are
/// there together.
const GROWTH: u64 = 3;

/// Bytes set aside for what tasks bring, beyond half of their allowance.
const SHARE: u64 = 16 << 20;

/// Bytes that the log keeps of each record for as long as the machine runs:
/// its id, with what lists of them take.
const RECORD: u64 = 34;

/// Bytes that the journal of a task may take beside as many as its memory,
/// where the package asks for state roots.
const JOURNAL: u64 = 1 << 20;

/// Bytes set aside for what tasks bring.
#[derive(Debug, Default)]
pub(crate) struct Room {
    left: u64,
}

nucleus::snapshot::saved!(struct Room { left });

impl Room {
    /// The room that a root package gets.
    pub(crate) fn for_root(package: &Package<'_>) -> Self {
        Self { left: share(package) }
    }

    /// Takes some.
    ///
    /// # Errors
    /// [`Error::OverBudget`] if there is less.
    pub(crate) fn take(&mut self, bytes: u64) -> Result<(), Error> {
        self.left = self.left.checked_sub(bytes).ok_or(Error::OverBudget)?;
        Ok(())
    }

    /// Gives back what was taken.
    pub(crate) fn give_back(&mut self, bytes: u64) {
        self.left = self.left.saturating_add(bytes);
    }
}

/// Bytes set aside for what the tasks of a package bring.
pub(crate) fn share(package: &Package<'_>) -> u64 {
    package.manifest().map_or(0, |manifest| (manifest.limits.memory / 2).saturating_add(SHARE))
}

/// Bytes that a package's components take when all are translated. One that
/// cannot be read never is.
pub(crate) fn translations(package: &Package<'_>, journals: Journals) -> u64 {
    let weights = package.components().iter().filter_map(|part| Weight::of(part.bytes).ok());
    let translation = |weight: Weight| weight.with(journals).translation;
    weights.map(translation).fold(0, u64::saturating_add)
}

/// Bytes that the journal of a task with so many bytes of memory may take.
pub(crate) fn journal(memory: u32, journals: Journals) -> u64 {
    match journals {
        Journals::Asked => u64::from(memory).saturating_add(JOURNAL),
        // Whoever asks for one that the package does not pay has the room.
        Journals::None | Journals::Kept => u64::MAX,
    }
}

/// Bytes that a task takes beside its memory and what is its component's.
pub(crate) fn task(journals: Journals) -> u64 {
    match journals {
        Journals::Asked => TASK_BYTES.saturating_add(JOURNAL),
        Journals::None | Journals::Kept => TASK_BYTES,
    }
}

/// Bytes that a package that the kernel mounts can come to take.
pub(crate) fn needs(package: &Package<'_>) -> u64 {
    let parts = package.components().iter().chain(package.regions());
    let parts = parts.map(|part| u64::try_from(part.bytes.len()).unwrap_or(u64::MAX));
    let journals = Journals::of(package.manifest());
    let mut needs = alloc::vec![translations(package, journals), share(package)];
    needs.extend(parts);
    if let Some(manifest) = package.manifest() {
        needs.push(manifest.limits.memory.saturating_mul(GROWTH));
        needs.push(manifest.limits.records.saturating_mul(RECORD));
        if journals == Journals::Asked {
            // Journals, and the states that they begin with.
            needs.push(manifest.limits.memory.saturating_mul(2));
        }
        needs.push(nucleus::objects_bytes(package));
        let weigh = |part: &package::Part<'_>| {
            Weight::of(part.bytes).map_or(0, |it| it.with(journals).instance)
        };
        let instances: Vec<_> =
            package.components().iter().map(|part| (&part.name, weigh(part))).collect();
        needs.extend(manifest.tasks.iter().map(|entry| {
            let instance = instances.iter().find(|(name, _)| **name == entry.component);
            instance.map_or(0, |(_, bytes)| *bytes).saturating_add(task(journals))
        }));
    }
    needs.into_iter().fold(0, u64::saturating_add)
}
