//! Partitions: what the tasks of one mounted package may spend together.
//!
//! A package that a task mounts gets a partition under that task's own. What
//! is spent counts at every level up to the root package, so mounting never
//! makes a budget larger.

use abi::Error;
use alloc::{string::String, vec::Vec};
use package::manifest::{Limits, StandingApproval};
use witness::Index;

/// Number of a partition, in order of mounting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionId(pub usize);

/// Deepest nesting of packages.
pub(crate) const NESTING_MAX: usize = 8;

/// An amount that may be spent, and how much of it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meter {
    /// The limit.
    pub limit: u64,
    /// Spent so far; at most the limit, but for fuel that one operation took
    /// beyond what was left.
    pub used: u64,
}

impl Meter {
    /// Nothing spent.
    pub fn new(limit: u64) -> Self {
        Self { limit, used: 0 }
    }

    /// What is left.
    pub fn left(self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

/// What is metered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Fuel,
    Memory,
    Records,
}

/// A partition.
#[derive(Debug)]
pub struct Partition {
    /// Name of the package; empty without a manifest.
    pub name: String,
    /// Where it is mounted.
    pub path: String,
    /// The record of its mount.
    pub mount: Index,
    /// The partition of the task that mounted it.
    pub parent: Option<PartitionId>,
    /// Units of fuel.
    pub fuel: Meter,
    /// Bytes of linear memory, of tasks that are alive.
    pub memory: Meter,
    /// Records.
    pub records: Meter,
    /// Claims approved in advance by who signed the package.
    pub approvals: Vec<Approval>,
}

/// A standing approval and what was used of it.
#[derive(Debug)]
pub struct Approval {
    /// What is approved.
    pub terms: StandingApproval,
    /// Claims emitted under it.
    pub claims: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
}

impl Approval {
    /// Whether a further claim is covered.
    fn covers(&self, kind: u32, length: u64) -> bool {
        self.terms.claim_types.binary_search(&kind).is_ok()
            && self.claims < self.terms.max_claims
            && self.bytes.checked_add(length).is_some_and(|bytes| bytes <= self.terms.max_bytes)
    }
}

impl Partition {
    /// A fresh partition. Without limits of its own, where the file has no
    /// manifest, its parent's still hold.
    pub(crate) fn new(
        (name, path): (String, String),
        mount: Index,
        parent: Option<PartitionId>,
        limits: Option<Limits>,
        approvals: &[StandingApproval],
    ) -> Self {
        let free = Limits { fuel: u64::MAX, memory: u64::MAX, records: u64::MAX };
        let Limits { fuel, memory, records } = limits.unwrap_or(free);
        let approve =
            |terms: &StandingApproval| Approval { terms: terms.clone(), claims: 0, bytes: 0 };
        Self {
            name,
            path,
            mount,
            parent,
            fuel: Meter::new(fuel),
            memory: Meter::new(memory),
            records: Meter::new(records),
            approvals: approvals.iter().map(approve).collect(),
        }
    }

    /// The first approval that covers a claim, by number.
    pub(crate) fn approval_for(&self, kind: u32, length: u64) -> Option<usize> {
        self.approvals.iter().position(|approval| approval.covers(kind, length))
    }

    fn meter(&self, resource: Resource) -> Meter {
        match resource {
            Resource::Fuel => self.fuel,
            Resource::Memory => self.memory,
            Resource::Records => self.records,
        }
    }

    fn meter_mut(&mut self, resource: Resource) -> &mut Meter {
        match resource {
            Resource::Fuel => &mut self.fuel,
            Resource::Memory => &mut self.memory,
            Resource::Records => &mut self.records,
        }
    }
}

/// All partitions.
#[derive(Debug, Default)]
pub(crate) struct Partitions(Vec<Partition>);

impl Partitions {
    pub(crate) fn add(&mut self, partition: Partition) -> PartitionId {
        self.0.push(partition);
        PartitionId(self.0.len().saturating_sub(1))
    }

