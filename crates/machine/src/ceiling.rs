//! What a machine was told to take no more of than.
//!
//! Who sets a machine up may hold it below what it could do. A package that
//! goes beyond is refused as a whole, when it is mounted: so nothing that a
//! task can see, or that is recorded of one, depends on a ceiling.

use core::fmt;

use package::Package;

/// The most that the root package may list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceiling {
    /// Tasks.
    pub tasks: u64,
    /// Bytes that its queues and stores take.
    pub stores: u64,
}

/// Why a package is beyond a ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Excess {
    /// It lists so many tasks, of so many.
    Tasks(u64, u64),
    /// Its queues and stores take so many bytes, of so many.
    Stores(u64, u64),
}

impl Ceiling {
    /// Whatever fits.
    pub const NONE: Self = Self { tasks: u64::MAX, stores: u64::MAX };

    /// What there is too much of in a package.
    pub(crate) fn excess(self, package: &Package<'_>) -> Option<Excess> {
        let tasks = package.manifest().map_or(0, |manifest| manifest.tasks.len());
        let tasks = u64::try_from(tasks).unwrap_or(u64::MAX);
        if tasks > self.tasks {
            return Some(Excess::Tasks(tasks, self.tasks));
        }
        let stores = nucleus::objects_bytes(package);
        (stores > self.stores).then_some(Excess::Stores(stores, self.stores))
    }
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tasks(lists, most) => write!(
                f,
                "the package lists {lists} tasks, of {most} that this machine was told to take"
            ),
            Self::Stores(takes, most) => write!(
                f,
                "the package's queues and stores take {takes} bytes, of {most} that this machine \
                 was told to give"
            ),
        }
    }
}
