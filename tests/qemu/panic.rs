//! A kernel that panics in the middle of a run: a report, a status of its
//! own, and a log in which everything before it stays evidence.

use integration::replay::assert_equal;
use integration::{Arch, MachineStatus, Trial, artefacts};
use witness::manifest::{End, Outcome};
use witness::verify::Expected;

fn panics_in_a_run(arch: Arch) {
    let trial = Trial::on(arch).package(artefacts::package("bootstrap")).words("panic-after=100");
    let left = trial.run().ended(MachineStatus::Panic);
    assert_eq!(left.said("panic: the command line asked for it (").len(), 1);
    left.assert_said("the log is closed: what it holds is signed");
    let log = left.log();
    let facts = log.verified(Expected::default());
    let manifest = facts.manifest.unwrap();
    assert_eq!(manifest.end, End::Panic);
    assert_eq!(manifest.tasks[0].outcome, Outcome::Running);
    // In the middle: the task had begun, and it was not at its end.
    assert!((100..1_000).contains(&facts.records), "{log}");
    // And all of it is what the package computes.
    assert_equal(&log, &artefacts::package("bootstrap"));
}

#[test]
fn what_was_logged_before_a_panic_verifies() {
    Arch::ALL.into_iter().for_each(panics_in_a_run);
}
