//! Snapshots of a whole cell, and the roots that commit to them.
//!
//! A snapshot is the state behind the gate and that of each task, in pages.
//! Its root is the Merkle root (RFC 6962) over them. Where a package asks for
//! it, or an operator, that root is a record; who has the log can then check
//! a snapshot before restoring it, and the records that follow are those of
//! a run that was never interrupted.

use crate::{
    cell::Cell, engine::engine, imports::linker, instance::Instance, prepare::role,
    program::Program, room::Room, seat::Seat,
};
use abi::profile::{SLICE_FUEL, data_fuel};
use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};
use core::fmt;
use nucleus::{
    Nucleus, ObjectId,
    snapshot::{PAGE, Reader, Saved, Writer, saved},
    view::Body,
};
use witness::{Hash, Hasher, Index, Subject, Trust, record::RootReason, tree::Tree};

/// When roots are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Roots {
    /// Each time so many slices are over.
    every: Option<u64>,
    /// Number of the slice after which one was taken last.
    last: u64,
    /// The event that asks for one.
    asked: Option<Index>,
}

saved!(struct Roots { every, last, asked });

impl Roots {
    pub(crate) fn every(every: Option<u64>) -> Self {
        Self { every, last: 0, asked: None }
    }

    /// An operator asks for one.
    pub(crate) fn ask(&mut self, event: Index) {
        self.asked = Some(event);
    }

    /// Whether one is due, and what for.
    fn due(&self, slice: u64) -> Option<(RootReason, Option<Index>)> {
        if self.asked.is_some() {
            return Some((RootReason::Snapshot, self.asked));
        }
        let every = self.every?;
        let is_due = slice > self.last && slice.checked_rem(every) == Some(0);
        is_due.then_some((RootReason::Manifest, None))
    }
}

/// No snapshot can be taken: the cell was not asked to keep journals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotKept;

impl fmt::Display for NotKept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a machine that keeps no journals has no snapshots")
    }
}

impl core::error::Error for NotKept {}

/// What a restored cell has from where it runs.
pub struct Surroundings {
    /// Whose signatures count.
    pub trust: Trust,
    /// SHA-256, as this machine does it best.
    pub hasher: Hasher,
    /// Ids of all records before the snapshot, in order.
    pub ids: Vec<Hash>,
}

/// Why a snapshot cannot be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loaded {
    /// It is damaged, of another version, or not of a log with these ids.
    NoSnapshot,
    /// A task does not come to where it was: its component or its journal is
    /// another one.
    Diverged(Subject),
}

impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSnapshot => f.write_str("it is damaged, of another version, or of another log"),
            Self::Diverged(subject) => {
                write!(f, "task {} does not come to where it was by its journal", subject.0)
            }
        }
    }
}

impl core::error::Error for Loaded {}

impl Cell {
    /// Writes down everything that what follows depends on, page by page.
    /// Between steps, when all effects are taken.
    ///
    /// # Errors
    /// [`NotKept`].
    pub fn save(&self, emit: &mut dyn FnMut(&[u8])) -> Result<(), NotKept> {
        let roots = self.roots.as_ref().ok_or(NotKept)?;
        let mut to = Writer::new(emit);
        self.nucleus.save(&mut to);
        self.room.save(&mut to);
        self.refused.save(&mut to);
        roots.save(&mut to);
        self.seed.save(&mut to);
        for (subject, instance) in &self.instances {
            to.align();
            subject.save(&mut to);
            instance.save(&mut to);
        }
        to.finish();
        Ok(())
    }

    /// Root of a snapshot that would be taken here, and its pages.
    ///
    /// # Errors
    /// [`NotKept`].
    pub fn state_root(&self) -> Result<(Hash, u64), NotKept> {
        let mut tree = Tree::new(self.hasher);
        let empty = self.hasher.leaf(&[0; PAGE]);
        self.save(&mut |page| {
            // Most of what is set aside was never used: looking is cheaper
            // than hashing.
            let is_empty = page.len() == PAGE && page.iter().all(|byte| *byte == 0);
            tree.push(if is_empty { empty } else { self.hasher.leaf(page) });
        })?;
        Ok((tree.root(), tree.size()))
    }

