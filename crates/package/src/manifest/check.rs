//! The rules a manifest keeps beyond its shape: names, bounds, references.

use alloc::collections::BTreeMap;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use abi::{Kind, Rights, profile};

use super::place::{ensure, named};
use super::{
    APPROVALS_MAX, CLAIM_TYPES_MAX, COMPONENTS_MAX, CapabilityEntry, Limits, Manifest,
    QUEUE_BYTES_MAX, QUEUES_MAX, REGIONS_MAX, SENSORS_MAX, STORES_MAX, StandingApproval, TaskEntry,
    is_name, well_known,
};
use crate::error::{PackageError, Reason};

/// The largest integer that JSON carries exactly everywhere.
pub(super) const INTEGER_MAX: u64 = (1 << 53) - 1;

/// Declared objects by name.
pub(super) type Objects<'a> = BTreeMap<&'a str, Kind>;

impl Manifest {
    /// Checks every rule that does not need the file's other segments.
    ///
    /// # Errors
    /// The first rule broken, in order of the members.
    pub fn check(&self) -> Result<(), PackageError> {
        self.check_counts()?;
        name(&self.name, || String::from("name"))?;
        integer(self.version, || String::from("version"))?;
        integer(self.limits.memory, || String::from("limits.memory"))?;
        let share = 1..=Limits::SHARE_MAX;
        ensure(share.contains(&self.limits.share), Reason::OutOfRange, || {
            String::from("limits.share")
        })?;

        if let Some(slices) = self.state_roots {
            let place = || String::from("state_roots");
            integer(slices, place)?;
            ensure(slices > 0, Reason::OutOfRange, place)?;
        }

        let objects = self.objects()?;
        self.check_queues()?;
        self.check_segments()?;
        self.check_stores(&objects)?;
        for (at, approval) in self.standing_approvals.iter().enumerate() {
            approval.check(&format!("standing_approvals[{at}]"))?;
        }
        let mut names = BTreeSet::new();
        for (at, task) in self.tasks.iter().enumerate() {
            task.check(&format!("tasks[{at}]"), self, &objects)?;
            ensure(names.insert(task.name.as_str()), Reason::DuplicateName, || {
                named(&format!("tasks[{at}].name"), &task.name)
            })?;
        }
        Ok(())
    }

    fn check_counts(&self) -> Result<(), PackageError> {
        let counts = [
            ("components", self.components.len(), COMPONENTS_MAX),
            ("regions", self.regions.len(), REGIONS_MAX),
            ("queues", self.queues.len(), QUEUES_MAX),
            ("vector_stores", self.vector_stores.len(), STORES_MAX),
            ("graph_stores", self.graph_stores.len(), STORES_MAX),
            ("sensors", self.sensors.len(), SENSORS_MAX),
            ("standing_approvals", self.standing_approvals.len(), APPROVALS_MAX),
            ("tasks", self.tasks.len(), profile::TASKS),
        ];
        for (member, count, most) in counts {
            ensure(count <= most, Reason::TooMany, || String::from(member))?;
        }
        Ok(())
    }

