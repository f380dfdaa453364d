//! The syscall decoder, and the gate behind it: tasks that make the calls
//! that the input spells, on a machine with one of everything.
//!
//! An input is turned into scripts, one for each of two tasks, which a small
//! interpreter in Wasm plays: real imports, real memory, real cells. Then: one
//! record a call, each of them sound, a log that verifies, and the same log
//! when all is done again and sealed at other times.

use crate::{
    input::Input,
    run::{Event, Run, boot},
    targets::mount,
    world::{self, HASHER},
};
use abi::{Approval, Call, Kind, Rights, SignedProof, Statement};
use ed25519_dalek::Signer;
use package::{
    Manifest,
    manifest::{
        CapabilityEntry, GraphStoreEntry, Limits, Metric, QueueEntry, SensorEntry,
        StandingApproval, StoreRules, TaskEntry, TaskKind, Tier, VectorStoreEntry,
    },
};
use std::sync::LazyLock;
use witness::{Hash, manifest::Outcome, record::EventKind};

// Where things are in the interpreter's memory; its text has these numbers.
const DIGEST: u64 = 0x100;
const APPROVAL: u64 = 0x120;
const BLOCK: u64 = 0x1000;
const BLOCK_MAX: usize = 0x2000;
const SCRIPT_MAX: usize = 0xC000;
const OUT: u64 = 0x10000;
const END: u64 = 0x20000;

/// Bytes of a step of a script before its block.
const STEP: usize = 104;

/// What plays a script. A step: call u32, arguments that are results u32 (a
/// bit each), bytes of the step u32, of its block u32, six arguments u64,
/// digest 32 bytes, 8 bytes, the block. It exits with the number of calls.
pub(crate) static INTERPRETER: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let types = [
        "i32 i32 i32",
        "i32 i32 i32 i32",
        "i32 i32 i64 i32 i32",
        "i32 i32 i32 i32 i32",
        "i32 i64 i32 i32",
        "i32 i32 i64",
        "i32 i32 i32 i32 i32",
        "i32 i32 i32 i32 i32 i32",
        "i32 i32 i32 i32 i32 i32",
        "i32 i32 i32 i32",
        "i32 i32 i32 i32 i32",
        "i32 i32",
    ];
    let mut imports = String::new();
    let mut cases = String::new();
    for (call, types) in Call::ALL.into_iter().zip(types) {
        let name = call.name();
        imports += &format!(
            "(import \"heliograph\" \"{name}\" (func ${name} (param {types}) (result i64)))\n"
        );
        let argument = |(at, kind): (usize, &str)| {
            let value = format!("(call $argument (local.get $at) (i32.const {at}))");
            if kind == "i64" { value } else { format!("(i32.wrap_i64 {value})") }
        };
        let arguments: String = types.split(' ').enumerate().map(argument).collect();
        cases += &format!("(br $done (call ${name} {arguments})))\n");
    }
    let blocks: String =
        Call::ALL.iter().rev().map(|it| format!("(block ${} ", it.number())).collect();
    let labels: String = Call::ALL.iter().map(|it| format!("${} ", it.number())).collect();
    let approval = Approval { old_leaf: empty(), expiry: u64::MAX }.to_bytes();
    let approval: String = approval.iter().map(|byte| format!("\\{byte:02x}")).collect();
    // After the block of a call's number comes its case; each case ends the
    // block around it.
    let cases = cases.trim_end().strip_suffix(')').unwrap_or_default();
    wat::parse_str(format!(
        r#"(module {imports}
        (memory (export "memory") 2)
        (data (i32.const {APPROVAL}) "{approval}")
        (global $calls (mut i32) (i32.const 0))
        (func $argument (param $at i32) (param $number i32) (result i64) (local $value i64)
            (local.set $value (i64.load offset=16
                (i32.add (local.get $at) (i32.shl (local.get $number) (i32.const 3)))))
            (if (result i64)
                (i32.and (i32.const 1)
                    (i32.shr_u (i32.load offset=4 (local.get $at)) (local.get $number)))
                (then (i64.load offset=0x200
                    (i32.shl (i32.and (i32.wrap_i64 (local.get $value)) (i32.const 15)) (i32.const 3))))
                (else (local.get $value))))
        (func $count (param $result i64)
            (i64.store offset=0x200
                (i32.shl (i32.and (global.get $calls) (i32.const 15)) (i32.const 3))
                (local.get $result))
            (global.set $calls (i32.add (global.get $calls) (i32.const 1))))
        (func $step (param $at i32) (result i64)
            (memory.copy (i32.const {BLOCK})
                (i32.add (local.get $at) (i32.const {STEP}))
                (i32.load offset=12 (local.get $at)))
            (memory.copy (i32.const {DIGEST})
                (i32.add (local.get $at) (i32.const 64)) (i32.const 32))
            (block $done (result i64)
                {blocks}
                (br_table {labels} (i32.load (local.get $at))))
                {cases}))
        (func $play (result i32) (local $at i32) (local $end i32)
            (call $count (call $region_map
                (i32.const 0) (i32.const 0) (i64.const 0) (i32.const 0x4000) (i32.const {SCRIPT_MAX})))
            (local.set $at (i32.const 0x4000))
            (local.set $end (i32.add (local.get $at) (i32.wrap_i64 (i64.load (i32.const 0x200)))))
            (block $over (loop $next
                (br_if $over (i32.ge_s (local.get $at) (local.get $end)))
                (call $count (call $step (local.get $at)))
                (local.set $at (i32.add (local.get $at) (i32.load offset=8 (local.get $at))))
                (br $next)))
            (global.get $calls))
        (func (export "_start") (result i32) (call $play))
        (func (export "on_message") (result i32) (call $play)))"#
    ))
    .unwrap()
});

