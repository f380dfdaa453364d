//! Tests that others wrote for Wasm engines, modules from a generator, and the
//! limits of a task. docs/CONFORMANCE.md has the numbers, and the same lists
//! run in QEMU.

use std::collections::BTreeMap;

use abi::profile::{CALL_DEPTH, STACK_BYTES, TABLE_ELEMENTS};
use conformance::Tally;
use conformance::list::{Value, Writer};
use conformance::outcome::{Outcome, TaskOutcome};
use integration::artefacts;
use integration::conformance::suite::{self, Skipped};
use integration::conformance::{self as lists, Hosted, limits, smith};
use wasmi::TrapCode;
use witness::hex;

/// The lines of the page's tables.
fn rows() -> Vec<String> {
    let page = artefacts::root().join("docs/CONFORMANCE.md");
    let page = String::from_utf8(artefacts::read(&page)).unwrap();
    page.lines().filter(|line| line.starts_with("| `")).map(str::to_owned).collect()
}

#[track_caller]
fn assert_documented(row: &str) {
    let rows = rows();
    assert!(rows.iter().any(|it| it.starts_with(row)), "docs/CONFORMANCE.md lacks: {row}");
}

#[test]
fn the_specifications_tests_pass() {
    let mut writer = Writer::default();
    let skipped = suite::write(&mut writer);
    let hosted = lists::run(&writer.finish());
    assert_eq!(hosted.failures, [""; 0]);
    // Nothing is left out but what has no bytes.
    assert_eq!(skipped, BTreeMap::from([(Skipped::Text, hosted.summary.tally.skipped)]));
    for set in suite::SETS {
        let of_set = |(name, _): &&(String, Tally)| name.starts_with(&format!("{set}/"));
        let mut sum = Tally::default();
        hosted.files.iter().filter(of_set).for_each(|(_, tally)| sum.add(*tally));
        let Tally { passed, failed, skipped } = sum;
        let (files, all) = (suite::files(set).len(), passed + failed + skipped);
        let row = format!("| `{set}` | {files} | {all} | {passed} | {failed} | {skipped} |");
        assert_documented(&row);
    }
}

#[test]
fn what_is_off_is_documented() {
    let off = suite::off();
    for (name, files, directives) in &off {
        assert_documented(&format!("| `{name}` | {files} | {directives} | "));
    }
    for name in suite::MERGED {
        let row = format!("| `{name}` | {} | ", suite::files(name).len());
        assert_documented(&row);
    }
    let documented = rows().len();
    assert_eq!(documented, off.len() + suite::MERGED.len() + suite::SETS.len() + 1);
}

/// Whoever changes what is computed, or what it costs, changes this number and
/// the name of the profile.
#[test]
fn what_is_run_each_time_comes_to_the_documented_digest() {
    let hosted = lists::run(&lists::each_time());
    assert_documented(&format!("| `{}` |", hex::encode(&hosted.summary.digest)));
}

fn tasks(hosted: &Hosted) -> Vec<&TaskOutcome> {
    hosted.outcomes.iter().map(task).collect()
}

fn task(outcome: &Outcome) -> &TaskOutcome {
    match outcome {
        Outcome::Task(task) => task,
        other => panic!("{other:?}"),
    }
}

/// All of them are run in QEMU and compared with this process: a long test.
#[test]
fn generated_modules_run_without_a_fault_of_the_host() {
    let mut writer = Writer::default();
    smith::write(&mut writer, 0..lists::SAMPLE);
    let hosted = lists::run(&writer.finish());
    assert_eq!(hosted.failures, [""; 0]);
    let tasks = tasks(&hosted);
    assert_eq!(tasks.len() as u64, lists::SAMPLE);
    // They are worth running: they compute, they trap, they spend their fuel.
    let out_of_fuel = Outcome::Trap(u8::from(TrapCode::OutOfFuel));
    let calls = || tasks.iter().flat_map(|task| task.calls.iter().skip(1));
    let of = |is: &dyn Fn(&Outcome) -> bool| calls().filter(|(it, _)| is(it)).count();
    let ended = of(&|it| matches!(it, Outcome::Values(_)));
    let spent = of(&|it| *it == out_of_fuel);
    let trapped = of(&|it| matches!(it, Outcome::Trap(_))) - spent;
    let least = tasks.len() / 10;
    assert!(ended > least && trapped > least && spent > least, "{ended} {trapped} {spent}");
}

