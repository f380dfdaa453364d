//! Snapshots at rest: what a log commits to, a stranger goes on from.

use std::fs;
use std::path::{Path, PathBuf};

use helio::replay::{self, Driver, Inputs, NoStart, TrustFile, Verdict};
use helio::snapshot::{self, Snapshot};
use integration::work::Work;
use integration::{Log, artefacts, hosted};
use machine::{Cell, Surroundings};
use nucleus::view::Body;
use witness::Hasher;
use witness::record::{Kind, RootReason};

use crate::accept;

/// The acceptance run, and a folder with its snapshots.
struct Taken {
    left: hosted::Left,
    work: Work,
}

fn inputs<'a>(package: &'a [u8], trust: &'a [u8], keeps_journals: bool) -> Inputs<'a> {
    Inputs { package, trust: TrustFile::Given(trust), keeps_journals }
}

fn trust() -> Vec<u8> {
    artefacts::read(&artefacts::keys().trust_path())
}

/// Numbers of the records of a log that commit to a state.
fn roots(log: &Log) -> Vec<u64> {
    let is_root = |record: &witness::Record<'_>| match record.body {
        witness::Body::StateRoot(root) => root.reason != RootReason::Exit,
        _ => false,
    };
    (0..).zip(log.records()).filter(|(_, record)| is_root(record)).map(|(at, _)| at).collect()
}

impl Taken {
    fn new() -> Self {
        let left = accept::run();
        let taken = Self { left, work: Work::new("snapshots") };
        let entries = &taken.left.log.folder().entries;
        let (package, trust) = (artefacts::package("accept"), trust());
        let inputs = inputs(&package, &trust, true);
        let mut replay = replay::start(entries, replay::Extent::Whole, inputs).ok().unwrap();
        let folder = taken.work.path();
        let verdict = replay.driver.run(None, &mut |next, cell| {
            if cell.is_root_due() && !taken.path(next).exists() {
                assert_eq!(snapshot::write(folder, cell).unwrap(), taken.path(next));
            }
        });
        assert_eq!(verdict.unwrap(), Verdict::Equal);
        taken
    }

    fn path(&self, record: u64) -> PathBuf {
        self.work.path().join(format!("{record}.snapshot"))
    }

    fn restore(&self, snapshot: &Snapshot) -> Result<replay::Replay<'_>, NoStart> {
        let entries = &self.left.log.folder().entries;
        replay::restore(entries, replay::Extent::Whole, snapshot, inputs(&[], &trust(), false))
    }
}

/// What the store of readings holds under the first key, as text.
fn reading(cell: &Cell) -> String {
    let mut objects = cell.view().objects();
    let (_, store) = objects.find(|(_, object)| object.name == "readings").unwrap();
    let Body::Vectors(vectors) = &store.body else { panic!("{store:?}") };
    let slot = vectors.store.find(1).unwrap();
    let root = vectors.store.tree().root();
    format!("{:?} {root:x?}", vectors.store.entry(slot).unwrap())
}

#[test]
fn whoever_goes_on_from_a_snapshot_makes_the_records_that_followed() {
    let taken = Taken::new();
    let roots = roots(&taken.left.log);
    assert!(roots.len() >= 4, "{roots:?}");
    let mut readings = Vec::new();
    for record in roots {
        let snapshot = snapshot::read(&taken.path(record)).unwrap();
        assert_eq!(snapshot.record, record);
        let mut replay = taken.restore(&snapshot).ok().unwrap();
        assert_eq!(replay.driver.equal(), record);
        readings.push(reading(replay.driver.cell()));
        assert_eq!(replay.driver.run(None, &mut |_, _| {}), Ok(Verdict::Equal));
        readings.push(reading(replay.driver.cell()));
    }
    // Value and metadata are the same at each, and at the end.
    assert!(readings.iter().all(|other| *other == readings[0]), "{readings:#?}");
    assert!(readings[0].contains("21.5"), "{}", readings[0]);
}

