//! The corpus that is made by hand: something of everything, so that
//! mutations have something to begin with. `examples/seeds.rs` writes it.

use crate::{
    run::{Run, boot},
    targets::{mount, syscall},
    world::{self, HASHER},
};
use abi::{
    Call, GetByKey, GetNearest, GetNeighbours, GrantArguments, GraphMutation, Handle, NeighboursOf,
    PutHead, Reference, RegionMode, Rights, SignedProof, SpawnArguments, Statement, first_slot,
};
use ed25519_dalek::Signer;
use package::{Manifest, manifest::PartEntry};
use rvf_types::SegmentFlags;
use rvf_wire::write_segment;
use witness::{
    frame::{
        Frames,
        disk::{SECTOR, pad},
        uart::Writer,
    },
    proof::InclusionProof,
    record::EventKind,
    signature::{self, FileKind},
    tiles,
    trust::MinimumVersion,
};

/// A target, the name of a file, and its bytes.
pub type Seed = (&'static str, &'static str, Vec<u8>);

// Tags of arguments that the syscall target knows.
const NONE: u8 = 0x82;
const MAILBOX: u8 = 0x83;
const NEVER: u8 = 0x84;
const BLOCK: u8 = 0x85;
const LENGTH: u8 = 0x86;
const OUT: u8 = 0x87;
const DIGEST: u8 = 0x8a;
const APPROVAL: u8 = 0x8b;
const TIME: u8 = 0x8c;
const REFERENCE: u8 = 0x8d;
const RESULT: u8 = 0x90;
const OTHER_TASK: u8 = 17;

/// Every seed.
pub fn all() -> Vec<Seed> {
    let plays = plays();
    let mut seeds: Vec<Seed> =
        plays.iter().map(|(name, play)| ("syscall", *name, play.clone())).collect();
    for (name, play) in plays {
        let run = Run::of(boot(&syscall::package(&play), 1 << 30), &syscall::events(&play), 1);
        run.check();
        seeds.extend(logs(name, &run));
        if name == "everything" {
            seeds.extend(of_run(&run));
        }
    }
    seeds.extend(proofs());
    seeds.extend(packages());
    seeds.extend(texts());
    seeds.extend(components());
    seeds.extend(disks());
    seeds
}

fn disks() -> Vec<Seed> {
    let virt = include_bytes!("../../hal/tests/data/virt-gicv3.dtb");
    // A place, a length and the bytes there; the volume begins at 512.
    let volume = |name, patches: &[&[u8]]| ("volume", name, patches.concat());
    vec![
        ("tree", "virt", virt.to_vec()),
        ("tree", "rpi4", boot_direct::known::TREE.0.to_vec()),
        volume("whole", &[]),
        volume("table", &[&[0xc2, 1, 1, 0xee]]),
        volume(
            "numbers",
            &[&[0x0b, 2, 2, 0, 0x10], &[0x0d, 2, 1, 0x80], &[0x16, 2, 2, 0xff, 0xff]],
        ),
        volume("chains", &[&[0x02, 4, 3, 2, 0x30, 0], &[0x05, 4, 3, 0xf0, 0xff, 0xff]]),
    ]
}

/// A script for the syscall target.
#[derive(Default)]
struct Script(Vec<u8>);

impl Script {
    fn call(mut self, call: Call, arguments: &[u8]) -> Self {
        self.0.push(call.number());
        self.0.extend_from_slice(arguments);
        self
    }

    fn block(mut self, bytes: &[u8]) -> Self {
        self.0.extend([12, u8::try_from(bytes.len()).unwrap()]);
        self.0.extend_from_slice(bytes);
        self
    }

    /// Store, slot, nonce.
    fn signed(mut self, store: u8, slot: u8, nonce: u8) -> Self {
        self.0.extend([14, store, slot, nonce, 0, 0]);
        self
    }

    fn event(mut self, kind: u8, data: &[u8]) -> Self {
        self.0.extend([16, kind, 1, u8::try_from(data.len()).unwrap()]);
        self.0.extend_from_slice(data);
        self
    }

    /// The proof at the end of the block.
    fn approved(mut self) -> Self {
        self.0.extend([16, 1, 1, 1]);
        self
    }