    /// Every object the package declares; refuses bad names and names that
    /// are taken, by the package or by the machine.
    fn objects(&self) -> Result<Objects<'_>, PackageError> {
        let mut objects = Objects::new();
        for (member, kind, names) in self.names() {
            for (at, object) in names.into_iter().enumerate() {
                let place = || format!("{member}[{at}].name");
                name(object, place)?;
                let is_new = well_known(object).is_none() && objects.insert(object, kind).is_none();
                ensure(is_new, Reason::DuplicateName, || named(&place(), object))?;
            }
        }
        Ok(objects)
    }

    /// The names of what it declares, by member.
    fn names(&self) -> [(&'static str, Kind, Vec<&str>); 6] {
        fn all<T>(entries: &[T], name: fn(&T) -> &String) -> Vec<&str> {
            entries.iter().map(|entry| name(entry).as_str()).collect()
        }
        [
            ("components", Kind::Component, all(&self.components, |part| &part.name)),
            ("regions", Kind::Region, all(&self.regions, |part| &part.name)),
            ("queues", Kind::Queue, all(&self.queues, |queue| &queue.name)),
            ("vector_stores", Kind::VectorStore, all(&self.vector_stores, |store| &store.name)),
            ("graph_stores", Kind::GraphStore, all(&self.graph_stores, |store| &store.name)),
            ("sensors", Kind::Sensor, all(&self.sensors, |sensor| &sensor.name)),
        ]
    }

    fn check_queues(&self) -> Result<(), PackageError> {
        for (at, queue) in self.queues.iter().enumerate() {
            let is_sane = (1..=QUEUE_BYTES_MAX).contains(&queue.capacity_bytes);
            ensure(is_sane, Reason::OutOfRange, || format!("queues[{at}].capacity_bytes"))?;
        }
        Ok(())
    }

    fn check_stores(&self, objects: &Objects) -> Result<(), PackageError> {
        for (at, store) in self.vector_stores.iter().enumerate() {
            store.check(&format!("vector_stores[{at}]"), objects)?;
        }
        for (at, store) in self.graph_stores.iter().enumerate() {
            store.check(&format!("graph_stores[{at}]"), objects)?;
        }
        Ok(())
    }

    /// No two parts may share a segment: a part is its segment.
    fn check_segments(&self) -> Result<(), PackageError> {
        let mut segments = BTreeSet::new();
        for (member, parts) in [("components", &self.components), ("regions", &self.regions)] {
            for (at, part) in parts.iter().enumerate() {
                integer(part.segment, || format!("{member}[{at}].segment"))?;
                ensure(segments.insert(part.segment), Reason::SegmentTwice, || {
                    format!("{member}[{at}].segment")
                })?;
            }
        }
        Ok(())
    }
}

impl StandingApproval {
    fn check(&self, place: &str) -> Result<(), PackageError> {
        let types = || format!("{place}.claim_types");
        ensure(self.claim_types.len() <= CLAIM_TYPES_MAX, Reason::TooMany, types)?;
        ensure(!self.claim_types.is_empty(), Reason::Empty, types)?;
        ensure(self.claim_types.is_sorted_by(|a, b| a < b), Reason::NotSorted, types)?;
        integer(self.max_bytes, || format!("{place}.max_bytes"))?;
        integer(self.max_claims, || format!("{place}.max_claims"))
    }
}

impl TaskEntry {
    fn check(&self, place: &str, all: &Manifest, objects: &Objects) -> Result<(), PackageError> {
        name(&self.name, || format!("{place}.name"))?;
        name(&self.component, || format!("{place}.component"))?;
        let runs = objects.get(self.component.as_str());
        ensure(runs == Some(&Kind::Component), Reason::NoSuchObject, || {
            named(&format!("{place}.component"), &self.component)
        })?;
        ensure(self.fuel <= all.limits.fuel, Reason::OverLimit, || format!("{place}.fuel"))?;
        ensure(u64::from(self.memory) <= all.limits.memory, Reason::OverLimit, || {
            format!("{place}.memory")
        })?;
        ensure(self.capabilities.len() <= profile::CAPABILITIES, Reason::TooMany, || {
            format!("{place}.capabilities")
        })?;
        for (at, capability) in self.capabilities.iter().enumerate() {
            capability.check(&format!("{place}.capabilities[{at}]"), objects)?;
        }
        if let Some(wasi) = &self.wasi {
            wasi.check(&format!("{place}.wasi"), &self.capabilities)?;
        }
        Ok(())
    }
}

impl CapabilityEntry {
    fn check(&self, place: &str, objects: &Objects) -> Result<(), PackageError> {
        name(&self.name, || format!("{place}.name"))?;
        let kind = objects.get(self.name.as_str()).copied().or_else(|| well_known(&self.name));
        ensure(kind == Some(self.kind), Reason::NoSuchObject, || {
            format!("{place} ({} \"{}\")", self.kind.name(), self.name)
        })?;
        ensure(self.rights != Rights::NONE, Reason::Empty, || format!("{place}.rights"))
    }
}

pub(super) fn name(text: &str, place: impl FnOnce() -> String) -> Result<(), PackageError> {
    ensure(is_name(text), Reason::BadName, place)
}

fn integer(value: u64, place: impl FnOnce() -> String) -> Result<(), PackageError> {
    ensure(value <= INTEGER_MAX, Reason::OutOfRange, place)
}
