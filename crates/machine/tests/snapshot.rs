//! A cell that is written down, thrown away and read back goes on as if
//! nothing had been.

use crate::common::*;
use abi::{Kind, Rights};
use machine::{Cell, Effect, Input, Loaded, NotAdmitted, Step, Surroundings};
use nucleus::Outcome;
use package::manifest::{QueueEntry, SensorEntry, TaskKind};
use std::collections::BTreeMap;
use witness::record::{Body, EventKind, RootReason};
use witness::{Hash, Record, Subject};

/// A package for every kind of state that a task can have and a snapshot
/// could miss.
fn recipe() -> Recipe {
    let queue = |name: &str| QueueEntry { name: name.into(), capacity_bytes: 2_000, accepts: None };
    let sensors = vec![SensorEntry { name: "thermometer".into() }];
    let queues = vec![queue("to-hidden"), queue("to-table"), queue("readings")];
    let queue = |name: &str, rights| capability(Kind::Queue, name, rights);
    let console = || queue("console", Rights::WRITE);
    let timer = || capability(Kind::Timer, "timer", Rights::READ);
    let reads = |name: &str| vec![queue(name, Rights::READ), console(), timer()];
    let mut recipe = Recipe { queues, sensors, ..Recipe::new() }
        .component("hidden", &module(HIDDEN))
        .component("table", &module(TABLE))
        .component("segment", &module(SEGMENT))
        .component("busy", &module(BUSY))
        .component("sender", &module(SENDER))
        .component("listener", &module(LISTENER))
        .component("grower", &module(GROWER))
        .component("program", &wat::parse_str(PROGRAM).unwrap());
    for name in ["hidden", "table"] {
        recipe = recipe
            .start(name, name, reads(&format!("to-{name}")))
            .with(|task| task.kind = TaskKind::Reactor);
    }
    let writes = ["to-hidden", "to-table"].map(|name| queue(name, Rights::WRITE));
    recipe
        .start("segment", "segment", vec![timer(), console()])
        .start("program", "program", vec![timer(), console()])
        .start("busy", "busy", vec![timer(), console()])
        .start("sender", "sender", writes.into_iter().chain([timer()]).collect())
        .start(
            "listener",
            "listener",
            vec![
                capability(Kind::Sensor, "thermometer", Rights::READ),
                queue("readings", Rights::READ | Rights::WRITE),
                console(),
            ],
        )
        .start("grower", "grower", reads("to-hidden"))
        .with(|task| task.kind = TaskKind::Reactor)
}

/// The same, and an operator can ask for a snapshot.
fn with_roots() -> Recipe {
    Recipe { state_roots: Some(1 << 40), ..recipe() }
}

fn module(body: &str) -> Vec<u8> {
    wat::parse_str(format!(
        r#"(module
        (import "heliograph" "queue_send" (func $send (param i32 i32 i32 i32 i32) (result i64)))
        (import "heliograph" "queue_recv" (func $receive (param i32 i64 i32 i32) (result i64)))
        (import "heliograph" "timer_wait" (func $wait (param i32 i32 i64) (result i64)))
        (import "heliograph" "sensor_subscribe" (func $subscribe (param i32 i32) (result i64)))
        (memory (export "memory") 1)
        {body})"#
    ))
    .unwrap()
}

/// A reactor that counts in globals that nobody else sees, and in its memory;
/// in the middle of a message it waits for another one and for the clock.
const HIDDEN: &str = r#"
    (global $count (mut i64) (i64.const 0))
    (global $sum (mut f64) (f64.const 0.5))
    (func (export "_initialize") (global.set $count (i64.const 100)))
    (func (export "on_message") (result i32)
        (local $got i64)
        (drop (call $receive (i32.const -2) (i64.const 0) (i32.const 0) (i32.const 0)))
        (local.set $got (call $receive (i32.const 0) (i64.const -1) (i32.const 512) (i32.const 100)))
        (global.set $count (i64.add (global.get $count) (local.get $got)))
        (global.set $sum (f64.mul (global.get $sum) (f64.const 1.0625)))
        (i64.store (i32.const 0) (i64.add (i64.load (i32.const 0)) (i64.const 1)))
        (drop (call $wait (i32.const 2) (i32.const 1) (i64.const 300_000)))
        (i64.store (i32.const 8) (global.get $count))
        (f64.store (i32.const 16) (global.get $sum))
        (drop (call $send (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 24)))
        (i32.const 0))"#;

