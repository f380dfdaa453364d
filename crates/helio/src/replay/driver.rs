//! The driver: owns a cell, feeds it what the log recorded, and compares each
//! record it makes with the log's.
//!
//! An event is admitted where the log has it: when the machine has made every
//! record before it, and stands at its logical time and slice. These three
//! name one point between two slices, so there is nothing to try out. Logical
//! time jumps when every task waits, unless the log has an event before the
//! end of the jump.

use std::collections::VecDeque;

use machine::{Cell, Failure, Input, NotAdmitted, Step};
use witness::Hasher;
use witness::record::{EventKind, MountRequest};

use super::events::{Events, Recorded};
use super::verdict::{Divergence, Gap, Refusal, Side, Verdict};

/// How far a log speaks for its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// To its end: nothing may follow.
    Whole,
    /// To its last record; the run may have gone on.
    Open,
}

/// A replay under way.
pub struct Driver<'a> {
    cell: Cell,
    entries: &'a [Vec<u8>],
    events: VecDeque<Recorded>,
    /// Packages that an operator may have mounted.
    packages: &'a [Vec<u8>],
    extent: Extent,
    /// Number of records that were made again, all of them equal.
    equal: u64,
    ended: Option<Verdict>,
}

impl<'a> Driver<'a> {
    /// Goes on with a cell that stands where the log's record of number
    /// `cell.size()` comes next; one that was just started, or restored. The
    /// entries are those of the log, from its first.
    pub fn new(cell: Cell, entries: &'a [Vec<u8>], extent: Extent) -> Self {
        let Events { whole, cut } = Events::of(entries);
        // An event whose end is missing with the log's cannot be fed.
        let cut = cut.filter(|_| extent == Extent::Open);
        let end = cut.and_then(|cut| usize::try_from(cut).ok()).unwrap_or(entries.len());
        let (entries, _) = entries.split_at_checked(end).unwrap_or((entries, &[]));
        let equal = cell.size();
        // What went before is not made again here, but its mark counts.
        let is_mark = |event: &&Recorded| event.kind == EventKind::Unrecorded;
        let mark = whole.iter().take_while(|event| event.index < equal).find(is_mark).map(marked);
        let events = whole.into_iter().filter(|event| event.index >= equal).collect();
        let packages = &[];
        let mut driver = Self { cell, entries, events, packages, extent, equal, ended: mark };
        if driver.ended.is_none() {
            driver.compare();
        }
        driver
    }

    /// Takes the packages that an operator may have mounted: their files, in
    /// any order.
    pub fn give(&mut self, packages: &'a [Vec<u8>]) {
        self.packages = packages;
    }

    /// The machine as it stands.
    pub fn cell(&self) -> &Cell {
        &self.cell
    }

    /// The machine, to go on with it elsewhere.
    pub fn into_cell(self) -> Cell {
        self.cell
    }

    /// Number of records that were made again, each equal to the log's.
    pub fn equal(&self) -> u64 {
        self.equal
    }

