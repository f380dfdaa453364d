//! The gate against a plain model of it, without Wasm: every call, with
//! every kind of handle, honest or forged.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use abi::{Call, Error, GrantArguments, Handle, Kind, Operation, Rights, SpawnArguments, Stage};
use common::*;
use nucleus::{
    Answer, Arguments, Grant, Nucleus, Passed, Request, Start, State, view::Body as Object,
};
use package::{
    Package,
    manifest::{QueueEntry, StandingApproval, TaskKind},
};
use proptest::prelude::*;
use witness::{Body, Record, Subject, Verdict};

const TASK: Subject = Subject(1);

/// What the task holds, in order of handles.
fn held() -> Vec<(Kind, &'static str, Rights)> {
    vec![
        (Kind::Queue, "console", Rights::WRITE),
        (Kind::Queue, "letters", Rights::READ),
        (Kind::Queue, "letters", Rights::WRITE | Rights::GRANT),
        (Kind::Timer, "timer", Rights::READ),
        (Kind::Log, "log", Rights::WRITE),
        (Kind::Log, "log", Rights::PROVE),
        (Kind::Memory, "memory", Rights::WRITE),
        (Kind::Namespace, "packages", Rights::MOUNT),
        (Kind::Component, "program", Rights::EXECUTE),
        (Kind::Component, "program", Rights::READ),
        (Kind::Region, "data", Rights::READ),
        (Kind::Region, "data", Rights::WRITE | Rights::REVOKE),
    ]
}

/// A nucleus with one task in its slice. No instance stands behind it.
fn bench(records: u64) -> (Nucleus, Grant) {
    let capabilities =
        held().into_iter().map(|(kind, name, rights)| capability(kind, name, rights));
    let mut recipe = Recipe {
        queues: vec![QueueEntry { name: "letters".into(), capacity_bytes: 300 }],
        approvals: vec![StandingApproval { claim_types: vec![1], max_bytes: 64, max_claims: 3 }],
        ..Recipe::new()
    };
    recipe.limits.records = records;
    let recipe = recipe.region("data", b"some data").component("program", b"\0asm\x01\0\0\0");
    let file = recipe.start("task", "program", capabilities.collect()).signed();
    let package = Package::open(&file, &trust(), HASHER).unwrap();
    let mut nucleus =
        Nucleus::new(Start { package: [0; 32], seed: 0, facts: facts(1), hasher: HASHER });
    let Answer::Prepare(ticket) = nucleus.gate(Subject::KERNEL, Nucleus::mount_root()) else {
        panic!("no mount")
    };
    nucleus.commit_mount(ticket, Ok(&package), 0).unwrap();
    let request = nucleus.plans()[0].request(0);
    let Answer::Prepare(ticket) = nucleus.gate(Subject::KERNEL, request) else {
        panic!("no spawn")
    };
    assert_eq!(nucleus.commit_spawn(ticket, Ok(())), Ok(TASK));
    let grant = nucleus.begin_slice().unwrap();
    assert_eq!(grant.subject, TASK);
    (nucleus, grant)
}

/// Well-made arguments for a call and operation.
fn arguments<'a>(call: Call, operation: Option<Operation>, memory: &'a mut [u8]) -> Arguments<'a> {
    let start =
        SpawnArguments { fuel: 1, memory: 0, priority: 0, deadline: u64::MAX, capabilities: 0 };
    match (call, operation) {
        (Call::TaskSpawn, _) => {
            Arguments::Spawn { start, kind: TaskKind::Command, passed: Passed::Handles(&[]) }
        }
        (Call::CapGrant, Some(Operation::Grant)) => Arguments::Grant(GrantArguments {
            to: Handle(0),
            rights: Rights::NONE,
            badge: 0,
            expiry: 0,
            uses: 0,
        }),
        (Call::RegionMap, Some(Operation::Read)) => Arguments::Read { offset: 0, into: memory },
        (Call::QueueSend, _) => Arguments::Send { kind: 0, priority: 0, bytes: memory },
        (Call::QueueRecv, _) => Arguments::Receive,
        (Call::TimerWait, _) => Arguments::Wait { ns: 0 },
        (Call::RvfMount, Some(Operation::Mount)) => {
            Arguments::Mount { region: Some(Handle(10)), path: "inner" }
        }
        (Call::AttestEmit, Some(Operation::Claim)) => {
            Arguments::Claim { kind: 1, digest: [9; 32], body: memory }
        }
        (Call::VectorPutProved, _) => Arguments::Put,
        (Call::SensorSubscribe, _) => Arguments::Subscribe,
        _ => Arguments::Other,
    }
}

