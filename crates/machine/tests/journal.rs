//! A journal takes no more memory than its task may have, and what happens
//! where it would is the same on every machine.

use crate::common::*;
use abi::{Kind, Rights};
use nucleus::Outcome;
use package::manifest::TaskKind;
use witness::{Subject, record::TrapCode};

const FULL: Outcome = Outcome::Trap(TrapCode::GrowthLimit);

/// Asks for the time again and again, which leaves no record, and says
/// something now and then.
const CLOCK: &str = r#"(module
    (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
    (import "heliograph" "queue_send" (func $send (param i32 i32 i32 i32 i32) (result i64)))
    (memory (export "memory") 1)
    (func (export "_start") (local $at i32)
        (loop $more
            (drop (call $clock (i32.const 1) (i64.const 1) (i32.const 0)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (if (i32.eqz (i32.rem_u (local.get $at) (i32.const 1000))) (then
                (drop (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 8)))))
            (br $more))))"#;

/// A package with roots after so many slices.
fn with_roots(recipe: Recipe) -> Recipe {
    Recipe { state_roots: Some(3), ..recipe }
}

fn outcome(cell: &machine::Cell, subject: u32) -> Outcome {
    match cell.view().task(Subject(subject)).map(nucleus::Task::state) {
        Some(nucleus::State::Ended(outcome)) => outcome,
        state => panic!("still {state:?}"),
    }
}

#[test]
fn a_command_ends_where_its_journal_has_no_room_and_others_go_on() {
    let other = program(
        r#"(func (export "_start")
            (drop (call $wait (i32.const 1) (i32.const 1) (i64.const 100_000_000)))
            (drop (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 5))))"#,
    );
    let recipe = Recipe::new().task("clock", CLOCK).with(|task| {
        task.memory = 65_536;
        task.fuel = 20_000_000;
    });
    let recipe = recipe.task("other", &other);
    // Without roots nobody asks for a journal, and it has fuel for more.
    let plain = recipe.run();
    assert_eq!((plain.task(1), plain.task(2)), (Outcome::OutOfFuel, Outcome::Exit(0)));

    let recipe = with_roots(recipe);
    let run = recipe.run();
    assert_eq!((run.task(1), run.task(2)), (FULL, Outcome::Exit(0)));
    // A call has 48 bytes, a place 64, the time 8; 64 KiB and 1 MiB are there.
    let lines = run.calls(1).len();
    assert_eq!(lines, (65_536 + (1 << 20)) / (48 + 64 + 8) / 1_000);
    let (whole, cell) = interrupted(&recipe.signed(), usize::MAX);
    assert_eq!((outcome(&cell, 1), &whole), (FULL, &run.records));
    for every in [1, 4] {
        assert_eq!(interrupted(&recipe.signed(), every).0, whole, "every {every}");
    }
}

#[test]
fn a_reading_that_is_too_large_for_it_is_the_last() {
    let text = program(
        r#"(func (export "_start") (local $left i32)
            (drop (memory.grow (i32.const 64)))
            (local.set $left (i32.const 3))
            (loop $more
                (drop (call $region (i32.const 3) (i32.const 0) (i64.const 0) (i32.const 65536) (i32.const 4_000_000)))
                (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                (br_if $more (local.get $left))))"#,
    );
    let recipe = Recipe::new().region("large", &vec![7; 4_000_000]).task("reader", &text);
    let recipe = recipe.with(|task| {
        task.memory = 65 * 65_536;
        task.capabilities.push(capability(Kind::Region, "large", Rights::READ));
    });
    let plain = recipe.run();
    assert_eq!((plain.task(1), plain.calls(1).len()), (Outcome::Exit(0), 3));
    let recipe = with_roots(recipe);
    let run = recipe.run();
    // The slice in which it did not fit has an end of its own.
    assert_eq!((run.task(1), run.calls(1).len()), (FULL, 2));
    assert_eq!(interrupted(&recipe.signed(), 1).0, run.records);
}

