//! The calls as payloads make them.

use crate::common::*;
use abi::{Call, Error, Kind, Rights, SpawnArguments};
use machine::{Input, Step};
use nucleus::{Outcome, State, view::Body as Object};
use package::manifest::StandingApproval;
use std::fmt::Write;
use witness::{
    Body, Subject, Verdict,
    record::{EventKind, RootReason},
};

/// Bytes as a WAT string.
fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "\\{byte:02x}").unwrap();
        text
    })
}

/// A task that makes one call and exits 0 if it was allowed, else with the
/// number of the reason.
fn calling(data: &[u8], call: &str) -> String {
    program(&format!(
        r#"(data (i32.const 256) "{}")
        (func (export "_start") (result i32) (local $r i64)
            (local.set $r {call})
            (if (result i32) (i64.lt_s (local.get $r) (i64.const 0))
                (then (i32.wrap_i64 (i64.sub (i64.const 0) (local.get $r))))
                (else (i32.const 0))))"#,
        escaped(data)
    ))
}

fn code(run: &Run, subject: u32) -> Result<(), Error> {
    match run.task(subject) {
        Outcome::Exit(0) => Ok(()),
        Outcome::Exit(code) => Err(Error::from_number(u16::try_from(code).unwrap()).unwrap()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_region_is_read_in_parts_and_tells_its_size() {
    let wat = program(
        r#"(func (export "_start") (result i32)
            (drop (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
                (i32.wrap_i64 (call $region (i32.const 1) (i32.const 0) (i64.const 3) (i32.const 0) (i32.const 100)))))
            (i32.wrap_i64 (call $region (i32.const 1) (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0))))"#,
    );
    let capabilities = vec![
        capability(Kind::Queue, "console", Rights::WRITE),
        capability(Kind::Region, "text", Rights::READ),
    ];
    let recipe =
        Recipe::new().region("text", b"012345").component("r", &wat::parse_str(wat).unwrap());
    let run = recipe.start("r", "r", capabilities).run();
    assert_eq!(run.text(1), "345");
    assert_eq!(run.task(1), Outcome::Exit(6));
    let (_, read) = run.calls(1)[0];
    assert_eq!((read.call, read.argument, read.length, read.result), (Call::RegionMap, 3, 3, 3));
    assert_eq!(read.digest, HASHER.hash(b"345"));
}

#[test]
fn a_range_outside_of_memory_is_denied_also_where_fuel_is_short() {
    let capabilities = || vec![capability(Kind::Queue, "console", Rights::WRITE)];
    for (pointer, length) in [(0, -1), (65_536, 1), (-1, 1), (1, 65_536)] {
        let call = format!(
            "(call $region (i32.const 0) (i32.const 0) (i64.const 0) (i32.const {pointer}) (i32.const {length}))"
        );
        let module = wat::parse_str(calling(b"", &call)).unwrap();
        let recipe = Recipe::new().component("t", &module).start("t", "t", capabilities());
        let run = recipe.with(|task| task.fuel = 5_000).run();
        assert_eq!(run.calls(1)[0].0.verdict, Verdict::Denied(Error::BadPointer));
    }
}

#[test]
fn a_call_that_the_budget_does_not_reach_for_does_not_happen() {
    // 4,096 bytes cost 13,800 with the call, 64 bytes 1,200.
    let send = |length: u32| {
        format!(
            "(call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const {length}))"
        )
    };
    for (length, fuel, happens) in
        [(4_096, 13_700, false), (4_096, 13_900, true), (64, 1_300, true)]
    {
        let recipe = Recipe::new().task("t", &calling(b"", &send(length)));
        let run = recipe.with(|task| task.fuel = fuel).run();
        assert_eq!(run.calls(1).len(), usize::from(happens));
        assert_eq!(run.console.contains_key(&1), happens);
        let task = run.cell.view().task(Subject(1)).unwrap();
        assert!(task.spent <= fuel);
        // Where it happens, nothing is left for the root at the exit.
        assert_eq!(run.task(1), Outcome::OutOfFuel);
    }
}

#[test]
fn text_of_any_length_fits_the_console() {
    for length in [0, 1, 64, 500, 4_096] {
        let wat = program(&format!(
            r#"(func (export "_start") (result i32) (local $i i32) (local $sum i64)
            (loop $l
                (local.set $sum (i64.add (local.get $sum)
                    (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const {length}))))
                (br_if $l (i32.lt_u
                    (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 600))))
            (i32.wrap_i64 (local.get $sum)))"#
        ));
        let run = Recipe::new().task("t", &wat).run();
        assert_eq!(run.task(1), Outcome::Exit(0), "none was refused");
        assert_eq!(run.console[&1].len(), 600 * length);
    }
}

