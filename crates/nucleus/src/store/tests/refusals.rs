//! Bad input: each by its name, and nothing has changed.

use super::common::*;
use crate::store::{Change, GraphStore, GraphTerms};
use abi::GraphMutation;
use std::format;

/// A cosine store of three, with two in it: key 1 in slot 0, key 2 in slot 2.
fn two() -> VectorStore {
    let mut store = store(2, 3, Metric::Cosine);
    put_at(&mut store, 1, 0, &[1.0, 0.0]).unwrap();
    put_at(&mut store, 2, 2, &[0.0, 1.0]).unwrap();
    store
}

#[test]
fn puts_are_refused_by_name() {
    let cases: &[(Error, u64, u32, &[f32])] = &[
        (Error::BadLength, 3, 1, &[]),
        (Error::BadLength, 3, 1, &[1.0]),
        (Error::BadLength, 3, 1, &[1.0, 1.0, 1.0]),
        (Error::NotFinite, 3, 1, &[1.0, f32::NAN]),
        (Error::NotFinite, 3, 1, &[f32::INFINITY, 0.0]),
        (Error::NotFinite, 3, 1, &[0.0, f32::NEG_INFINITY]),
        (Error::NotFinite, 3, 1, &[f32::MAX, f32::MAX]),
        (Error::ZeroNorm, 3, 1, &[0.0, -0.0]),
        (Error::ZeroNorm, 3, 1, &[1e-30, 1e-30]),
        (Error::OutOfRange, 3, 3, &[1.0, 1.0]),
        (Error::OutOfRange, 3, u32::MAX, &[1.0, 1.0]),
        (Error::OutOfRange, 1, 3, &[1.0, 1.0]),
        (Error::WrongSlot, 3, 0, &[1.0, 1.0]),
        (Error::WrongSlot, 1, 1, &[1.0, 1.0]),
        (Error::WrongSlot, 1, 2, &[1.0, 1.0]),
        // The vector comes before the slot.
        (Error::NotFinite, 3, 9, &[1.0, f32::NAN]),
    ];
    for (error, key, slot, vector) in cases {
        let mut store = two();
        let root = store.root();
        assert_eq!(put_at(&mut store, *key, *slot, vector), Err(*error), "{vector:?} at {slot}");
        assert_eq!((store.root(), store.count()), (root, 2));
    }
    let mut store = two();
    put_at(&mut store, 3, 1, &[1.0, 1.0]).unwrap();
    let root = store.root();
    assert_eq!(put_at(&mut store, 4, 1, &[1.0, 1.0]), Err(Error::StoreFull));
    assert_eq!((store.root(), store.place(4)), (root, None));
    put_at(&mut store, 3, 1, &[1.0, 2.0]).unwrap();
    assert_ne!(store.root(), root);
}

#[test]
fn bytes_that_are_no_put_are_refused() {
    let good = put_bytes(1, 0, &[1.0, 2.0]);
    assert!(Put::parse(&good).is_ok());
    for length in 0..good.len() {
        assert_eq!(Put::parse(&good[..length]).unwrap_err(), Error::BadLength);
    }
    for more in 1..8 {
        let bytes = [&good[..], &vec![0; more]].concat();
        assert_eq!(Put::parse(&bytes).unwrap_err(), Error::BadLength);
    }
    for dimension in [0u32, 1, 3, u32::MAX] {
        let mut bytes = good.clone();
        bytes[12..16].copy_from_slice(&dimension.to_le_bytes());
        assert_eq!(Put::parse(&bytes).unwrap_err(), Error::BadLength);
    }
}

#[test]
fn questions_are_refused_by_name() {
    let mut store = two();
    let before = format!("{:?}", (store.root(), store.slots()));
    let mut ask = |bytes: &[u8], is_exact| {
        store.nearest(bytes, 1, is_exact, 100, &mut |_, _, _| panic!("found something"))
    };
    for is_exact in [false, true] {
        for bytes in [&query(&[1.0])[..], &query(&[1.0; 3]), &[0; 7], &[0; 9], &[]] {
            assert_eq!(ask(bytes, is_exact), Err(Error::BadLength));
        }
        assert_eq!(ask(&query(&[f32::NAN, 0.0]), is_exact), Err(Error::NotFinite));
        assert_eq!(ask(&query(&[0.0, 0.0]), is_exact), Err(Error::ZeroNorm));
    }
    assert_eq!(before, format!("{:?}", (store.root(), store.slots())));
}

#[test]
fn a_zero_vector_is_a_vector_by_distance() {
    let mut store = store(2, 3, Metric::L2);
    put_at(&mut store, 1, 0, &[0.0, 0.0]).unwrap();
    assert_eq!(exact(&mut store, &[3.0, 4.0], 1).0, [(1, 25.0, 0)]);
}

