//! How many records of each kind a log has, by how they ended.

use crate::record::{Draft, Kind, Verdict};

/// How many records of one kind there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Calls that were allowed, and records of any other kind.
    pub allowed: u64,
    /// Calls that were denied.
    pub denied: u64,
    /// Calls that were cut short.
    pub cut_short: u64,
}

impl Count {
    /// All of them.
    pub fn all(self) -> u64 {
        self.allowed.saturating_add(self.denied).saturating_add(self.cut_short)
    }
}

/// The counts of every kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    counts: [Count; Kind::ALL.len()],
}

impl Tally {
    /// Counts a record that is written. Neither allocates nor fails.
    pub(crate) fn count(&mut self, draft: &Draft<'_>) {
        let kind = draft.body.kind();
        let of_kind = Kind::ALL.iter().zip(&mut self.counts).find(|(this, _)| **this == kind);
        let Some((_, count)) = of_kind else { return };
        let counter = match draft.verdict {
            Verdict::Allowed => &mut count.allowed,
            Verdict::Denied(_) => &mut count.denied,
            Verdict::CutShort => &mut count.cut_short,
        };
        *counter = counter.saturating_add(1);
    }

    /// Each kind with its count, by number.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, Count)> {
        Kind::ALL.into_iter().zip(self.counts)
    }
}