    pub(crate) fn get(&self, id: PartitionId) -> Option<&Partition> {
        self.0.get(id.0)
    }

    pub(crate) fn get_mut(&mut self, id: PartitionId) -> Option<&mut Partition> {
        self.0.get_mut(id.0)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Partition> {
        self.0.iter()
    }

    /// The partition and those above it, innermost first. The kernel has
    /// none, and so no limit.
    fn chain(&self, from: Option<PartitionId>) -> impl Iterator<Item = PartitionId> {
        let parent = |id: &PartitionId| self.get(*id)?.parent;
        core::iter::successors(from, parent).take(NESTING_MAX)
    }

    /// How deep the partition is nested, from 1.
    pub(crate) fn depth(&self, of: Option<PartitionId>) -> usize {
        self.chain(of).count()
    }

    /// What every level has left.
    pub(crate) fn left(&self, of: Option<PartitionId>, resource: Resource) -> u64 {
        let left = |id| self.get(id).map_or(0, |partition| partition.meter(resource).left());
        self.chain(of).map(left).min().unwrap_or(u64::MAX)
    }

    /// Spends at every level, or at none.
    ///
    /// # Errors
    /// [`Error::OverBudget`].
    pub(crate) fn take(
        &mut self,
        of: Option<PartitionId>,
        resource: Resource,
        amount: u64,
    ) -> Result<(), Error> {
        if amount > self.left(of, resource) {
            return Err(Error::OverBudget);
        }
        self.spend(of, resource, amount);
        Ok(())
    }

    /// Counts what was spent already.
    pub(crate) fn spend(&mut self, of: Option<PartitionId>, resource: Resource, amount: u64) {
        self.change(of, resource, |used| used.saturating_add(amount));
    }

    /// Gives back what is no longer in use.
    pub(crate) fn give_back(&mut self, of: Option<PartitionId>, resource: Resource, amount: u64) {
        self.change(of, resource, |used| used.saturating_sub(amount));
    }

    fn change(&mut self, of: Option<PartitionId>, resource: Resource, change: impl Fn(u64) -> u64) {
        let mut next = of;
        for _ in 0..NESTING_MAX {
            let Some(partition) = next.and_then(|id| self.get_mut(id)) else { return };
            let meter = partition.meter_mut(resource);
            meter.used = change(meter.used);
            next = partition.parent;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    fn partition(parent: Option<PartitionId>, fuel: u64) -> Partition {
        let limits = Limits { fuel, memory: 0, records: 0 };
        Partition::new(("p".into(), "/".into()), Index(2), parent, Some(limits), &[])
    }

    #[test]
    fn spending_counts_at_every_level_and_a_refusal_at_none() {
        let mut all = Partitions::default();
        let root = Some(all.add(partition(None, 100)));
        let inner = Some(all.add(partition(root, 1000)));
        assert_eq!(all.left(inner, Resource::Fuel), 100);
        assert_eq!(all.take(inner, Resource::Fuel, 101), Err(Error::OverBudget));
        assert_eq!(all.left(inner, Resource::Fuel), 100);
        all.take(inner, Resource::Fuel, 60).unwrap();
        assert_eq!(all.left(root, Resource::Fuel), 40);
        all.give_back(inner, Resource::Fuel, 60);
        assert_eq!(all.left(root, Resource::Fuel), 100);
        assert_eq!(all.left(None, Resource::Fuel), u64::MAX);
    }

    #[test]
    fn approvals_cover_type_number_and_bytes() {
        let terms = StandingApproval { claim_types: vec![1, 5], max_claims: 2, max_bytes: 10 };
        let mut all = Partition::new(("p".into(), "/".into()), Index(2), None, None, &[terms]);
        assert_eq!(all.approval_for(5, 10), Some(0));
        assert_eq!(all.approval_for(2, 0), None);
        assert_eq!(all.approval_for(5, 11), None);
        all.approvals[0].claims = 2;
        assert_eq!(all.approval_for(5, 0), None);
    }
}
