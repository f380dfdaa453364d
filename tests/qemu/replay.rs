//! Logs of machines in QEMU, replayed on the host: what another architecture
//! did, with what was typed at its console, comes out of this one record by
//! record.

use integration::replay::assert_equal;
use integration::{Arch, Left, Log, MachineStatus, Running, Trial};
use integration::{accept, artefacts, c, packages};
use witness::record::{Body, EventKind, Kind, Record};
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
    say(&mut machine, &format!("challenge {nonce}"), "becomes an event");
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

/// Runs a payload and types at its console: a word while its tasks work, then
/// these lines, each of them with what it is answered.
fn typed(arch: Arch, package: &[u8], lines: &[(String, &str)]) -> Log {
    let mut machine = Trial::on(arch).package(package.to_vec()).words("end=shell").start();
    machine.expect("[kernel] log ");
    machine.send("type first\r");
    machine.expect("nothing is left to do");
    machine.expect("helio> ");
    for (line, answer) in lines {
        say(&mut machine, line, answer);
    }
    say(&mut machine, "type last", "becomes an event");
    machine.send("poweroff\r");
    let log = machine.wait().log();
    log.verified(Expected::default());
    log
}

fn payloads_replay_from(arch: Arch) {
    for name in ["regress", "bootstrap", "agents"] {
        let package = artefacts::package(name);
        let log = typed(arch, &package, &[]);
        let records = log.records();
        let is_event = |record: &&Record<'_>| record.kind() == Kind::Event;
        let first = records.iter().find(is_event).unwrap();
        let exit = records.iter().rfind(|record| record.kind() == Kind::Exit).unwrap();
        // The others may be done before anybody can type.
        let in_time = first.point.slice < exit.point.slice || name != "bootstrap";
        assert!(in_time, "nothing was typed while it worked\n{log}");
        assert_equal(&log, &package);
    }
    // All that misbehave, one that does not, and the one in C.
    let names = packages::HOSTILE.map(|(name, _)| name);
    let mut contents = packages::together(&names);
    let c = c::contents();
    let tasks = contents.tasks.len() + c.iter().count();
    c.into_iter().for_each(|c| packages::join(&mut contents, c));
    let package = contents.sign(&artefacts::operator()).unwrap();
    let log = typed(arch, &package, &[]);
    assert_eq!(log.verified(Expected::default()).manifest.unwrap().tasks.len(), tasks);
    assert_equal(&log, &package);
    let package = artefacts::package("accept");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let reading = format!("feed thermometer 0x{}", hex(&accept::reading()));
    let approve = format!("approve {}", hex(&accept::proof(&package)));
    let lines = [(reading, "becomes an event"), (approve, "100 samples as written last")];
    let log = typed(arch, &package, &lines);
    assert!(log.records().len() > 10_000);
    assert_equal(&log, &package);
}

#[test]
fn payloads_with_typed_input_on_x86_64_replay_equal() {
    payloads_replay_from(Arch::X86_64);
}

#[test]
fn payloads_with_typed_input_on_aarch64_replay_equal() {
    payloads_replay_from(Arch::Aarch64);
}
