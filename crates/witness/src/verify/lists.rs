//! The three lists of what a verified log is worth: what was checked, what a
//! replay would show, and what is only claimed.

use super::report::{Facts, Missing, Report, Verdict};
use alloc::{format, string::String, vec::Vec};

/// What holds only as far as a replay of package and events shows it.
pub const REPRODUCIBLE: [&str; 5] = [
    "that each record of a task is what the package computes from the recorded events",
    "that every call's verdict, result and digest are those of the gate",
    "that each record's cause is the one the gate would name",
    "logical time, slices and fuel",
    "state roots",
];

/// What a replay of this log could show: [`REPRODUCIBLE`], unless the log says
/// that not all of its inputs are in it.
pub fn reproducible(facts: &Facts) -> Vec<String> {
    match facts.unrecorded {
        None => REPRODUCIBLE.iter().map(|&line| String::from(line)).collect(),
        Some(index) => Vec::from([format!(
            "nothing from record {index} on: it marks a run that used something unrecorded"
        )]),
    }
}

/// What nobody can check from the log alone.
pub const CLAIMED: [&str; 6] = [
    "leaf 1: kernel, loader, board, serial number, whether the disk flushes",
    "that the inputs in events are true",
    "when it was, by anybody's clock",
    "that the device's private key was only ever used by this machine",
    "that no second history of the same boot exists",
    "that nothing followed where a log is incomplete",
];

/// What the verification has shown, for a report that is verified or
/// incomplete; empty for other verdicts.
pub fn checked(report: &Report) -> Vec<String> {
    let facts = &report.facts;
    let (count, has_manifest) = match report.verdict {
        Verdict::Verified => (facts.records, true),
        Verdict::Incomplete { missing, verified } => {
            if missing == Missing::Checkpoint || verified == 0 {
                return Vec::new();
            }
            (verified, false)
        }
        Verdict::WrongKey { .. } | Verdict::Forged { .. } => return Vec::new(),
    };
    let mut lines = Vec::from([
        format!("layout of {count} records, each in its only encoding"),
        format!("{count} ids, and that each record's parents come before it"),
        String::from("sequence numbers and chains of every subject, without gaps"),
        String::from("the Merkle root, and the device's signature over it"),
    ]);
    if !facts.operators.is_empty() {
        let operators = facts.operators.len();
        lines.push(format!("signatures of {operators} operators' events"));
    }
    if has_manifest {
        lines.push("the manifest, its signature, and that it agrees with the records".into());
    }
    lines
}
