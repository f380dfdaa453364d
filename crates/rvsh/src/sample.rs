//! A machine for tests: a real nucleus with a package of one of everything,
//! and tasks whose calls the tests make. What Wasm would do is left out.

use alloc::string::String;
use alloc::vec::Vec;
use std::vec;

use abi::{Call, Error, GraphMutation, Handle, Kind, PutHead, Rights, SpawnArguments};
use ed25519_dalek::{Signer, SigningKey};
use nucleus::{Answer, Arguments, ChangeProof, Ending, Nucleus, Passed, Request, Start, Work};
use package::manifest::{
    CapabilityEntry, GraphStoreEntry, Limits, Metric, PartEntry, QueueEntry, StandingApproval,
    StoreRules, TaskEntry, TaskKind, Tier, VectorStoreEntry,
};
use package::{DATA_SEGMENT, Manifest, Package, signature_payload, signing_message};
use rvf_types::SegmentFlags;
use rvf_wire::write_segment;
use witness::checkpoint::Checkpoint;
use witness::note::VerifierKey;
use witness::record::{Arch, Board, Flags, MachineFacts, TrapCode};
use witness::{Hash, Hasher, Index, Subject, Trust, trust::NamedKey};

use crate::view::{self, Hardware, Heap, Line, Machine, Message, Module, View};

const HASHER: Hasher = Hasher::SOFTWARE;

const FACTS: MachineFacts = MachineFacts {
    nonce: None,
    previous_checkpoint: [0; 32],
    boot_id: [0xb0; 16],
    kernel: [1; 32],
    loader: [2; 32],
    trust: [3; 32],
    device_key: [4; 32],
    serial: 0,
    arch: Arch::X86_64,
    board: Board::Pc,
    flags: Flags::TO_DISK.union(Flags::FLUSHES),
};

/// The tasks, in order of spawn.
pub(crate) const WORKER: Subject = Subject(1);
pub(crate) const CLERK: Subject = Subject(2);
pub(crate) const BROKEN: Subject = Subject(3);

/// What the worker starts with; the clerk has its `jobs` and nothing else.
pub(crate) const CONSOLE: Handle = Handle(0);
pub(crate) const JOBS: Handle = Handle(1);
const JOBS_OF_CLERK: Handle = Handle(0);
pub(crate) const PLACES: Handle = Handle(2);
pub(crate) const ROADS: Handle = Handle(3);
pub(crate) const MEMORY: Handle = Handle(4);
pub(crate) const LOG: Handle = Handle(5);
pub(crate) const PROGRAM: Handle = Handle(6);

pub(crate) struct Sample {
    pub(crate) nucleus: Nucleus,
    pub(crate) package: Option<Manifest>,
    pub(crate) digest: Hash,
    /// Whether there is only what its log says.
    is_replayed: bool,
}

impl Sample {
    /// Three tasks: one that waits, one that is ready, one that trapped.
    /// Eight records, of which the last three are not sealed.
    pub(crate) fn new() -> Self {
        let mut sample = Self::quiet();
        sample.nucleus.log_mut().seal(&mut |_, _| {});
        sample.slice(CLERK, |it| {
            let receive = Arguments::Receive { deadline: 2_000_000_000, into: &mut [] };
            it.ask(CLERK, Call::QueueRecv, JOBS_OF_CLERK, 0, receive).unwrap();
        });
        sample.slice(WORKER, |it| {
            let send = Arguments::Send { kind: 0, priority: 0, bytes: b"eighteen bytes in." };
            it.ask(WORKER, Call::QueueSend, CONSOLE, 0, send).unwrap();
            let send = Arguments::Send { kind: 0, priority: 0, bytes: b"" };
            let forged = it.ask(WORKER, Call::QueueSend, Handle::new(9, 1), 0, send);
            assert_eq!(forged, Err(Error::BadHandle));
            let claim = Arguments::Claim { kind: 5, digest: [6; 32], body: b"result\x1b[2J" };
            it.ask(WORKER, Call::AttestEmit, LOG, 0, claim).unwrap();
        });
        sample
    }

