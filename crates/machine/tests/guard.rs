//! The tier Deep: a signed proof, and a guard program that has the last word.

use crate::common::*;
use abi::{
    Error, GraphMutation, Kind, PutHead, Rights, SignedProof, Statement, profile::PROOF_FUEL,
};
use ed25519_dalek::{Signer, SigningKey};
use nucleus::{Outcome, view::Body as Object};
use package::manifest::{GraphStoreEntry, Metric, StoreRules, Tier, VectorStoreEntry};
use witness::{Body, Subject, Verdict, record::Guard};

fn approver() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

/// A guard that looks at the first number of the new vector, which is at the
/// end of its input, and lets pass what is below `most`.
fn guard(body: &str) -> Vec<u8> {
    wat::parse_str(format!(
        r#"(module (memory (export "memory") 1)
        (func (export "allocate") (param i32) (result i32) (i32.const 64))
        (func (export "guard") (param $at i32) (param $length i32) (result i32) {body}))"#
    ))
    .unwrap()
}

const BELOW_TEN: &str = "(f32.lt
    (f32.load (i32.sub (i32.add (local.get $at) (local.get $length)) (i32.const 8)))
    (f32.const 10))";

/// A task that puts these bytes, with the proof behind them.
fn recipe(guard: &[u8], bytes: &[u8]) -> Recipe {
    let data: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let task = wat::parse_str(format!(
        r#"(module
        (import "heliograph" "vector_put_proved" (func $put (param i32 i32 i32 i32) (result i64)))
        (memory (export "memory") 1)
        (data (i32.const 256) "{data}")
        (func (export "_start") (result i32) (i32.wrap_i64
            (call $put (i32.const 0) (i32.const -1) (i32.const 256) (i32.const {})))))"#,
        bytes.len()
    ));
    let rules = StoreRules {
        tier: Tier::Deep,
        approvers: vec![approver().verifying_key().to_bytes()],
        guard: Some("guard".into()),
    };
    let (capacity, dimension, metric) = (10, 2, Metric::L2);
    let store = VectorStoreEntry { name: "vectors".into(), capacity, dimension, metric, rules };
    let recipe = Recipe { vector_stores: vec![store], ..Recipe::new() };
    let recipe = recipe.component("guard", guard).component("task", &task.unwrap());
    let rights = Rights::READ | Rights::WRITE;
    recipe.start("task", "task", vec![capability(Kind::VectorStore, "vectors", rights)])
}