/// A package to mount, in a region.
static INNER: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let manifest = Manifest { name: "inner".into(), tasks: vec![], ..manifest() };
    world::packed(
        Manifest {
            limits: Limits { fuel: 1 << 20, memory: 1 << 17, records: 50, share: 10 },
            ..manifest
        },
        &[("program", &INTERPRETER), ("guard", &mount::MODULE)],
        &[("script", &[]), ("other", &[]), ("inner", &[]), ("text", &[])],
    )
});

/// One of everything, but parts.
pub(crate) fn manifest() -> Manifest {
    let rules = |tier| StoreRules {
        tier,
        approvers: match tier {
            Tier::Reflex => vec![],
            _ => vec![world::approver().verifying_key().to_bytes()],
        },
        guard: (tier == Tier::Deep).then(|| "guard".into()),
    };
    let vectors = |name: &str, metric, tier| VectorStoreEntry {
        name: name.into(),
        capacity: 8,
        dimension: 2,
        metric,
        rules: rules(tier),
    };
    let graph = |name: &str, tier| GraphStoreEntry {
        name: name.into(),
        nodes: 4,
        edges: 4,
        rules: rules(tier),
    };
    let queue =
        |name: &str, accepts| QueueEntry { name: name.into(), capacity_bytes: 600, accepts };
    Manifest {
        name: "fuzz".into(),
        version: 1,
        seed: 1,
        limits: Limits { fuel: 1 << 26, memory: 1 << 20, records: 600, share: 100 },
        components: vec![],
        regions: vec![],
        queues: vec![queue("any", None), queue("sevens", Some(7))],
        vector_stores: vec![
            vectors("reflex", Metric::L2, Tier::Reflex),
            vectors("standard", Metric::Cosine, Tier::Standard),
            vectors("deep", Metric::L2, Tier::Deep),
        ],
        graph_stores: vec![graph("claims", Tier::Reflex), graph("facts", Tier::Standard)],
        sensors: vec![SensorEntry { name: "thermometer".into() }],
        state_roots: None,
        standing_approvals: vec![StandingApproval {
            claim_types: vec![1, 7],
            max_bytes: 200,
            max_claims: 5,
        }],
        tasks: vec![task("first", "script", 0x7f), task("second", "other", 0x2f)],
    }
}