#[test]
fn a_task_waits_for_logical_time_and_others_run() {
    let wait = calling(b"", "(call $wait (i32.const 1) (i32.const 0) (i64.const 50_000_000))");
    let run = Recipe::new().task("waits", &wait).task("hello", &honest()).run();
    assert_eq!((code(&run, 1), code(&run, 2)), (Ok(()), Ok(())));
    let (record, call) = run.calls(1)[0];
    assert_eq!(
        (record.point.time_ns, call.result, call.argument),
        (50_000_000, 50_000_000, 50_000_000)
    );
    // It was written when it completed: after the other's.
    let places: Vec<_> = run.decoded().iter().map(|record| record.subject.0).collect();
    assert_eq!(places[5..], [2, 2, 2, 1, 1, 1]);
    let negative = calling(b"", "(call $wait (i32.const 1) (i32.const 1) (i64.const -1))");
    assert_eq!(code(&Recipe::new().task("waits", &negative).run(), 1), Err(Error::BadArgument));
}

#[test]
fn a_claim_needs_a_standing_approval_and_names_it() {
    let claim = |kind: u32, length: u32| {
        let arguments = "(i32.const 2) (i32.const 0)";
        calling(
            &[7; 40],
            &format!(
                "(call $attest {arguments} (i32.const {kind}) (i32.const 256) (i32.const 288) (i32.const {length}))"
            ),
        )
    };
    let approvals = |max_claims, max_bytes| Recipe {
        approvals: vec![StandingApproval { claim_types: vec![5], max_bytes, max_claims }],
        ..Recipe::new()
    };
    let run = approvals(1, 8).task("claims", &claim(5, 8)).task("again", &claim(5, 0)).run();
    assert_eq!((code(&run, 1), code(&run, 2)), (Ok(()), Err(Error::NotApproved)));
    let (record, call) = run.calls(1)[0];
    assert_eq!(record.cause, Some(run.ids[2]), "the mount brought the approval");
    assert_eq!((call.argument, call.digest, call.tail.bytes()), (5, [7; 32], &[7; 8][..]));
    let (record, call) = run.calls(2)[0];
    assert_eq!(record.verdict, Verdict::Denied(Error::NotApproved));
    assert!(call.tail.bytes().is_empty());

    let refused = |recipe: Recipe, wat: String| code(&recipe.task("claims", &wat).run(), 1);
    assert_eq!(refused(approvals(9, 7), claim(5, 8)), Err(Error::NotApproved));
    assert_eq!(refused(approvals(9, 99), claim(6, 8)), Err(Error::NotApproved));
    assert_eq!(refused(approvals(9, 999), claim(5, 129)), Err(Error::BadLength));
    assert_eq!(refused(Recipe::new(), claim(5, 8)), Err(Error::NotApproved));
}

fn spawn_block(fuel: u64, memory: u32, handles: &[u32]) -> Vec<u8> {
    let start = SpawnArguments {
        fuel,
        memory,
        priority: 0,
        deadline: u64::MAX,
        capabilities: u32::try_from(handles.len()).unwrap(),
        is_reactor: false,
    };
    let mut bytes = start.to_bytes().to_vec();
    bytes.extend(handles.iter().flat_map(|handle| handle.to_le_bytes()));
    bytes
}

/// A parent with the child's component as handle 0 and a console to pass on
/// as handle 1.
fn family(block: &[u8], child: &str) -> Recipe {
    let call = format!("(call $spawn (i32.const 0) (i32.const 256) (i32.const {}))", block.len());
    let parent = wat::parse_str(calling(block, &call)).unwrap();
    let recipe = Recipe::new().component("child", &wat::parse_str(child).unwrap());
    let capabilities = vec![
        capability(Kind::Component, "child", Rights::EXECUTE),
        capability(Kind::Queue, "console", Rights::WRITE | Rights::GRANT),
        capability(Kind::Timer, "timer", Rights::READ),
    ];
    recipe.component("parent", &parent).start("parent", "parent", capabilities)
}

#[test]
fn a_task_spawns_another_with_what_it_passes_on() {
    let run = family(&spawn_block(1_000_000, 65_536, &[1]), &honest()).run();
    assert_eq!((code(&run, 1), code(&run, 2)), (Ok(()), Ok(())), "{:?}", run.reports);
    assert_eq!(run.text(2), "hello\n");
    let (spawn, call) = run.calls(1)[0];
    assert_eq!((call.result, call.argument, call.tail.bytes()), (2, 1_000_000, &b"child"[..]));
    assert_eq!(spawn.cause, Some(run.ids[2]), "the mount made the component");
    let first = run.of(2)[0];
    let spawn_id =
        run.records.iter().position(|bytes| witness::Record::decode(bytes).unwrap() == spawn);
    assert_eq!(first.cause, Some(run.ids[spawn_id.unwrap()]));

    let view = run.cell.view();
    let (parent, child) = (view.task(Subject(1)).unwrap(), view.task(Subject(2)).unwrap());
    // What the child did not spend is the parent's again, and nothing is left
    // of what the two held.
    assert_eq!(parent.given, child.spent);
    assert_eq!((parent.space.iter().count(), child.space.iter().count()), (0, 0));
    assert!(view.objects().all(|(_, object)| !matches!(object.body, Object::Task(_))));
}