fn change(operation: u32, slot: u32, from: u64, to: u64, weight: f32) -> Result<Change, Error> {
    Change::parse(&GraphMutation { operation, slot, from, to, weight }.to_bytes())
}

#[test]
fn bytes_that_are_no_change_are_refused() {
    let good = GraphMutation { operation: 2, slot: 4, from: 1, to: 2, weight: 1.0 }.to_bytes();
    assert!(Change::parse(&good).is_ok());
    for length in 0..good.len() {
        assert_eq!(Change::parse(&good[..length]), Err(Error::BadLength));
    }
    assert_eq!(Change::parse(&[&good[..], &[0]].concat()), Err(Error::BadLength));
    let mut padded = good;
    padded[31] = 1;
    assert_eq!(Change::parse(&padded), Err(Error::BadArgument));
    for operation in 0..=6 {
        let is_known = operation < 5;
        assert_eq!(change(operation, 0, 1, 0, 0.0).is_ok(), is_known);
        assert_eq!(change(operation, 0, 1, 2, 0.0).is_ok(), (2..5).contains(&operation));
        for weight in [1.0, -0.0] {
            let has_weight = matches!(operation, 2 | 4);
            assert_eq!(change(operation, 0, 1, 0, weight).is_ok(), has_weight);
        }
    }
}

#[test]
fn changes_are_refused_by_name() {
    // Nodes 1 and 2 in slots 0 and 1 of 0 to 2; an edge from 1 to 2 in slot 3
    // of 3 and 4.
    let mut store = GraphStore::new(GraphTerms { nodes: 3, edges: 2 }, HASHER);
    for good in [change(0, 0, 1, 0, 0.0), change(0, 1, 2, 0, 0.0), change(2, 3, 1, 2, 0.5)] {
        store.apply(&good.unwrap(), (1, 1)).unwrap();
    }
    let cases = [
        (Error::OutOfRange, change(0, 5, 3, 0, 0.0)),
        (Error::OutOfRange, change(2, 5, 2, 1, 0.0)),
        (Error::OutOfRange, change(4, u32::MAX, 1, 2, 0.0)),
        (Error::AlreadyExists, change(0, 2, 1, 0, 0.0)),
        (Error::AlreadyExists, change(2, 4, 1, 2, 0.0)),
        (Error::WrongSlot, change(0, 1, 3, 0, 0.0)),
        (Error::WrongSlot, change(0, 4, 3, 0, 0.0)),
        (Error::WrongSlot, change(1, 1, 1, 0, 0.0)),
        (Error::WrongSlot, change(2, 3, 2, 1, 0.0)),
        (Error::WrongSlot, change(2, 2, 2, 1, 0.0)),
        (Error::WrongSlot, change(3, 4, 1, 2, 0.0)),
        (Error::WrongSlot, change(4, 0, 1, 2, 0.0)),
        (Error::NotFound, change(1, 2, 3, 0, 0.0)),
        (Error::NotFound, change(2, 4, 1, 3, 0.0)),
        (Error::NotFound, change(2, 4, 3, 1, 0.0)),
        (Error::NotFound, change(3, 3, 2, 1, 0.0)),
        (Error::NotFound, change(4, 3, 2, 1, 0.0)),
        (Error::Busy, change(1, 0, 1, 0, 0.0)),
        (Error::Busy, change(1, 1, 2, 0, 0.0)),
        (Error::NotFinite, change(2, 4, 2, 1, f32::NAN)),
        (Error::NotFinite, change(4, 3, 1, 2, f32::INFINITY)),
    ];
    let before = format!("{store:?} {:?}", store.root());
    for (error, bad) in cases {
        let bad = bad.unwrap();
        assert_eq!(store.check(&bad), Err(error), "{bad:?}");
        assert_eq!(store.apply(&bad, (1, 2)), Err(error), "{bad:?}");
        assert_eq!(before, format!("{store:?} {:?}", store.root()), "{bad:?}");
    }
    for good in [change(0, 2, 3, 0, 0.0), change(2, 4, 3, 3, 0.0)] {
        store.apply(&good.unwrap(), (1, 1)).unwrap();
    }
    assert_eq!(store.check(&change(0, 0, 4, 0, 0.0).unwrap()), Err(Error::StoreFull));
    assert_eq!(store.check(&change(2, 3, 2, 1, 0.0).unwrap()), Err(Error::StoreFull));
    assert_eq!((store.place_node(4), store.place_edge(2, 1)), (None, None));
}
