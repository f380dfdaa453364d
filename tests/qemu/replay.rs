//! Logs of machines in QEMU, replayed on the host: what another architecture
//! did, with what was typed at its console, comes out of this one record by
//! record.

use integration::replay::assert_equal;
use integration::{Arch, Left, MachineStatus, Running, Trial, artefacts, packages};
use witness::record::{Body, EventKind, Kind};
use witness::verify::Expected;

#[track_caller]
fn say(machine: &mut Running, line: &str, answer: &str) {
    machine.send(&format!("{line}\r"));
    machine.expect(answer);
    machine.expect("helio> ");
}

fn listeners() -> Vec<u8> {
    packages::that_listens().sign(&artefacts::operator()).unwrap()
}

/// A machine that somebody talks to: lines for a task, readings, a stop, a
/// resume, a challenge.
fn talks(arch: Arch) -> Left {
    let long = "long ".repeat(80);
    let nonce = "c4".repeat(32);
    let mut machine = Trial::on(arch).package(listeners()).words("end=shell").start();
    machine.expect("nothing is left to do");
    machine.expect("helio> ");
    say(&mut machine, "type hello", "heard hello");
    say(&mut machine, &format!("type {long}"), "heard long long");
    say(&mut machine, "feed thermometer 21.5", "read 21.5");
    say(&mut machine, &format!("challenge {nonce}"), "checkpoint");
    say(&mut machine, "stop", "Every task's next call is denied.");
    say(&mut machine, "feed thermometer 21.6", "becomes an event");
    say(&mut machine, "type unheard", "becomes an event");
    say(&mut machine, "resume", "The tasks go on.");
    say(&mut machine, "type again", "heard again");
    machine.send("poweroff\r");
    machine.wait().ended(MachineStatus::TaskFailed)
}

fn what_was_typed_replays_from(arch: Arch) {
    let left = talks(arch);
    let log = left.log();
    log.verified(Expected::default());
    let events = log.of_kind(Kind::Event);
    let kinds = events.iter().filter_map(|record| match record.body {
        Body::Event(event) => Some(event.kind),
        _ => None,
    });
    let kinds: Vec<_> = kinds.collect();
    use EventKind::{Challenge, ConsoleInput, Resume, Sensor, Shutdown, Stop};
    let expected = [
        ConsoleInput,
        ConsoleInput,
        Sensor,
        Challenge,
        Stop,
        Sensor,
        ConsoleInput,
        Resume,
        ConsoleInput,
        Shutdown,
    ];
    assert_eq!(kinds, expected, "{log}");
    assert!(!log.of_kind(Kind::Continuation).is_empty(), "{log}");
    assert_equal(&log, &listeners());
}

#[test]
fn a_log_from_x86_64_with_typed_input_replays_equal() {
    what_was_typed_replays_from(Arch::X86_64);
}

#[test]
fn a_log_from_aarch64_with_typed_input_replays_equal() {
    what_was_typed_replays_from(Arch::Aarch64);
}

/// What is typed while tasks work is admitted between two of their slices.
#[test]
fn events_in_the_middle_of_work_replay_equal() {
    let package = artefacts::package("bootstrap");
    let mut machine = Trial::quick().package(package.clone()).words("end=shell").start();
    machine.expect("[kernel] log ");
    // The shell answers between slices, and tells nobody when: only the log
    // does.
    for word in ["stop", "resume", "type nobody listens", "stop", "resume"] {
        machine.send(&format!("{word}\r"));
    }
    machine.expect("nothing is left to do");
    machine.send("poweroff\r");
    let log = machine.wait().log();
    log.verified(Expected::default());
    let first = log.of_kind(Kind::Event).first().map(|record| record.point.slice);
    assert!(first.is_some(), "{log}");
    assert_equal(&log, &package);
}

#[test]
fn logs_of_payloads_from_both_architectures_replay_equal() {
    for arch in Arch::ALL {
        for name in ["regress", "accept", "agents"] {
            let package = artefacts::package(name);
            let log = Trial::on(arch).package(package.clone()).run().log();
            log.verified(Expected::default());
            assert_equal(&log, &package);
        }
    }
}
