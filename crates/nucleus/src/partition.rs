//! Partitions: what the tasks of one mounted package may spend together.
//!
//! A package that a task mounts gets a partition under that task's own. What
//! is spent counts at every level up to the root package, so mounting never
//! makes a budget larger.

use crate::snapshot::saved;
use abi::Error;
use alloc::{string::String, vec::Vec};
use package::manifest::{Limits, StandingApproval};
use witness::Index;

/// Most partitions at one time.
pub(crate) const PARTITIONS: usize = 64;

/// Fuel of which a partition of this share gets as much as its parent's own
/// tasks.
const OWN_SHARE: u64 = 100;

/// Units of pass for a unit of fuel at a share of one.
const SCALE: u64 = 1_024;

/// Number of a partition: its place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartitionId(pub usize);

/// Deepest nesting of packages.
pub(crate) const NESTING_MAX: usize = 8;

/// An amount that may be spent, and how much of it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meter {
    /// The limit.
    pub limit: u64,
    /// Spent so far; at most the limit.
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
    /// Its part of the fuel, beside those it shares a parent with.
    pub share: u64,
    /// Fuel spent in it and below, by share.
    pass: u64,
    /// Fuel spent by its own tasks, by [`OWN_SHARE`].
    own_pass: u64,
    /// How far its own tasks and those below it have come.
    pace: u64,
    /// Whether its package is mounted. Else the place is free, once no task
    /// is left that belonged to it.
    pub(crate) is_mounted: bool,
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
        let free = Limits {
            fuel: u64::MAX,
            memory: u64::MAX,
            records: u64::MAX,
            share: Limits::DEFAULT_SHARE,
        };
        let Limits { fuel, memory, records, share } = limits.unwrap_or(free);
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
            share: u64::from(share).max(1),
            pass: 0,
            own_pass: 0,
            pace: 0,
            is_mounted: true,
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
pub(crate) struct Partitions {
    all: Vec<Partition>,
    /// How far those without a parent have come.
    pace: u64,
}

impl Partitions {
    /// Adds one, in a place for which `is_free`, or a new one.
    ///
    /// # Errors
    /// [`Error::TableFull`].
    pub(crate) fn add(
        &mut self,
        partition: Partition,
        is_free: impl Fn(PartitionId) -> bool,
    ) -> Result<PartitionId, Error> {
        let free = self.iter().find(|(id, old)| !old.is_mounted && is_free(*id));
        if let Some(id) = free.map(|(id, _)| id) {
            if let Some(place) = self.get_mut(id) {
                *place = partition;
            }
            return Ok(id);
        }
        if self.all.len() >= PARTITIONS {
            return Err(Error::TableFull);
        }
        self.all.push(partition);
        Ok(PartitionId(self.all.len().saturating_sub(1)))
    }

    /// Gives a partition's place up, once nothing belongs to it any more.
    pub(crate) fn close(&mut self, id: PartitionId) {
        if let Some(partition) = self.get_mut(id) {
            partition.is_mounted = false;
        }
    }

    /// How far those that share a partition have come, its own tasks
    /// included: the pass of who ran last.
    fn pace(&self, level: Option<PartitionId>) -> u64 {
        match level {
            Some(id) => self.get(id).map_or(0, |partition| partition.pace),
            None => self.pace,
        }
    }

    fn set_pace(&mut self, level: Option<PartitionId>, pace: u64) {
        match level.map(|id| self.get_mut(id)) {
            Some(Some(partition)) => partition.pace = pace,
            Some(None) => {}
            None => self.pace = pace,
        }
    }

    /// What decides between a partition and those it shares a parent with.
    /// Who had nothing to do for a while begins where the others are.
    pub(crate) fn pass(&self, id: PartitionId) -> u64 {
        self.get(id).map_or(u64::MAX, |it| it.pass.max(self.pace(it.parent)))
    }

    /// The same for a partition's own tasks and the partitions below it.
    pub(crate) fn own_pass(&self, id: PartitionId) -> u64 {
        self.get(id).map_or(u64::MAX, |it| it.own_pass.max(it.pace))
    }

