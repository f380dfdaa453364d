//! A log disk that is full before the run is at its end.

use helio::log::stream;
use helio::verify::Word;
use integration::replay::replay;
use integration::work::Work;
use integration::{Log, MachineStatus, Trial, artefacts};
use witness::verify::{Expected, Missing, Verdict};

/// Room for most of the run's 1,014 records, and for a checkpoint in the middle
/// of the thousand that come without a word on the console.
const BYTES: u64 = 208 << 10;

#[test]
fn a_full_log_disk_ends_the_machine_and_what_is_on_it_verifies() {
    let work = Work::new("full");
    let path = work.path().join("small.raw");
    std::fs::File::create(&path).unwrap().set_len(BYTES).unwrap();
    let drive = format!("if=none,id=small,format=raw,file={}", path.display());
    let trial = Trial::quick().package(artefacts::package("bootstrap")).without_log_disk();
    let trial = trial.arguments(&["-drive", &drive, "-device", "virtio-blk-device,drive=small"]);
    let left = trial.run().ended(MachineStatus::LogFailed);
    assert_eq!(left.said("the log cannot be written: ").len(), 1, "{}", left.console());

    let imported = stream::from_bytes(&std::fs::read(path).unwrap(), None).unwrap();
    let log = Log::new(&imported.log);
    let finding = log.finding(Expected::default());
    assert_eq!(finding.word(), Word::Incomplete, "{}", finding.sentence());
    let Verdict::Incomplete { missing, verified } = finding.report.verdict else { panic!() };
    assert_eq!(missing, Missing::Manifest);
    assert!((500..1_000).contains(&verified), "{verified} records");
    let replayed = replay(&log, &artefacts::package("bootstrap"));
    assert_eq!((replayed.verdict, replayed.equal), (helio::replay::Verdict::Incomplete, verified));
    // The payload's last words come behind its last records, so they were
    // never shown.
    assert!(!left.console().contains("attested"), "{}", left.console());
}
