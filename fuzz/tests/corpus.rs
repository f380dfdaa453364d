//! Every target with its corpus and with seeded mutations of it.
//!
//! `FUZZ_SECONDS=600` goes on for so long instead, `FUZZ_SEED=1` takes other
//! mutations than those of `make test`. An input that fails is written to a
//! file, which the failure names.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use fuzz::{Mutator, Target};
use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// The corpus of a target, in order of the files' names.
fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
    let mut files: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn run(name: &str) {
    let target = fuzz::target(name).unwrap();
    let files = corpus(target);
    assert!(!files.is_empty(), "no corpus");
    for (path, input) in &files {
        feed(target, input, || path.display().to_string());
    }
    let corpus: Vec<_> = files.into_iter().map(|(_, input)| input).collect();
    let mut mutator = Mutator::new(number("FUZZ_SEED").unwrap_or(0));
    let limit = number("FUZZ_SECONDS").map(Duration::from_secs);
    let begin = Instant::now();
    let mut executions: u32 = 0;
    while match limit {
        Some(limit) => begin.elapsed() < limit,
        None => executions < target.executions,
    } {
        let input = mutator.input(&corpus, target.length_max);
        feed(target, &input, || {
            let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("crash-{name}"));
            fs::write(&path, &input).unwrap();
            path.display().to_string()
        });
        executions += 1;
    }
    println!("{name}: {executions} executions in {:.1} s", begin.elapsed().as_secs_f32());
}

fn feed(target: &Target, input: &[u8], path: impl FnOnce() -> String) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (target.run)(input))) {
        eprintln!("the input that failed is {}", path());
        resume_unwind(panic);
    }
}

macro_rules! targets {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        $(#[test]
        fn $name() {
            run(stringify!($name));
        })*
    };
}

targets!(syscall component package mount proof record log note json uart disk shell tree volume);

#[test]
fn every_target_is_run() {
    assert!(fuzz::TARGETS.iter().map(|target| target.name).eq(NAMES.iter().copied()));
}