/// A reactor that changes its table with each message: what it calls depends
/// on how many there were.
const TABLE: &str = r#"
    (type $word (func (result i32)))
    (table 2 funcref)
    (elem (i32.const 0) $one $two)
    (elem declare func $one $two)
    (func $one (result i32) (i32.const 0x656e6f))
    (func $two (result i32) (i32.const 0x6f7774))
    (func (export "on_message") (result i32)
        (local $first funcref)
        (drop (call $receive (i32.const -2) (i64.const 0) (i32.const 0) (i32.const 0)))
        (drop (call $receive (i32.const 0) (i64.const -1) (i32.const 512) (i32.const 100)))
        (local.set $first (table.get (i32.const 0)))
        (table.set (i32.const 0) (table.get (i32.const 1)))
        (table.set (i32.const 1) (local.get $first))
        (i32.store (i32.const 0) (call_indirect (type $word) (i32.const 0)))
        (drop (call $send (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4)))
        (i32.const 0))"#;

/// Drops a segment, waits, and traps when it wants it.
const SEGMENT: &str = r#"
    (data $once "once")
    (func (export "_start")
        (memory.init $once (i32.const 0) (i32.const 0) (i32.const 4))
        (data.drop $once)
        (drop (call $wait (i32.const 0) (i32.const 1) (i64.const 2_000_000)))
        (drop (call $send (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4)))
        (memory.init $once (i32.const 0) (i32.const 0) (i32.const 4)))"#;

/// Computes over many slices, with what it has in locals only.
const BUSY: &str = r#"
    (func (export "_start") (result i32)
        (local $at i32) (local $x i64)
        (local.set $x (i64.const 88172645463325252))
        (loop $more
            (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 13))))
            (local.set $x (i64.xor (local.get $x) (i64.shr_u (local.get $x) (i64.const 7))))
            (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 17))))
            (if (i32.eqz (i32.rem_u (local.get $at) (i32.const 100_000))) (then
                (i64.store (i32.const 0) (local.get $x))
                (drop (call $send (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 8)))))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $more (i32.lt_u (local.get $at) (i32.const 1_200_000))))
        (i32.const 0))"#;

/// Sends messages now and then, also to mailboxes it does not know.
const SENDER: &str = r#"
    (func (export "_start") (result i32)
        (local $at i32)
        (loop $more
            (drop (call $send (i32.const 0) (local.get $at) (i32.const 0) (i32.const 0) (local.get $at)))
            (drop (call $send (i32.const 1) (local.get $at) (i32.const 0) (i32.const 0) (i32.const 5)))
            (drop (call $wait (i32.const 2) (i32.const 1) (i64.const 700_000)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $more (i32.lt_u (local.get $at) (i32.const 12))))
        (i32.const 0))"#;

/// Waits for two readings.
const LISTENER: &str = r#"
    (func $one (local $got i64)
        (local.set $got (call $receive (i32.const 1) (i64.const -1) (i32.const 64) (i32.const 100)))
        (drop (call $send (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 64) (i32.wrap_i64 (local.get $got)))))
    (func (export "_start") (result i32)
        (drop (call $subscribe (i32.const 0) (i32.const 1)))
        (call $one) (call $one)
        (i32.const 0))"#;

/// A reactor without messages, whose initialization takes its memory.
const GROWER: &str = r#"
    (func (export "_initialize")
        (drop (memory.grow (i32.const 3)))
        (i64.store (i32.const 200_000) (i64.const 42))
        (drop (call $wait (i32.const 2) (i32.const 1) (i64.const 1_500_000))))
    (func (export "on_message") (result i32) (i32.const 0))"#;

/// A program for WASI: clock, random bytes, waiting and writing.
const PROGRAM: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\20\00\00\00\20\00\00\00")
    (func (export "_start")
        (local $at i32)
        (loop $more
            (drop (call $random (i32.const 32) (i32.const 16)))
            (drop (call $clock (i32.const 1) (i64.const 1) (i32.const 48)))
            (drop (call $yield))
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $more (i32.lt_u (local.get $at) (i32.const 12))))))"#;

/// What a run leaves.
#[derive(Debug, Default, PartialEq)]
struct Left {
    records: Vec<Vec<u8>>,
    console: BTreeMap<u32, Vec<u8>>,
    steps: usize,
}