    /// Number of records to be compared.
    pub fn records(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Goes on to the verdict, or until every record before `until` is there:
    /// the first point between two slices, or events, where that is so. Shows
    /// `progress` at each such point how many records are equal.
    ///
    /// # Errors
    /// This machine cannot go on, which says nothing about the log.
    pub fn run(
        &mut self,
        until: Option<u64>,
        progress: &mut dyn FnMut(u64, &Cell),
    ) -> Result<Verdict, Failure> {
        loop {
            progress(self.equal, &self.cell);
            if let Some(verdict) = &self.ended {
                return Ok(verdict.clone());
            }
            if until.is_some_and(|until| self.equal >= until) {
                return Ok(Verdict::Stopped);
            }
            self.advance()?;
        }
    }

    /// Admits one event or runs one slice.
    fn advance(&mut self) -> Result<(), Failure> {
        if self.extent == Extent::Open && self.equal == self.records() {
            self.ended = Some(Verdict::Equal);
            return Ok(());
        }
        if let Some(event) = self.events.pop_front_if(|event| is_due(event, &self.cell)) {
            self.admit(&event);
            return Ok(());
        }
        if self.events.front().is_some_and(|event| is_past(event, &self.cell)) {
            self.stands();
            return Ok(());
        }
        let step = self.cell.step();
        // What tasks wrote left the machine when this was recorded.
        drop((self.cell.effects(), self.cell.take_reports()));
        self.compare();
        let is_due = self.events.front().is_some_and(|event| is_due(event, &self.cell));
        if self.ended.is_some() || is_due {
            return Ok(());
        }
        match step {
            Step::Ran | Step::SealFirst => {}
            Step::Waiting { until: Some(_) } => {
                self.cell.jump();
            }
            Step::Waiting { until: None } | Step::Finished => self.stands(),
            Step::Failed(failure) => return Err(failure),
        }
        Ok(())
    }

    fn admit(&mut self, event: &Recorded) {
        if event.kind == EventKind::Unrecorded {
            self.ended = Some(marked(event));
            return;
        }
        if event.kind == EventKind::MountRequest {
            self.mount(event);
            return;
        }
        let source = if event.kind == EventKind::Sensor { event.source } else { None };
        let input = Input { kind: event.kind, source, data: &event.data };
        let refusal = match event.signed {
            true => Some(Refusal::Signed),
            false => self.cell.admit(input).err().map(Refusal::Nucleus),
        };
        match refusal {
            Some(refusal) => self.part(Side::Refused(refusal)),
            None => self.compare(),
        }
    }

    /// Mounts what an operator mounted.
    fn mount(&mut self, event: &Recorded) {
        let hasher = Hasher::SOFTWARE;
        let admitted = match MountRequest::from_bytes(&event.data) {
            _ if event.signed => Err(Refusal::Signed),
            None => Err(Refusal::Nucleus(NotAdmitted::BadLength)),
            Some(MountRequest { package, path }) => {
                let mut files = self.packages.iter();
                let Some(file) = files.find(|file| hasher.hash(file) == package) else {
                    let gap = Gap::NeedsPackage { record: event.index, named: package };
                    self.ended = Some(Verdict::NotReproducible(gap));
                    return;
                };
                self.cell.mount_requested(file, path).map(drop).map_err(Refusal::Nucleus)
            }
        };
        match admitted {
            Err(refusal) => self.part(Side::Refused(refusal)),
            Ok(()) => self.compare(),
        }
    }

    /// Seals what is pending and compares it.
    fn compare(&mut self) {
        let Self { cell, entries, equal, extent, .. } = self;
        let mut made = None;
        cell.seal(&mut |record, _| {
            if made.is_some() {
                return;
            }
            match usize::try_from(*equal).ok().and_then(|at| entries.get(at)) {
                Some(entry) if entry == record => *equal += 1,
                None if *extent == Extent::Open => {}
                _ => made = Some(record.to_vec()),
            }
        });
        if let Some(record) = made {
            self.part(Side::Record(record));
        }
    }

    /// Nothing more happens by itself.
    fn stands(&mut self) {
        if self.equal == self.records() {
            self.ended = Some(Verdict::Equal);
            return;
        }
        let nucleus = self.cell.view();
        let (clock, finished) = (nucleus.clock(), !nucleus.is_alive());
        self.part(Side::Stands { time_ns: clock.now_ns(), slice: clock.slice(), finished });
    }

    /// Log and machine part at the next record.
    fn part(&mut self, replay: Side) {
        let entry = usize::try_from(self.equal).ok().and_then(|at| self.entries.get(at));
        let log = entry.map_or(Side::End, |entry| Side::Record(entry.clone()));
        let divergence = Divergence { record: self.equal, log, replay };
        self.ended = Some(Verdict::Diverged(Box::new(divergence)));
    }
}

/// The verdict on a run from its mark on.
fn marked(event: &Recorded) -> Verdict {
    let what = String::from_utf8_lossy(&event.data).into_owned();
    Verdict::NotReproducible(Gap::Marked { record: event.index, what })
}

/// Whether the machine stands where the event was admitted.
fn is_due(event: &Recorded, cell: &Cell) -> bool {
    let clock = cell.view().clock();
    let place = (cell.size(), clock.now_ns(), clock.slice());
    place == (event.index, event.time_ns, event.slice)
}

/// Whether the machine cannot come there any more: its record is the next one
/// of the log, and its time or slice has gone by.
fn is_past(event: &Recorded, cell: &Cell) -> bool {
    let clock = cell.view().clock();
    event.index == cell.size() && (clock.now_ns() > event.time_ns || clock.slice() > event.slice)
}
