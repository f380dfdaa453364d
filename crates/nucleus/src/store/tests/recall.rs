//! How much of what is nearest the index finds: at least 0.95 of the ten
//! nearest, among 10,000.
//!
//! The vectors are a public embedding set (`tests/data/README.md`), and
//! clusters, where the neighbours of a vector are hard to tell apart and
//! other clusters far.

use super::common::*;
use std::println;

const DIMENSION: u32 = 128;
const COUNT: usize = 10_000;
const SET: &[u8] = include_bytes!("../../../tests/data/code-tokens.i8");

/// What `vector_get` visits where the caller does not say.
const VISIT: u32 = 512;

fn embeddings() -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
    let number = |byte: &u8| f32::from(byte.cast_signed());
    let rows = SET.chunks_exact(DIMENSION as usize);
    let mut all: Vec<Vec<f32>> = rows.map(|row| row.iter().map(number).collect()).collect();
    let queries = all.split_off(COUNT);
    (all, queries)
}

/// 100 clusters of 100, and 200 queries near some of them.
fn clusters() -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
    let mut stream = Stream(1);
    let centres: Vec<_> = (0..100).map(|_| stream.vector(DIMENSION)).collect();
    let mut near = |at: usize| -> Vec<f32> {
        centres[at % 100].iter().map(|number| number + stream.unit() / 4.0).collect()
    };
    let all = (0..COUNT).map(&mut near).collect();
    let queries = (0..200).map(|at| near(at * 7)).collect();
    (all, queries)
}

fn fill(metric: Metric, vectors: &[Vec<f32>]) -> VectorStore {
    let mut store = store(DIMENSION, vectors.len() as u32, metric);
    for (key, vector) in (0..).zip(vectors) {
        put(&mut store, key, vector);
    }
    store
}

/// Part of the true ten nearest that are found, over all queries.
fn recall(store: &mut VectorStore, queries: &[Vec<f32>], most: u32) -> f64 {
    let (mut hits, mut visits) = (0, 0);
    for query in queries {
        let (truth, all) = exact(store, query, 10);
        assert_eq!(all, store.count());
        let (found, visited) = nearest(store, query, 10, most);
        visits += visited;
        hits += truth.iter().filter(|(key, ..)| found.iter().any(|it| it.0 == *key)).count();
    }
    let recall = hits as f64 / (10 * queries.len()) as f64;
    println!("recall@10 {recall:.4} at {} visits of {most}", visits / queries.len() as u32);
    recall
}

#[test]
fn recall_on_embeddings_by_cosine() {
    let (vectors, queries) = embeddings();
    let mut store = fill(Metric::Cosine, &vectors);
    assert!(recall(&mut store, &queries, VISIT) >= 0.95);
    assert!(recall(&mut store, &queries, 4_096) >= 0.95);
}

#[test]
fn recall_on_embeddings_by_distance() {
    let (vectors, queries) = embeddings();
    let mut store = fill(Metric::L2, &vectors);
    assert!(recall(&mut store, &queries, VISIT) >= 0.95);
    assert!(recall(&mut store, &queries, 4_096) >= 0.95);
}

#[test]
fn recall_among_clusters() {
    let (vectors, queries) = clusters();
    let mut store = fill(Metric::L2, &vectors);
    assert!(recall(&mut store, &queries, VISIT) >= 0.95);
    assert!(recall(&mut store, &queries, 4_096) >= 0.95);
}

/// Every vector goes to another key, one by one: what was near is no longer.
#[test]
fn recall_after_everything_was_replaced() {
    let (vectors, queries) = embeddings();
    let mut store = fill(Metric::Cosine, &vectors);
    for key in 0..COUNT {
        put(&mut store, key as u64, &vectors[(key * 7 + 1_234) % COUNT]);
    }
    assert!(recall(&mut store, &queries, VISIT) >= 0.95);
    assert!(recall(&mut store, &queries, 4_096) >= 0.95);
}
