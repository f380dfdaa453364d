//! Verdicts: what is sound passes, and everything else is named.

use crate::common::*;
use abi::Call;
use witness::{
    Hash, Index, key,
    manifest::{Outcome, RunManifest},
    note,
    record::{
        Arch, Board, Body, Budget, BudgetSpent, Continuation, Draft, Event, EventKind, Exit, Kind,
        MachineFacts, OutOfFuel, RecordError, RootReason, Short, StateRoot, Subject, Trap,
        TrapCode, Verdict as Answer,
    },
    verify::*,
};

fn forged(part: Part, reason: Reason) -> Verdict {
    Verdict::Forged { part, reason }
}

fn verdict(sample: &Sample, evidence: Evidence<'_>) -> Verdict {
    verify(HASHER, sample.key(), Expected::default(), sample.entries(), evidence).verdict
}

#[test]
fn a_log_of_every_kind_verifies() {
    let report = sample().verify();
    assert_eq!(report.verdict, Verdict::Verified);
    let facts = report.facts;
    let kinds: Vec<u8> = facts.kinds.keys().copied().collect();
    let missing = [Kind::Call(Call::TaskSpawn)].map(Kind::number);
    assert!(missing.iter().all(|kind| kinds.contains(kind)));
    assert_eq!(kinds, Kind::ALL.map(Kind::number), "the sample has every kind");
    assert_eq!(facts.denied, 4);
    assert_eq!(facts.challenges, [CHALLENGE]);
    assert_eq!(facts.operators, [key::public(&operator())]);
    assert_eq!(facts.profile, PROFILE);
    assert_eq!(facts.tasks.len(), 4);
    assert_eq!(facts.manifest.unwrap().tasks.len(), 5);
}

/// Each record's every byte, with and without tiles to compare with.
#[test]
fn no_byte_of_any_record_can_change() {
    let good = sample();
    for at in 0..good.entries.len() {
        for byte in 0..good.entries[at].len() {
            let mut bad = good.clone();
            bad.entries[at][byte] ^= 1 << (byte % 8);
            let with = verdict(&bad, bad.evidence());
            let Verdict::Forged { part, .. } = with else { panic!("{at}:{byte} {with}") };
            assert_eq!(part, Part::Record(at as u64), "byte {byte}: {with}");
            let without = verdict(&bad, Evidence { leaves: None, ..bad.evidence() });
            assert!(matches!(without, Verdict::Forged { .. }), "{at}:{byte} {without}");
        }
    }
}

#[test]
fn no_byte_of_checkpoint_manifest_or_tiles_can_change() {
    let good = sample();
    for flip in [0x01, 0x20, 0x80] {
        let change = |text: &str, at: usize| {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] ^= flip;
            String::from_utf8(bytes).ok()
        };
        for at in 0..good.checkpoint.len() {
            let Some(checkpoint) = change(&good.checkpoint, at) else { continue };
            let evidence = Evidence { checkpoint: Some(&checkpoint), ..good.evidence() };
            let verdict = verdict(&good, evidence);
            assert!(matches!(verdict, Verdict::Forged { part: Part::Checkpoint, .. }), "{at}");
        }
        for at in 0..good.manifest.len() {
            let Some(manifest) = change(&good.manifest, at) else { continue };
            let evidence = Evidence { manifest: Some(&manifest), ..good.evidence() };
            let verdict = verdict(&good, evidence);
            assert!(matches!(verdict, Verdict::Forged { part: Part::Manifest, .. }), "{at}");
        }
    }
    for at in 0..good.ids.len() {
        let mut leaves = good.ids.clone();
        leaves[at][at % 32] ^= 4;
        let evidence = Evidence { leaves: Some(&leaves), ..good.evidence() };
        assert_eq!(verdict(&good, evidence), forged(Part::Tiles, Reason::Root));
    }
}

