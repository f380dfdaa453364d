//! Packages from WAT, and cells run to their end.
#![allow(dead_code, reason = "each test file uses its own part of this")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use abi::{Kind, Rights};
use ed25519_dalek::{Signer, SigningKey};
use machine::{Boot, Cell, Effect, Step, Surroundings};
use package::{
    DATA_SEGMENT, Manifest,
    manifest::{
        CapabilityEntry, GraphStoreEntry, Limits, PartEntry, QueueEntry, SensorEntry,
        StandingApproval, TaskEntry, TaskKind, VectorStoreEntry,
    },
    signature_payload, signing_message,
};
use rvf_types::SegmentFlags;
use rvf_wire::write_segment;
use std::collections::BTreeMap;
use witness::{
    Body, Hash, Hasher, Record, Subject, Trust,
    record::{Arch, Board, CallBody, Flags, MachineFacts},
    trust::NamedKey,
};

pub const HASHER: Hasher = Hasher::SOFTWARE;

pub fn operator() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

pub fn trust() -> Trust {
    let key = operator().verifying_key().to_bytes();
    Trust { operators: vec![NamedKey { key, name: "operator".into() }], ..Trust::nobody() }
}

pub fn facts(boot: u8) -> MachineFacts {
    MachineFacts {
        nonce: None,
        previous_checkpoint: [0; 32],
        boot_id: [boot; 16],
        kernel: [0; 32],
        loader: [0; 32],
        trust: [0; 32],
        device_key: [0; 32],
        serial: 0,
        arch: Arch::Hosted,
        board: Board::Hosted,
        flags: Flags::NONE,
    }
}

/// What goes into a package.
#[derive(Clone)]
pub struct Recipe {
    pub limits: Limits,
    pub components: Vec<(String, Vec<u8>)>,
    pub regions: Vec<(String, Vec<u8>)>,
    pub queues: Vec<QueueEntry>,
    pub vector_stores: Vec<VectorStoreEntry>,
    pub graph_stores: Vec<GraphStoreEntry>,
    pub sensors: Vec<SensorEntry>,
    pub state_roots: Option<u64>,
    pub approvals: Vec<StandingApproval>,
    pub tasks: Vec<TaskEntry>,
}

pub fn capability(kind: Kind, name: &str, rights: Rights) -> CapabilityEntry {
    CapabilityEntry { kind, name: name.into(), rights }
}

/// Console, timer, log, in this order: handles 0, 1, 2.
pub fn usual() -> Vec<CapabilityEntry> {
    vec![
        capability(Kind::Queue, "console", Rights::WRITE),
        capability(Kind::Timer, "timer", Rights::READ),
        capability(Kind::Log, "log", Rights::WRITE),
    ]
}

impl Recipe {
    pub fn new() -> Self {
        Self {
            limits: Limits {
                fuel: 1 << 40,
                memory: 1 << 26,
                records: 10_000,
                share: Limits::DEFAULT_SHARE,
            },
            components: vec![],
            regions: vec![],
            queues: vec![],
            vector_stores: vec![],
            graph_stores: vec![],
            sensors: vec![],
            state_roots: None,
            approvals: vec![],
            tasks: vec![],
        }
    }

    pub fn component(mut self, name: &str, bytes: &[u8]) -> Self {
        self.components.push((name.into(), bytes.into()));
        self
    }

    pub fn region(mut self, name: &str, bytes: &[u8]) -> Self {
        self.regions.push((name.into(), bytes.into()));
        self
    }

    /// A task of the same name as its component, which is this text.
    pub fn task(self, name: &str, wat: &str) -> Self {
        self.module(name, &wat::parse_str(wat).unwrap())
    }

    pub fn module(self, name: &str, bytes: &[u8]) -> Self {
        self.component(name, bytes).start(name, name, usual())
    }