/// Runs to the end with a few events at given steps. Before each step for
/// which `interrupts` says so the cell is written down and read back.
fn run(file: &[u8], interrupts: &mut dyn FnMut(usize) -> bool) -> (Left, Cell) {
    let mut cell = start_with_journals(file);
    let mut left = Left::default();
    for number in 0.. {
        cell.seal(&mut |record, _| left.records.push(record.to_vec()));
        for Effect::Console { subject, bytes } in cell.effects() {
            left.console.entry(subject.0).or_default().extend(bytes);
        }
        let sensor = cell.view().sensor("thermometer");
        let event = match number {
            12 | 30 => sensor.map(|sensor| Input::reading(sensor, b"21.5")),
            20 => Some(Input::new(EventKind::Stop, &[])),
            22 => Some(Input::new(EventKind::Resume, &[])),
            25 => Some(Input::new(EventKind::Snapshot, &[])),
            _ => None,
        };
        if let Some(event) = event {
            cell.admit(event).unwrap();
        }
        if interrupts(number) {
            let bytes = pages(&cell);
            cell.seal(&mut |record, _| left.records.push(record.to_vec()));
            let ids = cell.log().ids().copied().collect();
            drop(cell);
            cell = restored(&bytes, ids);
            assert_eq!(pages(&cell), bytes, "a snapshot of what was restored is the same");
        }
        match cell.step() {
            Step::Ran | Step::SealFirst => {}
            Step::Waiting { until: Some(_) } => assert!(cell.jump().is_some()),
            Step::Waiting { until: None } if number < 40 => {}
            Step::Waiting { until: None } | Step::Finished => {
                left.steps = number;
                break;
            }
            Step::Failed(failure) => panic!("{failure}"),
        }
    }
    (left, cell)
}

/// Numbers from a number.
fn dice(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut at = seed;
    move |end| {
        at = at.wrapping_add(1);
        abi::mix(at) % end
    }
}

#[test]
fn a_run_interrupted_before_every_step_leaves_the_same_records() {
    let file = with_roots().signed();
    let (whole, cell) = run(&file, &mut |_| false);
    // It does what it is there for.
    let outcome = |subject| match cell.view().task(Subject(subject)).map(nucleus::Task::state) {
        Some(nucleus::State::Ended(outcome)) => Some(outcome),
        _ => None,
    };
    let trap = Outcome::Trap(witness::record::TrapCode::MemoryOutOfBounds);
    assert_eq!(
        (outcome(3), outcome(4), outcome(6)),
        (Some(trap), Some(Outcome::Exit(0)), Some(Outcome::Exit(0)))
    );
    assert!(whole.steps > 60, "{} steps", whole.steps);
    let (interrupted, _) = run(&file, &mut |_| true);
    assert_eq!(interrupted, whole);
}

fn interruptions(times: u64) {
    let file = with_roots().signed();
    let (whole, _) = run(&file, &mut |_| false);
    let mut done: u64 = 0;
    let mut seed = 0;
    while done < times {
        let mut dice = dice(seed << 20);
        let (interrupted, _) = run(&file, &mut |_| {
            let is_now = dice(20) == 0;
            done += u64::from(is_now);
            is_now
        });
        assert_eq!(interrupted, whole, "seed {seed}");
        seed += 1;
    }
}

#[test]
fn a_hundred_random_interruptions_change_nothing() {
    interruptions(100);
}

#[test]
#[ignore = "a thousand of them"]
fn a_thousand_random_interruptions_change_nothing() {
    interruptions(1_000);
}

#[test]
fn keeping_journals_changes_no_record() {
    let file = recipe().signed();
    let plain = drive(start(&file, 1), 1);
    let kept = drive(start_with_journals(&file), 1);
    assert_eq!(plain.records, kept.records);
}

#[test]
fn the_root_that_an_operator_asks_for_is_that_of_the_snapshot() {
    let file = with_roots().signed();
    let mut before = None;
    let mut cell = start_with_journals(&file);
    for _ in 0..10 {
        assert_eq!(cell.step(), Step::Ran);
    }
    let event = cell.admit(Input::new(EventKind::Snapshot, &[])).unwrap();
    assert!(cell.is_root_due());
    before.replace(cell.state_root().unwrap().0);
    assert_eq!(cell.step(), Step::Ran);
    assert!(!cell.is_root_due());
    cell.seal(&mut |_, _| ());
    let last = cell.log().recent(1).last().unwrap();
    let record = Record::decode(last.bytes()).unwrap();
    let Body::StateRoot(root) = record.body else { panic!("{record}") };
    assert_eq!((root.reason, Some(root.root)), (RootReason::Snapshot, before));
    assert_eq!(record.cause, cell.log().id(event));
}