#[test]
fn a_missing_end_is_incomplete_and_says_what_verifies() {
    let good = sample();
    let size = good.entries.len() as u64;
    let none = Evidence { manifest: None, ..good.evidence() };
    let missing = Missing::Manifest;
    assert_eq!(verdict(&good, none), Verdict::Incomplete { missing, verified: size });

    for have in 2..good.entries.len() {
        let mut short = good.clone();
        short.entries.truncate(have);
        let missing = Missing::Records { from: have as u64, until: size };
        let with = verdict(&short, short.evidence());
        assert_eq!(with, Verdict::Incomplete { missing, verified: have as u64 });
        let without = verdict(&short, Evidence { leaves: None, ..short.evidence() });
        assert_eq!(without, Verdict::Incomplete { missing, verified: 0 });
    }
    let missing = Missing::Checkpoint;
    let nothing = verdict(&good, Evidence::default());
    assert_eq!(nothing, Verdict::Incomplete { missing, verified: 0 });
    let report = Report { verdict: nothing, facts: good.verify().facts };
    assert!(checked(&report).is_empty());
    assert!(!checked(&good.verify()).is_empty());
}

#[test]
fn a_bad_record_in_a_log_cut_short_is_still_forged() {
    let mut bad = sample();
    bad.entries.truncate(20);
    bad.entries[12][50] ^= 1;
    let found = verdict(&bad, bad.evidence());
    assert!(matches!(found, Verdict::Forged { part: Part::Record(12), .. }), "{found}");
    let found = verdict(&bad, Evidence::default());
    assert!(matches!(found, Verdict::Forged { part: Part::Record(12..), .. }), "{found}");
}

#[test]
fn records_left_out_swapped_or_added_are_found() {
    let good = sample();
    for at in 0..good.entries.len() - 1 {
        let mut bad = good.clone();
        bad.entries.remove(at);
        let found = verdict(&bad, bad.evidence());
        assert!(matches!(found, Verdict::Forged { .. }), "without {at}: {found}");
        let mut bad = good.clone();
        bad.entries.swap(at, at + 1);
        let found = verdict(&bad, bad.evidence());
        assert!(matches!(found, Verdict::Forged { .. }), "{at} swapped: {found}");
    }
    let mut bad = good.clone();
    bad.entries.push(good.entries[5].clone());
    assert!(matches!(verdict(&bad, bad.evidence()), Verdict::Forged { .. }));
}

#[test]
fn another_key_is_told_from_a_forgery() {
    let good = sample();
    let check = |sample: &Sample, evidence| {
        let stranger = key::public(&operator());
        verify(HASHER, stranger, Expected::default(), sample.entries(), evidence).verdict
    };
    assert_eq!(check(&good, good.evidence()), Verdict::WrongKey { named: good.key() });
    let unsigned = Evidence { manifest: None, ..good.evidence() };
    assert_eq!(check(&good, unsigned), Verdict::WrongKey { named: good.key() });
    let mut bad = good.clone();
    bad.entries[7][60] ^= 1;
    assert!(matches!(check(&bad, bad.evidence()), Verdict::Forged { .. }));
    // Signed by the expected key, but leaf 1 names another.
    let mut machine =
        Machine::boot(MachineFacts { device_key: key::public(&operator()), ..facts() });
    machine.seal();
    let odd = finish(machine, Vec::new());
    assert_eq!(odd.verify().verdict, forged(Part::Record(1), Reason::OtherDeviceKey));
}

#[test]
fn a_checkpoint_of_another_boot_is_refused() {
    let mut machine = Machine::boot(MachineFacts { boot_id: [9; 16], ..facts() });
    machine.seal();
    let odd = finish(machine, Vec::new());
    assert_eq!(odd.verify().verdict, forged(Part::Record(1), Reason::OtherBoot));
}

#[test]
fn expectations_are_compared() {
    let good = sample();
    let check =
        |expected| verify(HASHER, good.key(), expected, good.entries(), good.evidence()).verdict;
    let none = Expected::default();
    for nonce in [NONCE, CHALLENGE] {
        let expected = Expected {
            package: Some(genesis().package),
            nonce: Some(nonce),
            trust: Some(facts().trust),
            kernel: Some(facts().kernel),
        };
        assert_eq!(check(expected), Verdict::Verified);
    }
    let other = Some([0; 32]);
    for (expected, part, reason) in [
        (Expected { package: other, ..none }, Part::Record(0), Reason::OtherPackage),
        (Expected { kernel: other, ..none }, Part::Record(1), Reason::OtherKernel),
        (Expected { trust: other, ..none }, Part::Record(1), Reason::OtherTrust),
        (Expected { nonce: other, ..none }, Part::Record(1), Reason::OtherNonce),
    ] {
        assert_eq!(check(expected), forged(part, reason));
    }
    // Without a nonce, the zero nonce is not an answer.
    let mut machine = Machine::boot(MachineFacts { nonce: None, ..facts() });
    machine.seal();
    let silent = finish(machine, Vec::new());
    let expected = Expected { nonce: other, ..none };
    let found = verify(HASHER, silent.key(), expected, silent.entries(), silent.evidence());
    assert_eq!(found.verdict, forged(Part::Record(1), Reason::OtherNonce));
}

