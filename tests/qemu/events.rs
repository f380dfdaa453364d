//! What comes in while a machine runs: readings, a stop, a resume. Both
//! architectures make the same records of it.

use helio::pack::Recipe;
use helio::replay::{self, Extent, Inputs, TrustFile, Verdict as Replayed};
use helio::snapshot;
use integration::{Arch, Log, MachineStatus, Running, Trial, artefacts, work::Work};
use witness::manifest::Outcome;
use witness::record::{Body, EventKind, Kind, Verdict};
use witness::verify::Expected;

/// A reactor that subscribes to a sensor and says each reading.
const ECHO: &str = r#"(module
    (import "heliograph" "queue_send" (func $send (param i32 i32 i32 i32 i32) (result i64)))
    (import "heliograph" "queue_recv" (func $receive (param i32 i64 i32 i32) (result i64)))
    (import "heliograph" "sensor_subscribe" (func $subscribe (param i32 i32) (result i64)))
    (memory (export "memory") 1)
    (data (i32.const 0) "read ")
    (func (export "_initialize") (drop (call $subscribe (i32.const 0) (i32.const -2))))
    (func (export "on_message") (local $length i32)
        (local.set $length (i32.wrap_i64
            (call $receive (i32.const -2) (i64.const 0) (i32.const 64) (i32.const 256))))
        (if (i32.lt_s (local.get $length) (i32.const 24)) (then (return)))
        (i32.store8 (i32.add (local.get $length) (i32.const 64)) (i32.const 10))
        (memory.copy (i32.const 5) (i32.const 88) (i32.sub (local.get $length) (i32.const 23)))
        (drop (call $send (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)
            (i32.sub (local.get $length) (i32.const 18))))))"#;

const RECIPE: &str = r#"
    package = { name = "echo", version = 1, state_roots = 1_000_000 }
    limits = { fuel = 100_000_000, memory = 65_536, records = 1_000 }
    component = [{ name = "echo", file = "echo.wat" }]
    sensor = [{ name = "thermometer" }]
    [[task]]
    name = "echo"
    component = "echo"
    kind = "reactor"
    memory = 65_536
    capabilities = [
        { kind = "sensor", name = "thermometer", rights = ["read"] },
        { kind = "queue", name = "console", rights = ["write"] },
    ]
"#;

fn package() -> Vec<u8> {
    let work = Work::new("echo");
    let path = work.path().join("echo.toml");
    std::fs::write(&path, RECIPE).unwrap();
    std::fs::write(work.path().join("echo.wat"), ECHO).unwrap();
    let contents = Recipe::read(&path).unwrap().gather(work.path()).unwrap();
    contents.sign(&artefacts::operator()).unwrap()
}

#[track_caller]
fn say(machine: &mut Running, line: &str, answer: &str) {
    machine.send(&format!("{line}\r"));
    machine.expect(answer);
    machine.expect("helio> ");
}

fn run(arch: Arch) -> integration::Left {
    let mut machine = Trial::on(arch).package(package()).words("end=shell").start();
    machine.expect("nothing is left to do");
    machine.expect("helio> ");
    say(&mut machine, "feed thermometer 21.5", "read 21.5");
    say(&mut machine, "feed barometer 1013", "there is no sensor of that name");
    say(&mut machine, "stop", "Every task's next call is denied.");
    // The reactor is called, and its call is denied.
    say(&mut machine, "feed thermometer 21.6", "becomes an event");
    say(&mut machine, "tasks", "parked");
    // What it was not let read is still in its mailbox.
    say(&mut machine, "resume", "read 21.6");
    say(&mut machine, "snapshot", "The root of the state is recorded.");
    say(&mut machine, "feed thermometer 21.7", "read 21.7");
    machine.send("poweroff\r");
    machine.wait().ended(MachineStatus::TaskFailed)
}

#[test]
fn readings_a_stop_and_a_resume_make_the_same_records_on_both_architectures() {
    let [one, other] = Arch::ALL.map(run);
    let log = one.log();
    let facts = log.verified(Expected::default());
    // The reactor was there until the machine was switched off.
    assert_eq!(facts.manifest.unwrap().tasks[0].outcome, Outcome::Killed);
    let events: Vec<_> = log
        .of_kind(Kind::Event)
        .iter()
        .filter_map(
            |record| if let Body::Event(event) = record.body { Some(event.kind) } else { None },
        )
        .collect();
    use EventKind::{Resume, Sensor, Shutdown, Snapshot, Stop};
    assert_eq!(events, [Sensor, Stop, Sensor, Resume, Snapshot, Sensor, Shutdown]);
    let denied = Verdict::Denied(abi::Error::Halted);
    let records = log.records();
    let halted: Vec<_> = records.iter().filter(|record| record.verdict == denied).collect();
    assert_eq!(halted.len(), 1, "{log}");
    log.assert_same_records(&other.log());
    goes_on_from_its_snapshot(&other.log());
}

/// A host takes the snapshot that the log commits to, and goes on from it.
fn goes_on_from_its_snapshot(log: &Log) {
    let work = Work::new("snapshot");
    let (package, entries) = (package(), &log.folder().entries);
    let trust = artefacts::read(&artefacts::keys().trust_path());
    let inputs =
        Inputs { package: &package, trust: TrustFile::Given(&trust), keeps_journals: true };
    let mut replay = replay::start(entries, Extent::Whole, inputs).ok().unwrap();
    let mut path = None;
    let verdict = replay.driver.run(None, &mut |_, cell| {
        if cell.is_root_due() {
            path = Some(snapshot::write(work.path(), cell).unwrap());
        }
    });
    assert_eq!(verdict, Ok(Replayed::Equal));
    let snapshot = snapshot::read(&path.unwrap()).unwrap();
    let mut replay = replay::restore(entries, Extent::Whole, &snapshot, inputs).ok().unwrap();
    assert_eq!(replay.driver.equal(), snapshot.record);
    assert_eq!(replay.driver.run(None, &mut |_, _| {}), Ok(Replayed::Equal));
}