#[test]
fn a_spawn_beyond_ones_own_means_is_denied() {
    let cases = [
        (spawn_block(1 << 33, 65_536, &[]), Error::OverBudget),
        (spawn_block(1, 1 << 27, &[]), Error::OverBudget),
        (spawn_block(1, 65_536, &[2]), Error::MissingRight),
        (spawn_block(1, 65_536, &[9]), Error::BadHandle),
        (spawn_block(1, 65_535, &[1]), Error::MemoryLimit),
        (spawn_block(1, 65_536, &[1])[..33].to_vec(), Error::BadLength),
        ([spawn_block(1, 65_536, &[1]), vec![0]].concat(), Error::BadLength),
        ([0xff; 32].to_vec(), Error::BadArgument),
    ];
    for (block, error) in cases {
        let run = family(&block, &honest()).run();
        assert_eq!(code(&run, 1), Err(error));
        assert_eq!(run.cell.view().tasks().count(), 1);
        assert_eq!(run.cell.view().task(Subject(1)).unwrap().given, 0);
        assert_eq!(run.calls(1).len(), 1);
    }
    let bad = r#"(module (import "env" "x" (func)) (func (export "_start")))"#;
    let run = family(&spawn_block(1, 0, &[]), bad).run();
    assert_eq!(code(&run, 1), Err(Error::UnknownImport));
    assert!(run.reports[0].contains("\"env\" \"x\""));
}

