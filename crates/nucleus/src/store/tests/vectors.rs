//! The vector store against a map.

use super::common::*;
use crate::store::tree::SlotTree;
use proptest::prelude::*;
use std::{collections::BTreeMap, format};

/// What one store is put through: keys, slots (none: where `place` says) and
/// vectors, from few enough values that they meet.
type Operation = (u64, Option<u32>, [f32; 3]);

fn number() -> impl Strategy<Value = f32> {
    let usual = proptest::sample::select(vec![0.0, 1.0, -1.0, 0.5, 2.0, -0.0]);
    let odd = vec![1e-30, 3e38, -3e38, f32::MIN_POSITIVE, f32::NAN, f32::INFINITY];
    prop_oneof![12 => usual, 1 => proptest::sample::select(odd)]
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let slot = prop_oneof![3 => Just(None), 1 => (0u32..10).prop_map(Some)];
    let vector = [number(), number(), number()];
    proptest::collection::vec((0u64..10, slot, vector), 0..40)
}

fn metric() -> impl Strategy<Value = Metric> {
    proptest::sample::select(vec![Metric::Cosine, Metric::L2])
}

#[derive(Clone, Debug)]
struct Known {
    slot: u32,
    writes: u32,
    vector: [f32; 3],
    coherence: f32,
}

struct Model {
    metric: Metric,
    capacity: u32,
    keys: BTreeMap<u64, Known>,
}

impl Model {
    fn refuses(&self, key: u64, slot: u32, vector: &[f32; 3]) -> Option<Error> {
        let norm = lanes(vector.iter().map(|x| x * x)).sqrt();
        let is_taken = self.keys.values().any(|known| known.slot == slot);
        let is_cosine = self.metric == Metric::Cosine;
        if vector.iter().any(|number| !number.is_finite()) {
            Some(Error::NotFinite)
        } else if is_cosine && norm == 0.0 {
            Some(Error::ZeroNorm)
        } else if is_cosine && norm.is_infinite() {
            Some(Error::NotFinite)
        } else if slot >= self.capacity {
            Some(Error::OutOfRange)
        } else if let Some(known) = self.keys.get(&key) {
            (known.slot != slot).then_some(Error::WrongSlot)
        } else if self.keys.len() == self.capacity as usize {
            Some(Error::StoreFull)
        } else {
            is_taken.then_some(Error::WrongSlot)
        }
    }

    /// All, nearest first.
    fn ranked(&self, vector: &[f32], but: Option<u64>) -> Vec<(u64, f32, u32)> {
        let score = |known: &Known| slow_score(self.metric, vector, &known.vector);
        let others = self.keys.iter().filter(|(key, _)| Some(**key) != but);
        let mut all: Vec<_> = others.map(|(key, known)| (*key, score(known), known.slot)).collect();
        let distance = |score: f32| match self.metric {
            Metric::Cosine => 1.0 - score,
            Metric::L2 => score,
        };
        all.sort_by(|a, b| distance(a.1).total_cmp(&distance(b.1)).then(a.0.cmp(&b.0)));
        all
    }

    fn put(&mut self, key: u64, slot: u32, vector: [f32; 3]) {
        let near = self.ranked(&vector, Some(key));
        let near: Vec<_> = near.iter().take(8).map(|it| it.1).collect();
        let sum = near.iter().fold(0.0, |sum, score| sum + score);
        let coherence = if near.is_empty() { 0.0 } else { sum / near.len() as f32 };
        let writes = self.keys.get(&key).map_or(1, |known| known.writes + 1);
        self.keys.insert(key, Known { slot, writes, vector, coherence });
    }

    /// The commitment, from the documented bytes of each slot.
    fn tree(&self) -> SlotTree {
        let mut tree = SlotTree::new(HASHER, self.capacity);
        for (key, known) in &self.keys {
            let mut content = key.to_le_bytes().to_vec();
            for word in [known.writes, *key as u32, 7, known.coherence.to_bits()] {
                content.extend(word.to_le_bytes());
            }
            content.extend(query(&known.vector));
            tree.set(known.slot, Some(&content));
        }
        tree
    }
}

fn bits(found: &[(u64, f32, u32)]) -> Vec<(u64, u32, u32)> {
    found.iter().map(|(key, score, slot)| (*key, score.to_bits(), *slot)).collect()
}

