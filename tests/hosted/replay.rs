//! Replays: what a machine did, a host does again, record by record, and one
//! changed bit shows where it was changed.

use std::sync::OnceLock;
use std::time::Duration;

use helio::keys::Role;
use helio::replay::{self, Assumption, Driver, Extent, Gap, Inputs, Refusal, Side, TrustFile};
use helio::replay::{Events, Verdict};
use helio::verify::Word;
use integration::replay::{Replayed, assert_equal, replay_with};
use integration::{Log, artefacts, hosted, packages};
use machine::{Boot, Cell, Input, Step};
use witness::manifest::Outcome;
use witness::note::SigningKey;
use witness::record::{Arch, Board, Body, EventKind, Flags, Kind, MachineFacts, Record};
use witness::verify::{self, Expected};
use witness::{Hasher, Trust};

use crate::accept;

fn device() -> SigningKey {
    artefacts::keys().private(Role::Device).unwrap()
}

fn listeners() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| packages::that_listens().sign(&artefacts::operator()).unwrap())
}

/// A run of the listeners with an event of every kind that the nucleus
/// takes but one.
fn heard() -> &'static hosted::Left {
    static RUN: OnceLock<hosted::Left> = OnceLock::new();
    RUN.get_or_init(|| {
        let long = "long ".repeat(150);
        let mut turn = 0;
        hosted::run_fed(listeners().to_vec(), &artefacts::keys(), &mut |cell| {
            let thermometer = cell.view().sensor("thermometer").unwrap();
            let of = |kind| Input::new(kind, &[]);
            let input = match turn {
                0 => Input::new(EventKind::ConsoleInput, b"hello\n"),
                1 => Input::new(EventKind::ConsoleInput, long.as_bytes()),
                2 => Input::new(EventKind::Challenge, &[7; 32]),
                3 => Input::reading(thermometer, b"21.5"),
                4 => of(EventKind::Stop),
                5 => Input::reading(thermometer, b"21.6"),
                6 => Input::new(EventKind::ConsoleInput, b"unheard\n"),
                7 => of(EventKind::Resume),
                8 => Input::new(EventKind::Entropy, &[0xee; 300]),
                9 => Input::new(EventKind::Approval, &[0; abi::SignedProof::SIZE]),
                10 => of(EventKind::Shutdown),
                _ => return false,
            };
            turn += 1;
            cell.admit(input).unwrap();
            true
        })
    })
}

