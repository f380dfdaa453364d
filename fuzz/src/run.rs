//! A cell run to its end, and what must hold of every run.

use crate::world::{self, HASHER};
use machine::{Boot, Cell, Input, NotAdmitted, Step};
use witness::{
    Hash, Record, Subject,
    manifest::{End, RunManifest},
    record::{Body, EventKind},
    verify::{Evidence, Expected, Verdict, verify},
};

/// Steps after which a run is left as it is.
const STEPS_MAX: usize = 2_000;

/// Something that comes in once a number of steps was made.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) after: usize,
    pub(crate) kind: EventKind,
    pub(crate) data: Vec<u8>,
}

/// What a run left.
pub(crate) struct Run {
    pub(crate) cell: Cell,
    pub(crate) entries: Vec<Vec<u8>>,
    ids: Vec<Hash>,
}

pub(crate) fn boot(file: &[u8], memory_limit: u64) -> Cell {
    let (trust, hasher, facts) = (world::trust(), HASHER, world::facts());
    Cell::start(Boot { package: file, trust, hasher, facts, memory_limit, keeps_journals: false })
}

impl Run {
    /// Runs a cell, sealing after every `seal_every` steps.
    pub(crate) fn of(mut cell: Cell, events: &[Event], seal_every: usize) -> Self {
        let (mut entries, mut ids) = (Vec::new(), Vec::new());
        let mut seal = |cell: &mut Cell| {
            cell.seal(&mut |record, id| {
                entries.push(record.to_vec());
                ids.push(*id);
            });
        };
        let mut events = events.iter().peekable();
        for turn in 0..STEPS_MAX {
            let mut has_come = false;
            while let Some(event) = events.next_if(|event| event.after <= turn) {
                if admit(&mut cell, event) == Err(NotAdmitted::SealFirst) {
                    seal(&mut cell);
                    assert_ne!(admit(&mut cell, event), Err(NotAdmitted::SealFirst));
                }
                has_come = true;
            }
            let step = cell.step();
            if turn % seal_every == 0 || step == Step::SealFirst {
                seal(&mut cell);
            }
            cell.effects();
            match step {
                Step::Ran | Step::SealFirst => {}
                Step::Waiting { until: Some(until) } => assert_eq!(cell.jump(), Some(until)),
                // What is still to come may wake a task, and must not hurt
                // where all are gone.
                Step::Waiting { until: None } | Step::Finished => {
                    if events.peek().is_none() && !has_come {
                        break;
                    }
                }
                Step::Failed(failure) => panic!("{failure}"),
            }
        }
        seal(&mut cell);
        Self { cell, entries, ids }
    }

    pub(crate) fn root(&self) -> Hash {
        self.cell.root()
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.entries.iter().map(|bytes| Record::decode(bytes).expect("a record of ours decodes"))
    }

    /// Records of calls that a task made.
    pub(crate) fn calls(&self, subject: u32) -> usize {
        let is_call = |record: &Record<'_>| {
            record.subject == Subject(subject) && matches!(record.body, Body::Call(_))
        };
        self.records().filter(is_call).count()
    }

    /// What the machine says of the run at its end.
    pub(crate) fn manifest(&self) -> RunManifest {
        let (size, root) = (self.cell.size(), self.cell.root());
        let facts = world::facts();
        let Some(Body::Genesis(genesis)) = self.records().next().map(|record| record.body) else {
            panic!("the log begins with something else than its genesis");
        };
        RunManifest {
            arch: facts.arch,
            board: facts.board,
            boot_id: facts.boot_id,
            development_keys: false,
            device_key: facts.device_key,
            end: End::PowerOff,
            package: genesis.package,
            profile: abi::profile::NAME.into(),
            records: size,
            root,
            tasks: self.cell.outcomes(),
        }
    }

    /// Nobody has spent more than there was.
    fn check_budgets(&self) {
        let view = self.cell.view();
        for (_, task) in view.tasks() {
            assert!(task.spent.saturating_add(task.given) <= task.fuel, "{task:?}");
        }
        for partition in view.partitions() {
            for meter in [partition.fuel, partition.memory, partition.records] {
                assert!(meter.used <= meter.limit, "{partition:?}");
            }
        }
    }

    /// Every budget was kept to, and a stranger finds nothing wrong with the
    /// log.
    pub(crate) fn check(&self) {
        self.check_budgets();
        for (record, bytes) in self.records().zip(&self.entries) {
            assert_eq!(record.encode().as_bytes(), bytes);
            assert!(!record.to_string().contains(char::is_control));
        }
        let checkpoint = world::checkpoint(self.cell.size(), self.cell.root());
        let note = self.manifest().sign(&world::log_origin(), &world::device());
        let evidence = Evidence {
            checkpoint: Some(&checkpoint),
            manifest: Some(&note),
            leaves: Some(&self.ids),
        };
        let entries = self.entries.iter().map(Vec::as_slice);
        let report =
            verify(HASHER, world::facts().device_key, Expected::default(), entries, evidence);
        assert_eq!(report.verdict, Verdict::Verified, "{:?}", self.cell.outcomes());
    }
}

fn admit(cell: &mut Cell, event: &Event) -> Result<(), NotAdmitted> {
    let input = match event.kind {
        EventKind::Sensor => match cell.view().sensor("thermometer") {
            Some(sensor) => Input::reading(sensor, &event.data),
            None => Input::new(EventKind::Sensor, &event.data),
        },
        kind => Input::new(kind, &event.data),
    };
    cell.admit(input).map(|_| ())
}
