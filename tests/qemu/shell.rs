//! The shell at the end of a run: looking leaves no trace, a challenge does,
//! and the log that comes home answers it.

use std::time::Duration;

use helio::keys::Role;
use helio::log::stream;
use helio::replay::look::Look;
use helio::replay::{self, Extent, Gap, Inputs, TrustFile, Verdict};
use integration::replay::assert_equal;
use integration::work::Work;
use integration::{Arch, Log, MachineStatus, Running, Trial, artefacts, hosted};
use serde_json::Value;
use witness::manifest::End;
use witness::note::VerifierKey;
use witness::proof::InclusionProof;
use witness::record::{Body, EventKind, Kind};
use witness::verify::Expected;
use witness::{Hasher, hex};

const PROMPT: &str = "helio> ";

/// A verifier's nonce that cannot be on the console by accident.
const CHALLENGE: [u8; 32] = [0xc4; 32];

/// Types a line; gives what is said before the next prompt, without the line.
#[track_caller]
fn ask(machine: &mut Running, line: &str) -> String {
    machine.send(&format!("{line}\r"));
    let answer = machine.expect(PROMPT);
    // The prompt is drawn from the left edge.
    let answer = answer.trim_end_matches('\r');
    let answer = answer.strip_prefix(line).and_then(|it| it.strip_prefix('\n'));
    answer.unwrap_or_else(|| panic!("{line} was not echoed:\n{}", machine.console())).to_owned()
}