fn index_of(log: &Log, is_it: impl Fn(&Record<'_>) -> bool) -> u64 {
    log.records().iter().position(is_it).unwrap() as u64
}

fn event_of(log: &Log, kind: EventKind) -> u64 {
    index_of(log, |record| matches!(record.body, Body::Event(event) if event.kind == kind))
}

#[track_caller]
fn diverges(log: &Log, package: &[u8], record: u64) -> Replayed {
    let replayed = integration::replay::replay(log, package);
    assert_eq!(replayed.divergence().record, record, "{replayed:?}\n{log}");
    assert_eq!(replayed.equal, record);
    replayed
}

#[test]
fn logs_of_every_payload_replay_equal() {
    for name in ["regress", "bootstrap", "agents"] {
        let package = artefacts::package(name);
        let left = hosted::run(package.clone(), &artefacts::keys());
        assert_equal(&left.log, &package);
    }
    assert_equal(&accept::run().log, &artefacts::package("accept"));
}

#[test]
fn a_log_with_events_of_every_kind_replays_equal() {
    let left = heard();
    for heard in ["heard hello\n", "heard long long", "read 21.5\n", "read 21.6\n"] {
        assert!(left.console.contains(heard), "{heard}\n{}", left.console);
    }
    assert_eq!(left.log.of_kind(Kind::Continuation).len(), 3);
    assert_equal(&left.log, listeners());
}

#[test]
fn runs_that_go_wrong_replay_equal() {
    for (name, _) in packages::HOSTILE {
        let package = packages::hostile(name).sign(&artefacts::operator()).unwrap();
        let left = hosted::run(package.clone(), &artefacts::keys());
        assert_equal(&left.log, &package);
    }
    // Also one of which nothing was mounted.
    let stranger = SigningKey::from_bytes(&[3; 32]);
    let package = packages::hostile("trap").sign(&stranger).unwrap();
    let left = hosted::run(package.clone(), &artefacts::keys());
    assert_eq!(left.ran.tasks.iter().find(|task| task.outcome != Outcome::Refused), None);
    assert_equal(&left.log, &package);
}

/// Numbers that look as if by chance.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Leaf 1 of some machine.
fn facts(trust: &Trust) -> MachineFacts {
    MachineFacts {
        nonce: None,
        previous_checkpoint: [0; 32],
        boot_id: [1; 16],
        kernel: [0; 32],
        loader: [0; 32],
        trust: trust.digest,
        device_key: [4; 32],
        serial: 0,
        arch: Arch::X86_64,
        board: Board::Pc,
        flags: Flags::NONE,
    }
}

/// Runs the listeners with events at any point between two slices, before and
/// after jumps of logical time, sealing now and then.
fn record(seed: u64, trust: &Trust) -> Vec<Vec<u8>> {
    let facts = facts(trust);
    let mut cell = Cell::start(Boot {
        package: listeners(),
        trust: trust.clone(),
        hasher: Hasher::SOFTWARE,
        facts,
        memory_limit: 1 << 30,
        keeps_journals: false,
    });
    let mut dice = Dice(seed);
    let mut entries = Vec::new();
    let mut left = 30;
    loop {
        if left > 0 && dice.below(3) == 0 {
            left -= 1;
            let thermometer = cell.view().sensor("thermometer").unwrap();
            let text = vec![b'a' + dice.below(20) as u8; 1 + dice.below(600) as usize];
            let input = match dice.below(8) {
                0 => Input::new(EventKind::Stop, &[]),
                1 | 2 => Input::new(EventKind::Resume, &[]),
                3 => Input::new(EventKind::Challenge, &[9; 32]),
                4 => Input::reading(thermometer, &text[..text.len().min(64)]),
                _ => Input::new(EventKind::ConsoleInput, &text),
            };
            cell.admit(input).unwrap();
        }
        let step = cell.step();
        if dice.below(2) == 0 || step != Step::Ran {
            cell.seal(&mut |entry, _| entries.push(entry.to_vec()));
        }
        match step {
            Step::Waiting { until: Some(_) } if dice.below(2) == 0 => {
                cell.jump();
            }
            Step::Waiting { until: None } if left == 0 => return entries,
            Step::Finished | Step::Failed(_) => panic!("{step:?}"),
            _ => {}
        }
    }
}

#[test]
fn events_admitted_anywhere_are_admitted_there_again() {
    let trust = artefacts::keys().trust().unwrap();
    for seed in 1..=40 {
        let entries = record(seed * 0x9e37_79b9, &trust);
        assert_eq!(Events::of(&entries).whole.len(), 30);
        assert_eq!(driven(&entries), (Verdict::Equal, entries.len() as u64), "seed {seed}");
    }
}

#[test]
fn one_changed_bit_in_a_record_or_event_does_not_verify_there() {
    let log = &heard().log;
    for index in 0..log.folder().entries.len() {
        let length = log.folder().entries[index].len();
        for bit in [0, 8 * 16, 8 * 110 + 3, 8 * length - 1] {
            let mut folder = log.folder().clone();
            folder.entries[index][bit / 8] ^= 1 << (bit % 8);
            let key = artefacts::keys().public(Role::Device).unwrap();
            let finding = Log::of(folder, key).finding(Expected::default());
            assert_eq!(finding.bad_record(), Some(index as u64), "{}", finding.sentence());
            assert_eq!(replay::extent(&finding), None);
        }
    }
}

/// Offsets in a record.
const TIME: usize = 16;
const FUEL: usize = 32;
const BODY: usize = 104;

#[test]
fn one_changed_bit_under_a_signature_diverges_at_that_record() {
    let (log, package) = (&heard().log, listeners());
    let records = log.records();
    let mut tried = 0;
    for (index, record) in records.iter().enumerate() {
        let places: &[usize] = match record.body {
            Body::Genesis(_) => &[BODY + 32, BODY + 40],
            // Leaf 1 is only claimed: nothing computes it.
            Body::Machine(_) => &[],
            // What an event's data is, too.
            Body::Event(_) | Body::Continuation(_) => &[],
            Body::Call(_) => &[FUEL, BODY, BODY + 8, BODY + 20, BODY + 24, BODY + 40, BODY + 71],
            _ => &[FUEL, BODY + 7],
        };
        for &at in places {
            let forged = log.forged(&device(), |entries| entries[index][at] ^= 1);
            // Some cannot be forged: they would not be records.
            if forged.finding(Expected::default()).word() != Word::Verified {
                continue;
            }
            tried += 1;
            let replayed = diverges(&forged, package, index as u64);
            let Side::Record(ours) = &replayed.divergence().replay else { panic!() };
            assert_eq!(*ours, log.folder().entries[index], "what the machine makes");
        }
    }
    assert!(tried > records.len(), "{tried}");
}

#[test]
fn an_event_moved_in_time_diverges_at_that_event() {
    let (log, package) = (&heard().log, listeners());
    for kind in [EventKind::ConsoleInput, EventKind::Challenge, EventKind::Sensor] {
        let index = event_of(log, kind);
        let mut tried = 0;
        for change in [1i64, -1] {
            let forged = log.forged(&device(), |entries| {
                let field = &mut entries[index as usize][TIME..TIME + 8];
                let time = u64::from_le_bytes((&*field).try_into().unwrap());
                field.copy_from_slice(&time.wrapping_add_signed(change).to_le_bytes());
            });
            // Time does not go back.
            if forged.finding(Expected::default()).word() != Word::Verified {
                continue;
            }
            tried += 1;
            let replayed = diverges(&forged, package, index);
            assert!(matches!(replayed.divergence().replay, Side::Stands { .. }), "{replayed:?}");
        }
        assert!(tried > 0, "{kind:?}");
    }
}

#[test]
fn what_an_event_says_is_seen_where_a_task_takes_it() {
    let (log, package) = (&heard().log, listeners());
    let event = event_of(log, EventKind::ConsoleInput);
    let forged = log.forged(&device(), |entries| entries[event as usize][BODY + 12] ^= 1);
    let id = log.ids()[event as usize];
    let receiver = index_of(log, |record| record.cause == Some(id));
    assert!(receiver > event);
    diverges(&forged, package, receiver);
}

#[test]
fn an_event_left_out_or_made_up_diverges_where_it_stood() {
    let (log, package) = (&heard().log, listeners());
    // The last event is the shutdown: without it the machine goes on waiting.
    let last = event_of(log, EventKind::Shutdown) as usize;
    let forged = log.forged(&device(), |entries| {
        let kind = &mut entries[last][BODY];
        assert_eq!(u16::from(*kind), EventKind::Shutdown.number());
        *kind = EventKind::Reboot.number() as u8;
    });
    // To restart and to power off leave the same records.
    assert_equal(&forged, package);
    let forged = log.forged(&device(), |entries| {
        entries[last][BODY] = EventKind::Resume.number() as u8;
    });
    diverges(&forged, package, last as u64 + 1);
}

#[test]
fn an_event_that_no_machine_admits_is_said_so() {
    let (log, package) = (&heard().log, listeners());
    let index = event_of(log, EventKind::Entropy);
    let forged = log.forged(&device(), |entries| {
        entries[index as usize][BODY] = EventKind::Packet.number() as u8;
    });
    let replayed = diverges(&forged, package, index);
    let Side::Refused(Refusal::Nucleus(error)) = &replayed.divergence().replay else {
        panic!("{replayed:?}")
    };
    assert_eq!(*error, machine::NotAdmitted::Unsupported);
}

#[test]
fn a_changed_package_is_another_one() {
    let left = heard();
    let mut package = listeners().to_vec();
    for at in [0, package.len() / 2, package.len() - 1] {
        package[at] ^= 1;
        let replayed = integration::replay::replay(&left.log, &package);
        let Verdict::NotReproducible(gap) = &replayed.verdict else { panic!("{replayed:?}") };
        assert!(matches!(gap, Gap::OtherPackage { .. }) && gap.record() == 0, "{gap}");
        // A genesis that names it does not help: nobody signed it.
        let digest = Hasher::SOFTWARE.hash(&package);
        let forged = left.log.forged(&device(), |entries| {
            entries[0][BODY..BODY + 32].copy_from_slice(&digest);
        });
        diverges(&forged, &package, 2);
        package[at] ^= 1;
    }
}

/// A replay of records that nobody signed.
fn driven(entries: &[Vec<u8>]) -> (Verdict, u64) {
    let trust = artefacts::read(&artefacts::keys().trust_path());
    let inputs =
        Inputs { package: listeners(), trust: TrustFile::Given(&trust), keeps_journals: false };
    let mut replay = replay::start(entries, Extent::Whole, inputs).ok().unwrap();
    let verdict = replay.driver.run(None, &mut |_, _| {}).unwrap();
    (verdict, replay.driver.equal())
}

#[test]
fn records_that_are_missing_or_too_many_at_the_end_are_a_divergence_there() {
    let entries = record(7, &artefacts::keys().trust().unwrap());
    let size = entries.len() as u64;
    let parted = |entries: &[Vec<u8>]| match driven(entries) {
        (Verdict::Diverged(divergence), _) => *divergence,
        other => panic!("{other:?}"),
    };
    // The last record that the machine makes by itself.
    let is_own =
        |entry: &Vec<u8>| Record::decode(entry).unwrap().subject != witness::Subject::OUTSIDE;
    let last = entries.iter().rposition(is_own).unwrap();
    let own = Side::Record(entries[last].clone());
    let short = parted(&entries[..last]);
    assert_eq!((short.record, short.log, &short.replay), (last as u64, Side::End, &own));

    let mut more = entries.clone();
    more.push(entries[last].clone());
    let long = parted(&more);
    assert_eq!((long.record, &long.log), (size, &own));
    assert!(matches!(long.replay, Side::Stands { finished: false, .. }), "{long:?}");
}

#[test]
fn tasks_that_only_the_manifest_names_are_compared_too() {
    let log = &heard().log;
    let facts = log.verified(Expected::default());
    let mut manifest = facts.manifest.unwrap();
    manifest.tasks[1].name = "another".into();
    let mut folder = log.folder().clone();
    folder.manifest = Some(manifest.sign(&facts.origin, &device()));
    let forged = Log::of(folder, artefacts::keys().public(Role::Device).unwrap());
    forged.verified(Expected::default());
    let replayed = integration::replay::replay(&forged, listeners());
    let divergence = replayed.divergence();
    assert_eq!(divergence.record, facts.records);
    let (Side::Tasks(theirs), Side::Tasks(ours)) = (&divergence.log, &divergence.replay) else {
        panic!("{divergence:?}")
    };
    assert_eq!((theirs[1].name.as_str(), ours[1].name.as_str()), ("another", "listener"));
}

#[test]
fn a_log_without_its_end_replays_as_far_as_it_goes() {
    let left = heard();
    let mut folder = left.log.folder().clone();
    folder.manifest = None;
    let key = artefacts::keys().public(Role::Device).unwrap();
    let replayed = integration::replay::replay(&Log::of(folder, key), listeners());
    assert_eq!(replayed.verdict, Verdict::Incomplete);
    assert_eq!(replayed.equal, left.log.folder().entries.len() as u64);

    // With the last records gone as well, the hashes still vouch for the rest.
    let mut folder = left.log.folder().clone();
    let event = event_of(&left.log, EventKind::Entropy);
    // In the middle of an event, which nobody can feed without its data.
    folder.entries.truncate(event as usize + 1);
    let replayed = integration::replay::replay(&Log::of(folder, key), listeners());
    assert_eq!((replayed.verdict, replayed.equal), (Verdict::Incomplete, event));

    // Without a checkpoint there is nothing to hold the records to.
    let mut folder = left.log.folder().clone();
    folder.checkpoint = None;
    let finding = Log::of(folder, key).finding(Expected::default());
    assert_eq!(replay::extent(&finding), None);
}

#[test]
fn a_marked_run_is_never_equal() {
    let package = listeners();
    let run = |at: u32| {
        let mut turn = 0;
        hosted::run_fed(package.to_vec(), &artefacts::keys(), &mut |cell| {
            turn += 1;
            let input = match turn {
                _ if turn == at => Input::new(EventKind::Unrecorded, b"a debugger"),
                1..=3 => Input::new(EventKind::ConsoleInput, b"hello\n"),
                _ => return false,
            };
            cell.admit(input).unwrap();
            true
        })
    };
    for at in 1..=3 {
        let log = run(at).log;
        let mark = event_of(&log, EventKind::Unrecorded);
        let facts = log.verified(Expected::default());
        assert_eq!(facts.unrecorded, Some(mark));
        let [line] = &verify::reproducible(&facts)[..] else { panic!("{facts:?}") };
        assert!(line.starts_with(&format!("nothing from record {mark} on")), "{line}");
        let replayed = integration::replay::replay(&log, package);
        let gap = Gap::Marked { record: mark, what: "a debugger".into() };
        assert_eq!((replayed.verdict, replayed.equal), (Verdict::NotReproducible(gap), mark));
    }
}

#[test]
fn a_mark_counts_from_its_first_record_on() {
    let word = "a debugger ".repeat(40);
    let mut is_fed = false;
    let left = hosted::run_fed(listeners().to_vec(), &artefacts::keys(), &mut |cell| {
        if std::mem::replace(&mut is_fed, true) {
            return false;
        }
        cell.admit(Input::new(EventKind::Unrecorded, word.as_bytes())).unwrap();
        true
    });
    let mark = event_of(&left.log, EventKind::Unrecorded);
    // The log was cut off before the last of its words.
    let mut folder = left.log.folder().clone();
    folder.manifest = None;
    folder.entries.truncate(mark as usize + 1);
    let key = artefacts::keys().public(Role::Device).unwrap();
    let replayed = integration::replay::replay(&Log::of(folder, key), listeners());
    let Verdict::NotReproducible(gap) = &replayed.verdict else { panic!("{replayed:?}") };
    assert_eq!((gap.record(), replayed.equal), (mark, mark));
}

#[test]
fn a_machine_that_stands_behind_a_mark_cannot_be_equal() {
    let mut entries = record(5, &artefacts::keys().trust().unwrap());
    let first = Events::of(&entries).whole[0].index;
    let trust = artefacts::read(&artefacts::keys().trust_path());
    let inputs =
        Inputs { package: listeners(), trust: TrustFile::Given(&trust), keeps_journals: false };
    let mut replay = replay::start(&entries, Extent::Whole, inputs).ok().unwrap();
    let verdict = replay.driver.run(Some(first + 1), &mut |_, _| {}).unwrap();
    assert_eq!(verdict, Verdict::Stopped);
    let cell = replay.driver.into_cell();
    let index = usize::try_from(first).unwrap();
    entries[index][BODY] = EventKind::Unrecorded.number() as u8;
    let mut driver = Driver::new(cell, &entries, Extent::Whole);
    let verdict = driver.run(None, &mut |_, _| {}).unwrap();
    let Verdict::NotReproducible(gap) = verdict else { panic!("{verdict:?}") };
    assert_eq!(gap.record(), first);
}

#[test]
fn a_record_that_hangs_on_an_unknown_trust_file_cannot_be_reproduced() {
    let keys = artefacts::keys();
    let operator = keys.public(Role::Operator).unwrap();
    let trust = Trust { revoked: vec![operator], ..keys.trust().unwrap() };
    let mut cell = Cell::start(Boot {
        package: listeners(),
        trust,
        hasher: Hasher::SOFTWARE,
        facts: facts(&keys.trust().unwrap()),
        memory_limit: u64::MAX,
        keeps_journals: false,
    });
    let mut entries = Vec::new();
    cell.seal(&mut |entry, _| entries.push(entry.to_vec()));
    let inputs = Inputs { package: listeners(), trust: TrustFile::Unknown, keeps_journals: false };
    let mut replay = replay::start(&entries, Extent::Whole, inputs).ok().unwrap();
    let verdict = replay.driver.run(None, &mut |_, _| {}).unwrap();
    let finding = heard().log.finding(Expected::default());
    let cell = replay.driver.cell();
    let verdict = replay::conclude(verdict, cell, &finding, &replay.assumed);
    assert_eq!(verdict, Verdict::NotReproducible(Gap::NeedsTrust { record: 2 }));
}

#[test]
fn whatever_is_done_to_records_the_replay_ends_at_the_first_that_was_changed() {
    let entries = record(11, &artefacts::keys().trust().unwrap());
    let mut dice = Dice(0x00c0_ffee);
    for _ in 0..200 {
        let mut changed = entries.clone();
        let at = 2 + dice.below(entries.len() as u64 - 3) as usize;
        match dice.below(4) {
            0 => drop(changed.remove(at)),
            1 => changed.swap(at, at + 1),
            2 => changed.insert(at, entries[dice.below(entries.len() as u64) as usize].clone()),
            _ => {
                let byte = dice.below(changed[at].len() as u64) as usize;
                changed[at][byte] ^= 1 << dice.below(8);
            }
        }
        if changed == entries {
            continue;
        }
        // An event is judged as a whole, also where a part of it was changed.
        let mut from = at;
        while Record::decode(&entries[from - 1]).unwrap().subject == witness::Subject::OUTSIDE {
            from -= 1;
        }
        match driven(&changed) {
            // What an event says, and what sort of event it is, is input: the
            // log parts where a task, or the next record, shows it.
            (Verdict::Diverged(divergence), equal) => {
                assert!(divergence.record >= from as u64, "{at}: {divergence:?}");
                assert_eq!(divergence.record, equal);
            }
            (Verdict::NotReproducible(gap), _) => assert!(gap.record() >= from as u64),
            // Or none does.
            (Verdict::Equal, _) => {
                let record = Record::decode(&changed[at]).unwrap();
                assert!(matches!(record.body, Body::Event(_) | Body::Continuation(_)), "{record}");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The others are tried at random above, here all of them.
#[test]
#[ignore = "some ten thousand replays"]
fn every_bit_of_a_log_that_a_machine_computes_is_compared() {
    let mut turn = 0;
    let left = hosted::run_fed(listeners().to_vec(), &artefacts::keys(), &mut |cell| {
        turn += 1;
        turn <= 2 && cell.admit(Input::new(EventKind::ConsoleInput, b"h\n")).is_ok()
    });
    let entries = &left.log.folder().entries;
    assert_eq!(driven(entries), (Verdict::Equal, entries.len() as u64));
    let mut tried = 0;
    for (at, entry) in entries.iter().enumerate().skip(2) {
        let is_event = Record::decode(entry).unwrap().subject == witness::Subject::OUTSIDE;
        for bit in 0..8 * entry.len() {
            let mut changed = entries.clone();
            changed[at][bit / 8] ^= 1 << (bit % 8);
            tried += 1;
            match driven(&changed) {
                (Verdict::Diverged(parted), equal) => {
                    assert_eq!(parted.record, equal);
                    // What an event says shows where a task takes it.
                    let is_there = equal == at as u64;
                    assert!(is_there || is_event && equal > at as u64, "{at} {bit}: {parted:?}");
                }
                (Verdict::NotReproducible(gap), _) => {
                    assert!(is_event && gap.record() == at as u64, "{at} {bit}: {gap}");
                }
                (Verdict::Equal, _) => assert!(is_event && bit >= 8 * BODY, "{at} {bit}"),
                other => panic!("{at} {bit}: {other:?}"),
            }
        }
    }
    assert!(tried > 10_000, "{tried}");
}

#[test]
fn what_a_machine_had_no_memory_for_is_only_claimed() {
    let facts = facts(&artefacts::keys().trust().unwrap());
    let mut cell = Cell::start(Boot {
        package: listeners(),
        trust: artefacts::keys().trust().unwrap(),
        hasher: Hasher::SOFTWARE,
        facts,
        memory_limit: 1 << 20,
        keeps_journals: false,
    });
    assert_eq!(cell.step(), Step::Finished);
    let mut entries = Vec::new();
    cell.seal(&mut |entry, _| entries.push(entry.to_vec()));
    let trust = artefacts::read(&artefacts::keys().trust_path());
    for trust in [TrustFile::Given(&trust), TrustFile::Unknown] {
        let inputs = Inputs { package: listeners(), trust, keeps_journals: false };
        let mut replay = replay::start(&entries, Extent::Whole, inputs).ok().unwrap();
        assert_eq!(replay.driver.run(None, &mut |_, _| {}), Ok(Verdict::Equal));
        assert_eq!(replay.assumed.last(), Some(&Assumption::NoMemory));
    }
}

/// Processor time of this thread: the machine that runs this has other things
/// to do as well.
fn worked() -> Duration {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(times.split_whitespace().next().unwrap().parse().unwrap())
}

/// Best of five, alternating.
#[test]
fn a_replay_is_not_slower_than_the_run_was() {
    let package = artefacts::package("bootstrap");
    let trust = artefacts::read(&artefacts::keys().trust_path());
    let (mut ran, mut replayed) = (Duration::MAX, Duration::MAX);
    for _ in 0..5 {
        let began = worked();
        let left = hosted::run(package.clone(), &artefacts::keys());
        ran = ran.min(worked() - began);
        let began = worked();
        let again = replay_with(&left.log, &package, TrustFile::Given(&trust));
        replayed = replayed.min(worked() - began);
        assert_eq!(again.verdict, Verdict::Equal);
    }
    assert!(replayed <= ran.mul_f64(1.1), "the run {ran:?}, with verification {replayed:?}");
}

#[test]
fn without_the_trust_file_what_it_allowed_is_only_claimed() {
    let left = heard();
    let replayed = replay_with(&left.log, listeners(), TrustFile::Unknown);
    assert_eq!(replayed.verdict, Verdict::Equal);
    assert_eq!(replayed.assumed, [Assumption::SignerTrusted]);
    // A file that is another one is no help where it may be, and wrong where
    // it must be.
    let other = Trust::default().sign(&SigningKey::from_bytes(&[2; 32]));
    let replayed = replay_with(&left.log, listeners(), TrustFile::Perhaps(other.as_bytes()));
    assert_eq!(replayed.assumed, [Assumption::SignerTrusted]);
    let replayed = replay_with(&left.log, listeners(), TrustFile::Given(other.as_bytes()));
    let Verdict::NotReproducible(gap) = replayed.verdict else { panic!("{replayed:?}") };
    assert!(matches!(gap, Gap::OtherTrust { .. }), "{gap}");

    // What the trust file refused, in a log that says it did not.
    let stranger = SigningKey::from_bytes(&[3; 32]);
    let package = packages::hostile("trap").sign(&stranger).unwrap();
    let left = hosted::run(package.clone(), &artefacts::keys());
    let replayed = replay_with(&left.log, &package, TrustFile::Unknown);
    assert_eq!(replayed.verdict, Verdict::Equal);
    assert_eq!(replayed.assumed, [Assumption::SignerNotTrusted]);
}
