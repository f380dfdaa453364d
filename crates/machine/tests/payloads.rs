//! Bad components: each ends in a clear error and a record, and the others go
//! on.

use crate::common::*;
use abi::{Call, Error};
use nucleus::Outcome;
use package::manifest::{Limits, TaskKind};
use witness::{
    Body, Kind, Verdict,
    manifest::Outcome as End,
    record::{Budget, TrapCode},
};

/// Runs a task beside an honest one that comes after it, and one that comes
/// before; checks those, and that every record is there.
fn beside(bad: Recipe) -> Run {
    let run = bad.task("honest", &honest()).run();
    let last = run.cell.outcomes().last().unwrap().clone();
    assert_eq!((last.name.as_str(), last.outcome, last.code), ("honest", End::Exit, 0));
    assert_eq!(run.text(last.subject), "hello\n");
    run
}

fn bad(wat: &str) -> Recipe {
    Recipe::new().task("bad", wat)
}

fn traps(code: TrapCode, wat: &str) {
    let run = beside(bad(wat));
    assert_eq!(run.task(1), Outcome::Trap(code), "{wat}");
    let records = run.of(1);
    let Body::Trap(trap) = records.last().unwrap().body else { panic!("no trap record") };
    assert_eq!(trap.code, code);
    assert_eq!(trap.component, HASHER.hash(&wat::parse_str(wat).unwrap()));
}

fn start(body: &str) -> String {
    format!(r#"(module (memory (export "memory") 1) (func (export "_start") {body}))"#)
}

#[test]
fn every_kind_of_trap_ends_the_task_with_its_code() {
    traps(TrapCode::Unreachable, &start("unreachable"));
    traps(TrapCode::MemoryOutOfBounds, &start("(drop (i32.load (i32.const 65533)))"));
    traps(TrapCode::DivisionByZero, &start("(drop (i32.div_s (i32.const 1) (i32.const 0)))"));
    let overflow = "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))";
    traps(TrapCode::IntegerOverflow, &start(overflow));
    traps(TrapCode::BadConversion, &start("(drop (i32.trunc_f64_s (f64.const nan)))"));
    let table = |index| {
        format!(
            r#"(module (table 2 funcref) (elem (i32.const 0) $f) (func $f (param i32))
            (func (export "_start") (call_indirect (i32.const {index}))))"#
        )
    };
    traps(TrapCode::BadSignature, &table(0));
    traps(TrapCode::IndirectCallToNull, &table(1));
    traps(TrapCode::TableOutOfBounds, &table(2));
}

#[test]
fn recursion_without_end_overflows_the_call_stack() {
    traps(TrapCode::StackOverflow, r#"(module (func $f (export "_start") (call $f)))"#);
    // With so many locals the stack's bytes end before its depth does.
    let locals = "i64 ".repeat(2_000);
    let wat = format!(r#"(module (func $f (export "_start") (local {locals}) (call $f)))"#);
    traps(TrapCode::StackOverflow, &wat);
}

#[test]
fn growth_beyond_the_budget_traps_at_the_same_page() {
    // The budget is 16 pages; the module counts how many it got.
    let wat = program(
        r#"(func (export "_start") (loop $more
            (drop (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1)))
            (drop (memory.grow (i32.const 1))) (br $more)))"#,
    );
    traps(TrapCode::GrowthLimit, &wat);
    assert_eq!(beside(bad(&wat)).calls(1).len(), 16);
    let table = r#"(module (table $t 1 funcref) (func (export "_start")
        (drop (table.grow $t (ref.null func) (i32.const 70000)))))"#;
    traps(TrapCode::GrowthLimit, table);
}

#[test]
fn a_loop_without_end_spends_its_fuel_and_no_more() {
    let recipe = bad(&start("(loop $l (br $l))")).with(|task| task.fuel = 12_345_678);
    let run = beside(recipe);
    assert_eq!(run.task(1), Outcome::OutOfFuel);
    let records = run.of(1);
    assert_eq!(records.len(), 1);
    let Body::OutOfFuel(end) = records[0].body else { panic!() };
    assert_eq!(end.budget, 12_345_678);
    assert!(end.spent <= end.budget && end.spent > end.budget - 100, "{end:?}");
    assert_eq!(records[0].cause, Some(run.ids[3]));
}