/// The same for commands that answer in JSON.
#[track_caller]
fn ask_json(machine: &mut Running, line: &str) -> Value {
    let answer = ask(machine, line);
    serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// Lines that only look, and what they say is in the log: a replay says it
/// too, word for word.
const RECORDED: [&str; 34] = [
    "tasks",
    "tasks -j",
    "caps kernel",
    "caps kernel -j",
    "caps planner",
    "queues",
    "queues -j",
    "regions",
    "regions -j",
    "vectors",
    "vectors -j",
    "vectors years",
    "vectors years -j",
    "vectors years 0",
    "vectors vault",
    "graphs",
    "graphs -j",
    "graphs likeness",
    "graphs likeness -j",
    "graphs likeness 0",
    "proofs",
    "proofs -j",
    "witness tail 20",
    "witness tail 20 -j",
    // A kernel has the last 4,096 records in memory.
    "witness show 1000",
    "witness show 1001 -j",
    "witness tail",
    "trace",
    "trace -j",
    "panic",
    "panic -j",
    "help",
    "help trace",
    "frobnicate",
];

/// The others that only look, with a word of each answer.
const LOOKING: [(&str, &str); 13] = [
    ("info", "agents, version 1, seed 0"),
    ("info -j", "\"activity\":\"waiting\""),
    ("mem", "agents"),
    ("mem -j", "\"package\":\"agents\""),
    ("witness", "pending    0 records"),
    ("witness -j", "\"pending\":0"),
    ("perf", "this machine  in no log"),
    ("perf -j", "\"machine\":{\"checkpoints\":"),
    ("irq", "console"),
    ("log 1", "  note   — helio-"),
    ("cpu", "round to nearest, no exception trapped, no flush to zero"),
    ("mount", "more"),
    ("mount -j", "\"modules\":[{"),
];

fn conversation(arch: Arch) {
    let (agents, more) = (artefacts::package("agents"), artefacts::package("regress"));
    let trial = Trial::on(arch).package(agents.clone()).more(more.clone()).words("end=shell");
    let mut machine = trial.start();
    machine.expect("nothing is left to do");
    machine.expect(PROMPT);

    let help = ask(&mut machine, "help");
    for command in rvsh::command::COMMANDS {
        assert!(help.lines().any(|line| line.starts_with(command.name)), "{help}");
    }
    let size = ask_json(&mut machine, "witness -j")["sealed"].as_u64().unwrap() + 1;
    let answer = ask(&mut machine, &format!("challenge {}", hex::encode(&CHALLENGE)));
    // A checkpoint that covers the event: its second line is the size.
    assert!(answer.contains(&format!("\n[kernel] {size}\n")), "{answer}");

    let before = ask_json(&mut machine, "witness -j");
    assert_eq!((&before["sealed"], &before["checkpoint"]), (&size.into(), &size.into()));
    let recorded: Vec<String> = RECORDED.iter().map(|line| ask(&mut machine, line)).collect();
    for (line, word) in LOOKING {
        let answer = ask(&mut machine, line);
        assert!(answer.contains(word), "{line}: {answer}");
    }
    let perf = ask(&mut machine, "perf");
    the_hardware_is_told(arch, &mut machine);
    what_was_said_is_kept(&mut machine);
    let proof = ask(&mut machine, &format!("witness proof {}", size - 1));
    let proven = ask_json(&mut machine, "witness proof 0 -j");
    machine.send("witness export\r");
    machine.expect("the log was sent");
    machine.expect(PROMPT);
    // None of it has changed the log.
    assert_eq!(ask_json(&mut machine, "witness -j"), before);

    a_trace_shows_what_comes(&mut machine, size);
    a_package_is_mounted(&mut machine);

    machine.send("poweroff\r");
    // Some tasks wait for readings that nobody gave.
    let left = machine.wait().ended(MachineStatus::TaskFailed);
    let log = left.log();
    let facts = log.verified(Expected { nonce: Some(CHALLENGE), ..Expected::default() });
    assert_eq!(facts.challenges, [CHALLENGE]);
    assert_eq!(facts.manifest.unwrap().end, End::PowerOff);
    use EventKind::{Challenge, MountRequest, Shutdown, Trace};
    let kinds = [Challenge, Trace, Trace, MountRequest, MountRequest, Trace, Shutdown];
    assert_eq!(events(&log), kinds);

    let exported = stream::from_bytes(&left.serial, None).unwrap();
    assert_eq!(exported.remarks, [""; 0]);
    let entries = &log.folder().entries;
    assert_eq!(exported.log.entries, entries[..size as usize]);
    let key = device_key(&facts.origin);
    let proof = InclusionProof::parse(&proof).unwrap();
    let last = &entries[size as usize - 1];
    assert_eq!(proof.check(Hasher::SOFTWARE, last, &key).unwrap().size, size);
    let proof = InclusionProof::parse(proven["text"].as_str().unwrap()).unwrap();
    proof.check(Hasher::SOFTWARE, &entries[0], &key).unwrap();

    a_replay_says_the_same(&log, &agents, &more, size, &recorded, &perf);
}

/// The kinds of the events in a log.
fn events(log: &Log) -> Vec<EventKind> {
    let records = log.of_kind(Kind::Event);
    let kinds = records.iter().map(|record| match record.body {
        Body::Event(event) => event.kind,
        _ => panic!("{record}"),
    });
    kinds.collect()
}

fn device_key(origin: &str) -> VerifierKey {
    let public = artefacts::keys().public(Role::Device).unwrap();
    VerifierKey::new(origin, &public).unwrap()
}

/// What no log has: interrupts that came because of this conversation, and a
/// processor as the port keeps it.
fn the_hardware_is_told(arch: Arch, machine: &mut Running) {
    let irq = ask_json(machine, "irq -j");
    let sources = irq["interrupts"].as_array().unwrap();
    let [timer, console] = &sources[..] else { panic!("{irq}") };
    let names = (timer["interrupt"].as_str(), console["interrupt"].as_str());
    assert_eq!(names, (Some("timer"), Some("console")));
    assert!(console["count"].as_u64().unwrap() > 0, "{irq}");
    let controller = match arch {
        Arch::X86_64 => ("local APIC", 64, "I/O APIC", 4),
        Arch::Aarch64 => ("GICv2", 27, "GICv2", 33),
    };
    let controller = (controller.0.into(), controller.1.into(), controller.2, controller.3);
    let at = |it: &Value| (it["controller"].clone(), it["line"].clone());
    assert_eq!(at(timer), (controller.0, controller.1), "{irq}");
    assert_eq!(at(console), (controller.2.into(), controller.3.into()), "{irq}");

    let cpu = ask_json(machine, "cpu -j");
    assert_eq!(cpu["arch"], arch.name());
    let state = cpu["state"].as_array().unwrap();
    let value = |name: &str| {
        let found = state.iter().find(|it| it["name"] == name);
        found.unwrap_or_else(|| panic!("{name}: {cpu}"))["value"].as_str().unwrap().to_owned()
    };
    match arch {
        Arch::X86_64 => {
            assert_eq!(value("privilege"), "ring 0");
            assert!(value("CR0").contains(" WP PG") && value("EFER").contains("LMA NXE"), "{cpu}");
            assert!(value("MXCSR").starts_with("0x1f"), "{cpu}");
        }
        Arch::Aarch64 => {
            assert!(value("privilege").starts_with("EL"), "{cpu}");
            assert!(value("SCTLR").contains(": M ") && value("SCTLR").contains("WXN"), "{cpu}");
            assert!(value("FPCR").starts_with("0x0: "), "{cpu}");
        }
    }
    // Emulators older than QEMU 8 have no SHA-NI.
    let chosen = value("SHA-256");
    let [instructions, other] =
        if arch == Arch::X86_64 { ["SHA-NI", "software"] } else { ["Armv8 SHA2"; 2] };
    assert!(chosen == instructions || chosen == other, "{cpu}");
    let said = format!("[kernel] SHA-256 by {chosen}");
    assert!(machine.console().lines().any(|line| line.trim_end() == said), "{cpu}");
}

/// The kernel's own lines, from its first, as they were on the console.
fn what_was_said_is_kept(machine: &mut Running) {
    let log = ask_json(machine, "log -j");
    let lines = log.as_array().unwrap();
    let console = machine.console();
    for (number, line) in (0..).zip(lines) {
        let text = line["text"].as_str().unwrap();
        assert!(console.contains(&format!("[kernel] {text}\n")), "{text}");
        assert_eq!(line["line"], number, "{log}");
    }
    assert_eq!(lines[0]["text"], format!("Heliograph {}", env!("CARGO_PKG_VERSION")));
    let times = lines.iter().map(|line| line["time_ns"].as_str()?.parse::<u64>().ok());
    assert!(lines[0]["time_ns"].is_null() && times.is_sorted(), "{log}");
    let warnings = ask(machine, "log warnings");
    assert!(warnings.contains("  warning  the keys are for development"), "{warnings}");
    assert!(!warnings.contains("note"), "{warnings}");
}

/// The record of an event is `next`; the trace shows those that follow.
fn a_trace_shows_what_comes(machine: &mut Running, next: u64) {
    let answer = ask(machine, "trace on");
    assert!(answer.contains(&format!("[kernel] trace: record {next} (")), "{answer}");
    assert!(answer.contains(") ") && answer.contains(" outside: event trace"), "{answer}");
    assert!(!answer.contains("not sealed"), "{answer}");
    assert_eq!(ask(machine, "trace"), "The trace is on.\n");
    // Now that only mounts are shown, the event that says so is not.
    let answer = ask(machine, "trace filter rvf_mount kernel");
    assert!(!answer.contains("trace: record"), "{answer}");
    assert_eq!(ask_json(machine, "trace -j")["trace"], "on rvf_mount 0");
}

/// Mounts what the loader handed over, and fails to mount it once more.
fn a_package_is_mounted(machine: &mut Running) {
    let refused = ask(machine, "mount nothing");
    assert_eq!(refused, "There is no module `nothing`; there is: more.\n");
    let said = hosted::run(artefacts::package("regress"), &artefacts::keys()).console;
    let last = said.lines().last().unwrap();
    let mut mount = |path: &str| {
        machine.send(&format!("mount more {path}\r"));
        machine.expect("[kernel] the request is record ");
        machine.expect("[kernel] trace: record ");
        machine.expect(" kernel: rvf_mount packages");
        // The package's task does what it does anywhere.
        machine.expect(last);
        machine.expect(PROMPT);
    };
    mount("extra");
    // Twice is as good as once, elsewhere.
    mount("again");
    let mounted = ask_json(machine, "mount -j");
    assert_eq!(mounted["packages"][1]["path"], "extra", "{mounted}");
    assert_eq!(mounted["packages"][1]["package"], "regress", "{mounted}");
    let refused = ask(machine, "mount more extra");
    assert_eq!(refused, "A package is mounted at `extra` already.\n");
    assert_eq!(ask(machine, "trace off").lines().count(), 1);
}

/// Replays the log to where the first looks were, and asks the same.
#[track_caller]
fn a_replay_says_the_same(
    log: &Log,
    package: &[u8],
    more: &[u8],
    size: u64,
    recorded: &[String],
    perf: &str,
) {
    let trust = artefacts::read(&artefacts::keys().trust_path());
    let trust = TrustFile::Given(&trust);
    let entries = &log.folder().entries;
    let inputs = Inputs { package, trust, keeps_journals: false };
    let mut replay = replay::start(entries, Extent::Whole, inputs).ok().unwrap();
    let mounted = [more.to_vec()];
    replay.driver.give(&mounted);
    let verdict = replay.driver.run(Some(size), &mut |_, _| {});
    assert_eq!(verdict, Ok(Verdict::Stopped));
    let look = Look::new(&replay, entries, "helio", None);
    for (line, answer) in RECORDED.iter().zip(recorded) {
        assert_eq!(&rvsh::execute(line, &look).text, answer, "{line}");
    }
    let replayed = rvsh::execute("perf", &look).text;
    let head = |text: &str| text.split("this machine").next().map(str::to_owned);
    assert_eq!(head(&replayed), head(perf));
    assert_eq!(replay.driver.run(None, &mut |_, _| {}), Ok(Verdict::Equal));

    let mut replay = replay::start(entries, Extent::Whole, inputs).ok().unwrap();
    let verdict = replay.driver.run(None, &mut |_, _| {}).unwrap();
    let named = Hasher::SOFTWARE.hash(more);
    assert!(
        matches!(verdict, Verdict::NotReproducible(Gap::NeedsPackage { named: it, .. }) if it == named),
        "{verdict:?}"
    );
}

/// What is broken on purpose is an event first, and then a panic like others.
#[test]
fn a_panic_at_the_prompt_is_in_the_log_before_it_happens() {
    let mut machine = Trial::quick().words("end=shell").start();
    machine.expect(PROMPT);
    machine.send("panic now\r");
    let left = machine.wait().ended(MachineStatus::Panic);
    assert_eq!(left.said("panic: the operator asked for it (").len(), 1);
    left.assert_said("the log is closed: what it holds is signed");
    let log = left.log();
    assert_eq!(log.verified(Expected::default()).manifest.unwrap().end, End::Panic);
    assert_eq!(events(&log), [EventKind::Panic]);
    assert_equal(&log, &artefacts::package("regress"));
}

/// A machine that waits for a key sleeps: it uses hardly any processor time.
fn a_machine_at_the_prompt_sleeps(arch: Arch) {
    const WATCHED: Duration = Duration::from_secs(2);
    let mut machine = Trial::on(arch).words("end=shell").start();
    machine.expect(PROMPT);
    let before = machine.processor_time();
    std::thread::sleep(WATCHED);
    let used = machine.processor_time() - before;
    assert!(used < WATCHED / 5, "{used:?} of {WATCHED:?}");
    // It is awake when it must be.
    ask(&mut machine, "info");
}

#[test]
fn a_machine_at_the_prompt_sleeps_on_either_port() {
    Arch::ALL.into_iter().for_each(a_machine_at_the_prompt_sleeps);
}

/// In a release build the shell is a choice.
#[test]
#[ignore = "builds the kernel once more: a minute"]
fn a_kernel_without_a_shell_drops_what_is_typed_and_ends_with_its_tasks() {
    let work = Work::new("no-shell");
    let output = std::process::Command::new(artefacts::helio())
        .args(["build", "kernel", "--target", "aarch64", "--features", "", "--output"])
        .arg(work.path())
        .current_dir(artefacts::root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut trial = Trial::quick().package(artefacts::package("agents")).words("end=shell");
    trial.spec.kernel = artefacts::read(&work.path().join("aarch64/kernel.elf"));
    let mut machine = trial.start();
    machine.expect("there is no shell in this kernel");
    machine.send("stop\rpoweroff\r");
    let left = machine.wait().ended(MachineStatus::Success);
    left.assert_said("there is no shell in this kernel: what is typed is dropped");
    assert!(!left.console().contains(PROMPT));
    let log = left.log();
    assert_eq!(log.verified(Expected::default()).manifest.unwrap().end, End::Finished);
    assert_eq!(events(&log), []);
    assert_equal(&log, &artefacts::package("agents"));
}

#[test]
fn a_reboot_at_the_prompt_ends_the_log_and_resets_the_machine() {
    let mut machine = Trial::quick().words("end=shell").start();
    machine.expect(PROMPT);
    machine.send("reboot\r");
    let left = machine.wait();
    // QEMU is told to end where a machine would start again.
    assert_eq!(left.end, helio::qemu::End::Silent, "{}", left.console());
    let facts = left.log().verified(Expected::default());
    assert_eq!(facts.manifest.unwrap().end, End::Reboot);
}

#[test]
fn a_conversation_with_the_shell_on_aarch64_ends_in_a_log_that_answers_the_challenge() {
    conversation(Arch::Aarch64);
}

/// The console's interrupt is the port's own.
#[test]
fn a_conversation_with_the_shell_on_x86_64_ends_in_a_log_that_answers_the_challenge() {
    conversation(Arch::X86_64);
}