    /// The same before the first slice: the tasks have done nothing.
    pub(crate) fn quiet() -> Self {
        let mut sample = Self::started(&packed());
        for place in 0..sample.nucleus.plans().len() {
            let request = sample.nucleus.plans()[place].request(place);
            let Answer::Prepare(ticket) = sample.nucleus.gate(Subject::KERNEL, request) else {
                panic!("a spawn leaves the gate");
            };
            sample.nucleus.commit_spawn(ticket, Ok(())).unwrap();
        }
        sample.nucleus.end(BROKEN, Ending::Trap(TrapCode::MemoryOutOfBounds));
        sample
    }

    /// The same, so much later that the first records are no longer in memory.
    pub(crate) fn late() -> Self {
        let mut sample = Self::new();
        while sample.nucleus.log().entry(Index(1)).is_some() {
            let nothing = Arguments::TakeBack;
            let _ = sample.ask(Subject::KERNEL, Call::CapGrant, Handle(99), 2, nothing);
            sample.nucleus.log_mut().seal(&mut |_, _| {});
        }
        sample
    }

    /// A machine that was given no package.
    pub(crate) fn empty() -> Self {
        Self::started(b"no package")
    }

    /// The same machine, made again from its log.
    pub(crate) fn replayed(self) -> Self {
        Self { is_replayed: true, ..self }
    }

    fn started(file: &[u8]) -> Self {
        let opened = Package::open(file, &trust(), HASHER);
        let mut nucleus = Nucleus::new(Start {
            package: HASHER.hash(file),
            seed: 42,
            facts: FACTS,
            hasher: HASHER,
            signature_holds: witness::key::holds,
        });
        let Answer::Prepare(ticket) = nucleus.gate(Subject::KERNEL, Nucleus::mount_root()) else {
            panic!("a mount leaves the gate");
        };
        let length = u32::try_from(file.len()).unwrap();
        let _ = nucleus.commit_mount(
            ticket,
            opened.as_ref().map_err(package::PackageError::error),
            length,
            &|_| false,
        );
        let package = opened.ok().and_then(|package| package.manifest().cloned());
        Self { nucleus, package, digest: HASHER.hash(file), is_replayed: false }
    }

    /// Gives tasks slices until it is this one's turn, in which it does that.
    pub(crate) fn slice(&mut self, whose: Subject, mut what: impl FnMut(&mut Self)) {
        for _ in 0..1_000 {
            let grant = self.nucleus.begin_slice().unwrap();
            let is_its = grant.subject == whose;
            self.nucleus.spend(grant.subject, if is_its { 1_000 } else { 100_000 });
            if is_its {
                what(self);
            }
            self.nucleus.end_slice(grant.subject, 0);
            if is_its {
                return;
            }
        }
        panic!("it is never {whose}'s turn");
    }

    /// Has the worker spawn a task, which is called `program`. Gives the
    /// worker's capability for it.
    pub(crate) fn spawn(&mut self) -> Handle {
        let start = SpawnArguments {
            fuel: 1_000_000,
            deadline: u64::MAX,
            memory: 1 << 20,
            priority: 0,
            capabilities: 0,
            is_reactor: false,
        };
        let (kind, passed) = (TaskKind::Command, Passed::Handles(&[]));
        let spawn = Arguments::Spawn { start, kind, passed };
        let child = self.ask(WORKER, Call::TaskSpawn, PROGRAM, 0, spawn).unwrap();
        Handle(u32::try_from(child).unwrap())
    }

    /// Makes a call. Gives its result, or why it was denied.
    pub(crate) fn ask(
        &mut self,
        subject: Subject,
        call: Call,
        handle: Handle,
        operation: u32,
        arguments: Arguments<'_>,
    ) -> Result<i64, Error> {
        let length = match &arguments {
            Arguments::Send { bytes, .. } => u32::try_from(bytes.len()).unwrap(),
            _ => 0,
        };
        let arguments = Ok(arguments);
        let fuel = u64::MAX;
        let request = Request { call, handle, operation, length, argument: 0, fuel, arguments };
        match self.nucleus.gate(subject, request) {
            Answer::Done { value, .. } if value < 0 => Err(Error::from_guest(value).unwrap()),
            Answer::Done { value, .. } => Ok(value),
            Answer::Blocked => Ok(0),
            Answer::Prepare(ticket) => match ticket.work() {
                Work::Spawn { .. } => {
                    self.nucleus.commit_spawn(ticket, Ok(()))?;
                    Ok(self.nucleus.take_answer(subject).unwrap())
                }
                _ => match self.nucleus.commit_region(ticket, b"") {
                    Answer::Done { value, .. } => Ok(value),
                    other => panic!("{other:?}"),
                },
            },
            other => panic!("{other:?}"),
        }
    }

