//! Whether a manifest and the records of its log agree.

use super::{records::Records, report::TaskFacts};
use crate::{
    checkpoint::Checkpoint,
    manifest::{Outcome, RunManifest, TaskEnd},
    record::Flags,
};
use alloc::collections::BTreeMap;

/// The first member of the manifest that contradicts the log, in canonical
/// order of the members.
pub(super) fn contradiction(
    manifest: &RunManifest,
    checkpoint: &Checkpoint<'_>,
    records: &Records,
) -> Option<&'static str> {
    let Some(machine) = records.machine() else { return Some("records") };
    let is_development = machine.flags.contains(Flags::DEVELOPMENT_KEYS);
    let members = [
        ("arch", manifest.arch == machine.arch),
        ("board", manifest.board == machine.board),
        ("boot_id", manifest.boot_id == machine.boot_id),
        ("development_keys", manifest.development_keys == is_development),
        ("device_key", manifest.device_key == machine.device_key),
        ("package", Some(manifest.package) == records.package()),
        ("profile", manifest.profile == records.profile()),
        ("records", manifest.records == checkpoint.size),
        ("root", manifest.root == checkpoint.root),
        ("tasks", agree_on_tasks(&manifest.tasks, records)),
    ];
    members.into_iter().find(|(_, agrees)| !agrees).map(|(member, _)| member)
}

/// Every task that was spawned is listed once, with the end that its records
/// show; each one that was refused has a refused spawn of its own to show.
fn agree_on_tasks(tasks: &[TaskEnd], records: &Records) -> bool {
    // `RunManifest::parse` has checked that they ascend.
    let listed = tasks.iter().filter(|task| task.subject != 0).count();
    let mut refused = BTreeMap::new();
    for task in tasks.iter().filter(|task| task.outcome == Outcome::Refused) {
        *refused.entry(task.code).or_insert(0) += 1;
    }
    listed == records.spawned() as usize
        && tasks.iter().all(|task| agrees(task, records))
        && refused.into_iter().all(|(reason, count)| count <= records.refusals(reason))
}

fn agrees(task: &TaskEnd, records: &Records) -> bool {
    let by_records = records.task(task.subject);
    match task.outcome {
        Outcome::Exit => by_records == Some(TaskFacts::Exit(task.code)),
        Outcome::Trap => {
            let code = u16::try_from(task.code).ok();
            matches!(by_records, Some(TaskFacts::Trap(trap)) if Some(trap.number()) == code)
        }
        Outcome::OutOfFuel => by_records == Some(TaskFacts::OutOfFuel) && task.code == 0,
        Outcome::Budget => by_records == Some(TaskFacts::BudgetSpent) && task.code == 0,
        Outcome::Killed | Outcome::Running => by_records == Some(TaskFacts::Open) && task.code == 0,
        Outcome::Refused => by_records.is_none(),
    }
}
