//! Programs that others wrote run unmodified, and print what they print
//! elsewhere.

use integration::programs::{CASES, COMPRESSES, Case};
use integration::{artefacts, hosted, replay};
use witness::manifest::Outcome;
use witness::verify::Expected;

#[track_caller]
fn run(case: &Case) -> Option<hosted::Left> {
    let left = hosted::run(case.package()?, &artefacts::keys());
    let facts = left.log.verified(Expected::default());
    let [task] = &facts.manifest.as_ref().unwrap().tasks[..] else { panic!("{}", left.log) };
    assert_eq!((task.outcome, task.code), (Outcome::Exit, 0), "{}", left.console);
    assert_eq!(facts.denied, 0, "{}", left.log);
    Some(left)
}

#[test]
fn each_program_prints_what_it_prints_elsewhere() {
    for case in CASES {
        let Some(left) = run(&case) else { continue };
        case.assert_printed(&left.bytes);
    }
}

#[test]
fn a_file_is_compressed_to_the_bytes_that_its_author_says() {
    let Some(left) = run(&COMPRESSES) else { return };
    assert!(left.bytes == artefacts::read(&artefacts::build().join("programs/sample1.bz2")));
}

#[test]
fn the_log_of_each_program_replays() {
    for case in CASES {
        let (Some(package), Some(left)) = (case.package(), run(&case)) else { continue };
        replay::assert_equal(&left.log, &package);
    }
}

#[test]
fn each_run_of_a_program_has_the_same_records() {
    for case in CASES {
        let (Some(first), Some(second)) = (run(&case), run(&case)) else { continue };
        first.log.assert_same_records(&second.log);
    }
}
