//! Components: whatever a module is, it is weighed, translated, run and
//! recorded, and takes no more memory than it was accepted for.

use crate::{
    measure::most_while,
    run::{Run, boot},
    world,
};
use abi::{Kind, Rights};
use package::{
    Manifest,
    manifest::{CapabilityEntry, Limits, TaskEntry, TaskKind},
};

/// What the nucleus, the log and this target take by themselves.
const OWN: usize = 4 << 20;

/// What is set aside for tasks that start others, which this one does not.
const SHARE: usize = 16 << 20;

const MEMORY: u32 = 2 << 16;

pub(crate) fn fuzz(input: &[u8]) {
    let file = world::packed(manifest(), &[("program", input)], &[]);
    let Some(needs) = needs(&file) else { return };
    let (run, most) = most_while(|| Run::of(boot(&file, needs), &[], 1));
    run.check();
    let limit = usize::try_from(needs).unwrap() + OWN - SHARE;
    assert!(most <= limit, "it took {most} bytes and was accepted for {limit}");
}

/// The least memory that the package is accepted for, if it is a package.
fn needs(file: &[u8]) -> Option<u64> {
    let reports = boot(file, 0).take_reports();
    let report = reports.iter().find(|it| it.starts_with("the package may come to take "))?;
    let digits = report.trim_start_matches("the package may come to take ");
    Some(digits[..digits.find(' ').unwrap()].parse().unwrap())
}

fn manifest() -> Manifest {
    let capability = |kind, name: &str, rights| CapabilityEntry { kind, name: name.into(), rights };
    let (fuel, memory) = (3_000_000, MEMORY);
    let limits = Limits { fuel, memory: memory.into(), records: 200, share: 100 };
    let task = TaskEntry {
        name: "program".into(),
        component: "program".into(),
        kind: TaskKind::Command,
        priority: 0,
        deadline: None,
        fuel,
        memory,
        capabilities: vec![
            capability(Kind::Queue, "console", Rights::WRITE),
            capability(Kind::Timer, "timer", Rights::READ),
            capability(Kind::Memory, "memory", Rights::WRITE),
        ],
        wasi: None,
    };
    Manifest {
        name: "fuzz".into(),
        version: 1,
        seed: 1,
        limits,
        components: vec![],
        regions: vec![],
        queues: vec![],
        vector_stores: vec![],
        graph_stores: vec![],
        sensors: vec![],
        state_roots: None,
        standing_approvals: vec![],
        tasks: vec![task],
    }
}
