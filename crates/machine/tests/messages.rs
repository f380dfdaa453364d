//! Tasks that talk to each other: queues, mailboxes, reactors, families.

use crate::common;
use crate::common::*;
use abi::{Error, Kind, Rights, SpawnArguments, profile::MAILBOX};
use machine::{Input, Step};
use nucleus::{Outcome, State};
use package::manifest::{QueueEntry, SensorEntry, TaskKind};
use witness::{Subject, Verdict, record::EventKind};

/// A module with the imports for messages, a page of memory, and this body.
fn module(body: &str) -> Vec<u8> {
    wat::parse_str(format!(
        r#"(module
        (import "heliograph" "queue_send" (func $send (param i32 i32 i32 i32 i32) (result i64)))
        (import "heliograph" "queue_recv" (func $receive (param i32 i64 i32 i32) (result i64)))
        (import "heliograph" "timer_wait" (func $wait (param i32 i32 i64) (result i64)))
        (import "heliograph" "cap_grant" (func $grant (param i32 i32 i32 i32) (result i64)))
        (import "heliograph" "region_map" (func $region (param i32 i32 i64 i32 i32) (result i64)))
        (import "heliograph" "task_spawn" (func $spawn (param i32 i32 i32) (result i64)))
        (import "heliograph" "sensor_subscribe" (func $subscribe (param i32 i32) (result i64)))
        (memory (export "memory") 1)
        {body})"#
    ))
    .unwrap()
}

