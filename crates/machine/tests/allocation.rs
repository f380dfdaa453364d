//! Nothing is allocated while a call is inside the gate.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
#[path = "common/counting.rs"]
mod counting;

use abi::{Call, Handle, Kind, Rights};
use common::*;
use counting::counted;
use nucleus::{Answer, Arguments, Nucleus, Request, Start};
use package::{Package, manifest::StandingApproval};
use witness::Subject;

#[test]
fn the_counter_counts() {
    assert_eq!(counted(|| std::hint::black_box(Box::new(1))).1, 1);
}

#[test]
fn no_call_allocates_inside_the_gate() {
    let capabilities = vec![
        capability(Kind::Queue, "console", Rights::WRITE),
        capability(Kind::Region, "data", Rights::READ),
        capability(Kind::Timer, "timer", Rights::READ),
        capability(Kind::Log, "log", Rights::WRITE),
    ];
    let recipe = Recipe {
        approvals: vec![StandingApproval { claim_types: vec![1], max_bytes: 999, max_claims: 99 }],
        ..Recipe::new()
    };
    let recipe = recipe.region("data", &[1; 500]).component("program", b"\0asm\x01\0\0\0");
    let file = recipe.start("task", "program", capabilities).signed();
    let package = Package::open(&file, &trust(), HASHER).unwrap();
    let mut nucleus = Nucleus::new(Start {
        package: [0; 32],
        seed: 0,
        facts: facts(1),
        hasher: HASHER,
        signature_holds: witness::key::holds,
    });
    let mount = Nucleus::mount_root();
    let (answer, count) = counted(|| nucleus.gate(Subject::KERNEL, mount));
    assert_eq!(count, 0, "rvf_mount");
    let Answer::Prepare(ticket) = answer else { panic!() };
    nucleus.commit_mount(ticket, Ok(&package), 0, &|_| false).unwrap();
    let spawn = nucleus.plans()[0].request(0);
    let (answer, count) = counted(|| nucleus.gate(Subject::KERNEL, spawn));
    assert_eq!(count, 0, "task_spawn");
    let Answer::Prepare(ticket) = answer else { panic!() };
    nucleus.commit_spawn(ticket, Ok(())).unwrap();
    nucleus.begin_slice().unwrap();

    // 256 records are a slice; the last call ends it by waiting.
    for round in 0..50u64 {
        let mut memory = [7; 300];
        for (call, handle, arguments) in [
            (Call::QueueSend, 0, Arguments::Send { kind: 0, priority: 0, bytes: &[7; 100] }),
            (Call::RegionMap, 1, Arguments::Read { offset: 5, into: &mut memory }),
            (Call::AttestEmit, 3, Arguments::Claim { kind: 1, digest: [1; 32], body: b"b" }),
            (Call::QueueRecv, 9, Arguments::Receive { deadline: 0, into: &mut [] }),
            (Call::TimerWait, 2, Arguments::Wait { ns: if round == 49 { 1 << 40 } else { 0 } }),
        ] {
            let (handle, operation) = (Handle(handle), 0);
            let arguments = Ok(arguments);
            let request =
                Request { call, handle, operation, length: 0, argument: 0, fuel: 0, arguments };
            let (answer, count) = counted(|| nucleus.gate(Subject(1), request));
            assert_eq!(count, 0, "{call:?}");
            assert!(matches!(answer, Answer::Done { .. } | Answer::Blocked));
        }
    }
}
