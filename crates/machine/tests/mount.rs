//! Packages that an operator mounts while the machine runs: the same checks as
//! at the start, an event first, and tasks that start.

use crate::common::*;
use abi::{Call, Error};
use machine::{Boot, Cell, Input, NotAdmitted, Step};
use nucleus::Outcome;
use witness::record::{EventKind, MountRequest};
use witness::{Body, Index, Kind, Verdict};

/// A cell whose own task has ended, with everything sealed.
fn settled() -> Cell {
    drive(start(&Recipe::new().task("hello", &honest()).signed(), 1), 1).cell
}

#[test]
fn a_package_is_mounted_by_an_event_and_its_tasks_start() {
    let mut cell = settled();
    let more = Recipe::new().task("more", &honest()).signed();
    let index = cell.mount_requested(&more, "extra").unwrap();
    assert_eq!(index, Index(7));
    let run = drive(cell, 1);
    assert_eq!(run.reports, Vec::<String>::new());
    assert_eq!((run.text(2).as_str(), run.task(2)), ("hello\n", Outcome::Exit(0)));

    let records = run.decoded();
    let kinds: Vec<_> = records.iter().map(|record| record.kind()).collect();
    let [mount, spawn, send] = [Call::RvfMount, Call::TaskSpawn, Call::QueueSend].map(Kind::Call);
    assert_eq!(kinds, [Kind::Event, mount, spawn, send, Kind::Exit, Kind::StateRoot]);
    let Body::Event(event) = records[0].body else { panic!() };
    assert_eq!(event.kind, EventKind::MountRequest);
    let request = MountRequest::from_bytes(event.data.bytes()).unwrap();
    assert_eq!(request, MountRequest { package: HASHER.hash(&more), path: "extra" });
    let Body::Call(call) = records[1].body else { panic!() };
    assert_eq!((call.tail.bytes(), call.digest), (b"extra".as_slice(), HASHER.hash(&more)));
    let paths: Vec<_> = run.cell.view().partitions().map(|it| it.path.clone()).collect();
    assert_eq!(paths, ["/", "extra"]);
    assert!(run.cell.view().objects().any(|(_, object)| object.name == "extra/more"));
}

#[test]
fn a_package_that_is_refused_is_a_denied_call_with_the_reason() {
    let good = Recipe::new().task("more", &honest());
    let mut damaged = good.signed();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    let open = |file: &[u8]| package::Package::open(file, &trust(), HASHER).err().unwrap().error();
    let (unsigned, _) = good.unsigned();
    let cases = [
        (damaged.clone(), "extra", open(&damaged)),
        (unsigned.clone(), "extra", open(&unsigned)),
        (good.signed(), "/", Error::AlreadyExists),
        (good.signed(), "a/b", Error::BadArgument),
    ];
    for (file, path, why) in cases {
        let mut cell = settled();
        cell.mount_requested(&file, path).unwrap();
        let report = cell.take_reports();
        assert!(report.len() == 1 && report[0].starts_with("package refused"), "{report:?}");
        let run = drive(cell, 1);
        let records = run.decoded();
        assert_eq!(records.len(), 2, "{path}");
        assert_eq!(records[1].verdict, Verdict::Denied(why), "{path}");
        assert_eq!(run.cell.view().partitions().count(), 1);
    }
}

#[test]
fn what_is_not_admitted_leaves_no_trace() {
    let more = Recipe::new().task("more", &honest()).signed();
    let data = MountRequest { package: HASHER.hash(&more), path: "extra" }.to_bytes();
    let mut cell = settled();
    let request = Input::new(EventKind::MountRequest, &data);
    assert_eq!(cell.admit(request), Err(NotAdmitted::NoPackage));

    let own = Recipe::new().task("hello", &honest()).signed();
    let memory_limit = 400 << 20;
    let mut small = Cell::start(Boot {
        package: &own,
        trust: trust(),
        hasher: HASHER,
        facts: facts(1),
        memory_limit,
        keeps_journals: false,
    });
    assert_eq!(small.mount_requested(&more, "extra"), Err(NotAdmitted::SealFirst));
    let mut small = drive(small, 1).cell;
    assert_eq!(small.mount_requested(&more, "extra"), Err(NotAdmitted::NoMemory));
    assert_eq!((cell.size(), small.size()), (7, 7));
}

#[test]
fn what_is_mounted_while_the_gate_is_stopped_is_denied_its_calls() {
    let mut cell = settled();
    cell.admit(Input::new(EventKind::Stop, &[])).unwrap();
    cell.seal(&mut |_, _| {});
    let more = Recipe::new().task("more", &honest()).signed();
    cell.mount_requested(&more, "extra").unwrap();
    let run = drive(cell, 1);
    let (record, _) = run.calls(2)[0];
    assert_eq!(record.verdict, Verdict::Denied(Error::Halted));
    assert_eq!(run.text(2), "");
}

/// The room in the log is the same wherever a mount is made, and so are the
/// records, however often they are sealed before and after.
#[test]
fn a_mount_in_the_middle_of_a_run_makes_the_same_records_however_it_is_driven() {
    let long = program(
        r#"(data (i32.const 16) "hello\n")
        (func (export "_start") (local $n i32)
            (loop $again
                (drop (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 6)))
                (drop (call $wait (i32.const 1) (i32.const 1) (i64.const 1000)))
                (local.set $n (i32.add (local.get $n) (i32.const 1)))
                (br_if $again (i32.lt_u (local.get $n) (i32.const 30)))))"#,
    );
    let own = Recipe::new().task("long", &long).signed();
    let more = Recipe::new().task("more", &long).signed();
    let with = |every: usize| {
        let (mut cell, mut records) = (start(&own, 1), vec![]);
        for turn in 1..=10 {
            if let Step::Waiting { .. } = cell.step() {
                cell.jump();
            }
            if turn % every == 0 || turn == 10 {
                cell.seal(&mut |record, _| records.push(record.to_vec()));
            }
        }
        cell.mount_requested(&more, "extra").unwrap();
        let run = drive(cell, every);
        records.extend(run.records.iter().cloned());
        assert_eq!((run.task(1), run.task(2)), (Outcome::Exit(0), Outcome::Exit(0)));
        records
    };
    assert_eq!(with(1), with(3));
}