/// Sends itself a message with each that it takes, forty in all, and reads a
/// megabyte in pieces for each.
const REACTOR: &str = r#"(module
    (import "heliograph" "queue_send" (func $send (param i32 i32 i32 i32 i32) (result i64)))
    (import "heliograph" "queue_recv" (func $receive (param i32 i64 i32 i32) (result i64)))
    (import "heliograph" "region_map" (func $region (param i32 i32 i64 i32 i32) (result i64)))
    (memory (export "memory") 1)
    (global $messages (mut i32) (i32.const 40))
    (func $again
        (drop (call $send (i32.const -2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1))))
    (func (export "_initialize") (call $again))
    (func (export "on_message") (result i32) (local $at i32)
        (drop (call $receive (i32.const -2) (i64.const 0) (i32.const 1024) (i32.const 100)))
        (local.set $at (i32.const 100))
        (loop $more
            (drop (call $region (i32.const 3) (i32.const 0) (i64.const 0) (i32.const 2048) (i32.const 10_000)))
            (br_if $more (local.tee $at (i32.sub (local.get $at) (i32.const 1)))))
        (global.set $messages (i32.sub (global.get $messages) (i32.const 1)))
        (if (global.get $messages) (then (call $again)))
        (i32.const 0)))"#;

#[test]
fn a_reactors_journal_begins_anew_with_each_message() {
    let recipe = Recipe::new().region("data", &[7; 10_000]).task("reactor", REACTOR);
    let recipe = with_roots(recipe.with(|task| {
        task.kind = TaskKind::Reactor;
        task.memory = 65_536;
        task.capabilities.push(capability(Kind::Region, "data", Rights::READ));
    }));
    let run = recipe.run();
    assert_eq!(run.reports, [""; 0]);
    assert!(run.cell.is_idle() && run.cell.is_success());
    let read: u64 = run.calls(1).iter().map(|(_, call)| u64::from(call.length)).sum();
    assert!(read > 40_000_000, "{read}");
    assert_eq!(interrupted(&recipe.signed(), 7).0, run.records);
}

/// A number in LEB128.
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A section of a module: its number, how many items it has, and they.
fn section(id: u8, count: usize, items: &[u8]) -> Vec<u8> {
    let content = [&leb(count), items].concat();
    [&[id][..], &leb(content.len()), &content].concat()
}

/// Exported globals would be more exports than the engine takes, which is
/// half a million.
#[test]
#[ignore = "a module with half a million exports"]
fn a_module_that_has_no_room_for_exports_runs_with_journals_too() {
    const EXPORTS: usize = 499_000;
    const GLOBALS: usize = 2_000;
    let mut exports = b"\x06_start\x00\x00".to_vec();
    for number in 1..EXPORTS {
        exports.extend([4, 0, 0, 0, 0, 0, 0]);
        let at = exports.len() - 6;
        for (place, byte) in exports[at..at + 4].iter_mut().enumerate() {
            *byte = b'!' + (number / 64usize.pow(place as u32) % 64) as u8;
        }
    }
    let module = [
        &b"\0asm\x01\0\0\0"[..],
        // A type without parameters, a function of it, mutable i32s.
        &section(1, 1, b"\x60\0\0"),
        &section(3, 1, b"\0"),
        &section(6, GLOBALS, &b"\x7f\x01\x41\0\x0b".repeat(GLOBALS)),
        &section(7, EXPORTS, &exports),
        &section(10, 1, b"\x02\0\x0b"),
    ];
    let file = Recipe::new().module("many", &module.concat()).signed();
    let plain = run(&file);
    assert_eq!(plain.reports, [""; 0]);
    assert_eq!(plain.task(1), Outcome::Exit(0), "{:?}", plain.reports);
    let kept = drive(start_with_journals(&file), 1);
    assert_eq!(kept.records, plain.records);
}
