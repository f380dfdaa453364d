//! The shell at the end of a run: looking leaves no trace, a challenge does,
//! and the log that comes home answers it.

use std::time::Duration;

use integration::{Arch, MachineStatus, Running, Trial};
use serde_json::Value;
use witness::hex;
use witness::manifest::{End, Outcome};
use witness::record::{Body, EventKind, Kind};
use witness::verify::Expected;

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

fn conversation(arch: Arch) {
    let mut machine = Trial::on(arch).words("end=shell").start();
    machine.expect("nothing is left to do");
    machine.expect(PROMPT);

    let help = ask(&mut machine, "help");
    for command in rvsh::command::COMMANDS {
        assert!(help.lines().any(|line| line.starts_with(command.name)), "{help}");
    }
    let info = ask(&mut machine, "info");
    assert!(info.starts_with("kernel "), "{info}");
    let info = ask_json(&mut machine, "info -j");
    assert_eq!((&info["arch"], &info["activity"]), (&arch.name().into(), &"finished".into()));
    assert_eq!(info["package"]["name"], "regress");
    assert_eq!((&info["nonce"], &info["log_to_disk"]), (&Value::Null, &true.into()));
    let tasks = ask_json(&mut machine, "tasks -j");
    assert_eq!(tasks.as_array().unwrap().len(), 1);
    assert_eq!((&tasks[0]["name"], &tasks[0]["code"]), (&"regress".into(), &0.into()));
    let unknown = ask(&mut machine, "frobnicate");
    assert_eq!(unknown, "There is no command `frobnicate`; `help` lists those there are.\n");

    // Looking has not changed the log.
    let before = ask_json(&mut machine, "witness -j");
    assert_eq!(before["sealed"], info["log_sealed"]);
    let size = before["sealed"].as_u64().unwrap();
    let last = ask_json(&mut machine, "witness tail 1 -j");
    assert_eq!(last[0]["record"], size - 1, "{last}");

    let answer = ask(&mut machine, &format!("challenge {}", hex::encode(&CHALLENGE)));
    // A checkpoint that covers the event: its second line is the size.
    assert!(answer.contains(&format!("\n[kernel] {}\n", size + 1)), "{answer}");
    assert_eq!(ask_json(&mut machine, "witness -j")["checkpoint"], size + 1);

    machine.send("poweroff\r");
    let left = machine.wait().ended(MachineStatus::Success);
    let log = left.log();
    let facts = log.verified(Expected { nonce: Some(CHALLENGE), ..Expected::default() });
    assert_eq!(facts.challenges, [CHALLENGE]);
    let manifest = facts.manifest.unwrap();
    assert_eq!((manifest.end, manifest.tasks[0].outcome), (End::PowerOff, Outcome::Exit));
    let events = log.of_kind(Kind::Event);
    let kinds = events.iter().map(|record| match record.body {
        Body::Event(event) => event.kind,
        _ => panic!("{record}"),
    });
    assert_eq!(kinds.collect::<Vec<_>>(), [EventKind::Challenge, EventKind::Shutdown]);
    // Nothing else was added at the prompt.
    assert_eq!(facts.records, size + 2, "{log}");
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
