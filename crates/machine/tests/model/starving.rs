//! Nobody starves: slices of a real gate, with made-up spending.
//!
//! A stamp is at most 80 slices ahead, and 16 more for risk. When it has
//! passed, every other task comes at most once more. So whoever can run waits
//! at most 96 slices and one for each other task of its package; and a
//! package waits for others only as long as they have had less than their
//! share.

use crate::{
    bench::BENCH,
    choose::Dice,
    deed::{Deed, What},
};
use abi::{
    Call, Handle, SpawnArguments,
    profile::{FUEL_PER_NS, SLICE_FUEL},
};
use nucleus::{Answer, Nucleus, State, view::Body};
use proptest::prelude::*;
use std::collections::BTreeMap;
use witness::Subject;

const SLICE_NS: u64 = SLICE_FUEL / FUEL_PER_NS;

/// Who can run now.
fn runnable(nucleus: &Nucleus) -> Vec<u32> {
    let now = nucleus.clock().now_ns();
    let can = |task: &nucleus::Task| match task.state() {
        State::Ready => true,
        State::Waiting(until) if until <= now => true,
        State::Waiting(_) => {
            let queue = task.waits_on.and_then(|queue| nucleus.object(queue));
            queue.is_some_and(|it| matches!(&it.body, Body::Queue(it) if it.messages() > 0))
        }
        _ => false,
    };
    nucleus.tasks().filter(|(_, task)| can(task)).map(|(who, _)| who.0).collect()
}

fn ask(nucleus: &mut Nucleus, who: u32, call: Call, handle: Handle, what: What) -> Answer {
    let deed =
        Deed { call, handle, operation: what_operation(&what), fuel: 1 << 40, what: Ok(what) };
    BENCH.call(nucleus, who, &deed, &mut deed.window())
}

fn what_operation(what: &What) -> u32 {
    u32::from(matches!(what, What::Wait { .. }))
}

/// A slice of the chief's.
fn turn(nucleus: &mut Nucleus) {
    loop {
        if !nucleus.has_room() {
            nucleus.log_mut().seal(&mut |_, _| ());
        }
        let grant = nucleus.begin_slice().unwrap();
        if grant.subject == Subject(1) {
            return;
        }
        nucleus.spend(grant.subject, 1_000);
        nucleus.end_slice(grant.subject, 0);
    }
}

/// The chief starts a child of this component.
fn spawn(
    nucleus: &mut Nucleus,
    component: Handle,
    priority: u8,
    deadline: u64,
    passed: &[Handle],
) -> u32 {
    let (fuel, memory, capabilities) = (1 << 30, 0, passed.len() as u32);
    let start =
        SpawnArguments { fuel, memory, priority, deadline, capabilities, is_reactor: false };
    let passed = passed.iter().flat_map(|handle| handle.0.to_le_bytes()).collect();
    let what = What::Spawn { start, passed, prepared: Ok(()) };
    let answer = ask(nucleus, 1, Call::TaskSpawn, component, what);
    assert!(matches!(answer, Answer::Done { value, .. } if value >= 0), "{answer:?}");
    nucleus.tasks().last().unwrap().0.0
}

const LETTERS: Handle = Handle(3);
const TIMER: Handle = Handle(5);
const PROGRAM: Handle = Handle(9);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn whoever_can_run_does(children in proptest::collection::vec(any::<(u8, u64)>(), 1..6), seed: u64) {
        let mut nucleus = BENCH.nucleus();
        turn(&mut nucleus);
        for (priority, deadline) in &children {
            // Some deadlines are near, some far, some past.
            let deadline = deadline >> (deadline % 64);
            spawn(&mut nucleus, PROGRAM, *priority, deadline, &[LETTERS, TIMER]);
        }
        nucleus.end_slice(Subject(1), 0);
        let tasks = nucleus.tasks().count() as u64;
        let bound = (80 + 16 + tasks - 1) * SLICE_NS;
        let mut dice = Dice::new(seed);
        let mut since: BTreeMap<u32, u64> = BTreeMap::new();
        for _ in 0..600 {
            if !nucleus.has_room() {
                nucleus.log_mut().seal(&mut |_, _| ());
            }
            let now = nucleus.clock().now_ns();
            let able = runnable(&nucleus);
            since.retain(|who, _| able.contains(who));
            for who in able {
                let waited = now - *since.entry(who).or_insert(now);
                prop_assert!(waited <= bound, "task {} waited {} slices", who, waited / SLICE_NS);
            }
            let Some(grant) = nucleus.begin_slice() else {
                if nucleus.jump().is_none() {
                    break;
                }
                continue;
            };
            let who = grant.subject.0;
            since.remove(&who);
            let is_chief_or_child = who == 1 || who > 3;
            let (letters, timer) =
                if who == 1 { (LETTERS, TIMER) } else { (Handle(0), Handle(1)) };
            // Greedy ones spend it all; some wait for a while.
            let fuel = if dice.once_in(4) { dice.below(grant.fuel) } else { grant.fuel };
            nucleus.spend(grant.subject, fuel);
            if nucleus.take_answer(grant.subject).is_none() {
                let mut window = [0; 300];
                let _ = nucleus.receive(grant.subject, 1 << 40, Ok(&mut window));
            }
            let is_running = nucleus.task(grant.subject).unwrap().state() == State::Running;
            if is_chief_or_child && is_running {
                let (call, handle, what) = match dice.below(5) {
                    0 => (Call::QueueSend, letters, What::Send {
                        kind: 0, priority: 0, bytes: dice.bytes(40),
                    }),
                    1 => (Call::QueueRecv, letters, What::Receive {
                        deadline: u64::MAX, window: 300,
                    }),
                    _ => (Call::TimerWait, timer, What::Wait { ns: dice.below(9 * SLICE_NS) }),
                };
                if dice.once_in(3) {
                    ask(&mut nucleus, who, call, handle, what);
                }
            }
            nucleus.end_slice(grant.subject, 0);
        }
    }

    /// Two packages that never stop: each gets its share, whatever the other's
    /// tasks ask for, from the first slice on.
    #[test]
    fn each_package_gets_its_share(priorities in proptest::collection::vec(any::<u8>(), 1..5), seed: u64) {
        let mut nucleus = BENCH.nucleus();
        turn(&mut nucleus);
        let what = What::Mount { region: Handle(13), path: "a".into() };
        let Answer::Done { value, .. } = ask(&mut nucleus, 1, Call::RvfMount, Handle(8), what) else {
            panic!()
        };
        let worker = Handle(u32::try_from(value).unwrap());
        // One inside against the root package's own, of any number.
        spawn(&mut nucleus, worker, 0, u64::MAX, &[]);
        for priority in priorities {
            spawn(&mut nucleus, PROGRAM, priority, 1, &[]);
        }
        nucleus.end_slice(Subject(1), 0);
        let mut dice = Dice::new(seed);
        let (mut own, mut inner) = (0u64, 0u64);
        for _ in 0..300 {
            let grant = nucleus.begin_slice().unwrap();
            let fuel = 1 + dice.below(grant.fuel);
            nucleus.spend(grant.subject, fuel);
            nucleus.end_slice(grant.subject, 0);
            let is_inner = grant.subject == Subject(4);
            *(if is_inner { &mut inner } else { &mut own }) += fuel;
            // Both shares are 100: they are never more than a slice of each
            // apart.
            prop_assert!(own.abs_diff(inner) <= 2 * SLICE_FUEL, "{} against {}", own, inner);
        }
    }
}
