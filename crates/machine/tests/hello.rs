//! The simplest run: a task prints and exits.

use crate::common::*;
use abi::Call;
use nucleus::Outcome;
use witness::{Body, Kind, Verdict};

#[test]
fn a_task_prints_exits_and_leaves_its_records() {
    let run = Recipe::new().task("hello", &honest()).run();
    assert_eq!(run.reports, Vec::<String>::new());
    assert_eq!(run.text(1), "hello\n");
    assert_eq!(run.task(1), Outcome::Exit(0));

    let kinds: Vec<_> = run.decoded().iter().map(|record| record.kind()).collect();
    let expected = [
        Kind::Genesis,
        Kind::Machine,
        Kind::Call(Call::RvfMount),
        Kind::Call(Call::TaskSpawn),
        Kind::Call(Call::QueueSend),
        Kind::Exit,
        Kind::StateRoot,
    ];
    assert_eq!(kinds, expected);
    assert!(run.decoded().iter().all(|record| record.verdict == Verdict::Allowed));
}

#[test]
fn every_record_names_its_parents() {
    let run = Recipe::new().task("hello", &honest()).run();
    let records = run.decoded();
    let genesis = run.ids[0];
    let (mount, spawn, send) = (&records[2], &records[3], &records[4]);
    assert_eq!((mount.previous, mount.cause), (genesis, None));
    assert_eq!((spawn.previous, spawn.cause), (run.ids[2], Some(run.ids[2])));
    assert_eq!((send.previous, send.cause), (genesis, Some(run.ids[3])));
    assert_eq!((records[5].previous, records[5].cause), (run.ids[4], None));
    assert_eq!(records[5].point.fuel, run.cell.view().task(send.subject).unwrap().spent);
    let Body::Call(spawned) = spawn.body else { panic!() };
    assert_eq!(spawned.result, 1);
    assert_eq!(spawned.tail.bytes(), b"hello");
}