#[test]
fn a_package_that_asks_for_roots_gets_them() {
    let recipe = Recipe { state_roots: Some(7), ..recipe() };
    let run = recipe.run();
    let is_root = |record: &Record<'_>| matches!(record.body, Body::StateRoot(root) if root.reason == RootReason::Manifest);
    let records = run.decoded();
    let slices: Vec<u64> =
        records.iter().filter(|it| is_root(it)).map(|it| it.point.slice).collect();
    assert!(slices.len() > 3);
    assert_eq!(slices, (1..).take(slices.len()).map(|it| it * 7).collect::<Vec<_>>());
    assert_eq!(recipe.run().records, run.records);
}

#[test]
fn without_journals_there_is_no_snapshot() {
    let file = recipe().signed();
    let mut cell = start(&file, 1);
    let event = Input::new(EventKind::Snapshot, &[]);
    assert_eq!(cell.admit(event), Err(NotAdmitted::NoJournal));
    assert!(cell.save(&mut |_| ()).is_err());
    // What is recorded does not depend on who keeps some for themselves.
    assert_eq!(start_with_journals(&file).admit(event), Err(NotAdmitted::NoJournal));
}

#[test]
fn a_damaged_snapshot_is_refused_or_another_one_but_no_panic() {
    let file = recipe().signed();
    let mut cell = start_with_journals(&file);
    for _ in 0..15 {
        cell.step();
        cell.seal(&mut |_, _| ());
    }
    let bytes = pages(&cell);
    let ids: Vec<_> = cell.log().ids().copied().collect();
    let restore = |bytes: &[u8], ids: &[Hash]| {
        let surroundings = Surroundings { trust: trust(), hasher: HASHER, ids: ids.to_vec() };
        Cell::restore(bytes, surroundings)
    };
    assert!(restore(&bytes, &ids).is_ok());
    assert!(restore(&bytes, &ids[1..]).is_err(), "another log's");
    assert!(restore(&[], &ids).is_err());
    let (mut dice, mut restored) = (dice(7), 0);
    for _ in 0..200 {
        let mut bytes = bytes.clone();
        let at = dice(bytes.len() as u64) as usize;
        match dice(3) {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << dice(8),
            // Where the small things are.
            _ => bytes[at % 20_000] = dice(256) as u8,
        }
        // What came of it does no harm either.
        let Ok(mut other) = restore(&bytes, &ids) else { continue };
        restored += 1;
        for _ in 0..10 {
            other.step();
            other.seal(&mut |_, _| ());
        }
    }
    assert!(restored > 0);
}

#[test]
fn a_journal_that_was_made_up_takes_no_longer_than_its_length_allows() {
    // One call, which is denied, then nothing but time.
    let text = program(
        r#"(func (export "_start")
            (drop (call $wait (i32.const 9) (i32.const 0) (i64.const 0)))
            (loop (br 0)))"#,
    );
    let file = Recipe::new().task("endless", &text).signed();
    let mut cell = start_with_journals(&file);
    (0..3).for_each(|_| assert_eq!(cell.step(), Step::Ran));
    cell.seal(&mut |_, _| ());
    let bytes = pages(&cell);
    let ids: Vec<_> = cell.log().ids().copied().collect();
    let restore = |bytes: &[u8]| {
        let surroundings = Surroundings { trust: trust(), hasher: HASHER, ids: ids.clone() };
        Cell::restore(bytes, surroundings).map(|_| ())
    };
    assert_eq!(restore(&bytes), Ok(()));
    let places = |number: [u8; 8]| {
        let windows = (0..).zip(bytes.windows(8)).filter(move |(_, window)| *window == number);
        windows.map(|(at, _)| at)
    };
    // The fuel of a slice, and what a call says it left of it.
    let slices = places(abi::profile::SLICE_FUEL.to_le_bytes());
    let answers = places(abi::Error::BadHandle.to_guest().to_le_bytes());
    let without_end = |at: usize| {
        let mut changed = bytes.clone();
        changed[at..at + 8].fill(0xff);
        restore(&changed) == Err(Loaded::Diverged(Subject(1)))
    };
    assert_eq!(answers.filter(|at| without_end(at + 8)).count(), 1);
    // Other numbers are the same by chance.
    assert_eq!(slices.filter(|at| without_end(*at)).count(), 3);
}