    fn other(mut self) -> Self {
        self.0.push(OTHER_TASK);
        self
    }

    fn done(self) -> Vec<u8> {
        self.0
    }
}

fn put(key: u64, vector: [f32; 2]) -> (Vec<u8>, u8) {
    let slot = first_slot(key, 8);
    let head = PutHead { key, slot, dimension: 2 };
    let vector = vector.map(f32::to_le_bytes);
    let bytes = [&head.to_bytes()[..], vector.as_flattened()].concat();
    (bytes, u8::try_from(slot).unwrap())
}

fn mutation(operation: u32, slot: u32, from: u64, to: u64, weight: f32) -> Vec<u8> {
    GraphMutation { operation, slot, from, to, weight }.to_bytes().to_vec()
}

fn plays() -> Vec<(&'static str, Vec<u8>)> {
    let queues = Script::default()
        .block(b"hello\n")
        .call(Call::QueueSend, &[1, 0, 0, BLOCK, LENGTH])
        .call(Call::QueueSend, &[2, 5, 3, BLOCK, LENGTH])
        .call(Call::QueueRecv, &[2, 0, OUT, 0x80, 0, 4, 0, 0])
        .call(Call::QueueRecv, &[2, TIME, 9, OUT, 100])
        .call(Call::QueueRecv, &[MAILBOX, TIME, 50, OUT, 100])
        .call(Call::QueueSend, &[3, 7, 9, BLOCK, LENGTH])
        .call(Call::QueueSend, &[3, 8, 9, BLOCK, LENGTH])
        .block(&Reference { region: Handle(18), offset: 2, length: 6 }.to_bytes())
        .call(Call::QueueSend, &[2, 0, REFERENCE, 4, BLOCK, LENGTH])
        .other()
        .call(Call::QueueRecv, &[2, TIME, 200, OUT, 100])
        .call(Call::TimerWait, &[4, 1, TIME, 200])
        .call(Call::TimerWait, &[4, 0, TIME, 200])
        .call(Call::QueueRecv, &[3, NEVER, OUT, 100])
        .done();

    let regions = Script::default()
        .call(Call::RegionMap, &[18, 0, 3, OUT, 10])
        .block(b"append me")
        .call(
            Call::RegionMap,
            &[&[6, 3, 0x81][..], &word(RegionMode::Append(64)), &[BLOCK, 0]].concat(),
        )
        .call(Call::RegionMap, &[RESULT + 2, 1, 0, BLOCK, LENGTH])
        .call(Call::RegionMap, &[RESULT + 2, 0, 0, OUT, 9])
        .call(
            Call::RegionMap,
            &[&[6, 3, 0x81][..], &word(RegionMode::Slab { slot_bytes: 9, slots: 4 }), &[BLOCK, 0]]
                .concat(),
        )
        .call(Call::RegionMap, &[RESULT + 5, 2, NEVER, BLOCK, LENGTH])
        .call(Call::RegionMap, &[RESULT + 5, 0, RESULT + 6, OUT, 9])
        .call(Call::RegionMap, &[RESULT + 5, 4, RESULT + 6, 0, 0])
        .call(Call::RegionMap, &[6, 3, 0, BLOCK, LENGTH])
        .call(Call::CapGrant, &[RESULT + 9, 2, 0, 0])
        .done();

    let spawn = SpawnArguments {
        fuel: 1_000_000,
        memory: 1 << 17,
        priority: 1,
        deadline: u64::MAX,
        capabilities: 2,
        is_reactor: false,
    };
    let child = [&spawn.to_bytes()[..], &0u32.to_le_bytes(), &1u32.to_le_bytes()].concat();
    let reactor = SpawnArguments { is_reactor: true, capabilities: 0, ..spawn }.to_bytes();
    let grant = GrantArguments {
        to: Handle(20),
        rights: Rights::from_bits(0x0f),
        badge: 77,
        expiry: 1 << 40,
        uses: 3,
    };
    let capabilities = Script::default()
        .block(&child)
        .call(Call::TaskSpawn, &[15, BLOCK, LENGTH])
        .block(&reactor)
        .call(Call::TaskSpawn, &[15, BLOCK, LENGTH])
        .block(&grant.to_bytes())
        .call(Call::CapGrant, &[2, 0, BLOCK, LENGTH])
        .call(Call::CapGrant, &[RESULT + 3, 0, BLOCK, LENGTH])
        .call(Call::QueueSend, &[RESULT + 2, 0, 0, BLOCK, LENGTH])
        .call(Call::CapGrant, &[2, 1, 0, 0])
        .call(Call::CapGrant, &[3, 2, 0, 0])
        .call(Call::CapGrant, &[RESULT + 2, 1, 0, 0])
        .done();

    let (first, first_slot_of) = put(42, [1.0, -0.5]);
    let (second, second_slot_of) = put(7, [0.25, 4.0]);
    let key = |key, with_opening| GetByKey { key, with_opening }.to_bytes();
    let nearest = GetNearest { k: 3, is_exact: false, visit: 20 }.to_bytes();
    let nearest = [&nearest[..], [1.0f32, 0.0].map(f32::to_le_bytes).as_flattened()].concat();
    let stores = Script::default()
        .block(&first)
        .call(Call::AttestEmit, &[9, 1, first_slot_of, DIGEST, APPROVAL, 40])
        .call(Call::VectorPutProved, &[9, RESULT + 1, BLOCK, LENGTH])
        .call(Call::VectorPutProved, &[9, RESULT + 1, BLOCK, LENGTH])
        .signed(1, first_slot_of, 1)
        .call(Call::VectorPutProved, &[10, NONE, BLOCK, LENGTH])
        .call(Call::VectorPutProved, &[10, NONE, BLOCK, LENGTH])
        .block(&second)
        .signed(2, second_slot_of, 1)
        .approved()
        .call(Call::VectorPutProved, &[11, NONE, BLOCK, LENGTH])
        .block(&key(42, true))
        .call(Call::VectorGet, &[9, 0, BLOCK, LENGTH, OUT, 0x80, 0, 4, 0, 0])
        .block(&nearest)
        .call(Call::VectorGet, &[9, 1, BLOCK, LENGTH, OUT, 0x80, 0, 4, 0, 0])
        .call(Call::VectorGet, &[9, 2, BLOCK, LENGTH, BLOCK, LENGTH])
        .done();

    let graph = graph();
    let inner = Script::default()
        .block(b"inner")
        .call(Call::RvfMount, &[7, 0, 8, BLOCK, LENGTH])
        .call(Call::RvfMount, &[7, 0, 8, BLOCK, LENGTH])
        .call(Call::RvfMount, &[7, 1, 0, BLOCK, LENGTH])
        .block(b"other")
        .call(Call::RvfMount, &[7, 0, 18, BLOCK, LENGTH])
        .done();

    let events = Script::default()
        .block(b"claim")
        .call(Call::AttestEmit, &[5, 0, 1, DIGEST, BLOCK, LENGTH])
        .call(Call::AttestEmit, &[5, 0, 2, DIGEST, BLOCK, LENGTH])
        .call(Call::SensorSubscribe, &[14, 2])
        .call(Call::SensorSubscribe, &[13, 2])
        .call(Call::QueueRecv, &[2, NEVER, OUT, 100])
        .call(Call::QueueRecv, &[16, NEVER, OUT, 100])
        .call(Call::TimerWait, &[4, 1, TIME, 1])
        .event(2, b"21.5")
        .event(0, b"typed\n")
        .event(3, &[5; 32])
        .event(4, b"")
        .event(5, b"")
        .event(7, b"")
        .other()
        .call(Call::QueueRecv, &[17, NEVER, OUT, 100])
        .call(Call::TimerWait, &[4, 0, NEVER])
        .done();

    let everything =
        [&queues[..], &regions, &capabilities, &stores, &graph, &inner, &events].concat();
    vec![
        ("queues", queues),
        ("regions", regions),
        ("capabilities", capabilities),
        ("stores", stores),
        ("graph", graph),
        ("inner", inner),
        ("events", events),
        ("everything", everything),
    ]
}