#[test]
fn what_a_child_gets_is_left_after_the_price_of_preparing_it() {
    // A custom section of 64 KiB makes translating cost more than the rest.
    let padding = "\\00".repeat(1 << 16);
    let child = format!(r#"(module (@custom "x" "{padding}") (func (export "_start")))"#);
    let fuel = 1_000_000;
    let run = |given| {
        let recipe = family(&spawn_block(given, 65_536, &[]), &child);
        recipe.with(|task| task.fuel = fuel).run()
    };
    assert_eq!(code(&run(fuel - 200_000), 1), Err(Error::OverBudget));
    let run = run(fuel - 400_000);
    assert_eq!(code(&run, 1), Ok(()));
    assert!(run.cell.view().tasks().map(|(_, task)| task.spent).sum::<u64>() <= fuel);
}

/// A task that mounts the package in its region 1 as "inner".
fn mounting(inner: &[u8]) -> Recipe {
    let call =
        "(call $mount (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 256) (i32.const 5))";
    let wat = calling(b"inner", call);
    let capabilities = vec![
        capability(Kind::Namespace, "packages", Rights::MOUNT),
        capability(Kind::Region, "file", Rights::READ),
    ];
    let recipe = Recipe::new().region("file", inner);
    recipe.component("m", &wat::parse_str(wat).unwrap()).start("m", "m", capabilities)
}

#[test]
fn a_task_mounts_a_signed_package_from_a_region() {
    let inner = Recipe::new().region("data", b"abc").task("tool", &honest());
    let file = inner.signed();
    let run = mounting(&file).run();
    assert_eq!(code(&run, 1), Ok(()), "{:?}", run.reports);
    let (record, call) = run.calls(1)[0];
    assert_eq!((call.call, record.verdict), (Call::RvfMount, Verdict::Allowed));
    assert_eq!(
        (call.argument, call.digest, call.tail.bytes()),
        (2, HASHER.hash(&file), &b"inner"[..])
    );
    assert_eq!(u32::try_from(file.len()), Ok(call.length));
    let view = run.cell.view();
    let names: Vec<_> = view.objects().map(|(_, object)| object.name.as_str()).collect();
    assert!(names.ends_with(&["inner/tool", "inner/data"]) || names.contains(&"inner/tool"));
    assert_eq!(call.result, 2, "the next free handle");
    // The task that the inner manifest lists is not started.
    assert_eq!(view.tasks().count(), 1);
    let partition = view.partitions().nth(1).unwrap();
    assert_eq!((partition.path.as_str(), partition.parent.is_some()), ("inner", true));
}

#[test]
fn a_package_without_a_trusted_signature_is_not_mounted() {
    let inner = Recipe::new().region("data", b"abc");
    let run = mounting(&inner.unsigned().0).run();
    assert_eq!(code(&run, 1), Err(Error::Unsigned));
    assert_eq!(run.cell.view().partitions().count(), 1);
    let mut file = inner.signed();
    file[70] ^= 1;
    assert_eq!(code(&mounting(&file).run(), 1), Err(Error::BadSignature));
}

#[test]
fn a_package_that_its_caller_cannot_pay_for_is_not_read() {
    let mut file = Recipe::new().region("data", &[7; 1 << 20]).signed();
    file[70] ^= 1;
    let run = mounting(&file).with(|task| task.fuel = 1_000_000).run();
    assert_eq!(code(&run, 1), Err(Error::FuelBudget));
    assert_eq!(run.reports, [format!("package refused: {}", Error::FuelBudget)]);
}

#[test]
fn a_stopped_gate_denies_once_parks_and_goes_on_when_resumed() {
    let wat = program(
        r#"(func (export "_start") (result i32)
            (local $left i32)
            (local.set $left (i32.const 700_000))
            (loop $l
                (br_if $l (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
            (i32.wrap_i64 (call $wait (i32.const 1) (i32.const 1) (i64.const 1000))))"#,
    );
    let waits = program(
        r#"(func (export "_start") (result i32)
            (i32.wrap_i64 (call $wait (i32.const 1) (i32.const 1) (i64.const 100_000_000))))"#,
    );
    let file = Recipe::new().task("works", &wat).task("waits", &waits).signed();
    let mut cell = start(&file, 1);
    assert_eq!((cell.step(), cell.step()), (Step::Ran, Step::Ran));
    cell.admit(Input::new(EventKind::Stop, &[])).unwrap();
    assert_eq!(cell.view().task(Subject(2)).unwrap().state(), State::Parked);
    while cell.step() == Step::Ran {}
    assert_eq!(cell.step(), Step::Waiting { until: None });
    assert_eq!(cell.view().task(Subject(1)).unwrap().state(), State::Parked);
    cell.admit(Input::new(EventKind::Resume, &[])).unwrap();
    let run = drive(cell, 1);
    let verdicts =
        |subject| run.calls(subject).iter().map(|(it, _)| it.verdict).collect::<Vec<_>>();
    // Denied once; and a call that was under way is cut short.
    assert_eq!(run.task(1), Outcome::Exit(-i32::from(Error::Halted.number())));
    assert_eq!(verdicts(1), [Verdict::Denied(Error::Halted)]);
    assert_eq!(run.task(2), Outcome::Exit(-i32::from(Error::CutShort.number())));
    assert_eq!(verdicts(2), [Verdict::CutShort]);
}

#[test]
fn a_shutdown_cuts_waiting_calls_short() {
    let wat = calling(b"", "(call $wait (i32.const 1) (i32.const 1) (i64.const 1000))");
    let mut cell = start(&Recipe::new().task("t", &wat).signed(), 1);
    cell.step();
    cell.admit(Input::new(EventKind::Shutdown, &[])).unwrap();
    let run = drive(cell, 1);
    assert_eq!(run.task(1), Outcome::Killed);
    let records = run.of(1);
    assert_eq!((records.len(), records[0].verdict), (1, Verdict::CutShort));
}

#[test]
fn the_state_root_follows_the_exit_and_commits_to_memory_and_globals() {
    let root = |byte: u32, global: u32| {
        let wat = format!(
            r#"(module (memory (export "memory") 2)
            (global (export "g") (mut i32) (i32.const {global}))
            (func (export "_start") (i32.store8 (i32.const 70000) (i32.const {byte}))))"#
        );
        let run = Recipe::new().task("t", &wat).run();
        let records = run.of(1);
        let Body::StateRoot(root) = records[1].body else { panic!() };
        assert_eq!(root.reason, RootReason::Exit);
        root.root
    };
    assert_eq!(root(1, 1), root(1, 1));
    assert_ne!(root(1, 1), root(2, 1));
    assert_ne!(root(1, 1), root(1, 2));
    let page = [0; 65_536];
    let mut second = page;
    second[70_000 - 65_536] = 1;
    let global = [&[1][..], b"g", &[0x7F], &1u64.to_le_bytes()].concat();
    let leaves = [HASHER.leaf(&page), HASHER.leaf(&second), HASHER.leaf(&global)];
    assert_eq!(root(1, 1), witness::tree::root(HASHER, &leaves));
}

#[test]
fn ten_million_steps_need_no_deep_stack() {
    // The interpreter's dispatch must not grow the host's stack.
    let thread = std::thread::Builder::new().stack_size(256 * 1024);
    let wat = r#"(module (func (export "_start") (result i32) (local $i i32)
        (loop $l (br_if $l (i32.lt_u
            (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 10000000))))
        (local.get $i)))"#;
    let run = thread.spawn(move || Recipe::new().task("t", wat).run().task(1)).unwrap();
    assert_eq!(run.join().unwrap(), Outcome::Exit(10_000_000));
}
