//! Which task of a partition goes first, beside deadlines and priorities.

use crate::{
    bench::BENCH,
    common::HASHER,
    deed::{Deed, Proof, What},
    forest::{ask, spawn, turn},
};
use abi::{Call, GraphMutation, Handle};
use nucleus::{Answer, Nucleus};
use witness::Subject;

const LETTERS: Handle = Handle(3);
const TYPED: Handle = Handle(4);
const CLAIMS: Handle = Handle(16);

/// Two messages that have little in common.
const DULL: &[u8] = b"it is as it was, as it was, as it was";
const NEWS: &[u8] = b"fire in the engine room, leave at once";
const MORE: &[u8] = b"0123456789 9876543210 5555555555 0101";

/// Starts a child that holds this as its handle 0. Gives its number.
fn child(gate: &mut Nucleus, holds: &[Handle]) -> u32 {
    spawn(gate, holds).unwrap();
    gate.tasks().last().unwrap().0.0
}

/// The task whose slice it is waits for a message.
fn wait(gate: &mut Nucleus, who: u32) {
    let what = What::Receive { deadline: u64::MAX, window: 100 };
    let (call, handle, operation, fuel) = (Call::QueueRecv, Handle(0), 0, 1 << 40);
    let deed = Deed { call, handle, operation, fuel, what: Ok(what) };
    let answer = BENCH.call(gate, who, &deed, &mut deed.window());
    assert!(matches!(answer, Answer::Blocked), "{answer:?}");
    gate.end_slice(Subject(who), 0);
}

/// Begins slices until it is one of these who has one. Gives who it is.
fn first_of(gate: &mut Nucleus, some: [u32; 2]) -> u32 {
    loop {
        gate.log_mut().seal(&mut |_, _| ());
        let who = gate.begin_slice().unwrap().subject;
        if some.contains(&who.0) {
            return who.0;
        }
        gate.spend(who, 1_000);
        gate.end_slice(who, 0);
    }
}

/// Who of these has a turn first takes a message, and waits for another.
fn served(gate: &mut Nucleus, some: [u32; 2]) -> u32 {
    let who = first_of(gate, some);
    let answer = gate.receive(Subject(who), 1 << 40, Ok(&mut [0; 100]));
    assert!(matches!(answer, Answer::Done { value, .. } if value > 24), "{answer:?}");
    wait(gate, who);
    who
}

#[test]
fn who_has_news_goes_before_who_has_none() {
    let mut gate = BENCH.nucleus();
    turn(&mut gate, 1);
    let both = [child(&mut gate, &[LETTERS]), child(&mut gate, &[TYPED])];
    gate.end_slice(Subject(1), 0);
    for who in both {
        turn(&mut gate, who);
        wait(&mut gate, who);
    }
    let send = |gate: &mut Nucleus, messages: [&[u8]; 2]| {
        turn(gate, 1);
        for (queue, bytes) in [LETTERS, TYPED].into_iter().zip(messages) {
            let what = What::Send { kind: 7, priority: 0, bytes: bytes.to_vec() };
            ask(gate, 1, (Call::QueueSend, 0, queue), what).unwrap();
        }
        gate.end_slice(Subject(1), 0);
        [served(gate, both), served(gate, both)]
    };
    send(&mut gate, [DULL, DULL]);
    assert_eq!(send(&mut gate, [DULL, NEWS]), [both[1], both[0]]);
    assert_eq!(send(&mut gate, [NEWS, NEWS]), both);
    assert_eq!(send(&mut gate, [MORE, NEWS]), both);
    assert_eq!(send(&mut gate, [MORE, MORE]), [both[1], both[0]]);
}

#[test]
fn who_is_about_to_change_what_much_hangs_on_goes_later() {
    let mut gate = BENCH.nucleus();
    turn(&mut gate, 1);
    let bytes = |operation, slot, from, to| {
        let weight = if operation == 2 { 1.0 } else { 0.0 };
        GraphMutation { operation, slot, from, to, weight }.to_bytes().to_vec()
    };
    let mint = |gate: &mut Nucleus, slot, mutation: &[u8]| {
        let (mutation, old_leaf, expiry) = (HASHER.hash(mutation), HASHER.leaf(&[]), u64::MAX);
        let what = What::Approve { slot, mutation, old_leaf, expiry };
        ask(gate, 1, (Call::AttestEmit, 1, CLAIMS), what).unwrap()
    };
    // Two nodes, and an edge between them.
    for (operation, slot, from, to) in [(0, 0, 1, 0), (0, 1, 2, 0), (2, 4, 1, 2)] {
        let mutation = bytes(operation, slot, from, to);
        let proof = Proof::Minted(mint(&mut gate, slot, &mutation));
        let what = What::Apply { mutation, proof };
        ask(&mut gate, 1, (Call::GraphApplyProved, operation, CLAIMS), what).unwrap();
    }
    let heavy = mint(&mut gate, 0, &bytes(1, 0, 1, 0));
    let light = mint(&mut gate, 2, &bytes(0, 2, 3, 0));
    let both = [child(&mut gate, &[heavy]), child(&mut gate, &[light])];
    gate.end_slice(Subject(1), 0);
    assert_eq!(first_of(&mut gate, both), both[1]);
}