/// Handle 0 is the script; the others are in this order for both tasks.
fn task(name: &str, script: &str, rights: u8) -> TaskEntry {
    let objects = [
        (Kind::Region, script),
        (Kind::Queue, "console"),
        (Kind::Queue, "any"),
        (Kind::Queue, "sevens"),
        (Kind::Timer, "timer"),
        (Kind::Log, "log"),
        (Kind::Memory, "memory"),
        (Kind::Namespace, "packages"),
        (Kind::Region, "inner"),
        (Kind::VectorStore, "reflex"),
        (Kind::VectorStore, "standard"),
        (Kind::VectorStore, "deep"),
        (Kind::GraphStore, "claims"),
        (Kind::GraphStore, "facts"),
        (Kind::Sensor, "thermometer"),
        (Kind::Component, "program"),
        (Kind::Queue, "console-input"),
        (Kind::Queue, "approvals"),
        (Kind::Region, "text"),
    ];
    let capability = |(kind, name): (Kind, &str)| CapabilityEntry {
        kind,
        name: name.into(),
        rights: Rights::from_bits(rights),
    };
    TaskEntry {
        name: name.into(),
        component: "program".into(),
        kind: TaskKind::Command,
        priority: 0,
        deadline: None,
        fuel: 1 << 24,
        memory: 1 << 17,
        capabilities: objects.into_iter().map(capability).collect(),
        wasi: None,
    }
}

/// What an input spells.
struct Play {
    scripts: [Vec<u8>; 2],
    events: Vec<Event>,
    block: Vec<u8>,
}

/// Runs it.
pub(crate) fn fuzz(input: &[u8]) {
    let play = Play::of(input);
    let file = play.package();
    let run = Run::of(boot(&file, 1 << 30), &play.events, 1);
    run.check();
    for task in run.cell.outcomes() {
        let calls = run.calls(task.subject);
        match task.outcome {
            Outcome::Exit => assert_eq!(i32::try_from(calls), Ok(task.code), "{task:?}"),
            Outcome::Refused => assert_eq!(calls, 0),
            // The interpreter does nothing that could trap.
            Outcome::Trap => panic!("{task:?}"),
            _ => {}
        }
    }
    let again = Run::of(boot(&file, 1 << 30), &play.events, 7);
    assert_eq!(again.root(), run.root(), "sealed at other times, the log is another");
}

/// The package of a run in which something happens.
pub(crate) fn example() -> Vec<u8> {
    package(b"\x03\x01\0\0\x85\x86\x03\x09\0\0\x85\x86\x05\x04\x01\x07")
}

/// The package that plays an input.
pub(crate) fn package(input: &[u8]) -> Vec<u8> {
    Play::of(input).package()
}

/// What comes in meanwhile.
pub(crate) fn events(input: &[u8]) -> Vec<Event> {
    Play::of(input).events
}

impl Play {
    fn of(input: &[u8]) -> Self {
        let mut input = Input::new(input);
        let mut play = Self { scripts: Default::default(), events: vec![], block: vec![] };
        let mut current = 0;
        while !input.is_empty() {
            match input.u8() % 18 {
                number @ 0..12 => play.call(current, number, &mut input),
                12 => play.block = input.counted().to_vec(),
                13 => play.add(input.counted()),
                14 => play.sign(&mut input),
                15 => play.block.truncate(input.u16().into()),
                16 => play.event(&mut input),
                _ => current ^= 1,
            }
        }
        play
    }

    fn package(&self) -> Vec<u8> {
        let [first, second] = &self.scripts;
        world::packed(
            manifest(),
            &[("program", &INTERPRETER), ("guard", &mount::MODULE)],
            &[("script", first), ("other", second), ("inner", &INNER), ("text", mount::REGION)],
        )
    }

    fn add(&mut self, bytes: &[u8]) {
        self.block.extend_from_slice(bytes);
        self.block.truncate(BLOCK_MAX);
    }

    fn call(&mut self, task: usize, number: u8, input: &mut Input<'_>) {
        let arity = match number {
            11 => 2,
            0 | 5 => 3,
            1 | 4 | 9 => 4,
            7 | 8 => 6,
            _ => 5,
        };
        let mut results: u32 = 0;
        let mut arguments = [0; 6];
        for (at, argument) in arguments.iter_mut().enumerate().take(arity) {
            let tag = input.u8();
            *argument = match tag {
                0x80 => input.u32().into(),
                0x81 => input.u64(),
                0x82 => u32::MAX.into(),
                0x83 => (u32::MAX - 1).into(),
                0x84 => u64::MAX,
                0x85 => BLOCK,
                0x86 => self.block.len() as u64,
                0x87 => OUT,
                0x88 => END,
                0x89 => END - 1,
                0x8a => DIGEST,
                0x8b => APPROVAL,
                0x8c => u64::from(input.u8()) * 1_000,
                // A message's operation stands beside its priority.
                0x8d => 1 << 8 | u64::from(input.u8()),
                0x90..=0x9f => {
                    results |= 1 << at;
                    (tag & 15).into()
                }
                small => (small & 0x7f).into(),
            };
        }
        self.step(task, number, results, arguments);
    }