/// What signed proofs call the store, and its root.
fn store(run: &Run) -> ([u8; 32], [u8; 32]) {
    let mut all = run.cell.view().objects();
    let found = all.find_map(|(_, object)| match &object.body {
        Object::Vectors(vectors) => Some((vectors.rules.id, vectors.store.root())),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{:?}", run.reports))
}

fn put(first: f32, change: impl Fn(&mut SignedProof)) -> Vec<u8> {
    let (id, _) = store(&recipe(&guard("(i32.const 1)"), &[]).run());
    let head = PutHead { key: 5, slot: 3, dimension: 2 }.to_bytes();
    let mutation = [&head[..], &first.to_le_bytes(), &2f32.to_le_bytes()].concat();
    let statement = Statement {
        store: id,
        slot: 3,
        old_leaf: HASHER.leaf(&[]),
        mutation: HASHER.hash(&mutation),
        nonce: 1,
        expiry: u64::MAX,
    };
    let signature = approver().sign(&statement.message()).to_bytes();
    let key = approver().verifying_key().to_bytes();
    let mut proof = SignedProof { statement, key, signature };
    change(&mut proof);
    [mutation, proof.to_bytes().to_vec()].concat()
}

/// What the guard is said to have decided in the log.
fn word(run: &Run) -> Option<bool> {
    run.of(1).iter().find_map(|record| match record.body {
        Body::Guard(Guard { allowed, .. }) => Some(allowed),
        _ => None,
    })
}

#[test]
fn what_the_guard_allows_is_done_and_its_word_is_in_the_log() {
    let run = recipe(&guard(BELOW_TEN), &put(9.5, |_| {})).run();
    assert_eq!((run.task(1), word(&run)), (Outcome::Exit(0), Some(true)), "{:?}", run.reports);
    assert_ne!(store(&run).1, store(&recipe(&guard(BELOW_TEN), &[]).run()).1);
    let (record, call) = run.calls(1)[0];
    assert_eq!(record.verdict, Verdict::Allowed);
    assert_eq!(record.cause, Some(run.ids[2]), "the mount brought the trust in the approver");
    assert_eq!((call.argument, call.length), (5, 24));
}

#[test]
fn what_the_guard_refuses_or_does_not_decide_changes_nothing() {
    let empty = store(&recipe(&guard(BELOW_TEN), &[]).run()).1;
    for body in [BELOW_TEN, "unreachable", "(loop $l (br $l)) (i32.const 1)", "(i32.const 2)"] {
        let run = recipe(&guard(body), &put(10.5, |_| {})).run();
        assert_eq!(run.task(1), Outcome::Exit(-i32::from(Error::GuardRefused.number())));
        assert_eq!((word(&run), store(&run).1), (Some(false), empty), "{body}");
    }
}

#[test]
fn a_proof_that_does_not_hold_never_comes_to_the_guard() {
    type Change = fn(&mut SignedProof);
    let cases: [(Change, Error); 8] = [
        (|proof| proof.signature[0] ^= 1, Error::BadSignature),
        (|proof| proof.statement.store[0] ^= 1, Error::WrongObject),
        (|proof| proof.statement.slot = 4, Error::WrongSlot),
        (|proof| proof.statement.mutation[0] ^= 1, Error::WrongMutation),
        (|proof| proof.statement.expiry = 0, Error::ProofExpired),
        (|proof| proof.key[0] ^= 1, Error::UntrustedKey),
        (|proof| proof.statement.nonce = 2, Error::BadSignature),
        (|proof| proof.statement.old_leaf[0] ^= 1, Error::BadSignature),
    ];
    for (change, error) in cases {
        let run = recipe(&guard(BELOW_TEN), &put(1.0, change)).run();
        assert_eq!(run.task(1), Outcome::Exit(-i32::from(error.number())), "{error:?}");
        assert_eq!(word(&run), None);
    }
    // A proof made for another content of the slot, well signed.
    let stale = put(1.0, |proof| {
        proof.statement.old_leaf = [1; 32];
        proof.signature = approver().sign(&proof.statement.message()).to_bytes();
    });
    let run = recipe(&guard(BELOW_TEN), &stale).run();
    assert_eq!(run.task(1), Outcome::Exit(-i32::from(Error::StaleState.number())));
}

#[test]
fn the_proof_of_a_guarded_change_is_paid_for_each_time_it_is_looked_at() {
    for first in [9.5, 10.5] {
        let run = recipe(&guard(BELOW_TEN), &put(first, |_| {})).run();
        let task = run.cell.view().task(Subject(1)).unwrap();
        assert!(task.spent >= 2 * PROOF_FUEL, "{}", task.spent);
    }
}

#[test]
fn a_guarded_change_never_costs_more_than_its_caller_has() {
    let (guard, bytes) = (guard(BELOW_TEN), put(9.5, |_| {}));
    let run = |fuel| {
        let run = recipe(&guard, &bytes).with(|task| task.fuel = fuel).run();
        let task = run.cell.view().task(Subject(1)).unwrap();
        assert!(task.spent <= fuel, "{} of {fuel}", task.spent);
        let limits = run.cell.view().partitions().next().unwrap().fuel;
        assert!(limits.used <= limits.limit);
        run.task(1) == Outcome::Exit(0)
    };
    // The least fuel with which it is done, and what is around that.
    let (mut less, mut enough) = (0, 10_000_000);
    while enough - less > 1 {
        let middle = (less + enough) / 2;
        *(if run(middle) { &mut enough } else { &mut less }) = middle;
    }
    for fuel in (enough - 2_000..enough + 2_000).step_by(100) {
        run(fuel);
    }
}

/// A task that adds a node to a graph with this guard, by these bytes.
fn graph_recipe(guard: &[u8], bytes: &[u8]) -> Recipe {
    let data: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let task = wat::parse_str(format!(
        r#"(module
        (import "heliograph" "graph_apply_proved"
            (func $apply (param i32 i32 i32 i32 i32) (result i64)))
        (memory (export "memory") 1)
        (data (i32.const 256) "{data}")
        (func (export "_start") (result i32) (i32.wrap_i64 (call $apply
            (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 256) (i32.const {})))))"#,
        bytes.len()
    ));
    let approvers = vec![approver().verifying_key().to_bytes()];
    let rules = StoreRules { tier: Tier::Deep, approvers, guard: Some("guard".into()) };
    let store = GraphStoreEntry { name: "facts".into(), nodes: 4, edges: 4, rules };
    let recipe = Recipe { graph_stores: vec![store], ..Recipe::new() };
    let recipe = recipe.component("guard", guard).component("task", &task.unwrap());
    let rights = Rights::READ | Rights::WRITE;
    recipe.start("task", "task", vec![capability(Kind::GraphStore, "facts", rights)])
}

#[test]
fn a_graph_has_a_guard_too_that_is_told_what_changes() {
    // A graph, an empty slot, 32 bytes, which are of a node below 10.
    let body = "(i32.and
        (i32.and (i32.eq (i32.load (local.get $at)) (i32.const 10))
            (i32.and (i32.eqz (i32.load offset=4 (local.get $at)))
                (i32.eq (i32.load offset=8 (local.get $at)) (i32.const 32))))
        (i64.lt_u (i64.load offset=24 (local.get $at)) (i64.const 10)))";
    let facts = |run: &Run| {
        let mut all = run.cell.view().objects();
        let found = all.find_map(|(_, object)| match &object.body {
            Object::Graph(graph) => Some((graph.rules.id, graph.store.counts())),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("{:?}", run.reports))
    };
    let (store, _) = facts(&graph_recipe(&guard(body), &[]).run());
    for (from, said) in [(9, true), (10, false)] {
        let (operation, slot, to, weight) = (0, 2, 0, 0.0);
        let mutation = GraphMutation { operation, slot, from, to, weight }.to_bytes();
        let (old_leaf, mutation_hash) = (HASHER.leaf(&[]), HASHER.hash(&mutation));
        let (nonce, expiry) = (1, u64::MAX);
        let statement = Statement { store, slot, old_leaf, mutation: mutation_hash, nonce, expiry };
        let signature = approver().sign(&statement.message()).to_bytes();
        let key = approver().verifying_key().to_bytes();
        let proof = SignedProof { statement, key, signature }.to_bytes();
        let run = graph_recipe(&guard(body), &[&mutation[..], &proof].concat()).run();
        let code = if said { 0 } else { -i32::from(Error::GuardRefused.number()) };
        assert_eq!((run.task(1), word(&run)), (Outcome::Exit(code), Some(said)));
        assert_eq!(facts(&run).1, (u32::from(said), 0));
    }
}