fn graph() -> Vec<u8> {
    let slot = |key| first_slot(key, 4);
    let approve = |slot| [12, 1, slot, DIGEST, APPROVAL, 40];
    let mut script = Script::default();
    let mut results = RESULT;
    let (one, two) = (1, if slot(1) == slot(2) { 3 } else { 2 });
    let changes = [
        (0, slot(one), one, 0, 0.0),
        (0, slot(two), two, 0, 0.0),
        (2, slot(one), one, two, 0.5),
        (4, slot(one), one, two, 2.0),
        (3, slot(one), one, two, 0.0),
        (1, slot(one), one, 0, 0.0),
    ];
    for (operation, slot, from, to, weight) in changes {
        let number = u8::try_from(slot).unwrap();
        results = RESULT + ((results - RESULT + 1) & 15);
        script = script
            .block(&mutation(operation, slot, from, to, weight))
            .call(Call::AttestEmit, &approve(number))
            .call(
                Call::GraphApplyProved,
                &[12, u8::try_from(operation).unwrap(), results, BLOCK, LENGTH],
            );
        results = RESULT + ((results - RESULT + 1) & 15);
    }
    let question = GetNeighbours { key: one, other: two, of: NeighboursOf::Node }.to_bytes();
    script
        .block(&mutation(0, slot(one), one, 0, 0.0))
        .signed(4, u8::try_from(slot(one)).unwrap(), 9)
        .call(Call::GraphApplyProved, &[13, 0, NONE, BLOCK, LENGTH])
        .block(&question)
        .call(Call::VectorGet, &[12, 2, BLOCK, LENGTH, OUT, 0x80, 0, 4, 0, 0])
        .done()
}

