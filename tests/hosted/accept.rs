//! The acceptance run: one measurement comes to one proved write, then a
//! thousand writes with a proof each.

use std::collections::{BTreeMap, BTreeSet};

use abi::{Call, Error, Operation};
use integration::accept::{KEY, proof, reading, slot};
use integration::{artefacts, hosted};
use machine::{Cell, Input};
use witness::Hasher;
use witness::manifest::Outcome;
use witness::record::{Body, EventKind, Verdict};
use witness::verify::Expected;

/// Runs it, with the measurement and its approval from outside.
pub fn run() -> hosted::Left {
    let package = artefacts::package("accept");
    let (reading, proof) = (reading(), proof(&package));
    let mut turn = 0;
    let mut feed = |cell: &mut Cell| {
        turn += 1;
        let input = match turn {
            1 => Input::reading(cell.view().sensor("thermometer").unwrap(), &reading),
            2 => Input::new(EventKind::Approval, &proof),
            _ => return false,
        };
        cell.admit(input).unwrap();
        true
    };
    hosted::run_fed(package, &artefacts::keys(), &mut feed)
}

#[test]
fn one_event_comes_to_one_proved_put_and_a_thousand_puts_to_a_thousand_proofs() {
    let left = run();
    let log = &left.log;
    log.verified(Expected { nonce: Some(hosted::NONCE), ..Expected::default() });
    for name in ["root", "prover", "writer", "reader"] {
        let end = left.task(name);
        assert_eq!((end.outcome, end.code), (Outcome::Exit, 0), "{name}\n{}", left.console);
    }
    let ids = log.ids();
    let id_of = |index: usize| ids[index];

    // Two things came in, and nothing else.
    let records = log.records();
    let events: Vec<_> = records
        .iter()
        .enumerate()
        .filter_map(|(index, record)| match record.body {
            Body::Event(event) => Some((index, event.kind)),
            _ => None,
        })
        .collect();
    let [(_, EventKind::Sensor), (approval, EventKind::Approval)] = events[..] else {
        panic!("{events:?}")
    };

    // What was tried: each put that was done names the record of its proof.
    let calls = log.calls();
    let of = |call: Call, operation: Operation| {
        let is_it = move |(_, body): &&(_, witness::record::CallBody<'_>)| {
            body.call == call && body.operation == operation.code()
        };
        calls.iter().filter(is_it).collect::<Vec<_>>()
    };
    let puts = of(Call::VectorPutProved, Operation::Plain);
    let (done, denied): (Vec<_>, Vec<_>) =
        puts.into_iter().partition(|(record, _)| record.verdict == Verdict::Allowed);
    let [(late, _)] = denied[..] else { panic!("{}", denied.len()) };
    assert_eq!(late.verdict, Verdict::Denied(Error::ProofExpired));
    let (first, rest) = done.split_first().unwrap();
    assert_eq!(first.0.cause, Some(id_of(approval)), "the approval that came in");
    assert_eq!((first.1.argument, first.1.length), (KEY, 32));
    assert_eq!(rest.len(), 1_000);

    // A thousand proofs for a thousand puts, and one for what came too late.
    let approved = of(Call::AttestEmit, Operation::Approve);
    assert_eq!(approved.len(), 1_001);
    let digests: BTreeMap<_, _> = records
        .iter()
        .zip(&ids)
        .filter_map(|(record, id)| match record.body {
            Body::Call(call) if call.call == Call::AttestEmit => Some((*id, call.digest)),
            _ => None,
        })
        .collect();
    let mut used = BTreeSet::new();
    for (record, call) in rest {
        let cause = record.cause.unwrap();
        assert_eq!(digests.get(&cause), Some(&call.digest), "a proof of this very put");
        assert!(used.insert(cause), "a proof used twice");
    }

    // Nothing was denied but the one put.
    let denials = calls.iter().filter(|(record, _)| record.verdict != Verdict::Allowed);
    assert_eq!(denials.count(), 1);
    // And every record is accounted for: genesis and machine, the mount and
    // the spawn of the root, its three spawns, 13 grants, a word and three
    // reports; two events; for each put by the prover a look, a request and
    // its receipt, a look, a proof, a grant, a drop, an answer and its
    // receipt, the put, for the last also two of the timer; and the ends.
    let by_call = |call: Call| calls.iter().filter(|(_, body)| body.call == call).count();
    assert_eq!(by_call(Call::RvfMount), 1);
    assert_eq!(by_call(Call::TaskSpawn), 4);
    assert_eq!(by_call(Call::SensorSubscribe), 1);
    assert_eq!(by_call(Call::VectorPutProved), 1_002);
    assert_eq!(by_call(Call::AttestEmit), 1_001);
    assert_eq!(by_call(Call::CapGrant), 11 + 2 * 1_001);
    assert_eq!(by_call(Call::RegionMap) + by_call(Call::GraphApplyProved), 0);
}

#[test]
fn the_reader_finds_value_and_metadata() {
    let left = run();
    let calls = left.log.calls();
    let (put, _) = calls
        .iter()
        .find(|(record, call)| {
            call.call == Call::VectorPutProved && record.verdict == Verdict::Allowed
        })
        .unwrap();
    let expected = format!(
        "reader: reading 21.5 48.25 1013 -0.5, slot {}, 1 write, by record {} of task {}\n\
         reader: its opening holds\n\
         reader: 100 samples as written last, 10 times each\n",
        slot(),
        put.sequence,
        put.subject.0
    );
    assert!(left.console.ends_with(&expected), "{}\n{expected}", left.console);
    let reading = reading();
    let head = abi::PutHead { key: KEY, slot: slot(), dimension: 4 }.to_bytes();
    let mutation = [&head[..], &reading].concat();
    let (_, call) = calls.iter().find(|(record, _)| record == put).unwrap();
    assert_eq!(call.digest, Hasher::SOFTWARE.hash(&mutation));
}

#[test]
fn the_same_events_at_the_same_points_make_the_same_records() {
    run().log.assert_same_records(&run().log);
}