/// Replays a log; now and then the machine is written down, thrown away and
/// read back.
fn replays_interrupted(log: &Log, package: &[u8], times: u64) {
    let entries = &log.folder().entries;
    let trust = trust();
    let replay =
        replay::start(entries, replay::Extent::Whole, inputs(package, &trust, true)).ok().unwrap();
    let (mut driver, records) = (replay.driver, entries.len() as u64);
    for time in 1..=times {
        let until = records * time / (times + 1);
        assert_eq!(driver.run(Some(until), &mut |_, _| {}), Ok(Verdict::Stopped), "{log}");
        let cell = driver.into_cell();
        let mut bytes = Vec::new();
        cell.save(&mut |page| bytes.extend_from_slice(page)).unwrap();
        let ids = cell.log().ids().copied().collect();
        drop(cell);
        let trust = artefacts::keys().trust().unwrap();
        let surroundings = Surroundings { trust, hasher: Hasher::SOFTWARE, ids };
        let cell = Cell::restore(&bytes, surroundings).unwrap();
        driver = Driver::new(cell, entries, replay::Extent::Whole);
    }
    assert_eq!(driver.run(None, &mut |_, _| {}), Ok(Verdict::Equal), "{log}");
    assert_eq!(driver.equal(), records);
}

/// Children, stores with approvals under way, guards, sensors, numbers.
#[test]
fn payloads_interrupted_again_and_again_leave_the_same_records() {
    replays_interrupted(&accept::run().log, &artefacts::package("accept"), 12);
    for (name, times) in [("agents", 8), ("bootstrap", 4), ("regress", 3)] {
        let package = artefacts::package(name);
        let left = hosted::run(package.clone(), &artefacts::keys());
        replays_interrupted(&left.log, &package, times);
    }
}

#[test]
fn snapshots_share_the_pages_that_did_not_change() {
    let taken = Taken::new();
    let lines = |path: &Path| fs::read_to_string(path).unwrap().lines().count() - 2;
    let listed: usize = roots(&taken.left.log).iter().map(|at| lines(&taken.path(*at))).sum();
    let pages = fs::read_dir(taken.work.path().join("pages")).unwrap().count();
    assert!(pages * 2 < listed, "{pages} pages for {listed} places");
}

#[test]
fn a_snapshot_that_the_log_does_not_commit_to_is_refused() {
    let taken = Taken::new();
    let record = roots(&taken.left.log)[0];
    let good = snapshot::read(&taken.path(record)).unwrap();
    let mut changed = good.clone();
    changed.root[0] ^= 1;
    let refused = taken.restore(&changed).err().unwrap();
    assert!(matches!(refused, NoStart::NotCommitted { committed: Some(_), .. }), "{refused:?}");
    let other = Snapshot { record: record + 1, ..good };
    let refused = taken.restore(&other).err().unwrap();
    assert!(matches!(refused, NoStart::NotCommitted { committed: None, .. }), "{refused:?}");
    // A page that is not what its name says, and a file that names no page.
    let path = taken.path(record);
    let text = fs::read_to_string(&path).unwrap();
    let page = taken.work.path().join("pages").join(text.lines().nth(2).unwrap());
    let mut bytes = fs::read(&page).unwrap();
    bytes[100] ^= 4;
    fs::write(&page, bytes).unwrap();
    let error = snapshot::read(&path).unwrap_err().to_string();
    assert!(error.contains("line 3"), "{error}");
    fs::remove_file(&page).unwrap();
    assert!(snapshot::read(&path).is_err());
    for text in ["", "heliograph-snapshot@v1\n", "heliograph-snapshot@v1\n1 x\n", "\u{0}"] {
        fs::write(&path, text).unwrap();
        assert!(snapshot::read(&path).is_err(), "{text:?}");
    }
}

#[test]
fn roots_of_the_whole_state_are_the_kernels() {
    let left = accept::run();
    for at in roots(&left.log) {
        let record = &left.log.records()[usize::try_from(at).unwrap()];
        assert_eq!((record.subject, record.kind()), (witness::Subject::KERNEL, Kind::StateRoot));
        assert_eq!(record.point.slice % 500, 0);
    }
}