fn word(mode: RegionMode) -> [u8; 8] {
    mode.to_word().unwrap().to_le_bytes()
}

/// The log of a run, with what its manifest says.
fn logs(name: &'static str, run: &Run) -> Option<Seed> {
    let mut bundle = Vec::new();
    run.entries.iter().for_each(|entry| tiles::append_entry(&mut bundle, entry));
    bundle.extend_from_slice(run.manifest().text().as_bytes());
    matches!(name, "capabilities" | "stores" | "events").then_some(("log", name, bundle))
}

/// What can be made of one long run.
fn of_run(run: &Run) -> Vec<Seed> {
    let mut seeds = Vec::new();
    let mut kinds = Vec::new();
    for (record, bytes) in run.records().zip(&run.entries) {
        if !kinds.contains(&record.kind()) {
            kinds.push(record.kind());
            seeds.push(("record", record.kind().name(), bytes.clone()));
        }
    }
    let (size, root) = (run.cell.size(), run.cell.root());
    let checkpoint = world::checkpoint(size, root);
    let manifest = run.manifest().sign(&world::log_origin(), &world::device());
    let ids: Vec<_> = run.entries.iter().map(|entry| HASHER.leaf(entry)).collect();
    let proof = InclusionProof::new(HASHER, &ids, 3, &checkpoint).unwrap();
    seeds.push(("proof", "inclusion", proof.text().into_bytes()));
    seeds.push(("note", "manifest", manifest.clone().into_bytes()));

    let mut frames = Frames::new(world::BOOT);
    run.entries.iter().take(8).for_each(|entry| frames.entry(entry));
    let eight = witness::tree::root(HASHER, &ids[..8]);
    frames.checkpoint(&world::checkpoint(8, eight));
    frames.manifest(&manifest);
    let mut frames = frames.take();
    let mut lines = b"\x40\0console\n".to_vec();
    Writer::new().send(&frames, &mut |line| {
        lines.extend_from_slice(line);
        lines.extend_from_slice(b"[kernel] text\r\n");
    });
    seeds.push(("uart", "log", lines));
    let spelled =
        b"\x07\x01\x06\x00\x20checkpoint text\x01\x04text\x02\x05entry\x30\x03\x02ab\x09\0\0\0\0";
    seeds.push(("uart", "spelled", [&spelled[..], &[7, 0, 3, 1, 2, 3, 0]].concat()));
    pad(&mut frames, &world::BOOT);
    let mut second = Frames::new([1; 16]);
    second.entry(b"of another boot");
    frames.extend(second.take());
    frames.resize(frames.len().next_multiple_of(SECTOR) + SECTOR, 0);
    seeds.push(("disk", "log", frames.clone()));
    let sector = witness::frame::disk::header_sector(&world::BOOT);
    seeds.push(("disk", "whole", [&[0][..], &sector, &frames[..600]].concat()));
    seeds
}