    fn step(&mut self, task: usize, number: u8, results: u32, arguments: [u64; 6]) {
        let length = (STEP + self.block.len()).next_multiple_of(8);
        let script = &mut self.scripts[task];
        if script.len() + length > SCRIPT_MAX {
            return;
        }
        let end = script.len() + length;
        for word in [number.into(), results, length as u32, self.block.len() as u32] {
            script.extend_from_slice(&word.to_le_bytes());
        }
        arguments.iter().for_each(|it| script.extend_from_slice(&it.to_le_bytes()));
        script.extend_from_slice(&HASHER.hash(&self.block));
        script.resize(end - length + STEP, 0);
        script.extend_from_slice(&self.block);
        script.resize(end, 0);
    }

    /// Puts a signed proof of what the block says behind it.
    fn sign(&mut self, input: &mut Input<'_>) {
        let names = ["reflex", "standard", "deep", "claims", "facts"];
        let store = names[usize::from(input.u8()) % names.len()];
        let (slot, nonce, expiry) = (input.u8(), input.u8(), input.u8());
        let key = world::approver();
        let signer = world::operator().verifying_key().to_bytes();
        let statement = Statement {
            store: manifest().store_id(&signer, "/", store, HASHER),
            slot: slot.into(),
            old_leaf: empty(),
            mutation: HASHER.hash(&self.block),
            nonce: nonce.into(),
            expiry: if expiry == 0 { u64::MAX } else { u64::from(expiry) * 10_000 },
        };
        let signature = key.sign(&statement.message()).to_bytes();
        let proof = SignedProof { statement, key: key.verifying_key().to_bytes(), signature };
        let mut proof = proof.to_bytes();
        if let Some(byte) = proof.get_mut(usize::from(input.u8()).wrapping_sub(1)) {
            *byte ^= 1;
        }
        self.add(&proof);
    }

    fn event(&mut self, input: &mut Input<'_>) {
        let kinds = [
            EventKind::ConsoleInput,
            EventKind::Approval,
            EventKind::Sensor,
            EventKind::Challenge,
            EventKind::Stop,
            EventKind::Resume,
            EventKind::Entropy,
            EventKind::Shutdown,
        ];
        let kind = kinds[usize::from(input.u8()) % kinds.len()];
        let after = usize::from(input.u8() % 16);
        let data = match input.u8() {
            0 => self.block.clone(),
            // The proof at the end of it.
            1 => self.block[self.block.len().saturating_sub(SignedProof::SIZE)..].to_vec(),
            length => input.take(length.into()).to_vec(),
        };
        let after = self.events.last().map_or(after, |last| last.after + after);
        self.events.push(Event { after, kind, data });
    }
}

/// The leaf of an empty slot.
fn empty() -> Hash {
    HASHER.leaf(&[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use witness::{Verdict, record::Body};

    #[test]
    fn the_seeds_make_every_call_with_and_without_success() {
        let mut seen: BTreeMap<_, BTreeMap<String, u32>> = BTreeMap::new();
        for (target, _, seed) in crate::seeds::all() {
            if target != "syscall" {
                continue;
            }
            let run = Run::of(boot(&package(&seed), 1 << 30), &events(&seed), 1);
            for record in run.records() {
                if let Body::Call(call) = record.body {
                    let verdict = format!("{:?}", record.verdict);
                    *seen.entry(call.call).or_default().entry(verdict).or_default() += 1;
                }
            }
        }
        for call in Call::ALL {
            let verdicts = seen.get(&call).unwrap();
            let allowed = format!("{:?}", Verdict::Allowed);
            assert!(verdicts.contains_key(&allowed), "{call:?} {verdicts:?}");
            assert!(verdicts.len() > 1, "{call:?} {verdicts:?}");
        }
        println!("{seen:#?}");
    }
}