fn start(body: &str) -> Vec<u8> {
    module(&format!(r#"(func (export "_start") (result i32) (local $x i64) {body})"#))
}

fn letters() -> Recipe {
    let queues = vec![QueueEntry { name: "letters".into(), capacity_bytes: 1_000, accepts: None }];
    Recipe { queues, ..Recipe::new() }
}

fn letter_box(rights: Rights) -> Vec<package::manifest::CapabilityEntry> {
    vec![
        capability(Kind::Queue, "letters", rights),
        capability(Kind::Timer, "timer", Rights::READ),
        capability(Kind::Queue, "console", Rights::WRITE),
    ]
}

/// Waits in queue 0 for ever, then says on the console what came.
const TELL: &str =
    "(local.set $x (call $receive (i32.const 0) (i64.const -1) (i32.const 512) (i32.const 200)))
    (drop (call $send (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 536)
        (i32.sub (i32.wrap_i64 (local.get $x)) (i32.const 24))))
    (i32.const 0)";

#[test]
fn a_receiver_waits_and_its_record_names_the_send() {
    let data = module(
        r#"(data (i32.const 1024) "hello")
        (func (export "_start") (result i32)
            (drop (call $wait (i32.const 1) (i32.const 1) (i64.const 5_000_000)))
            (drop (call $send (i32.const 0) (i32.const 7) (i32.const 3) (i32.const 1024) (i32.const 5)))
            (i32.const 0))"#,
    );
    let recipe = letters().component("r", &start(TELL)).component("s", &data);
    let recipe = recipe.start("r", "r", letter_box(Rights::READ));
    let run = recipe.start("s", "s", letter_box(Rights::WRITE)).run();
    assert_eq!((run.task(1), run.task(2)), (Outcome::Exit(0), Outcome::Exit(0)));
    assert_eq!(run.text(1), "hello");
    let (received, call) = run.calls(1)[0];
    assert_eq!((call.result, call.length), (29, 29));
    let (sent, _) = run.calls(2)[1];
    let sent_id = run.decoded().iter().position(|record| *record == sent).unwrap();
    assert_eq!(received.cause, Some(run.ids[sent_id]));
    assert_eq!(call.digest, HASHER.hash(b"hello"));
}

#[test]
fn a_receive_ends_at_its_deadline() {
    let waits = start(
        "(i32.wrap_i64 (call $receive (i32.const 0) (i64.const 1_000_000) (i32.const 0) (i32.const 64)))",
    );
    let run = letters().component("r", &waits).start("r", "r", letter_box(Rights::READ)).run();
    assert_eq!(run.task(1), Outcome::Exit(-i32::from(Error::TimedOut.number())));
    let (record, _) = run.calls(1)[0];
    assert_eq!(record.verdict, Verdict::Denied(Error::TimedOut));
    assert!(record.point.time_ns >= 1_000_000);
}

#[test]
fn a_window_that_is_too_small_leaves_the_message() {
    let body = module(
        r#"(func (export "_start") (result i32) (local $x i32)
            (drop (call $send (i32.const 0) (i32.const 7) (i32.const 0) (i32.const 0) (i32.const 9)))
            (local.set $x (i32.wrap_i64
                (call $receive (i32.const 0) (i64.const 0) (i32.const 64) (i32.const 32))))
            (i32.add (local.get $x) (i32.wrap_i64
                (call $receive (i32.const 0) (i64.const 0) (i32.const 64) (i32.const 33)))))"#,
    );
    let rights = Rights::READ | Rights::WRITE;
    let run = letters().component("r", &body).start("r", "r", letter_box(rights)).run();
    assert_eq!(run.task(1), Outcome::Exit(33 - i32::from(Error::TooSmall.number())));
}

fn spawn_block(handles: &[u32], is_reactor: bool) -> String {
    let capabilities = u32::try_from(handles.len()).unwrap();
    let (fuel, memory, priority, deadline) = (10_000_000, 65_536, 0, u64::MAX);
    let start = SpawnArguments { fuel, memory, priority, deadline, capabilities, is_reactor };
    let handles = handles.iter().flat_map(|handle| handle.to_le_bytes());
    start.to_bytes().into_iter().chain(handles).map(|byte| format!("\\{byte:02x}")).collect()
}

/// A parent that starts `child` with its timer and its console, then does
/// this; the child's handle is in $x.
fn parent(body: &str, child: &[u8], is_reactor: bool) -> Recipe {
    let block = spawn_block(&[1, 2], is_reactor);
    let parent = module(&format!(
        r#"(data (i32.const 256) "{block}")
        (func (export "_start") (result i32) (local $x i64)
            (local.set $x (call $spawn (i32.const 0) (i32.const 256) (i32.const 40)))
            {body})"#
    ));
    let capabilities = vec![
        capability(Kind::Component, "child", Rights::EXECUTE),
        capability(Kind::Timer, "timer", Rights::READ | Rights::GRANT),
        capability(Kind::Queue, "console", Rights::WRITE | Rights::GRANT),
    ];
    let recipe = Recipe::new().component("child", child).component("parent", &parent);
    recipe.start("parent", "parent", capabilities)
}

/// Receives from the mailbox; the exit code is the u32 at this offset of what
/// came.
fn mail(offset: u32) -> String {
    let mailbox = MAILBOX.0;
    format!(
        "(drop (call $receive (i32.const {mailbox}) (i64.const -1) (i32.const 512) (i32.const 64)))
         (i32.load (i32.const {}))",
        512 + offset
    )
}

#[test]
fn a_parent_learns_how_its_child_ended() {
    let child = start("(i32.const 42)");
    // The code is at 8 in the report, which follows the header of 24 bytes.
    let run = parent(&mail(24 + 8), &child, false).run();
    assert_eq!((run.task(1), run.task(2)), (Outcome::Exit(42), Outcome::Exit(42)));
    // And which it was: the subject, and the handle that the spawn gave.
    assert_eq!(parent(&mail(24), &child, false).run().task(1), Outcome::Exit(2));
    assert_eq!(parent(&mail(24 + 12), &child, false).run().task(1), Outcome::Exit(3));
    let traps = start("unreachable");
    assert_eq!(parent(&mail(24 + 4), &traps, false).run().task(1), Outcome::Exit(1));
}

#[test]
fn a_parent_kills_its_child_and_is_told() {
    let child = start(
        "(drop (call $wait (i32.const 0) (i32.const 1) (i64.const -2))) (loop $l (br $l)) (i32.const 0)",
    );
    let kill = format!(
        "(drop (call $wait (i32.const 1) (i32.const 1) (i64.const 3_000_000)))
         (drop (call $grant (i32.wrap_i64 (local.get $x)) (i32.const 1) (i32.const 0) (i32.const 0)))
         {}",
        mail(24 + 4)
    );
    let run = parent(&kill, &child, false).run();
    assert_eq!(
        (run.task(1), run.task(2)),
        (Outcome::Exit(4), Outcome::Killed),
        "{:?}",
        run.reports
    );
}

#[test]
fn a_reactor_is_called_for_each_message_and_keeps_its_state() {
    // Counts in a global that nothing exports, says it after each message, and
    // leaves after the third.
    let mailbox = MAILBOX.0;
    let child = module(&format!(
        r#"(global $n (mut i32) (i32.const 0))
        (func (export "_initialize")
            (drop (call $subscribe (i32.const 0) (i32.const {mailbox})))
            (global.set $n (i32.const 0x30)))
        (func (export "on_message") (result i32)
            (drop (call $receive (i32.const {mailbox}) (i64.const 0) (i32.const 0) (i32.const 64)))
            (global.set $n (i32.add (global.get $n) (i32.const 1)))
            (i32.store8 (i32.const 100) (global.get $n))
            (drop (call $send (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 100) (i32.const 1)))
            (select (i32.const 9) (i32.const 0) (i32.eq (global.get $n) (i32.const 0x33))))"#
    ));
    let sensors = vec![SensorEntry { name: "thermometer".into() }];
    let recipe = Recipe { sensors, ..Recipe::new() }.component("reactor", &child);
    let capabilities = vec![
        capability(Kind::Sensor, "thermometer", Rights::READ),
        capability(Kind::Queue, "console", Rights::WRITE),
    ];
    let recipe = recipe.start("reactor", "reactor", capabilities);
    let recipe = recipe.with(|task| task.kind = TaskKind::Reactor);
    let mut cell = common::start(&recipe.signed(), 1);
    let run_idle = |cell: &mut machine::Cell| while cell.step() == Step::Ran {};
    run_idle(&mut cell);
    let sensor = cell.view().sensor("thermometer").unwrap();
    for reading in [&b"21.5"[..], b"21.6", b"21.7", b"21.8"] {
        assert_eq!(cell.step() == Step::Finished, reading == b"21.8");
        cell.admit(Input::reading(sensor, reading)).unwrap();
        run_idle(&mut cell);
    }
    let run = drive(cell, 1);
    assert_eq!(run.task(1), Outcome::Exit(9));
    assert_eq!(run.text(1), "123");
    // Each receive names the event that brought the reading.
    let receives: Vec<_> =
        run.calls(1).into_iter().filter(|(_, call)| call.call.name() == "queue_recv").collect();
    assert_eq!(receives.len(), 3);
    assert!(receives.iter().all(|(record, _)| record.cause.is_some()));
}

#[test]
fn who_waits_for_ever_is_parked_by_a_stop_and_goes_on_after() {
    let body = start(
        "(i32.wrap_i64 (call $receive (i32.const 0) (i64.const -1) (i32.const 0) (i32.const 64)))",
    );
    let recipe = letters().component("r", &body).start("r", "r", letter_box(Rights::READ));
    let mut cell = common::start(&recipe.signed(), 1);
    while cell.step() == Step::Ran {}
    assert_eq!(cell.step(), Step::Waiting { until: None });
    cell.admit(Input::new(EventKind::Stop, &[])).unwrap();
    assert_eq!(cell.view().task(Subject(1)).unwrap().state(), State::Parked);
    cell.admit(Input::new(EventKind::Resume, &[])).unwrap();
    let run = drive(cell, 1);
    assert_eq!(run.task(1), Outcome::Exit(-i32::from(Error::CutShort.number())));
}

#[test]
fn a_reactor_that_leaves_its_message_runs_out_of_fuel_and_others_have_their_turns() {
    // It costs nothing to return at once, and the greatest priority goes first.
    let idle = module(&format!(
        r#"(func (export "_initialize") (drop
            (call $send (i32.const {}) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))))
        (func (export "on_message"))"#,
        MAILBOX.0
    ));
    let recipe = Recipe::new().component("idle", &idle).start("idle", "idle", vec![]);
    let recipe = recipe.with(|task| {
        (task.kind, task.priority, task.fuel) = (TaskKind::Reactor, u8::MAX, 120_000_000);
    });
    let mut cell = common::start(&recipe.task("hello", &honest()).signed(), 1);
    let mut hello = String::new();
    let mut steps = 0u32;
    loop {
        let step = cell.step();
        cell.seal(&mut |_, _| {});
        for machine::Effect::Console { bytes, .. } in cell.effects() {
            hello += std::str::from_utf8(&bytes).unwrap();
        }
        if step == Step::Finished {
            break;
        }
        steps += 1;
        assert!(steps < 200_000, "there is no end to it");
    }
    assert_eq!(hello, "hello\n");
    let ends: Vec<_> = cell.view().tasks().map(|(_, task)| task.state()).collect();
    assert_eq!(ends, [State::Ended(Outcome::OutOfFuel), State::Ended(Outcome::Exit(0))]);
}