/// Writes one odd record after a few good ones, signs everything properly,
/// and says what the verifier makes of it.
fn odd(write: impl FnOnce(&mut Machine)) -> Verdict {
    let mut machine = Machine::boot(facts());
    let mount = machine.write(Subject::KERNEL, None, Body::Call(call(Call::RvfMount, 1)));
    spawn(&mut machine, mount, "alpha", 1);
    machine.write(Subject(1), None, Body::Call(call(Call::TimerWait, 1)));
    assert_eq!(machine.log.next(), Index(5));
    write(&mut machine);
    finish(machine, vec![task("alpha", 1, Outcome::Running, 0)]).verify().verdict
}

fn wait() -> Body<'static> {
    Body::Call(call(Call::TimerWait, 1))
}

#[test]
fn records_that_do_not_fit_are_refused_although_signed() {
    let bad = |reason| forged(Part::Record(5), reason);
    assert_eq!(odd(|_| ()), Verdict::Verified);
    let change = |edit: fn(&mut Draft<'_>)| {
        odd(|machine| {
            let mut draft = machine.draft(Subject(1), None, wait());
            edit(&mut draft);
            machine.raw(&draft);
        })
    };
    assert_eq!(change(|_| ()), Verdict::Verified);
    assert_eq!(change(|draft| draft.sequence += 1), bad(Reason::Sequence));
    assert_eq!(change(|draft| draft.sequence = 0), bad(Reason::Sequence));
    assert_eq!(change(|draft| draft.previous = None), bad(Reason::Previous));
    assert_eq!(change(|draft| draft.previous = Some(Index(3))), bad(Reason::Previous));
    assert_eq!(change(|draft| draft.cause = Some(Index(2))), Verdict::Verified);
    assert_eq!(change(|draft| draft.cause = Some(Index(1))), bad(Reason::Cause));
    assert_eq!(change(|draft| draft.point.time_ns = 1), bad(Reason::Time));
    assert_eq!(change(|draft| draft.point.fuel = 1), bad(Reason::Fuel));
    assert_eq!(
        change(|draft| {
            draft.subject = Subject(2);
            draft.sequence = 0;
            draft.previous = None;
        }),
        bad(Reason::Spawn)
    );
    assert_eq!(
        change(|draft| draft.subject = Subject::OUTSIDE),
        bad(Reason::Record(RecordError::Subject(u32::MAX)))
    );
}

#[test]
fn a_cause_from_elsewhere_is_refused() {
    let mut sample = sample();
    let last = sample.entries.len() - 1;
    sample.entries[last][72] = 1;
    let found = verdict(&sample, Evidence::default());
    assert_eq!(found, forged(Part::Record(last as u64), Reason::Cause));
}

#[test]
fn spawns_count_and_ends_end() {
    let bad = |index, reason| forged(Part::Record(index), reason);
    for number in [0, 1, 3, -1] {
        let found = odd(|machine| {
            spawn(machine, Index(2), "beta", number);
        });
        assert_eq!(found, bad(5, Reason::Spawn));
    }
    for end in [
        Body::Exit(Exit { code: 0, pages: 0 }),
        Body::Trap(Trap { code: TrapCode::Other, component: [0; 32] }),
        Body::OutOfFuel(OutOfFuel { budget: 1, spent: 1 }),
        Body::BudgetSpent(BudgetSpent { budget: Budget::Records, limit: 1 }),
    ] {
        let found = odd(|machine| {
            machine.write(Subject(1), None, end);
            let root = StateRoot { reason: RootReason::Exit, root: [0; 32] };
            machine.write(Subject(1), None, Body::StateRoot(root));
            machine.write(Subject(1), None, wait());
        });
        assert_eq!(found, bad(7, Reason::Ended));
    }
}

