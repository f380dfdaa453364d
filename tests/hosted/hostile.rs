//! Tasks that misbehave: each ends with a record that says why, and a task
//! beside it does not notice.

use helio::keys::Role;
use integration::hosted;
use integration::packages::{self, Ends, HOSTILE};
use witness::record::{Kind, Verdict};
use witness::verify::Expected;

use crate::keys;

const STILL_HERE: &str = "neighbour: still here\n";

#[test]
fn every_hostile_task_ends_with_its_own_record_and_its_neighbour_finishes() {
    let keys = keys::fresh();
    let operator = keys.store.private(Role::Operator).unwrap();
    for (name, ends) in HOSTILE {
        let package = packages::hostile(name).sign(&operator).unwrap();
        let left = hosted::run(package, &keys.store);
        left.log.verified(Expected { nonce: Some(hosted::NONCE), ..Expected::default() });
        packages::assert_ends(name, ends, &left.ran.tasks, &left.log);
        assert!(left.console.ends_with(STILL_HERE), "{name}: {:?}", left.console);
        // Nobody but the neighbour gets anything done, but for the one that
        // may write.
        assert_eq!(left.console == STILL_HERE, !matches!(ends, Ends::Exit), "{:?}", left.console);
    }
}

#[test]
fn every_package_in_the_folder_is_tried() {
    let folder = integration::artefacts::root().join("payload/hostile");
    let names = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let mut names: Vec<String> = names
        .filter(|path| path.extension().is_some_and(|it| it == "toml"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    let mut tried = HOSTILE.map(|(name, _)| name);
    tried.sort_unstable();
    assert_eq!(names, tried);
}

#[test]
fn all_at_once_do_not_keep_their_neighbour_from_its_work() {
    let keys = keys::fresh();
    let several = HOSTILE.iter().filter(|(_, ends)| !matches!(ends, Ends::RecordsSpent));
    let names: Vec<&str> = several.clone().map(|(name, _)| *name).collect();
    let package = packages::together(&names);
    let package = package.sign(&keys.store.private(Role::Operator).unwrap()).unwrap();
    let left = hosted::run(package, &keys.store);
    left.log.verified(Expected::default());
    for (name, ends) in several {
        packages::assert_ends(name, *ends, &left.ran.tasks, &left.log);
    }
}

#[test]
fn a_flood_of_forged_handles_is_denied_one_by_one_until_the_records_are_spent() {
    let keys = keys::fresh();
    let contents = packages::hostile("flood");
    let budget = contents.limits.records;
    let package = contents.sign(&keys.store.private(Role::Operator).unwrap()).unwrap();
    let left = hosted::run(package, &keys.store);
    let flood = left.task("flood").subject;
    let calls: Vec<_> = left
        .log
        .of_kind(Kind::Call(abi::Call::QueueSend))
        .into_iter()
        .filter(|record| record.subject.0 == flood)
        .map(|record| record.verdict)
        .collect();
    assert!(calls.iter().all(|it| *it == Verdict::Denied(abi::Error::BadHandle)), "{}", left.log);
    // The neighbour's few records come out of the same budget.
    assert!((budget - 20..budget).contains(&(calls.len() as u64)), "{} calls", calls.len());
}