    /// Has the worker approve a change of a store. Gives the proof.
    pub(crate) fn approve(
        &mut self,
        store: Handle,
        slot: u32,
        mutation: &[u8],
        expiry: u64,
    ) -> Handle {
        let mutation = HASHER.hash(mutation);
        let old_leaf = HASHER.leaf(&[]);
        let approve = Arguments::Approve { slot, mutation, old_leaf, expiry };
        let proof = self.ask(WORKER, Call::AttestEmit, store, 1, approve).unwrap();
        Handle(u32::try_from(proof).unwrap())
    }

    /// Puts a vector into an empty slot.
    pub(crate) fn put(&mut self, key: u64, slot: u32, vector: [f32; 2]) {
        let head = PutHead { key, slot, dimension: 2 }.to_bytes();
        let numbers = vector.map(f32::to_le_bytes).concat();
        let mutation = [head.as_slice(), &numbers].concat();
        let proof = ChangeProof::Minted(self.approve(PLACES, slot, &mutation, u64::MAX));
        let put = Arguments::Put { mutation: &mutation, proof };
        self.ask(WORKER, Call::VectorPutProved, PLACES, 0, put).unwrap();
    }

    /// Adds a node (`to` is none) or an edge in an empty slot.
    pub(crate) fn link(&mut self, slot: u32, from: u64, to: Option<(u64, f32)>) {
        let (operation, to, weight) = match to {
            None => (0, 0, 0.0),
            Some((to, weight)) => (2, to, weight),
        };
        let mutation = GraphMutation { operation, slot, from, to, weight }.to_bytes();
        let proof = ChangeProof::Minted(self.approve(ROADS, slot, &mutation, u64::MAX));
        let apply = Arguments::Apply { mutation: &mutation, proof };
        self.ask(WORKER, Call::GraphApplyProved, ROADS, operation, apply).unwrap();
    }

    /// What the shell answers.
    pub(crate) fn said(&self, line: &str) -> String {
        crate::execute(line, self).text
    }
}

impl View for Sample {
    fn nucleus(&self) -> &Nucleus {
        &self.nucleus
    }

    fn machine(&self) -> Machine<'_> {
        Machine {
            version: "9.9.9",
            device_name: "helio-sample",
            facts: FACTS,
            package: self.package.as_ref(),
            package_digest: self.digest,
            heap: Some(Heap { used: 1 << 20, size: 64 << 20 }),
        }
    }

    fn memory(&self, task: Subject) -> u64 {
        if task == BROKEN { 0 } else { 64 << 10 }
    }

    fn checkpoint(&self) -> u64 {
        self.nucleus.log().size()
    }

    fn signed(&self) -> Option<String> {
        let (size, root) = (self.nucleus.log().size(), self.nucleus.log().root());
        (size > 0).then(|| Checkpoint { origin: ORIGIN, size, root }.sign(&operator()))
    }

    fn hardware(&self) -> Option<Hardware> {
        let line = |device, number, count| Line { device, controller: "GICv3", number, count };
        let named = [
            ("processor", "Sample 9000"),
            ("SHA-256", "software"),
            ("MXCSR", "0x1f80: round to nearest"),
        ];
        (!self.is_replayed).then(|| Hardware {
            interrupts: vec![line("timer", 27, 12), line("console", 33, 345)],
            spurious: 0,
            processor: named.map(|(name, value)| (name.into(), value.into())).into(),
            work: view::Work { up_ns: 1_500_000_000, seals: 4, checkpoints: 2, log_bytes: 4096 },
        })
    }

    fn modules(&self) -> Vec<Module> {
        let extra = Module { name: "extra".into(), bytes: 2048 };
        if self.is_replayed { Vec::new() } else { vec![extra] }
    }

    fn messages(&self) -> Option<Vec<Message>> {
        let said = [
            (None, false, "init: devices done"),
            (Some(1_204_000_000), true, "no hardware entropy: the boot is named by the clock"),
            (Some(1_205_000_500), false, "init: entropy done"),
        ];
        let messages = (17..).zip(said).map(|(number, (time_ns, is_warning, text))| Message {
            number,
            time_ns,
            is_warning,
            text: text.into(),
        });
        (!self.is_replayed).then(|| messages.collect())
    }
}