    /// Charges a slice's fuel to a partition and those above it.
    pub(crate) fn charge(&mut self, of: Option<PartitionId>, fuel: u64) {
        let scaled = fuel.saturating_mul(SCALE);
        let Some(own) = of else { return };
        let pass = self.own_pass(own);
        self.set_pace(of, pass);
        if let Some(partition) = self.get_mut(own) {
            partition.own_pass = pass.saturating_add(scaled / OWN_SHARE);
        }
        let mut next = of;
        for _ in 0..NESTING_MAX {
            let Some(id) = next else { return };
            let pass = self.pass(id);
            let Some(partition) = self.get_mut(id) else { return };
            let part = scaled.checked_div(partition.share).unwrap_or(scaled);
            partition.pass = pass.saturating_add(part);
            next = partition.parent;
            self.set_pace(next, pass);
        }
    }

    pub(crate) fn get(&self, id: PartitionId) -> Option<&Partition> {
        self.all.get(id.0)
    }

    pub(crate) fn get_mut(&mut self, id: PartitionId) -> Option<&mut Partition> {
        self.all.get_mut(id.0)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (PartitionId, &Partition)> {
        self.all.iter().enumerate().map(|(place, partition)| (PartitionId(place), partition))
    }

    /// The partition and those above it, innermost first. The kernel has
    /// none, and so no limit.
    pub(crate) fn chain(&self, from: Option<PartitionId>) -> impl Iterator<Item = PartitionId> {
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

saved!(struct Meter { limit, used });
saved!(struct Partition {
    name, path, mount, parent, fuel, memory, records, approvals, share, pass, own_pass, pace,
    is_mounted,
});
saved!(struct Approval { terms, claims, bytes });
saved!(struct Partitions { all, pace });

saved!(new PartitionId);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;

    fn partition(parent: Option<PartitionId>, fuel: u64, share: u16) -> Partition {
        let limits = Limits { fuel, memory: 0, records: 0, share };
        Partition::new(("p".into(), "/".into()), Index(2), parent, Some(limits), &[])
    }

    fn add(all: &mut Partitions, parent: Option<PartitionId>, share: u16) -> PartitionId {
        all.add(partition(parent, u64::MAX, share), |_| false).unwrap()
    }

    #[test]
    fn spending_counts_at_every_level_and_a_refusal_at_none() {
        let mut all = Partitions::default();
        let root = all.add(partition(None, 100, 100), |_| false).ok();
        let inner = all.add(partition(root, 1000, 100), |_| false).ok();
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

    #[test]
    fn a_place_is_used_again_when_nothing_belongs_to_it() {
        let mut all = Partitions::default();
        let first = add(&mut all, None, 1);
        all.close(first);
        assert_ne!(all.add(partition(None, 0, 1), |_| false), Ok(first));
        assert_eq!(all.add(partition(None, 0, 1), |_| true), Ok(first));
        for _ in 2..PARTITIONS {
            add(&mut all, None, 1);
        }
        assert_eq!(all.add(partition(None, 0, 1), |_| true), Err(Error::TableFull));
    }

    proptest! {
        /// Whoever always has something to do gets fuel by share, to within a
        /// slice of each; whoever sleeps in between gains nothing by it.
        #[test]
        fn fuel_goes_by_share(shares in proptest::collection::vec(1u16..=1_000, 1..6), slices in 100u64..400, sleep in 0u64..100) {
            const SLICE: u64 = 1_000_000;
            let mut all = Partitions::default();
            let root = add(&mut all, None, 100);
            let children: Vec<_> = shares.iter().map(|share| add(&mut all, Some(root), *share)).collect();
            let mut spent = vec![0u64; shares.len()];
            for slice in 0..slices {
                // The last one sleeps for a while.
                let awake = children.len() - usize::from(children.len() > 1 && slice < sleep);
                let next = (0..awake).min_by_key(|&at| (all.pass(children[at]), at)).unwrap();
                all.charge(Some(children[next]), SLICE);
                spent[next] += SLICE;
            }
            let awake = shares.len() - usize::from(shares.len() > 1 && sleep > 0);
            for one in 0..awake {
                for other in 0..awake {
                    let (a, b) = (spent[one] / u64::from(shares[one]), spent[other] / u64::from(shares[other]));
                    let slack = SLICE / u64::from(shares[one]) + SLICE / u64::from(shares[other]) + 2;
                    prop_assert!(a.abs_diff(b) <= slack, "{shares:?} {spent:?}");
                }
            }
        }
    }
}