    pub fn start(
        mut self,
        name: &str,
        component: &str,
        capabilities: Vec<CapabilityEntry>,
    ) -> Self {
        self.tasks.push(TaskEntry {
            name: name.into(),
            component: component.into(),
            kind: TaskKind::Command,
            priority: 0,
            deadline: None,
            fuel: 1 << 32,
            memory: 1 << 20,
            capabilities,
            wasi: None,
        });
        self
    }

    /// Changes the last task.
    pub fn with(mut self, change: impl FnOnce(&mut TaskEntry)) -> Self {
        change(self.tasks.last_mut().unwrap());
        self
    }

    pub fn unsigned(&self) -> (Vec<u8>, u64) {
        let part = |(segment, (name, bytes)): (u64, &(String, Vec<u8>))| PartEntry {
            name: name.clone(),
            segment,
            sha256: HASHER.hash(bytes),
        };
        let count = self.components.len();
        let manifest = Manifest {
            name: "test".into(),
            version: 1,
            seed: 42,
            limits: self.limits,
            components: (2..).zip(&self.components).map(part).collect(),
            regions: (2..).skip(count).zip(&self.regions).map(part).collect(),
            queues: self.queues.clone(),
            vector_stores: self.vector_stores.clone(),
            graph_stores: self.graph_stores.clone(),
            sensors: self.sensors.clone(),
            state_roots: self.state_roots,
            standing_approvals: self.approvals.clone(),
            tasks: self.tasks.clone(),
        };
        let json = manifest.to_json();
        let meta = (0x07, json.as_bytes());
        let components = self.components.iter().map(|(_, bytes)| (0x10, bytes.as_slice()));
        let regions = self.regions.iter().map(|(_, bytes)| (DATA_SEGMENT, bytes.as_slice()));
        let all = std::iter::once(meta).chain(components).chain(regions);
        let write = |(id, (kind, bytes)): (u64, (u8, &[u8]))| {
            write_segment(kind, bytes, SegmentFlags::empty(), id)
        };
        let next = 2 + (self.components.len() + self.regions.len()) as u64;
        ((1..).zip(all).flat_map(write).collect(), next)
    }

    pub fn signed(&self) -> Vec<u8> {
        let (mut file, next) = self.unsigned();
        let key = operator();
        let signature = key.sign(&signing_message(&HASHER.hash(&file)));
        let payload = signature_payload(key.verifying_key().as_bytes(), &signature.to_bytes());
        file.extend(write_segment(0x0C, &payload, SegmentFlags::empty(), next));
        file
    }

    pub fn run(&self) -> Run {
        run(&self.signed())
    }
}

/// What a cell left.
pub struct Run {
    pub cell: Cell,
    pub records: Vec<Vec<u8>>,
    pub ids: Vec<Hash>,
    pub console: BTreeMap<u32, Vec<u8>>,
    pub reports: Vec<String>,
}

pub fn start(file: &[u8], boot: u8) -> Cell {
    Cell::start(Boot {
        package: file,
        trust: trust(),
        hasher: HASHER,
        facts: facts(boot),
        memory_limit: 1 << 30,
        keeps_journals: false,
    })
}

/// The same, and snapshots can be taken.
pub fn start_with_journals(file: &[u8]) -> Cell {
    Cell::start(Boot {
        package: file,
        trust: trust(),
        hasher: HASHER,
        facts: facts(1),
        memory_limit: 1 << 30,
        keeps_journals: true,
    })
}

/// Writes a cell down.
pub fn pages(cell: &Cell) -> Vec<u8> {
    let mut bytes = vec![];
    cell.save(&mut |page| bytes.extend_from_slice(page)).unwrap();
    bytes
}