/// Names the sample's log.
const ORIGIN: &str = "helio-sample/b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0";

/// Who signs the sample's log.
pub(crate) fn device() -> VerifierKey {
    VerifierKey::new(ORIGIN, operator().verifying_key().as_bytes()).unwrap()
}

fn operator() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn trust() -> Trust {
    let key = operator().verifying_key().to_bytes();
    Trust { operators: vec![NamedKey { key, name: "operator".into() }], ..Trust::nobody() }
}

fn manifest() -> Manifest {
    let held = |kind, name: &str, rights| CapabilityEntry { kind, name: name.into(), rights };
    let rules = || StoreRules { tier: Tier::Reflex, approvers: vec![], guard: None };
    let store = Rights::READ | Rights::WRITE | Rights::PROVE;
    let task = |name: &str, priority, deadline, capabilities| TaskEntry {
        name: name.into(),
        component: "program".into(),
        kind: TaskKind::Command,
        priority,
        deadline,
        fuel: 50_000_000_000,
        memory: 16 << 20,
        capabilities,
        wasi: None,
    };
    let all = Rights::READ | Rights::WRITE | Rights::GRANT | Rights::REVOKE;
    Manifest {
        name: "sample".into(),
        version: 3,
        seed: 42,
        limits: Limits { fuel: 1 << 40, memory: 64 << 20, records: 100, share: 100 },
        components: vec![part("program", 2, MODULE)],
        regions: vec![part("table", 3, TABLE)],
        queues: vec![QueueEntry { name: "jobs".into(), capacity_bytes: 4096, accepts: Some(7) }],
        vector_stores: vec![VectorStoreEntry {
            name: "places".into(),
            capacity: 16,
            dimension: 2,
            metric: Metric::L2,
            rules: rules(),
        }],
        graph_stores: vec![GraphStoreEntry {
            name: "roads".into(),
            nodes: 4,
            edges: 8,
            rules: rules(),
        }],
        sensors: vec![],
        standing_approvals: vec![StandingApproval {
            claim_types: vec![5],
            max_claims: 10,
            max_bytes: 100,
        }],
        state_roots: None,
        tasks: vec![
            task(
                "worker",
                7,
                Some(5_000_000),
                vec![
                    held(Kind::Queue, "console", Rights::WRITE),
                    held(Kind::Queue, "jobs", all),
                    held(Kind::VectorStore, "places", store),
                    held(Kind::GraphStore, "roads", store),
                    held(Kind::Memory, "memory", Rights::WRITE),
                    held(Kind::Log, "log", Rights::WRITE),
                    held(Kind::Component, "program", Rights::EXECUTE),
                ],
            ),
            task("clerk", 0, None, vec![held(Kind::Queue, "jobs", Rights::READ)]),
            task("broken", 0, None, vec![]),
        ],
    }
}

const MODULE: &[u8] = b"\0asm\x01\0\0\0";
const TABLE: &[u8] = b"one, two, three";

fn part(name: &str, segment: u64, bytes: &[u8]) -> PartEntry {
    PartEntry { name: name.into(), segment, sha256: HASHER.hash(bytes) }
}

fn packed() -> Vec<u8> {
    let json = manifest().to_json();
    let parts = [(0x07, json.as_bytes()), (0x10, MODULE), (DATA_SEGMENT, TABLE)];
    let mut file = Vec::new();
    for (id, (kind, bytes)) in (1..).zip(parts) {
        file.extend(write_segment(kind, bytes, SegmentFlags::empty(), id));
    }
    let key = operator();
    let signature = key.sign(&signing_message(&HASHER.hash(&file)));
    let payload = signature_payload(key.verifying_key().as_bytes(), &signature.to_bytes());
    file.extend(write_segment(0x0C, &payload, SegmentFlags::empty(), 4));
    file
}
