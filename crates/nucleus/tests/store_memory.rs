//! A store takes the memory it was budgeted for when it is made, and none
//! later.
#![allow(clippy::unwrap_used)]

use abi::GraphMutation;
use nucleus::view::{Change, GraphStore, GraphTerms, Put, VectorStore, VectorTerms};
use package::manifest::Metric;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};
use witness::Hasher;

thread_local! {
    static BYTES: Cell<Option<u64>> = const { Cell::new(None) };
}

/// The system's allocator, counting what is asked for on demand.
struct Counting;

// SAFETY: every call goes to the system's allocator as it is; counting uses a
// thread-local without a destructor and does not allocate. What is not
// overridden allocates by `alloc`.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.with(|bytes| bytes.set(bytes.get().map(|all| all + layout.size() as u64)));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `System.alloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that `act` asks for.
fn counted<R>(act: impl FnOnce() -> R) -> (R, u64) {
    BYTES.set(Some(0));
    let result = act();
    (result, BYTES.replace(None).unwrap())
}

#[test]
fn vector_stores_take_what_they_say_and_no_more() {
    for metric in [Metric::Cosine, Metric::L2] {
        for (dimension, capacity) in [(1, 1), (3, 100), (128, 1_000), (1_024, 77)] {
            let terms = VectorTerms { dimension, capacity, metric };
            let (mut store, bytes) = counted(|| VectorStore::new(terms, Hasher::SOFTWARE));
            assert_eq!(bytes, VectorStore::bytes_needed(&terms), "{terms:?}");
            assert_eq!(bytes, store.bytes());
            for key in 0..2 * u64::from(capacity.min(200)) {
                let vector = (0..dimension).map(|at| abi::mix(key ^ u64::from(at) << 32) as u16);
                let numbers: Vec<u8> =
                    vector.flat_map(|it| (f32::from(it) + 1.0).to_le_bytes()).collect();
                let head = abi::PutHead { key, slot: store.place(key).unwrap_or(0), dimension };
                let mutation = [&head.to_bytes()[..], &numbers].concat();
                let (_, bytes) = counted(|| {
                    let put = Put::parse(&mutation).unwrap();
                    if store.check(&put).is_ok() {
                        store.put(&put, (1, 2));
                    }
                    let mut found = 0;
                    let mut count = |_, _, _| found += 1;
                    store.nearest(&numbers, 10, false, 4_096, &mut count).unwrap();
                    store.nearest(&numbers, 10, true, 0, &mut count).unwrap();
                    (store.entry(0).is_some(), store.root(), found)
                });
                assert_eq!(bytes, 0);
            }
        }
    }
}

#[test]
fn graph_stores_take_what_they_say_and_no_more() {
    for (nodes, edges) in [(1, 1), (10, 20), (1_000, 77)] {
        let terms = GraphTerms { nodes, edges };
        let (mut store, bytes) = counted(|| GraphStore::new(terms, Hasher::SOFTWARE));
        assert_eq!(bytes, GraphStore::bytes_needed(&terms), "{terms:?}");
        assert_eq!(bytes, store.bytes());
        for step in 0..1_000u64 {
            let any = abi::mix(step);
            let (from, to) = (any % 16, any >> 8 & 15);
            let operation = (any >> 16) as u32 % 5;
            let (_, bytes) = counted(|| {
                let node = store.node(from).map(|node| node.slot);
                let edge = store.edge(from, to).map(|edge| edge.slot);
                let (slot, to, weight) = match operation {
                    0 => (store.place_node(from), 0, 0.0),
                    1 => (node, 0, 0.0),
                    2 => (store.place_edge(from, to), to, 1.0),
                    3 => (edge, to, 0.0),
                    _ => (edge, to, 2.0),
                };
                let slot = slot.unwrap_or(0);
                let bytes = GraphMutation { operation, slot, from, to, weight }.to_bytes();
                let _ = store.apply(&Change::parse(&bytes).unwrap(), (1, 2));
                (store.out_edges(from, 0).count(), store.root())
            });
            assert_eq!(bytes, 0);
        }
        assert_ne!(store.counts(), (0, 0));
    }
}