fn proofs() -> Vec<Seed> {
    let key = world::approver();
    let statement = Statement {
        store: [1; 32],
        slot: 2,
        old_leaf: HASHER.leaf(&[]),
        mutation: [3; 32],
        nonce: 4,
        expiry: u64::MAX,
    };
    let signature = key.sign(&statement.message()).to_bytes();
    let public = key.verifying_key().to_bytes();
    let proof = SignedProof { statement, key: public, signature };
    let sent = SignedProof { signature: [0; 64], ..proof };
    // A point of small order, and a scalar beyond the order of the curve.
    let weak = SignedProof { key: [0; 32], signature: [0xff; 64], statement };
    vec![
        ("proof", "signed", proof.to_bytes().to_vec()),
        ("proof", "unsigned", sent.to_bytes().to_vec()),
        ("proof", "weak", weak.to_bytes().to_vec()),
        ("proof", "zero", vec![0; SignedProof::SIZE]),
        ("proof", "ones", vec![0xff; SignedProof::SIZE]),
    ]
}

fn packages() -> Vec<Seed> {
    let part = |name: &str, segment, bytes: &[u8]| PartEntry {
        name: name.into(),
        segment,
        sha256: HASHER.hash(bytes),
    };
    let module = mount::MODULE.as_slice();
    let whole = Manifest {
        components: vec![part("program", 2, module), part("guard", 3, module)],
        regions: vec![part("script", 4, mount::REGION), part("other", 5, mount::REGION)],
        ..syscall::manifest()
    };
    let mut plain = whole.clone();
    for task in &mut plain.tasks {
        task.capabilities.retain(|it| !matches!(it.name.as_str(), "inner" | "text"));
        task.capabilities.swap(0, 1);
    }
    let mut small = plain.clone();
    small.vector_stores.clear();
    small.graph_stores.clear();
    small.sensors.clear();
    small.tasks.truncate(1);
    small.tasks[0].capabilities.truncate(1);
    small.tasks[0].kind = package::manifest::TaskKind::Reactor;
    let (plain, small) = (plain.to_json(), small.to_json());

    let segment = |kind, id, bytes: &[u8]| write_segment(kind, bytes, SegmentFlags::empty(), id);
    let parts = [
        segment(0x10, 2, module),
        segment(0x10, 3, module),
        segment(package::DATA_SEGMENT, 4, mount::REGION),
        segment(package::DATA_SEGMENT, 5, mount::REGION),
    ]
    .concat();
    let body = [&segment(0x07, 1, small.as_bytes())[..], &parts].concat();
    vec![
        ("mount", "everything", plain.clone().into_bytes()),
        ("mount", "small", small.clone().into_bytes()),
        ("json", "everything", plain.into_bytes()),
        ("json", "small", small.into_bytes()),
        ("package", "unsigned", body.clone()),
        ("package", "signed", world::sealed(body, 6)),
        ("package", "foreign", [segment(0x01, 7, b"vectors"), parts].concat()),
        ("package", "empty", vec![]),
    ]
}