/// How far the cases named so came, with their last trap and the fuel spent.
fn reached(name: &str) -> Vec<(u32, Option<TrapCode>, u64, TaskOutcome)> {
    let mut writer = Writer::default();
    limits::write(&mut writer);
    let hosted = lists::run(&writer.finish());
    assert_eq!(hosted.failures, [""; 0]);
    let cases = limits::cases();
    let outcomes = cases.iter().zip(tasks(&hosted)).filter(|(case, _)| case.name.starts_with(name));
    let reached = outcomes.filter_map(|(_, task)| {
        let (last, fuel) = task.calls.get(1)?;
        let trap = match last {
            Outcome::Trap(code) => TrapCode::try_from(*code).ok(),
            _ => None,
        };
        let [Value::I32(count)] = task.globals[..] else { panic!("{task:?}") };
        Some((count, trap, *fuel, task.clone()))
    });
    reached.collect()
}

#[test]
fn fuel_runs_out_at_the_same_instruction() {
    for (name, step) in [("turns", 6), ("calls", 0)] {
        let reached = reached(name);
        assert!(reached.len() >= 20);
        assert!(reached.iter().all(|(_, trap, ..)| *trap == Some(TrapCode::OutOfFuel)));
        // A unit more never gets less far, and what was paid for is done.
        let pairs = reached.windows(2);
        pairs.for_each(|pair| assert!(pair[0].0 <= pair[1].0 && pair[0].2 <= pair[1].2));
        let (first, last) = (&reached[0], &reached[reached.len() - 1]);
        assert!(first.0 < last.0, "{name}");
        let turns = u64::from(last.0 - first.0);
        assert!(step == 0 || last.2 - first.2 == turns * step, "{name}");
    }
}

#[test]
fn memory_stops_growing_at_the_last_page_that_fits() {
    let mut pages = Vec::new();
    for (grown, trap, _, task) in reached("memory of") {
        assert_eq!(trap, Some(TrapCode::GrowthOperationLimited));
        let (size, _) = task.memory.unwrap();
        assert_eq!(size, u64::from(grown) + 1);
        pages.push(size);
    }
    // With the limit at a page's end, and a byte before it. One byte less than
    // a page is too little to begin with.
    assert_eq!(pages, [1, 2, 1, 3, 2, 4, 3, 5, 4, 6, 5]);
    // What a module sets itself is an answer, not a trap.
    let [(grown, trap, ..)] = reached("memory with")[..] else { panic!() };
    assert_eq!((grown, trap), (3, None));
}

#[test]
fn tables_stop_growing_at_the_last_element_that_fits() {
    let [(grown, trap, _, ref task)] = reached("table")[..] else { panic!() };
    assert_eq!(trap, Some(TrapCode::GrowthOperationLimited));
    assert_eq!(grown as usize, TABLE_ELEMENTS / 1_000);
    assert_eq!(task.tables, [u64::from(grown) * 1_000]);
}

#[test]
fn calls_stop_at_the_same_depth() {
    let depths: Vec<_> =
        reached("depth").into_iter().map(|(depth, trap, ..)| (depth, trap)).collect();
    assert!(depths.iter().all(|(_, trap)| *trap == Some(TrapCode::StackOverflow)));
    // 511 called by another one. Frames that are large meet the other limit.
    let depths: Vec<_> = depths.into_iter().map(|(depth, _)| depth as usize).collect();
    assert_eq!(
        depths,
        [CALL_DEPTH, CALL_DEPTH, CALL_DEPTH, CALL_DEPTH, CALL_DEPTH, 326, 130, 25, 511]
    );
    const { assert!(326 * 400 * 8 <= STACK_BYTES && 327 * 401 * 8 > STACK_BYTES) };
}