#[test]
fn one_operation_may_cost_more_than_a_slice() {
    // 64 bytes cost a unit: 2^27 bytes cost two slices. Only growing to it,
    // then filling it twice, so far apart that nothing is left of a slice.
    let wat = r#"(module (memory (export "memory") 1) (func (export "_start") (result i32)
        (drop (memory.grow (i32.const 2047)))
        (memory.fill (i32.const 0) (i32.const 1) (i32.const 0x8000000))
        (i32.load8_u (i32.const 0x7ffffff))))"#;
    let run = Recipe {
        limits: Limits { fuel: 1 << 40, memory: 1 << 28, records: 100, ..Recipe::new().limits },
        ..bad(wat).with(|task| task.memory = 1 << 27)
    }
    .run();
    assert_eq!(run.task(1), Outcome::Exit(1), "{:?}", run.reports);
    let Body::Exit(exit) = run.of(1)[0].body else { panic!() };
    assert_eq!(exit.pages, 2048);
}

/// A task that is not started leaves a denied spawn, and text that says why.
fn refused(error: Error, recipe: Recipe, says: &str) {
    let run = beside(recipe);
    let end = &run.cell.outcomes()[0];
    assert_eq!((end.subject, end.outcome, end.code), (0, End::Refused, i32::from(error.number())));
    let spawns = run.calls(0);
    let (record, call) = spawns[1];
    assert_eq!((call.call, record.verdict), (Call::TaskSpawn, Verdict::Denied(error)));
    assert_eq!(call.tail.bytes(), b"bad");
    assert!(run.reports.iter().any(|line| line.contains(says)), "{:?}", run.reports);
    // Nothing of it is left.
    assert_eq!(run.cell.view().tasks().count(), 1);
    assert_eq!(run.cell.view().partitions().next().unwrap().memory.used, 0);
}

#[test]
fn what_is_not_a_module_is_refused() {
    refused(Error::NotWasm, Recipe::new().module("bad", b"\0asm\x01\0\0\0junk"), "bad");
    refused(Error::NotWasm, Recipe::new().module("bad", b"#!/bin/sh"), "bad");
    let tail_call = r#"(module (func $f) (func (export "_start") (return_call $f)))"#;
    refused(Error::NotWasm, bad(tail_call), "tail call");
    let two = r#"(module (memory 1) (memory 1) (func (export "_start")))"#;
    refused(Error::NotWasm, bad(two), "memor");
}

#[test]
fn an_import_that_is_not_offered_is_named() {
    let wasi = r#"(module (import "wasi_unstable" "fd_write"
        (func (param i32 i32 i32 i32) (result i32))) (func (export "_start")))"#;
    refused(Error::UnknownImport, bad(wasi), "\"wasi_unstable\" \"fd_write\", which is not");
    let typed = r#"(module (import "heliograph" "queue_send" (func (param i32)))
        (func (export "_start")))"#;
    refused(Error::UnknownImport, bad(typed), "\"queue_send\" with another type");
    let memory = r#"(module (import "heliograph" "queue_send" (memory 1))
        (func (export "_start")))"#;
    refused(Error::UnknownImport, bad(memory), "another type");
}

#[test]
fn a_module_without_an_entry_is_refused() {
    refused(Error::MissingExport, bad("(module)"), "_start");
    let typed = r#"(module (func (export "_start") (param i32)))"#;
    refused(Error::MissingExport, bad(typed), "_start");
}

#[test]
fn more_memory_than_the_budget_is_refused_at_the_start() {
    let wat = r#"(module (memory 17) (func (export "_start")))"#;
    refused(Error::MemoryLimit, bad(wat), "more memory");
    let recipe = bad(&start("")).with(|task| task.memory = 1 << 26);
    // Both tasks together want more than the package has.
    let run = recipe.task("honest", &honest()).run();
    assert_eq!(run.cell.outcomes()[0].code, i32::from(Error::OverBudget.number()));
}

#[test]
fn a_start_function_is_bounded_and_cannot_call() {
    let endless = r#"(module (func $s (loop $l (br $l))) (start $s) (func (export "_start")))"#;
    refused(Error::StartFailed, bad(endless), "fuel");
    let calls = r#"(module
        (import "heliograph" "timer_wait" (func $wait (param i32 i32 i64) (result i64)))
        (func $s (drop (call $wait (i32.const 1) (i32.const 1) (i64.const 5)))) (start $s)
        (func (export "_start")))"#;
    refused(Error::StartFailed, bad(calls), "call was made while");
    let data = r#"(module (memory 1) (data (i32.const 65536) "x") (func (export "_start")))"#;
    refused(Error::StartFailed, bad(data), "cannot run");
    let works = r#"(module (global $g (mut i32) (i32.const 0))
        (func $s (global.set $g (i32.const 7))) (start $s)
        (func (export "_start") (result i32) (global.get $g)))"#;
    assert_eq!(beside(bad(works)).task(1), Outcome::Exit(7));
}

