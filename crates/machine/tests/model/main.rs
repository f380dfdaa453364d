//! The gate against a reference model: sequences of calls by several tasks,
//! honest and hostile, done by both, and compared after each step: answers,
//! windows, records, roots of stores, tables, budgets.
//!
//! The model ([`plain`]) is written from the documentation. Where the two
//! differ, one of them is wrong, or the documentation is.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bad_input;
mod bench;
mod choose;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/counting.rs"]
mod counting;
mod deed;
mod drive;
mod forest;
mod invariants;
mod order;
mod plain;
mod starving;
mod stores;
mod wind_down;

use choose::{Dice, Memory};
use deed::Step;
use drive::Drive;
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestError, TestRunner},
};
use std::cell::Cell;

/// Steps that were done; where one fails, the last of them are printed.
#[derive(Default)]
struct Steps(Vec<(Option<u32>, Step)>);

impl Drop for Steps {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let last = self.0.len().saturating_sub(TOLD);
            for (number, (who, step)) in self.0.iter().enumerate().skip(last) {
                println!("step {number}, task {who:?}: {step:?}");
            }
        }
    }
}

/// Steps that are told of a failure.
const TOLD: usize = 12;

/// Does as many steps as there are seeds. Gives the calls that were made.
fn play(seeds: &[u64], patience: u64) -> usize {
    let mut drive = Drive::new();
    let mut memory = Memory { patience, ..Memory::default() };
    let mut steps = Steps::default();
    for seed in seeds {
        let who = drive.on.map(|(who, _)| who);
        let step = choose::step(&mut Dice::new(*seed), &drive.model, who, &mut memory);
        steps.0.push((who, step.clone()));
        drive.step(&step);
    }
    let calls = drive.calls;
    let (size, root) = drive.seal();
    if seeds.first().is_some_and(|seed| seed % 4 == 0) {
        let mut again = Drive::new();
        for (_, step) in &steps.0 {
            again.step(step);
        }
        assert_eq!(again.seal(), (size, root), "the same again leaves the same records");
    }
    drive.wind_down();
    calls
}

fn seeds() -> impl Strategy<Value = (Vec<u64>, u64)> {
    let patience = prop_oneof![3 => Just(12u64), 2 => Just(40), 1 => Just(3_000)];
    (proptest::collection::vec(any::<u64>(), 700..900), patience)
}

/// The seed of the runs: the same each time, unless MODEL_SEED says another.
fn seed() -> u64 {
    std::env::var("MODEL_SEED").map_or(0, |seed| seed.parse().expect("MODEL_SEED is a number"))
}

/// Plays so many times. What fails is made shorter, for a while, and told.
fn play_many(times: u32, least_calls: usize) {
    let config = Config {
        cases: times,
        rng_seed: RngSeed::Fixed(seed()),
        failure_persistence: None,
        max_shrink_iters: 60,
        ..Config::default()
    };
    let calls = Cell::new(0);
    let played = TestRunner::new(config).run(&seeds(), |(seeds, patience)| {
        calls.set(calls.get() + play(&seeds, patience));
        Ok(())
    });
    match played {
        Ok(()) => {
            println!("{} calls", calls.get());
            assert!(calls.get() >= least_calls, "only {} calls", calls.get());
        }
        Err(TestError::Fail(reason, (seeds, patience))) => {
            println!("the shortest that fails, with MODEL_SEED={}: {reason}", seed());
            play(&seeds, patience);
            panic!("it does not fail every time");
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_gate_does_what_the_documentation_says() {
    play_many(180, 100_000);
}

#[test]
#[ignore = "a million calls"]
fn the_gate_does_what_the_documentation_says_a_million_times() {
    play_many(1_700, 1_000_000);
}
