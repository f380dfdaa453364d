//! Agents that work by proofs, and one that tries whatever it can think of.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use abi::{Call, Error};
use integration::{artefacts, hosted};
use witness::manifest::{Outcome, TaskEnd};
use witness::record::Verdict;
use witness::verify::Expected;

/// The run, once.
fn left() -> &'static hosted::Left {
    static RUN: OnceLock<hosted::Left> = OnceLock::new();
    RUN.get_or_init(|| hosted::run(artefacts::package("agents"), &artefacts::keys()))
}

/// A line of the table of attacks.
struct Row<'a> {
    name: &'a str,
    stage: &'a str,
    reason: &'a str,
    task: &'a str,
    sequence: u32,
}

fn table(console: &str) -> Vec<Row<'_>> {
    let mut lines = console.lines();
    assert!(lines.any(|line| line.starts_with("attack ")), "{console}");
    let rows = lines.map_while(|line| {
        let (name, rest) = line.split_at_checked(47)?;
        let [stage, reason, task, sequence] = rest.split_whitespace().collect::<Vec<_>>()[..]
        else {
            return None;
        };
        let (name, sequence) = (name.trim(), sequence.parse().unwrap());
        Some(Row { name, stage, reason, task, sequence })
    });
    rows.collect()
}

/// What the tasks are called in the manifest of the run, by their word in the
/// table.
fn subject(task: &str) -> u32 {
    left().task(if task == "memory" { "memory-service" } else { task }).subject
}

#[test]
fn every_attack_is_denied_where_the_table_says_and_the_log_agrees() {
    let left = left();
    left.log.verified(Expected { nonce: Some(hosted::NONCE), ..Expected::default() });
    let rows = table(&left.console);
    let last = format!("{0} attacks, {0} denied\n", rows.len());
    assert!(left.console.contains(&last), "{}", left.console);
    assert!(rows.len() >= 16);
    let calls = left.log.calls();
    for Row { name, stage, reason, task, sequence } in &rows {
        let subject = subject(task);
        let is_it = |record: &witness::Record<'_>| {
            record.subject.0 == subject && record.sequence == *sequence
        };
        let found: Vec<_> = calls.iter().filter(|(record, _)| is_it(record)).collect();
        let [(record, _)] = found[..] else { panic!("{name}: {} records", found.len()) };
        let Verdict::Denied(error) = record.verdict else { panic!("{name}: {record}") };
        assert_eq!((error.stage().name(), error.name()), (*stage, *reason), "{name}");
    }
    // Different ways, not one way often; and at four stages of the gate.
    let kinds: BTreeSet<_> = rows.iter().map(|row| row.reason).collect();
    let stages: BTreeSet<_> = rows.iter().map(|row| row.stage).collect();
    assert!(kinds.len() >= 16, "{kinds:?}");
    let all = ["arguments", "capability", "effect", "proof"];
    assert_eq!(stages, BTreeSet::from(all));
}

#[test]
fn nothing_else_is_denied_but_waiting_for_room() {
    let left = left();
    let rows = table(&left.console);
    let is_attack = |subject_: u32, sequence: u32| {
        rows.iter().any(|row| subject(row.task) == subject_ && row.sequence == sequence)
    };
    for (record, call) in left.log.calls() {
        let Verdict::Denied(error) = record.verdict else { continue };
        let is_expected = match (error, call.call) {
            // The prover's queue, while it is flooded.
            (Error::QueueFull, Call::QueueSend) => true,
            // The feed looks whether its sensor has said anything.
            (Error::TimedOut, Call::QueueRecv) => true,
            // The prover looks whether it knows a year.
            (Error::NotFound, Call::VectorGet) => true,
            _ => is_attack(record.subject.0, record.sequence),
        };
        assert!(is_expected, "{record}");
    }
}

#[test]
fn the_honest_tasks_finish_their_work_under_attack() {
    let left = left();
    assert!(left.ran.succeeded, "{:?}\n{}", left.ran.tasks, left.console);
    for name in ["planner", "prover", "claims", "feed", "hostile"] {
        let TaskEnd { outcome, code, .. } = left.task(name);
        assert_eq!((*outcome, *code), (Outcome::Exit, 0), "{name}");
    }
    // A reactor has no end of its own: it waits for what never comes.
    assert_eq!(left.task("memory-service").outcome, Outcome::Running);
    for line in [
        "feed: 42 years stored, 0 readings of the sensor\n",
        "claims: 42 nodes, ",
        "memory: 42 vectors stored, 3 puts refused, 42 searches\n",
        "planner: all tasks have ended\n",
    ] {
        assert!(left.console.contains(line), "{line}\n{}", left.console);
    }
    // Each write has a proof of its own, and names it.
    let writes = [Call::VectorPutProved, Call::GraphApplyProved];
    let calls = left.log.calls();
    let done = calls
        .iter()
        .filter(|(record, call)| record.verdict == Verdict::Allowed && writes.contains(&call.call));
    let causes: Vec<_> = done.map(|(record, _)| record.cause.unwrap()).collect();
    assert_eq!(causes.len(), causes.iter().collect::<BTreeSet<_>>().len());
    let ids = left.log.ids();
    for (cause, record) in ids.iter().zip(left.log.records()) {
        if causes.contains(cause) {
            assert_eq!(record.kind(), witness::Kind::Call(Call::AttestEmit));
        }
    }
}

#[test]
fn the_same_run_again_has_the_same_records() {
    let again = hosted::run(artefacts::package("agents"), &artefacts::keys());
    again.log.assert_same_records(&left().log);
    assert_eq!(again.console, left().console);
}
