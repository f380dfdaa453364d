//! What a package takes of the machine's memory is never more than what it
//! was accepted for, whatever its components are made of.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use abi::{Error, Kind, Rights, SpawnArguments};
use common::*;
use machine::{Boot, Ceiling, Cell, Failure, Step};
use package::manifest::{TaskKind, WasiEntry};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};
use witness::Verdict;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// Whether there is no memory for what the log asks for: ids, so many bytes
/// at a time.
static NO_PIECES: AtomicBool = AtomicBool::new(false);
const PIECE: usize = 1_024 * size_of::<witness::Hash>();

/// Held by each test: there is one count for all.
static ALONE: Mutex<()> = Mutex::new(());

/// The system's allocator, which knows how much is in use.
struct Measuring;

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Measuring {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() == PIECE && NO_PIECES.load(Relaxed) {
            return core::ptr::null_mut();
        }
        MOST.fetch_max(NOW.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the pointer came from `System.alloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Measuring = Measuring;

/// What the nucleus, the log and this test take by themselves.
const OWN: usize = 4 << 20;

/// What is set aside for tasks that start others, of which these have none.
const SHARE: usize = 16 << 20;

fn boot(file: &[u8], memory_limit: u64) -> Cell {
    boot_within(file, memory_limit, Ceiling::NONE)
}

fn boot_within(file: &[u8], memory_limit: u64, ceiling: Ceiling) -> Cell {
    let (package, trust, hasher, facts) = (file, trust(), HASHER, facts(1));
    let boot = Boot { package, trust, hasher, facts, memory_limit, keeps_journals: false };
    Cell::start_within(boot, ceiling)
}

/// The least memory that the package is accepted for.
fn needs(file: &[u8]) -> u64 {
    let report = boot(file, 0).take_reports().remove(1);
    let digits = report.trim_start_matches("the package may come to take ");
    let needs = digits[..digits.find(' ').unwrap()].parse().unwrap();
    assert!(boot(file, needs - 1).view().plans().is_empty());
    needs
}

fn stays_within(name: &str, recipe: &Recipe, unused: usize) {
    let file = recipe.signed();
    let limit = needs(&file);
    let before = NOW.load(Relaxed);
    MOST.store(before, Relaxed);
    let run = drive(boot(&file, limit), 1);
    assert!(run.reports.iter().all(|report| report.contains("set aside")), "{:?}", run.reports);
    drop(run);
    let most = MOST.load(Relaxed) - before;
    let limit = usize::try_from(limit).unwrap() - unused;
    assert!(most <= limit + OWN, "{name} took {most} bytes and was accepted for {limit}");
}

/// A package whose allowance of linear memory is nothing, so that the rest is
/// all there is.
fn lean(wat: &str) -> Recipe {
    let mut recipe = Recipe::new().task("t", wat).with(|task| task.memory = 65_536);
    recipe.limits.memory = 65_536;
    recipe
}

/// Modules that are small on disk and large when translated or set up.
fn bombs() -> Vec<(&'static str, String)> {
    let module = |fields: String| format!(r#"(module {fields} (func $f (export "_start")))"#);
    let body = |code: String| module(format!("(func (param i32) {code})"));
    let many = |field: &str| module(field.repeat(40_000));
    let wide = "i64 ".repeat(16);
    let ones = "i64.const 1 ".repeat(16);
    let loops = "(loop (param i64 i64 i64 i64) local.get 0 br_if 0 drop drop drop drop)";
    let table = r#"(module (table 0 funcref) (func (export "_start") (local $more i32)
        (local.set $more (i32.const 64))
        (loop (drop (table.grow (ref.null func) (i32.const 1000)))
            (br_if 0 (local.tee $more (i32.sub (local.get $more) (i32.const 1)))))))"#;
    let exports = (0..40_000).map(|number| format!("(export \"{number:x}\" (func $f))"));
    let import = r#"(import "heliograph" "sensor_subscribe" (func (param i32 i32) (result i64)))"#;
    vec![
        ("types", many("(type (func))")),
        ("imports", module(import.repeat(20_000))),
        ("functions", many("(func)")),
        ("globals", module("(global i32 (i32.const 0))".repeat(40_000))),
        ("exports", module(exports.collect())),
        ("segments", module(format!("(memory 1) {}", "(data \"\")".repeat(40_000)))),
        ("elements", module(format!("(table 1 funcref) {}", "(elem func $f)".repeat(20_000)))),
        ("items", module(format!("(table 1 funcref) (elem func {})", "$f ".repeat(100_000)))),
        ("table", table.to_string()),
        ("nesting", body("block ".repeat(200_000) + &"end ".repeat(200_000))),
        ("loops", body("loop ".repeat(200_000) + &"end ".repeat(200_000))),
        ("ifs", body("(if (local.get 0) (then) (else))".repeat(40_000))),
        ("calls", body("call $f ".repeat(100_000))),
        ("tables", body("block local.get 0 br_table 0 0 0 0 end ".repeat(40_000))),
        (
            "stores",
            module(format!(
                "(memory 1) (func (param i32) {})",
                "(i32.store offset=70000 (local.get 0) (i32.const 5))".repeat(100_000)
            )),
        ),
        (
            "results",
            module(format!(
                "(func (param i32) (result {wide}) {ones} {})",
                "local.get 0 br_if 0 ".repeat(40_000)
            )),
        ),
        ("repeats", body(format!("{}{loops}", "i64.const 1 ".repeat(4)).repeat(8_000))),
        (
            "constants",
            body((0..40_000).map(|it| format!("i64.const {}000000007 drop ", it + 1)).collect()),
        ),
        ("locals", module(format!("(func (local {}))", "i64 ".repeat(20_000)).repeat(200))),
    ]
}

#[test]
fn components_take_no_more_than_they_were_weighed_at() {
    let _alone = ALONE.lock();
    for (name, wat) in bombs() {
        stays_within(name, &lean(&wat), SHARE);
    }
}

#[test]
fn globals_that_a_snapshot_needs_were_weighed_too() {
    let _alone = ALONE.lock();
    let globals = "(global (mut i32) (i32.const 0))".repeat(40_000);
    let recipe = lean(&format!(r#"(module {globals} (func (export "_start")))"#));
    stays_within("globals", &Recipe { state_roots: Some(1), ..recipe }, SHARE);
}

/// Bytes of the memories of tasks that keep journals.
const MEMORY: usize = 8 << 20;

/// A package that asks for roots, and one task.
fn with_roots(wat: &str, kind: TaskKind) -> Recipe {
    let mut recipe = Recipe::new().task("t", wat).with(|task| {
        task.memory = MEMORY as u32;
        task.kind = kind;
    });
    recipe.limits.memory = MEMORY as u64;
    recipe.limits.records = 1_000;
    Recipe { state_roots: Some(10), ..recipe }
}

#[test]
fn journals_take_no_more_than_their_share() {
    let _alone = ALONE.lock();
    // One place of one byte for each call, and many places in one.
    for (count, wat) in [
        (1, "(call $random (i32.const 0) (i32.const 1))"),
        (
            1_024,
            "(call $read (i32.const 0) (i32.const 0) (i32.const 1024) (i64.const 0) (i32.const 8192))",
        ),
    ] {
        let vectors: String = (0..count).map(|_| "\\00\\30\\00\\00\\01\\00\\00\\00").collect();
        let wat = format!(
            r#"(module
            (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_pread" (func $read (param i32 i32 i32 i64 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "{vectors}")
            (func (export "_start") (loop (drop {wat}) (br 0))))"#
        );
        let mut recipe = with_roots(&wat, TaskKind::Command).region("data", &[1; 100_000]);
        recipe.tasks[0].capabilities.push(capability(Kind::Region, "data", Rights::READ));
        recipe.tasks[0].wasi =
            Some(WasiEntry { args: vec![], env: vec![], stdin: Some("data".into()) });
        recipe.tasks[0].fuel = 1 << 28;
        // Nothing but the journal takes the memory's room: the memory is small
        // and does not grow, and it has no frameless state.
        stays_within("journal", &recipe, SHARE + 4 * MEMORY);
    }
}

#[test]
fn the_states_that_journals_begin_with_take_no_more_than_their_share() {
    let _alone = ALONE.lock();
    let wat = r#"(module
        (import "heliograph" "queue_send" (func $send (param i32 i32 i32 i32 i32) (result i64)))
        (import "heliograph" "queue_recv" (func $receive (param i32 i64 i32 i32) (result i64)))
        (memory (export "memory") 128)
        (func $again
            (drop (call $send (i32.const -2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1))))
        (func (export "_initialize") (call $again))
        (func (export "on_message")
            (drop (call $receive (i32.const -2) (i64.const 0) (i32.const 1024) (i32.const 100)))
            (call $again)))"#;
    // The memory once, and once what the journal begins with.
    let mut recipe = with_roots(wat, TaskKind::Reactor);
    recipe.limits.records = 200;
    stays_within("reactor", &recipe, SHARE + 3 * MEMORY);
}

#[test]
fn stacks_and_children_take_no_more_than_was_set_aside() {
    let _alone = ALONE.lock();
    // Six frames of 128 KiB, then a wait, so that all of them are there
    // together.
    let child = program(&format!(
        r#"(func (export "_start") (call $down (i32.const 6)))
        (func $down (param i32) (local {})
            (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1))))
            (else (drop (call $wait (i32.const 0) (i32.const 1) (i64.const 1000000000))))))"#,
        "i64 ".repeat(16_000)
    ));
    let block = SpawnArguments {
        fuel: 1 << 20,
        memory: 65_536,
        priority: 0,
        deadline: u64::MAX,
        capabilities: 1,
        is_reactor: false,
    };
    let block: String = block.to_bytes().iter().map(|byte| format!("\\{byte:02x}")).collect();
    let parent = program(&format!(
        r#"(data (i32.const 0) "{block}\01\00\00\00")
        (func (export "_start") (local $i i32) (loop
            (drop (call $spawn (i32.const 0) (i32.const 0) (i32.const 36)))
            (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
                (i32.const 40)))))"#
    ));
    let wasm = |wat: &str| wat::parse_str(wat).unwrap();
    let capabilities = vec![
        capability(Kind::Component, "child", Rights::EXECUTE),
        capability(Kind::Timer, "timer", Rights::READ | Rights::GRANT),
    ];
    let recipe = Recipe::new().component("child", &wasm(&child));
    let recipe = recipe.component("parent", &wasm(&parent)).start("p", "parent", capabilities);
    stays_within("children", &recipe, 0);

    let run = recipe.run();
    let denied = |verdict| verdict == Verdict::Denied(Error::OverBudget);
    let denied = run.calls(1).iter().filter(|(record, _)| denied(record.verdict)).count();
    assert!((1..40).contains(&denied), "{denied} of 40 were denied");
}

/// Does nothing but calls that are denied, each of them a record.
fn chatterbox(records: u64) -> Vec<u8> {
    let mut recipe = lean(&program(
        r#"(func (export "_start")
        (loop (drop (call $wait (i32.const 9) (i32.const 0) (i64.const 0))) (br 0)))"#,
    ));
    recipe.limits.records = records;
    recipe.signed()
}

/// Runs to the end, and tells how many records there were each time that they
/// are sealed.
fn run_on(mut cell: Cell, sealed: &mut dyn FnMut(u64)) -> (Cell, Step) {
    loop {
        let step = cell.step();
        cell.seal(&mut |_, _| ());
        sealed(cell.size());
        if step != Step::Ran {
            return (cell, step);
        }
    }
}

#[test]
fn what_the_log_keeps_of_each_record_was_weighed() {
    let _alone = ALONE.lock();
    let file = chatterbox(200_000);
    let limit = needs(&file);
    let before = NOW.load(Relaxed);
    MOST.store(before, Relaxed);
    let (cell, end) = run_on(boot(&file, limit), &mut |_| ());
    assert!(end == Step::Finished && cell.size() > 200_000, "{end:?}");
    let most = MOST.load(Relaxed) - before;
    let limit = usize::try_from(limit).unwrap() - SHARE - 2 * 65_536;
    assert!(most <= limit + OWN, "took {most} bytes and was accepted for {limit}");
    // What no machine has room for is refused, and not found out later.
    let mut cell = boot(&chatterbox(u64::MAX), 1 << 40);
    assert!(cell.view().plans().is_empty());
    assert!(cell.take_reports()[1].contains("limits.records"));
}

#[test]
fn a_log_that_there_is_no_memory_for_ends_the_run_and_nothing_is_lost() {
    let _alone = ALONE.lock();
    let cell = boot(&chatterbox(200_000), u64::MAX);
    let (cell, end) = run_on(cell, &mut |size| NO_PIECES.store(size > 10_000, Relaxed));
    NO_PIECES.store(false, Relaxed);
    assert_eq!(end, Step::Failed(Failure::OutOfMemory));
    let sealed = cell.size();
    assert!((10_000..20_000).contains(&sealed), "{sealed}");
    assert_eq!(cell.log().ids().count() as u64, sealed);
}

#[test]
fn types_that_no_compiler_makes_are_refused() {
    let _alone = ALONE.lock();
    let results = |count| {
        let (types, values) = ("i64 ".repeat(count), "i64.const 1 ".repeat(count));
        format!(r#"(module (func (result {types}) {values}) (func (export "_start")))"#)
    };
    let parameters = |count| {
        format!(r#"(module (func (param {})) (func (export "_start")))"#, "i64 ".repeat(count))
    };
    for (wat, is_taken) in [
        (results(16), true),
        (results(17), false),
        (parameters(128), true),
        (parameters(129), false),
    ] {
        assert_eq!(lean(&wat).run().reports.is_empty(), is_taken, "{wat}");
    }
}

#[test]
fn a_package_beyond_a_ceiling_is_refused_as_a_whole() {
    let _alone = ALONE.lock();
    let file = lean(r#"(module (func (export "_start")))"#).signed();
    let said = |ceiling| {
        let mut cell = boot_within(&file, u64::MAX, ceiling);
        assert_eq!(cell.view().plans().is_empty(), ceiling != Ceiling::NONE && ceiling.tasks == 0);
        cell.take_reports().join("\n")
    };
    assert_eq!(said(Ceiling::NONE), "");
    assert_eq!(said(Ceiling { tasks: 1, stores: u64::MAX }), "");
    let refused = said(Ceiling { tasks: 0, stores: u64::MAX });
    assert!(
        refused.ends_with("lists 1 tasks, of 0 that this machine was told to take"),
        "{refused}"
    );
}
