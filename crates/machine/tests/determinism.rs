//! The same package gives the same records, however it is driven.

use crate::common::*;
use machine::Input;
use nucleus::Outcome;
use package::manifest::StandingApproval;
use proptest::prelude::*;
use witness::record::EventKind;

/// Three tasks that compute, print, wait and claim.
fn busy() -> Recipe {
    let worker = |rounds: u32, pause: u64| {
        program(&format!(
            r#"(data (i32.const 16) "tick\n")
            (func (export "_start") (result i32) (local $i i32) (local $j i32) (local $x f64)
              (local.set $x (f64.const 1.1))
              (loop $more
                (local.set $j (i32.const 3000))
                (loop $spin
                  (local.set $x (f64.add (f64.mul (local.get $x) (f64.const 1.0000001)) (f64.const 1e-9)))
                  (local.set $j (i32.sub (local.get $j) (i32.const 1)))
                  (br_if $spin (local.get $j)))
                (f64.store (i32.const 64) (local.get $x))
                (drop (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 5)))
                (drop (call $wait (i32.const 1) (i32.const 1) (i64.const {pause})))
                (drop (call $attest (i32.const 2) (i32.const 0) (i32.const 3) (i32.const 64) (i32.const 64) (i32.const 8)))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $more (i32.lt_u (local.get $i) (i32.const {rounds}))))
              (local.get $i))"#
        ))
    };
    Recipe {
        approvals: vec![StandingApproval {
            claim_types: vec![3],
            max_bytes: 1_000,
            max_claims: 100,
        }],
        ..Recipe::new()
    }
    .task("slow", &worker(20, 700_000))
    .task("fast", &worker(40, 90_000))
    .with(|task| task.priority = 3)
    .task("steady", &worker(30, 0))
    .with(|task| task.deadline = Some(1_000_000))
}

#[test]
fn two_runs_differ_in_leaf_one_only() {
    let file = busy().signed();
    let one = drive(start(&file, 1), 1);
    let other = drive(start(&file, 2), 3);
    assert_eq!(one.records.len(), other.records.len());
    assert!(one.records.len() > 270);
    for (index, (a, b)) in one.records.iter().zip(&other.records).enumerate() {
        assert_eq!(a == b, index != 1, "record {index}");
    }
    assert_eq!(one.console, other.console);
    assert_ne!(one.cell.root(), other.cell.root());
    for subject in 1..=3 {
        assert!(matches!(one.task(subject), Outcome::Exit(20 | 30 | 40)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn sealing_more_or_less_often_changes_no_record(seal_every in 1usize..9) {
        let file = busy().signed();
        let one = drive(start(&file, 1), 1);
        let other = drive(start(&file, 1), seal_every);
        prop_assert!(one.records == other.records);
    }
}

#[test]
fn time_and_slices_never_go_back_and_a_task_is_paid_for_all_it_does() {
    let run = busy().run();
    let points: Vec<_> = run.decoded().iter().map(|record| record.point).collect();
    assert!(points.windows(2).all(|pair| pair[0].time_ns <= pair[1].time_ns));
    assert!(points.windows(2).all(|pair| pair[0].slice <= pair[1].slice));
    let spent: u64 = run.cell.view().tasks().map(|(_, task)| task.spent).sum();
    let partition = run.cell.view().partitions().next().unwrap();
    assert_eq!(partition.fuel.used, spent);
    assert_eq!(partition.memory.used, 0);
    assert!(run.cell.view().clock().now_ns() >= spent);
}

#[test]
fn an_event_is_recorded_where_it_was_admitted_and_the_same_again() {
    let file = busy().signed();
    let once = |at: usize| {
        let mut cell = start(&file, 1);
        for _ in 0..at {
            cell.step();
        }
        let long = [b'x'; 700];
        cell.admit(Input::new(EventKind::ConsoleInput, &long)).unwrap();
        cell.admit(Input::new(EventKind::Stop, &[])).unwrap();
        cell.admit(Input::new(EventKind::Resume, &[])).unwrap();
        drive(cell, 1)
    };
    let (one, same, later) = (once(1), once(1), once(2));
    assert!(one.records == same.records);
    assert!(one.records != later.records);
    let outside = one.of(u32::MAX);
    assert_eq!(outside.len(), 5);
    assert!(outside.iter().all(|record| record.point == outside[0].point));
}