#[test]
fn a_reactor_without_its_entry_is_refused_clearly() {
    let recipe = bad(&start("")).with(|task| task.kind = TaskKind::Reactor);
    let run = recipe.run();
    assert_eq!(run.cell.outcomes()[0].code, i32::from(Error::MissingExport.number()));
    assert!(run.reports[0].contains("\"on_message\""), "{:?}", run.reports);
}

#[test]
fn a_flood_of_denied_calls_ends_in_one_record() {
    // Handle 9 is nobody's.
    let flood = program(
        r#"(func (export "_start") (loop $l
            (drop (call $wait (i32.const 9) (i32.const 0) (i64.const 0))) (br $l)))"#,
    );
    let recipe = Recipe {
        limits: Limits { fuel: 1 << 40, memory: 1 << 26, records: 1_000, ..Recipe::new().limits },
        ..Recipe::new()
    };
    let recipe = recipe.task("honest", &honest()).with(|task| task.priority = 1);
    let run = recipe.task("flood", &flood).run();
    assert_eq!(run.task(1), Outcome::Exit(0));
    assert_eq!(run.task(2), Outcome::RecordsSpent);
    let records = run.of(2);
    // One of the thousand was the honest task's.
    assert_eq!(records.len(), 1_000);
    let denied = Verdict::Denied(Error::BadHandle);
    assert!(records[..999].iter().all(|record| record.verdict == denied));
    let Body::BudgetSpent(end) = records[999].body else { panic!() };
    assert_eq!((end.budget, end.limit), (Budget::Records, 1_000));
    // Denials are not free, and no slice writes more than its share.
    assert!(records[998].point.fuel > 999_000);
    for slice in records.iter().map(|record| record.point.slice) {
        let in_slice = records.iter().filter(|record| record.point.slice == slice).count();
        assert!(in_slice <= abi::profile::SLICE_RECORDS);
    }
}

#[test]
fn a_package_that_cannot_be_opened_leaves_a_denied_mount_and_an_idle_machine() {
    let good = Recipe::new().task("hello", &honest()).signed();
    let mut changed = good.clone();
    changed[100] ^= 1;
    let stranger = &good[..good.len() - 192];
    for (file, error) in [
        (changed.as_slice(), Error::BadSignature),
        (stranger, Error::Unsigned),
        (&good[..good.len() - 1], Error::Truncated),
        (&[], Error::NotRvf),
    ] {
        let run = run(file);
        assert_eq!(run.records.len(), 3);
        let (record, call) = run.calls(0)[0];
        assert_eq!((call.call, record.kind()), (Call::RvfMount, Kind::Call(Call::RvfMount)));
        let Verdict::Denied(found) = record.verdict else { panic!("{error}") };
        assert!(found == error || file.is_empty() || found == Error::Unsigned, "{found} {error}");
        assert!(run.reports[0].starts_with("package refused"), "{:?}", run.reports);
        let Body::Genesis(genesis) = run.decoded()[0].body else { panic!() };
        assert_eq!((genesis.package, genesis.seed), (HASHER.hash(file), 0));
    }
}

#[test]
fn a_package_that_may_outgrow_the_machine_is_refused() {
    let file = Recipe::new().task("hello", &honest()).signed();
    let cell = machine::Cell::start(machine::Boot {
        package: &file,
        trust: trust(),
        hasher: HASHER,
        facts: facts(1),
        memory_limit: 1 << 20,
        keeps_journals: false,
    });
    let run = drive(cell, 1);
    assert_eq!(run.calls(0)[0].0.verdict, Verdict::Denied(Error::OutOfMemory));
}

#[test]
fn a_refusal_is_one_plain_line_and_the_same_in_every_run() {
    let import = r#"(module (import "x\0a[kernel] signed checkpoint:\1b[2J" "y" (func)))"#;
    let element = r#"(module (table 1 funcref) (func $f (export "_start"))
        (elem (i32.const 1) $f))"#;
    for wat in [import, element, "(module (func (param v128)))"] {
        let run = beside(bad(wat));
        assert!(run.reports[0].contains("cannot run"), "{:?}", run.reports);
        let is_plain = |it: &String| it.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        assert!(run.reports.iter().all(is_plain), "{:?}", run.reports);
        assert_eq!(run.reports, beside(bad(wat)).reports);
    }
}
