//! One package, one set of records, whatever it runs on.
//!
//! Each run is held to the hosted one, so ten that pass have one set of
//! records.

use integration::{Arch, Log, MachineStatus, Trial, artefacts, hosted};
use witness::record::Kind;
use witness::verify::Expected;

use crate::regress;

/// A log that has seen some work.
const MANY: u64 = 1_000;

fn hosted() -> hosted::Left {
    hosted::run(artefacts::package("bootstrap"), &artefacts::keys())
}

/// The text that the payload prints, as it stands on a machine's console.
#[track_caller]
fn assert_printed(console: &str, text: &str) {
    assert!(!text.is_empty() && console.contains(text), "{console}\nlacks\n{text}");
}

fn bootstrap_is_the_same_on(arch: Arch) {
    let here = hosted();
    let left = Trial::on(arch).package(artefacts::package("bootstrap")).run();
    let left = left.ended(MachineStatus::Success);
    let log = left.log();
    assert!(log.verified(Expected::default()).records >= MANY);
    log.assert_same_records(&here.log);
    assert_printed(&left.console(), &here.console);
}

/// Slow: a thousand resamples, interpreted on an emulated machine.
#[test]
fn bootstrap_has_the_same_records_on_x86_64_as_hosted() {
    bootstrap_is_the_same_on(Arch::X86_64);
}

/// Slow, as above.
#[test]
fn bootstrap_has_the_same_records_on_aarch64_as_hosted() {
    bootstrap_is_the_same_on(Arch::Aarch64);
}

#[test]
fn a_long_log_verifies_and_claims_each_resample() {
    let here = hosted();
    assert!(here.ran.succeeded, "{:?}", here.ran);
    let facts = here.log.verified(Expected { nonce: Some(hosted::NONCE), ..Expected::default() });
    assert!(facts.records >= MANY, "{} records", facts.records);
    assert_eq!(here.log.of_kind(Kind::Call(abi::Call::AttestEmit)).len(), 1_001);
}

#[test]
fn ten_hosted_runs_of_a_payload_have_one_set_of_records() {
    for payload in ["regress", "bootstrap"] {
        let run = || hosted::run(artefacts::package(payload), &artefacts::keys());
        let first = run();
        for _ in 1..10 {
            let again = run();
            again.log.assert_same_records(&first.log);
            assert_eq!(again.console, first.console);
        }
    }
}

#[test]
fn ten_runs_of_regress_on_x86_64_have_one_set_of_records() {
    (0..10).for_each(|_| drop(regress::runs(Trial::on(Arch::X86_64))));
}

#[test]
fn ten_runs_of_regress_on_aarch64_have_one_set_of_records() {
    (0..10).for_each(|_| drop(regress::runs(Trial::on(Arch::Aarch64))));
}

#[test]
#[ignore = "long"]
fn ten_runs_of_bootstrap_on_x86_64_have_one_set_of_records() {
    (0..10).for_each(|_| bootstrap_is_the_same_on(Arch::X86_64));
}

#[test]
#[ignore = "long"]
fn ten_runs_of_bootstrap_on_aarch64_have_one_set_of_records() {
    (0..10).for_each(|_| bootstrap_is_the_same_on(Arch::Aarch64));
}

#[test]
fn another_package_has_other_records() {
    let log = |name: &str| -> Log { hosted::run(artefacts::package(name), &artefacts::keys()).log };
    let (regress, bootstrap) = (log("regress"), log("bootstrap"));
    assert_ne!(regress.difference(&bootstrap), None);
}
