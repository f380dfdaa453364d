//! Work outside Wasm has its price, and is not done for who cannot pay it.

use crate::common::*;
use abi::{
    Error, Kind, Rights, SpawnArguments,
    profile::{MAILBOX, PAGE_BYTES, PAGE_FUEL, TURN_FUEL, data_fuel},
};
use nucleus::Outcome;
use package::manifest::TaskKind;
use witness::Subject;

const FUEL: u64 = 10_000_000;

fn spent(run: &Run, subject: u32) -> u64 {
    run.cell.view().task(Subject(subject)).unwrap().spent
}

/// A command that begins with so many pages, and has room for them.
fn idle(pages: u64) -> Recipe {
    let text = format!(r#"(module (memory (export "memory") {pages}) (func (export "_start")))"#);
    Recipe::new().task("idle", &text).with(|task| task.memory = 1 << 24)
}

#[test]
fn the_root_at_an_exit_is_paid_for_by_size() {
    let price = |pages: u64| spent(&idle(pages).run(), 1);
    assert_eq!(price(64) - price(1), data_fuel(63 * PAGE_BYTES));
    let enough = price(64);
    let end = |fuel| idle(64).with(|task| task.fuel = fuel).run().task(1);
    assert_eq!(end(enough), Outcome::Exit(0));
    assert_eq!(end(enough - 1), Outcome::OutOfFuel);
}

/// A parent that starts one child with so many pages and waits for nothing.
fn parent(pages: u64, fuel: u64) -> Run {
    let child = format!(r#"(module (memory (export "memory") {pages}) (func (export "_start")))"#);
    let arguments = SpawnArguments {
        fuel: 1_000,
        deadline: u64::MAX,
        memory: 1 << 24,
        capabilities: 0,
        priority: 0,
        is_reactor: false,
    };
    let data: String = arguments.to_bytes().iter().map(|byte| format!("\\{byte:02x}")).collect();
    let text = format!(
        r#"(module
        (import "heliograph" "task_spawn" (func $spawn (param i32 i32 i32) (result i64)))
        (memory (export "memory") 1)
        (data (i32.const 0) "{data}")
        (func (export "_start") (result i32)
            (i32.wrap_i64 (call $spawn (i32.const 0) (i32.const 0) (i32.const {})))))"#,
        arguments.to_bytes().len()
    );
    let rights = vec![capability(Kind::Component, "child", Rights::EXECUTE)];
    let recipe = Recipe::new().component("child", &wat::parse_str(child).unwrap());
    let recipe = recipe.component("parent", &wat::parse_str(text).unwrap());
    recipe.start("parent", "parent", rights).with(|task| task.fuel = fuel).run()
}

#[test]
fn a_childs_first_memory_is_paid_for_by_its_parent() {
    let price = |pages| spent(&parent(pages, 1 << 32), 1);
    let (one, many) = (price(1), price(200));
    // A text of two more digits may move one more block.
    let more = many - one - 199 * PAGE_FUEL;
    assert!(more <= data_fuel(1), "{more}");
    let poor = parent(200, 600_000);
    assert_eq!(poor.task(1), Outcome::Exit(-i32::from(Error::FuelBudget.number())));
}

#[test]
fn a_reactors_memory_is_paid_for_at_each_turn_that_keeps_it() {
    // It leaves the message that it sent itself, and is called again at once.
    let text = format!(
        r#"(module
        (import "heliograph" "queue_send" (func $send (param i32 i32 i32 i32 i32) (result i64)))
        (memory (export "memory") 16)
        (func (export "_initialize") (drop
            (call $send (i32.const {}) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))))
        (func (export "on_message")))"#,
        MAILBOX.0
    );
    let turns = |state_roots| {
        let recipe = Recipe { state_roots, ..Recipe::new() }.task("reactor", &text);
        let run = recipe.with(|task| (task.kind, task.fuel) = (TaskKind::Reactor, FUEL)).run();
        assert_eq!(run.task(1), Outcome::OutOfFuel);
        run.cell.view().clock().slice()
    };
    assert!(turns(None) > FUEL / (TURN_FUEL + 100));
    assert!(turns(Some(1_000)) < FUEL / (16 * PAGE_FUEL) + 2);
}

#[test]
fn random_bytes_are_not_made_for_who_cannot_pay_them() {
    let text = r#"(module
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (memory (export "memory") 16)
        (func (export "_start") (drop (call $random (i32.const 0) (i32.const 1048576)))))"#;
    let run = |fuel| Recipe::new().task("task", text).with(|task| task.fuel = fuel).run();
    let rich = run(1 << 32);
    assert_eq!(rich.task(1), Outcome::Exit(0));
    // What it hashes, what it writes, and the root of its memory.
    assert!(spent(&rich, 1) > data_fuel(4 << 20) + 2 * data_fuel(1 << 20));
    let poor = run(data_fuel(4 << 20));
    assert_eq!(poor.task(1), Outcome::OutOfFuel);
    assert!(spent(&poor, 1) < 100_000, "{}", spent(&poor, 1));
}