/// What the model says to a call with well-made arguments: written from the
/// table of calls, without looking at the gate.
fn expected(call: Call, code: u32, handle: Handle) -> Result<(), Error> {
    let Some(operation) = call.operation(code) else { return Err(Error::BadOperation) };
    let held = held();
    let Some((kind, _, rights)) = held.get(usize::try_from(handle.0).unwrap()) else {
        return Err(Error::BadHandle);
    };
    let (needs_kind, needs) = call.requires(operation);
    if needs_kind.is_some_and(|needed| needed != *kind) {
        return Err(Error::WrongKind);
    }
    if !rights.contains(needs) {
        return Err(Error::MissingRight);
    }
    match (call, operation) {
        (Call::RegionMap, Operation::Read)
        | (Call::TaskSpawn | Call::QueueSend | Call::TimerWait, _)
        | (Call::RvfMount, Operation::Mount)
        | (Call::AttestEmit, Operation::Claim) => Ok(()),
        _ => Err(Error::Unsupported),
    }
}

/// Everything a denied call must leave as it was.
fn state(nucleus: &Nucleus) -> String {
    let task = nucleus.task(TASK).unwrap();
    let held: Vec<_> = task.space.iter().collect();
    let objects: Vec<_> = nucleus
        .objects()
        .map(|(id, object)| match &object.body {
            Object::Queue(queue) => (id, queue.used(), queue.messages()),
            _ => (id, 0, 0),
        })
        .collect();
    let partitions: Vec<_> = nucleus
        .partitions()
        .map(|it| (it.fuel, it.memory, it.approvals.iter().map(|a| a.claims).collect::<Vec<_>>()))
        .collect();
    let tasks: Vec<_> = nucleus.tasks().map(|(_, task)| (task.state(), task.given)).collect();
    format!("{held:?} {objects:?} {partitions:?} {tasks:?} {:?}", nucleus.clock())
}

/// The last record, decoded.
fn last(nucleus: &Nucleus) -> Vec<u8> {
    nucleus.log().recent(1).last().unwrap().bytes().to_vec()
}