    /// Records the root if one is due; says whether it was. The kernel pays
    /// for it, by size.
    pub(crate) fn take_root(&mut self) -> bool {
        let slice = self.nucleus.clock().slice();
        let due = self.roots.as_ref().and_then(|roots| roots.due(slice));
        let Some((reason, cause)) = due else { return false };
        let Ok((root, pages)) = self.state_root() else { return false };
        self.nucleus.spend(Subject::KERNEL, data_fuel(pages.saturating_mul(PAGE as u64)));
        let is_written = self.nucleus.write_root(reason, cause, root);
        if let Some(roots) = &mut self.roots {
            roots.last = slice;
            roots.asked = None;
        }
        is_written
    }

    /// Whether the next step begins by recording a root: where a snapshot of
    /// this cell has the root that the next record names.
    pub fn is_root_due(&self) -> bool {
        let slice = self.nucleus.clock().slice();
        self.roots.as_ref().is_some_and(|roots| roots.due(slice).is_some())
    }

    /// A cell as it was when this snapshot of it was taken.
    ///
    /// # Errors
    /// See [`Loaded`]. Whoever does not trust the bytes compares their root
    /// with the record's first.
    pub fn restore(bytes: &[u8], surroundings: Surroundings) -> Result<Self, Loaded> {
        let Surroundings { trust, hasher, ids } = surroundings;
        let mut from = Reader::new(bytes);
        let nucleus = Nucleus::load(&mut from, hasher, witness::key::holds, ids);
        let nucleus = nucleus.ok_or(Loaded::NoSnapshot)?;
        let engine = engine();
        let mut cell = Self {
            nucleus: Seat::new(nucleus),
            // The table of imports has no two of one name.
            linker: linker(&engine).unwrap_or_else(|_| wasmi::Linker::new(&engine)),
            programs: BTreeMap::new(),
            instances: BTreeMap::new(),
            trust,
            hasher,
            failure: None,
            room: Room::load(&mut from).ok_or(Loaded::NoSnapshot)?,
            reports: Vec::new(),
            refused: Saved::load(&mut from).ok_or(Loaded::NoSnapshot)?,
            roots: Some(Saved::load(&mut from).ok_or(Loaded::NoSnapshot)?),
            seed: Saved::load(&mut from).ok_or(Loaded::NoSnapshot)?,
            // The tasks of the package have started.
            wasi: Vec::new(),
            // How much the machine that went on had does not matter here.
            spare: u64::MAX,
        };
        while !from.is_at_end() {
            from.align().ok_or(Loaded::NoSnapshot)?;
            let subject = Saved::load(&mut from).ok_or(Loaded::NoSnapshot)?;
            let diverged = Loaded::Diverged(subject);
            let instance = cell.begun(subject).ok_or(diverged)?;
            let instance = instance.restore(&mut from).ok_or(diverged)?;
            cell.instances.insert(subject, instance);
        }
        Ok(cell)
    }

    /// A task's instance as it began. Its start was paid for, and needs no
    /// more fuel than it did.
    fn begun(&mut self, subject: Subject) -> Option<Instance> {
        let task = self.nucleus.task(subject)?;
        let (component, role, memory) = (task.component?, role(task.kind), task.memory);
        let module = self.module(component)?;
        let translate = || Program::new(self.linker.engine(), &module, true);
        let program = self.programs.entry(component).or_insert_with(translate).as_ref().ok()?;
        let mut instance = Instance::new(&self.linker, program, role, memory, SLICE_FUEL).0.ok()?;
        instance.belongs_to(subject, self.seed);
        Some(instance)
    }

    fn module(&self, component: ObjectId) -> Option<Arc<[u8]>> {
        match &self.nucleus.object(component)?.body {
            Body::Component(component) => Some(Arc::clone(&component.module)),
            _ => None,
        }
    }
}