fn texts() -> Vec<Seed> {
    let mut trust = world::trust();
    trust.revoked = vec![[1; 32], [2; 32]];
    trust.minimum_versions = vec![
        MinimumVersion { package: "a".into(), version: 3 },
        MinimumVersion { package: "b".into(), version: 1 << 40 },
    ];
    let trust = trust.sign(&world::operator());
    let kernel = signature::sign(FileKind::Kernel, &[0; 32], "operator", &world::operator());
    let json = r#"{"":[null,true,false,-9007199254740991,0],"a":{"\u001f":"\\\"é€😀\b\t"}}"#;
    let commands = "help\rhelp tasks\rinfo -j\rtasks\rtasks -j\rwitness\rwitness 3\rwitness -j\r\
        challenge 00\rtype hello\rfeed thermometer 21\rapprove zz\rstop\rresume\r\
        \u{1b}[A\u{1b}[D\u{7f}x\u{1}y\u{5}z\u{17}\u{b}\u{10}\u{e}\u{3}é€😀\rreboot\rpoweroff\r";
    let commands = commands.as_bytes();
    let looking = "caps first\rcaps kernel -j\rmem\rmem -j\rqueues\rregions -j\rvectors\rproofs\r\
        vec\tvectors -j\rvectors reflex 1\rgraphs claims\rgraphs facts 0x2 -j\rre\tcaps f\t\r";
    vec![
        ("note", "checkpoint", world::checkpoint(7, [3; 32]).into_bytes()),
        ("note", "trust", trust.into_bytes()),
        ("note", "kernel", kernel.into_bytes()),
        ("note", "base64", b"AAECAwQFBgc=".to_vec()),
        ("note", "hex", b"00ff10a0".to_vec()),
        ("json", "values", json.as_bytes().to_vec()),
        ("json", "deep", [[b'['; 33], [b']'; 33]].concat()),
        ("shell", "commands", commands.to_vec()),
        ("shell", "looking", looking.as_bytes().to_vec()),
        ("shell", "help", b"help".to_vec()),
        ("shell", "challenge", format!("challenge {}", "5a".repeat(32)).into_bytes()),
        ("shell", "overlong", [&[b'x'; 600][..], b"\r\x1b[", &commands[..40]].concat()),
        ("record", "events", vec![EventKind::Stop as u8; 40]),
    ]
}

fn components() -> Vec<Seed> {
    let module = |text: &str| wat::parse_str(text).unwrap();
    let types =
        "(import \"heliograph\" \"timer_wait\" (func $wait (param i32 i32 i64) (result i64)))";
    vec![
        ("component", "plain", mount::MODULE.clone()),
        ("component", "interpreter", syscall::INTERPRETER.clone()),
        ("component", "spin", module("(module (func (export \"_start\") (loop (br 0))))")),
        ("component", "depth", module("(module (func $f (export \"_start\") (call $f)))")),
        (
            "component",
            "grow",
            module(
                r#"(module (memory 1) (table 1 funcref) (elem (i32.const 0) $f)
                (global $g (mut i64) (i64.const 5)) (data (i32.const 8) "data")
                (func $f (param i32 i64) (result i64) (i64.add (local.get 1) (global.get $g)))
                (func (export "_start") (result i32)
                    (drop (memory.grow (i32.const 1)))
                    (drop (table.grow (ref.null func) (i32.const 100)))
                    (i32.wrap_i64 (call_indirect (param i32 i64) (result i64)
                        (i32.const 1) (i64.const 2) (i32.const 0)))))"#,
            ),
        ),
        (
            "component",
            "floats",
            module(
                r#"(module (func (export "_start") (result i32) (local f64 f32)
                (local.set 0 (f64.sqrt (f64.div (f64.const 1) (f64.const 3))))
                (local.set 1 (f32.demote_f64 (f64.mul (local.get 0) (f64.const nan))))
                (block (result i32) (br_if 0 (i32.const 7)
                    (f32.lt (local.get 1) (f32.const inf))) (drop)
                    (i32.trunc_sat_f64_s (f64.floor (local.get 0))))))"#,
            ),
        ),
        (
            "component",
            "branches",
            module(&format!(
                r#"(module {types} (start $s) (func $s)
                (func (export "_start") (local $i i32)
                    (loop $l (param) (block $b (block $c (block $d
                        (br_table $b $c $d $l (local.get $i)))
                        (drop (call $wait (i32.const 1) (i32.const 1) (i64.const 10))))
                        (if (i32.eqz (local.get $i)) (then unreachable) (else nop)))
                        (local.set $i (i32.add (local.get $i) (i32.const 1)))
                        (br_if $l (i32.lt_u (local.get $i) (i32.const 9))))))"#
            )),
        ),
        (
            "component",
            "loops",
            module(
                r#"(module (func (export "_start") (local i32)
                (i64.const 1) (i64.const 2)
                (loop (param i64 i64) (result i64) (i64.add) (i64.const 3)
                    (local.set 0 (i32.add (local.get 0) (i32.const 1)))
                    (br_if 0 (i32.lt_u (local.get 0) (i32.const 5))) (drop))
                (drop)))"#,
            ),
        ),
    ]
}
