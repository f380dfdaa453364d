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

/// Every command that only looks, and none that changes anything.
const LOOKS: &str = "help\rinfo\rtasks\rcaps kernel\rcaps bootstrap\rmem\rqueues\rregions\rvectors\r\
    graphs\rproofs\rwitness\rwitness tail 100\rwitness show 2\rwitness proof 0\rwitness export\r\
    perf\rirq\rcpu\rtrace\rpanic\rmount\rinfo -j\rtasks -j\rcaps kernel -j\rmem -j\rqueues -j\r\
    regions -j\rvectors -j\rgraphs -j\rproofs -j\rwitness -j\rwitness proof 0 -j\rperf -j\rirq -j\r\
    cpu -j\rlog\rlog warnings\rlog -j\rtrace -j\rpanic -j\rmount -j\rno such command\r\x03\x0c\tw\t\x15";

/// All the while somebody looks, by every command there is for it, as fast as
/// the line takes it.
fn bootstrap_is_the_same_on(arch: Arch) {
    let here = hosted();
    let mut machine = Trial::on(arch).package(artefacts::package("bootstrap")).start();
    machine.expect("[kernel] log ");
    machine.send(LOOKS);
    // Answered in the middle of the run: its task has not ended.
    machine.expect("There is no command `no`");
    assert!(!machine.console().contains("[kernel] task "), "{}", machine.console());
    let left = machine.wait().ended(MachineStatus::Success);
    let log = left.log();
    assert!(log.verified(Expected::default()).records >= MANY);
    log.assert_same_records(&here.log);
    // Between the pieces of what the task says stands the prompt.
    let console = left.console().replace("helio> ", "").replace('\r', "");
    assert_printed(&console, &here.console);
    assert_all_is_looked_at();
}

fn assert_all_is_looked_at() {
    let changing = ["challenge", "type", "feed", "approve", "stop", "resume", "snapshot"];
    let ending = ["reboot", "poweroff"];
    for command in rvsh::command::COMMANDS {
        let is_looked_at =
            LOOKS.split('\r').any(|line| line.split(' ').next() == Some(command.name));
        let is_other = changing.iter().chain(&ending).any(|name| *name == command.name);
        assert!(is_looked_at != is_other, "{}", command.name);
    }
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