proptest! {
    #[test]
    fn a_store_is_a_map_with_slots(metric in metric(), capacity in 1u32..9, operations in operations()) {
        let mut store = store(3, capacity, metric);
        let mut model = Model { metric, capacity, keys: BTreeMap::new() };
        for (key, slot, vector) in operations {
            let slot = slot.or_else(|| store.place(key)).unwrap_or(0);
            let before = format!("{:?}", (store.root(), store.slots()));
            let answer = put_at(&mut store, key, slot, &vector);
            match model.refuses(key, slot, &vector) {
                Some(error) => {
                    prop_assert_eq!(answer, Err(error));
                    prop_assert_eq!(before, format!("{:?}", (store.root(), store.slots())));
                }
                None => {
                    prop_assert!(answer.is_ok());
                    model.put(key, slot, vector);
                }
            }
            prop_assert_eq!(store.root(), model.tree().root());
            prop_assert_eq!(store.count() as usize, model.keys.len());
        }
        for key in 0..10 {
            let known = model.keys.get(&key);
            prop_assert_eq!(store.find(key), known.map(|known| known.slot));
            let place = store.place(key);
            match known {
                Some(known) => {
                    prop_assert_eq!(place, Some(known.slot));
                    let entry = store.entry(known.slot).unwrap();
                    prop_assert_eq!((entry.key, entry.writes), (key, known.writes));
                    prop_assert_eq!((entry.subject, entry.sequence), (key as u32, 7));
                    prop_assert_eq!(entry.coherence.to_bits(), known.coherence.to_bits());
                    prop_assert_eq!(query(entry.vector), query(&known.vector));
                }
                None => {
                    prop_assert_eq!(place.is_none(), store.count() == capacity);
                    prop_assert!(place.is_none_or(|slot| store.entry(slot).is_none()));
                }
            }
        }
        prop_assert_eq!(store.entry(capacity), None);
        // However few: all are found either way, in the same order.
        for question in [[1.0, 0.5, -1.0], [1e-30, 1.0, 0.0]] {
            let all = model.ranked(&question, None);
            let k = all.len().min(3);
            let (found, visited) = exact(&mut store, &question, 3);
            prop_assert_eq!(bits(&found), bits(&all[..k]));
            prop_assert_eq!(visited as usize, all.len());
            let (found, _) = nearest(&mut store, &question, 3, 1_000);
            prop_assert_eq!(bits(&found), bits(&all[..k]));
        }
    }

    #[test]
    fn the_same_operations_make_the_same_store(metric in metric(), operations in operations()) {
        let run = || {
            let mut store = store(3, 8, metric);
            for (key, slot, vector) in &operations {
                let slot = slot.or_else(|| store.place(*key)).unwrap_or(0);
                let _ = put_at(&mut store, *key, slot, vector);
            }
            format!("{store:?} {:?}", store.root())
        };
        prop_assert_eq!(run(), run());
    }

    /// Also when it ends in the middle of the upper levels.
    #[test]
    fn a_search_visits_no_more_than_it_may(seed: u64, most in 0u32..300, k in 0u32..70) {
        let mut stream = Stream(seed);
        let mut store = store(4, 300, Metric::L2);
        for key in 0..300 {
            put(&mut store, key, &stream.vector(4));
        }
        let (found, visited) = nearest(&mut store, &stream.vector(4), k, most);
        prop_assert!(found.len() <= k as usize && found.len() <= visited as usize);
    }
}

#[test]
fn ties_go_by_key() {
    for metric in [Metric::Cosine, Metric::L2] {
        let mut store = store(8, 200, metric);
        for key in (0..200).rev() {
            put(&mut store, key, &[1.0; 8]);
        }
        let keys = |found: Found| found.0.into_iter().map(|it| it.0).collect::<Vec<_>>();
        assert_eq!(keys(exact(&mut store, &[2.0; 8], 5)), [0, 1, 2, 3, 4]);
        let found = keys(nearest(&mut store, &[2.0; 8], 5, 4_096));
        assert!(found.is_sorted() && found.len() == 5);
    }
}

#[test]
fn an_empty_store_finds_nothing() {
    let mut store = store(2, 4, Metric::L2);
    assert_eq!(exact(&mut store, &[0.0; 2], 5), (vec![], 0));
    assert_eq!(nearest(&mut store, &[0.0; 2], 5, 100), (vec![], 0));
}

#[test]
fn what_many_lean_on_is_a_risk() {
    let mut stream = Stream(3);
    let mut store = store(4, 100, Metric::L2);
    assert_eq!(store.risk(0), 0);
    for key in 0..100 {
        put(&mut store, key, &stream.vector(4));
    }
    let risks: Vec<_> = (0..100).map(|slot| store.risk(slot)).collect();
    assert!(risks.iter().all(|risk| (1..=32).contains(risk)));
    assert_eq!(store.risk(100), 0);
}

/// From the documentation once more, in another language: a target, compiler
/// or arrangement of the sums that makes any bit another shows here.
#[test]
fn scores_and_roots_have_these_bits() {
    let mut stream = Stream(5);
    let vectors: Vec<_> = (0..50).map(|_| stream.vector(37)).collect();
    let expected = [
        (
            Metric::Cosine,
            1_051_570_919,
            "a4a4c0abee234d166876526d8b9cd02efa96fedb761279cf4525e6b90ffc52c4",
        ),
        (
            Metric::L2,
            1_098_691_381,
            "ccfda118748c087c256ef435f82d2ff1d7f40dcf75963df8f7e8bc8ba653a70c",
        ),
    ];
    for (metric, score, root) in expected {
        let mut store = store(37, 64, metric);
        for (key, vector) in (0..).zip(&vectors) {
            put(&mut store, key, vector);
        }
        let (found, _) = exact(&mut store, &stream.vector(37), 1);
        assert_eq!(found[0].1.to_bits(), score, "{metric:?}");
        assert_eq!(witness::hex::encode(&store.root()), root, "{metric:?}");
    }
}