#[test]
fn genesis_and_machine_stand_first_and_nowhere_else() {
    let bad = |index, reason| forged(Part::Record(index), reason);
    let found = odd(|machine| {
        machine.raw(&Draft::genesis(genesis()));
    });
    assert_eq!(found, bad(5, Reason::Record(RecordError::FirstHeader)));
    let found = odd(|machine| {
        machine.raw(&Draft::machine(facts()));
    });
    assert_eq!(found, bad(5, Reason::Place));
    let sample = sample();
    let first: [&[u8]; 1] = [&sample.entries[1]];
    let found = verify(HASHER, sample.key(), Expected::default(), first, Evidence::default());
    assert_eq!(found.verdict, bad(0, Reason::Place));
    // One record is not a log.
    let root = HASHER.leaf(&sample.entries[0]);
    let checkpoint =
        witness::checkpoint::Checkpoint { origin: &sample.origin, size: 1, root }.sign(&device());
    let first: [&[u8]; 1] = [&sample.entries[0]];
    let evidence = Evidence { checkpoint: Some(&checkpoint), ..Evidence::default() };
    let found = verify(HASHER, sample.key(), Expected::default(), first, evidence);
    assert_eq!(found.verdict, forged(Part::Checkpoint, Reason::TooSmall));
}

#[test]
fn events_come_whole_and_in_order() {
    let bad = |index| forged(Part::Record(index), Reason::Event);
    let data = [7u8; 600];
    let event = Body::Event(Event::new(EventKind::Sensor, false, 1, &data).unwrap());
    let parts: Vec<_> = Continuation::of(&data).map(Body::Continuation).collect();
    assert_eq!(parts.len(), 2);
    let outside = |bodies: Vec<Body<'static>>| {
        odd(|machine| {
            for body in bodies {
                machine.write(Subject::OUTSIDE, None, body);
                // Records of others may come between the parts.
                machine.write(Subject(1), None, wait());
            }
        })
    };
    let data: &'static [u8] = Box::leak(Box::new(data));
    let event = match event {
        Body::Event(event) => Body::Event(Event { data: Short::cut(data), ..event }),
        other => panic!("{other:?}"),
    };
    let parts: Vec<_> = Continuation::of(data).map(Body::Continuation).collect();
    assert_eq!(outside(vec![event, parts[0], parts[1]]), Verdict::Verified);
    assert_eq!(outside(vec![event, parts[1]]), bad(7));
    assert_eq!(outside(vec![parts[0]]), bad(5));
    assert_eq!(outside(vec![event, parts[0], parts[1], parts[1]]), bad(11));
    assert_eq!(outside(vec![event, event]), bad(7));
    // The end is missing: the last record is named.
    assert_eq!(outside(vec![event, parts[0]]), bad(8));
}

#[test]
fn signed_events_are_checked_and_cannot_be_played_again() {
    let stop = |machine: &mut Machine, data: &[u8]| {
        machine.event(EventKind::Stop, true, data);
    };
    let good = signed(EventKind::Stop, 5, b"");
    assert_eq!(odd(|machine| stop(machine, &good)), Verdict::Verified);
    let again = odd(|machine| {
        stop(machine, &good);
        stop(machine, &good);
    });
    assert_eq!(again, forged(Part::Record(6), Reason::EventCounter));
    let resume = signed(EventKind::Resume, 5, b"");
    let found = odd(|machine| stop(machine, &resume));
    assert_eq!(found, forged(Part::Record(5), Reason::EventSignature));
    for at in 0..good.len() {
        let mut data = good.clone();
        data[at] ^= 1;
        let found = odd(|machine| stop(machine, &data));
        assert_eq!(found, forged(Part::Record(5), Reason::EventSignature), "byte {at}");
    }
}

