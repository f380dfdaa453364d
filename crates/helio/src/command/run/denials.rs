//! The calls of a run that were denied, with what a reader finds them by.

use std::fmt;

use serde::Serialize;
use witness::record::{Body, Record};
use witness::{Hasher, hex};

use crate::session::Conclusion;

/// Most lines that are printed; `--json` has all.
const LINES: usize = 100;

/// A call that was denied, or cut short.
#[derive(Serialize)]
struct Denial {
    /// Number of its record.
    record: u64,
    /// Its id.
    id: String,
    /// Name of the task that called.
    task: String,
    /// Number among the records of that task.
    sequence: u32,
    call: &'static str,
    stage: &'static str,
    reason: &'static str,
}

/// All of them.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Denials(Vec<Denial>);

impl Denials {
    pub(super) fn of(conclusion: &Conclusion) -> Self {
        let manifest = conclusion.finding.report.facts.manifest.as_ref();
        let tasks = manifest.map_or(&[][..], |manifest| &manifest.tasks);
        let denial = |(number, entry): (u64, &Vec<u8>)| {
            let record = Record::decode(entry).ok()?;
            let Body::Call(call) = record.body else { return None };
            let reason = record.verdict.reason()?;
            let task = tasks.iter().find(|task| task.subject == record.subject.0);
            Some(Denial {
                record: number,
                id: hex::encode(&Hasher::SOFTWARE.leaf(entry)),
                task: task.map_or_else(|| record.subject.to_string(), |task| task.name.clone()),
                sequence: record.sequence,
                call: call.call.name(),
                stage: reason.stage().name(),
                reason: reason.name(),
            })
        };
        Self((0..).zip(&conclusion.log.entries).filter_map(denial).collect())
    }
}

impl fmt::Display for Denials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(all) = self;
        if all.is_empty() {
            return Ok(());
        }
        writeln!(f, "\ncalls denied:")?;
        writeln!(
            f,
            "  {:>6}  {:<16}  {:<20}  {:<20}{:<12}reason",
            "record", "id", "task, number", "call", "stage"
        )?;
        for Denial { record, id, task, sequence, call, stage, reason } in all.iter().take(LINES) {
            let caller = format!("{task} {sequence}");
            let id = &id[..16];
            writeln!(f, "  {record:>6}  {id}  {caller:<20}  {call:<20}{stage:<12}{reason}")?;
        }
        match all.len().checked_sub(LINES) {
            None | Some(0) => Ok(()),
            Some(more) => writeln!(f, "  and {more} more: helio log show has all records"),
        }
    }
}