#[test]
fn nobody_has_time_come_to_its_end() {
    // A task without any capability, but for its mailbox's.
    let waits = |until: &str| {
        start(&format!(
            "(i32.wrap_i64 (call $receive (i32.const {}) (i64.const {until}) (i32.const 0) (i32.const 64)))",
            MAILBOX.0
        ))
    };
    for (until, error) in [
        ("-2", Error::BadArgument),
        ("0x8000000000000000", Error::BadArgument),
        ("0x7fffffffffffffff", Error::TimedOut),
    ] {
        let recipe = Recipe::new().component("w", &waits(until)).start("w", "w", vec![]);
        let run = recipe.run();
        assert_eq!(run.task(1), Outcome::Exit(-i32::from(error.number())), "{until}");
        assert!(run.cell.view().clock().now_ns() < u64::MAX / 2 + 1_000_000);
    }
}

#[test]
fn a_run_has_no_more_tasks_than_its_manifest_can_tell_of() {
    // Starts a child, waits for its end and gives its handle up, for ever.
    let (block, mailbox) = (spawn_block(&[], false), MAILBOX.0);
    let spawns = module(&format!(
        r#"(data (i32.const 256) "{block}")
        (func (export "_start") (result i32) (local $x i64)
            (loop $next
                (local.set $x (call $spawn (i32.const 0) (i32.const 256) (i32.const 32)))
                (if (i64.lt_s (local.get $x) (i64.const 0))
                    (then (return (i32.wrap_i64 (local.get $x)))))
                (drop (call $receive (i32.const {mailbox}) (i64.const -1) (i32.const 512) (i32.const 64)))
                (drop (call $grant (i32.wrap_i64 (local.get $x)) (i32.const 2) (i32.const 0) (i32.const 0)))
                (br $next))
            (i32.const 0))"#
    ));
    let mut recipe = Recipe::new().component("child", &start("(i32.const 0)"));
    recipe.limits.records = 1 << 20;
    let capabilities = vec![capability(Kind::Component, "child", Rights::EXECUTE)];
    let run = recipe.component("spawns", &spawns).start("spawns", "spawns", capabilities).run();
    assert_eq!(run.task(1), Outcome::Exit(-i32::from(Error::TableFull.number())));
    let tasks = run.cell.outcomes();
    // 86 bytes for the first one, 85 for each child.
    assert_eq!(tasks.len(), 1 + (900_000 - 86) / 85);
    let facts = facts(1);
    let manifest = witness::manifest::RunManifest {
        arch: facts.arch,
        board: facts.board,
        boot_id: facts.boot_id,
        development_keys: false,
        device_key: facts.device_key,
        end: witness::manifest::End::Finished,
        package: [0; 32],
        profile: abi::profile::NAME.into(),
        records: run.cell.size(),
        root: run.cell.root(),
        tasks,
    };
    assert!(manifest.text().len() < 900_000);
}