/// Reads a cell back.
pub fn restored(bytes: &[u8], ids: Vec<Hash>) -> Cell {
    let surroundings = Surroundings { trust: trust(), hasher: HASHER, ids };
    Cell::restore(bytes, surroundings).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs to the end; before each so many steps the cell is written down, thrown
/// away and read back. Gives the records.
pub fn interrupted(file: &[u8], every: usize) -> (Vec<Vec<u8>>, Cell) {
    let mut cell = start_with_journals(file);
    let mut records = Vec::new();
    for number in 1.. {
        cell.seal(&mut |record, _| records.push(record.to_vec()));
        drop(cell.effects());
        if number % every == 0 {
            let bytes = pages(&cell);
            let ids = cell.log().ids().copied().collect();
            cell = restored(&bytes, ids);
            assert_eq!(pages(&cell), bytes, "a snapshot of what was restored is the same");
        }
        match cell.step() {
            Step::Ran | Step::SealFirst => {}
            Step::Waiting { until: Some(_) } => assert!(cell.jump().is_some()),
            Step::Waiting { until: None } | Step::Finished => break,
            Step::Failed(failure) => panic!("{failure}"),
        }
    }
    cell.seal(&mut |record, _| records.push(record.to_vec()));
    (records, cell)
}

pub fn run(file: &[u8]) -> Run {
    drive(start(file, 1), 1)
}

/// Runs a cell to its end, sealing after every `seal_every` steps.
pub fn drive(mut cell: Cell, seal_every: usize) -> Run {
    let (mut records, mut ids) = (vec![], vec![]);
    let mut console: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    for turn in 1.. {
        let step = cell.step();
        if turn % seal_every == 0 || step != Step::Ran {
            cell.seal(&mut |record, id| {
                records.push(record.to_vec());
                ids.push(*id);
            });
        }
        for effect in cell.effects() {
            let Effect::Console { subject, bytes } = effect;
            console.entry(subject.0).or_default().extend(bytes);
        }
        match step {
            Step::Ran | Step::SealFirst => {}
            Step::Waiting { until: Some(_) } => assert!(cell.jump().is_some()),
            Step::Waiting { until: None } | Step::Finished => break,
            Step::Failed(failure) => panic!("{failure}"),
        }
    }
    let reports = cell.take_reports();
    Run { cell, records, ids, console, reports }
}

impl Run {
    pub fn decoded(&self) -> Vec<Record<'_>> {
        self.records.iter().map(|bytes| Record::decode(bytes).unwrap()).collect()
    }

    pub fn of(&self, subject: u32) -> Vec<Record<'_>> {
        self.decoded().into_iter().filter(|record| record.subject == Subject(subject)).collect()
    }

    pub fn calls(&self, subject: u32) -> Vec<(Record<'_>, CallBody<'_>)> {
        let call = |record| match record {
            Record { body: Body::Call(call), .. } => Some((record, call)),
            _ => None,
        };
        self.of(subject).into_iter().filter_map(call).collect()
    }

    pub fn text(&self, subject: u32) -> String {
        let bytes = self.console.get(&subject).cloned().unwrap_or_default();
        String::from_utf8(bytes).unwrap()
    }

    pub fn task(&self, subject: u32) -> nucleus::Outcome {
        let task = self.cell.view().task(Subject(subject)).unwrap();
        match task.state() {
            nucleus::State::Ended(outcome) => outcome,
            state => panic!("still {state:?}"),
        }
    }
}

/// A module with the imports used most, a page of memory, and this body.
pub fn program(body: &str) -> String {
    format!(
        r#"(module
        (import "heliograph" "queue_send" (func $send (param i32 i32 i32 i32 i32) (result i64)))
        (import "heliograph" "timer_wait" (func $wait (param i32 i32 i64) (result i64)))
        (import "heliograph" "attest_emit" (func $attest (param i32 i32 i32 i32 i32 i32) (result i64)))
        (import "heliograph" "region_map" (func $region (param i32 i32 i64 i32 i32) (result i64)))
        (import "heliograph" "task_spawn" (func $spawn (param i32 i32 i32) (result i64)))
        (import "heliograph" "rvf_mount" (func $mount (param i32 i32 i32 i32 i32) (result i64)))
        (memory (export "memory") 1)
        {body})"#
    )
}

/// Prints a line and returns 0.
pub fn honest() -> String {
    program(
        r#"(data (i32.const 16) "hello\n")
        (func (export "_start")
            (drop (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 6))))"#,
    )
}