#[test]
fn the_manifest_must_agree_with_the_records() {
    let good = sample();
    let text = note::parse(&good.manifest).unwrap().text;
    let check = |edit: &dyn Fn(&mut RunManifest)| {
        let mut manifest = RunManifest::parse(text).unwrap();
        edit(&mut manifest);
        let note = manifest.sign(&good.origin, &device());
        let found = verdict(&good, Evidence { manifest: Some(&note), ..good.evidence() });
        match found {
            Verdict::Forged { part: Part::Manifest, reason: Reason::Member(member) } => member,
            Verdict::Verified => "",
            other => panic!("{other}"),
        }
    };
    assert_eq!(check(&|_| ()), "");
    assert_eq!(check(&|m| m.arch = Arch::Aarch64), "arch");
    assert_eq!(check(&|m| m.board = Board::Rpi4), "board");
    assert_eq!(check(&|m| m.boot_id[0] ^= 1), "boot_id");
    assert_eq!(check(&|m| m.development_keys = false), "development_keys");
    assert_eq!(check(&|m| m.device_key[0] ^= 1), "device_key");
    assert_eq!(check(&|m| m.package[0] ^= 1), "package");
    assert_eq!(check(&|m| m.profile.push('x')), "profile");
    assert_eq!(check(&|m| m.records += 1), "records");
    assert_eq!(check(&|m| m.root[0] ^= 1), "root");
    assert_eq!(check(&|m| m.tasks[0].code = 0), "tasks");
    assert_eq!(check(&|m| m.tasks[1].code = 6), "tasks");
    assert_eq!(check(&|m| m.tasks[2].outcome = Outcome::Killed), "tasks");
    assert_eq!(check(&|m| m.tasks[3].outcome = Outcome::Exit), "tasks");
    assert_eq!(check(&|m| m.tasks[4].code = 130), "tasks");
    assert_eq!(check(&|m| drop(m.tasks.remove(0))), "tasks");
    assert_eq!(check(&|m| m.tasks[3].subject = 5), "tasks");
    assert_eq!(check(&|m| m.tasks[0].name.push('x')), "", "names are only claimed");
}

#[test]
fn a_manifest_has_one_spelling() {
    let good = sample();
    let text = note::parse(&good.manifest).unwrap().text;
    assert_eq!(RunManifest::parse(text).unwrap().text(), text);
    for (from, to) in [
        ("\"format\":1", "\"format\":2"),
        ("\"arch\":\"x86_64\"", "\"arch\":\"z80\""),
        ("\"end\":\"finished\"", "\"end\":\"done\""),
        ("\"records\":\"", "\"records\":\"0"),
        ("{\"arch\"", "{\"a\":1,\"arch\""),
        (",\"board\"", ", \"board\""),
        ("\"subject\":4", "\"subject\":3"),
        ("\"subject\":0", "\"subject\":7"),
        ("\"subject\":1", "\"subject\":0"),
        ("\n", ""),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert!(RunManifest::parse(&changed).is_err(), "{to}");
    }
}

#[test]
fn verification_is_one_pass_and_can_be_fed() {
    let good = sample();
    let mut verifier = Verifier::new(HASHER, good.key(), Expected::default());
    for (count, entry) in (1..).zip(good.entries()) {
        verifier.entry(entry);
        assert_eq!(verifier.size(), count);
    }
    assert_eq!(verifier.finish(good.evidence()), good.verify());
}

#[test]
fn ids_of_task_records_do_not_depend_on_the_machine() {
    let run = |facts: MachineFacts| -> Vec<Hash> {
        let mut machine = Machine::boot(facts);
        let mount = machine.write(Subject::KERNEL, None, Body::Call(call(Call::RvfMount, 1)));
        spawn(&mut machine, mount, "alpha", 1);
        machine.write(Subject(1), Some(Index(3)), wait());
        machine.refuse(Subject(1), Answer::CutShort, wait());
        machine.seal();
        machine.log.ids().copied().collect()
    };
    let other = MachineFacts { arch: Arch::Aarch64, board: Board::Virt, nonce: None, ..facts() };
    let (a, b) = (run(facts()), run(other));
    assert_ne!(a[1], b[1]);
    assert_eq!((a[0], &a[2..]), (b[0], &b[2..]));
}

#[test]
fn each_refused_task_has_a_refused_spawn_of_its_own() {
    let run = |listed: usize| {
        let mut machine = Machine::boot(facts());
        for answer in [Answer::Denied(abi::Error::NotWasm), Answer::CutShort] {
            machine.refuse(Subject::KERNEL, answer, Body::Call(call(Call::TaskSpawn, 4)));
        }
        let refused =
            |error: abi::Error| task("broken", 0, Outcome::Refused, error.number().into());
        let mut tasks = vec![refused(abi::Error::NotWasm); listed];
        tasks.push(refused(abi::Error::CutShort));
        finish(machine, tasks).verify().verdict
    };
    assert_eq!(run(0), Verdict::Verified);
    assert_eq!(run(1), Verdict::Verified);
    assert_eq!(run(2), forged(Part::Manifest, Reason::Member("tasks")));
}