/// Makes a call, completes it as a machine would, and checks that there is
/// one record of it that says what happened.
fn ask(nucleus: &mut Nucleus, request: Request<'_>) -> Result<(), Error> {
    let (call, handle, operation) = (request.call, request.handle, request.operation);
    let before = (nucleus.log().next().0, state(nucleus));
    let outcome = match nucleus.gate(TASK, request) {
        Answer::Done { value, .. } if value >= 0 => Ok(()),
        Answer::Done { value, .. } => Err(Error::from_guest(value).unwrap()),
        // Prepared badly, so that nothing comes of it; still it passed.
        Answer::Prepare(ticket) if call == Call::TaskSpawn => {
            assert_eq!(nucleus.commit_spawn(ticket, Err(Error::NotWasm)), Err(Error::NotWasm));
            Err(Error::NotWasm)
        }
        Answer::Prepare(ticket) => {
            let refused = nucleus.commit_mount(ticket, Err(Error::Unsigned), 0);
            assert_eq!(refused, Err(Error::Unsigned));
            Err(Error::Unsigned)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(nucleus.log().next().0, before.0 + 1, "one record a call");
    let bytes = last(nucleus);
    let record = Record::decode(&bytes).unwrap();
    let Body::Call(body) = record.body else { panic!("not a call") };
    assert_eq!((body.call, body.handle, body.operation), (call, handle, operation));
    match outcome {
        Ok(()) => assert_eq!(record.verdict, Verdict::Allowed),
        Err(error) => {
            assert_eq!(record.verdict, Verdict::Denied(error));
            assert_eq!(record.verdict.stage(), error.stage());
            assert_eq!(state(nucleus), before.1, "a denial changes nothing");
        }
    }
    outcome
}

#[test]
fn every_call_with_every_handle_does_what_the_model_says() {
    for call in Call::ALL {
        for code in 0..6 {
            for handle in 0..14 {
                let (mut nucleus, _) = bench(100);
                let mut memory = *b"abcdef";
                let handle = Handle(handle);
                let request = Request {
                    call,
                    handle,
                    operation: code,
                    length: 0,
                    argument: 0,
                    arguments: Ok(arguments(call, call.operation(code), &mut memory)),
                };
                let found = match ask(&mut nucleus, request) {
                    // These are how the bench completes what has passed.
                    Err(Error::NotWasm | Error::Unsigned) => Ok(()),
                    found => found,
                };
                assert_eq!(found, expected(call, code, handle), "{call:?} {code} {handle:?}");
            }
        }
    }
}

#[test]
fn an_argument_that_makes_no_sense_is_denied_before_the_capability_is_looked_at() {
    for call in Call::ALL {
        for error in Error::ALL.iter().filter(|error| error.stage() == Stage::Arguments) {
            let (mut nucleus, _) = bench(100);
            let arguments = Err(*error);
            let (handle, operation) = (Handle(77), 0);
            let request = Request { call, handle, operation, length: 5, argument: 6, arguments };
            assert_eq!(ask(&mut nucleus, request), Err(*error));
            let bytes = last(&nucleus);
            let Body::Call(body) = Record::decode(&bytes).unwrap().body else { panic!() };
            assert_eq!((body.length, body.argument, body.digest), (5, 6, [0; 32]));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn no_forged_handle_is_honoured(handle in 12u32.., call in 0u8..12, code in 0u32..5) {
        let (mut nucleus, _) = bench(10);
        let call = Call::from_number(call).unwrap();
        let code = if call.operation(code).is_some() { code } else { 0 };
        let mut memory = [0; 4];
        let arguments = Ok(arguments(call, call.operation(code), &mut memory));
        let handle = Handle(handle);
        let request = Request { call, handle, operation: code, length: 0, argument: 0, arguments };
        prop_assert_eq!(ask(&mut nucleus, request), Err(Error::BadHandle));
    }

    #[test]
    fn budgets_hold_whatever_is_asked(
        records in 5u64..40,
        calls in proptest::collection::vec((0u8..12, 0u32..5, 0u32..14, 0usize..80), 1..60),
    ) {
        let (mut nucleus, _) = bench(records);
        let (mut written, mut claims, mut bytes) = (0, 0, 0);
        for (call, code, handle, length) in calls {
            if written == records {
                break;
            }
            let call = Call::from_number(call).unwrap();
            let mut memory = vec![0; length];
            let arguments = Ok(arguments(call, call.operation(code), &mut memory));
            let handle = Handle(handle);
            let request = Request { call, handle, operation: code, length: 0, argument: 0, arguments };
            let is_claim = call == Call::AttestEmit && code == 0;
            if ask(&mut nucleus, request).is_ok() && is_claim {
                (claims, bytes) = (claims + 1, bytes + length);
            }
            written += 1;
            let partition = nucleus.partitions().next().unwrap();
            prop_assert_eq!(partition.records.used, written);
            prop_assert!(claims <= 3 && bytes <= 64);
        }
        if written == records {
            let next = nucleus.log().next().0;
            let arguments = Ok(Arguments::Wait { ns: 0 });
            let (call, handle, operation) = (Call::TimerWait, Handle(3), 0);
            let request = Request { call, handle, operation, length: 0, argument: 0, arguments };
            prop_assert!(matches!(nucleus.gate(TASK, request), Answer::Ended));
            prop_assert_eq!(nucleus.log().next().0, next + 1);
            prop_assert!(matches!(nucleus.task(TASK).unwrap().state(), State::Ended(_)));
        }
    }
}
