//! Choices about stores: questions, changes, and proofs of these.

use crate::{
    choose::{Dice, Memory, as_proof, handle, held, known, signed},
    common::HASHER,
    deed::{Proof, What},
    plain::{Body, Model, proof::Rules},
};
use abi::{GraphMutation, Handle, Kind, PutHead};
use package::manifest::Tier;
use witness::Hash;

pub fn rules(model: &Model, store: u32) -> Option<&Rules> {
    match model.objects.get(&store).map(|it| &it.body) {
        Some(Body::Vectors(it)) => Some(&it.rules),
        Some(Body::Graph(it)) => Some(&it.rules),
        _ => None,
    }
}

/// What a slot holds; something, if there is no such slot.
pub fn leaf(model: &Model, store: u32, slot: u32) -> Hash {
    match model.objects.get(&store).map(|it| &it.body) {
        Some(Body::Vectors(it)) if slot < it.capacity => it.tree().leaf(slot),
        Some(Body::Graph(it)) if slot < it.slots() => it.tree().leaf(slot),
        _ => HASHER.leaf(&[]),
    }
}

/// The slot that a mutation names.
pub fn slot_of(mutation: &[u8]) -> u32 {
    let at = if mutation.len() == GraphMutation::SIZE && mutation[1..4] == [0; 3] { 4 } else { 8 };
    // Both kinds may have 32 bytes: a put's begins with a key, which here has
    // its second byte set.
    let word = mutation.get(at..at + 4).unwrap_or(&[0; 4]);
    u32::from_le_bytes(word.try_into().unwrap())
}

/// The keys of vectors: told from operations by their second byte.
fn key(dice: &mut Dice) -> u64 {
    0x5500 | dice.below(8)
}

/// A change of a store: mostly one that can be made.
pub fn mutation(dice: &mut Dice, model: &Model, store: u32, memory: &mut Memory) -> Vec<u8> {
    let bytes = match model.objects.get(&store).map(|it| &it.body) {
        Some(Body::Vectors(it)) => {
            let key = key(dice);
            let wild = dice.below(9) as u32;
            let slot = it.place(key).filter(|_| !dice.once_in(8)).unwrap_or(wild);
            let dimension = if dice.once_in(20) { dice.below(5) } else { it.dimension as u64 };
            let mut vector: Vec<f32> = (0..dimension).map(|_| dice.below(5) as f32 - 2.0).collect();
            if dice.once_in(12)
                && let Some(first) = vector.first_mut()
            {
                let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, 1e-30];
                *first = dice.of(&odd).unwrap();
            } else if dice.once_in(20) {
                vector.fill(0.0);
            }
            let dimension = vector.len() as u32;
            let head = PutHead { key, slot, dimension }.to_bytes();
            let numbers = vector.into_iter().flat_map(f32::to_le_bytes);
            let mut bytes: Vec<u8> = head.into_iter().chain(numbers).collect();
            if dice.once_in(40) {
                bytes.pop();
            }
            bytes
        }
        Some(Body::Graph(it)) => {
            let operation = dice.of(&[0, 0, 0, 1, 2, 2, 2, 3, 4, 4]).unwrap();
            let (from, mut to) = (dice.below(6), dice.below(6));
            let mut weight = dice.below(9) as f32 - 4.0;
            let wild = dice.below(10) as u32;
            let node = it.nodes.get(&from).map(|it| it.slot);
            let edge = it.edges.get(&(from, to)).map(|it| it.0.slot);
            let slot = match operation {
                0 => it.place_node(from),
                1 => node,
                2 => it.place_edge(from, to),
                _ => edge,
            };
            let slot = slot.filter(|_| !dice.once_in(8)).unwrap_or(wild);
            if !dice.once_in(30) {
                to = if operation < 2 { 0 } else { to };
                weight = if matches!(operation, 2 | 4) { weight } else { 0.0 };
            }
            if dice.once_in(25) {
                weight = f32::NAN;
            }
            let mut bytes = GraphMutation { operation, slot, from, to, weight }.to_bytes().to_vec();
            match dice.below(60) {
                0 => bytes[0] = 9,
                1 => bytes[30] = 1,
                2 => bytes.push(0),
                _ => {}
            }
            bytes
        }
        _ => dice.bytes(32),
    };
    memory.mutations.insert(HASHER.hash(&bytes), bytes.clone());
    bytes
}

pub fn approve(dice: &mut Dice, model: &Model, who: u32, memory: &mut Memory) -> (Handle, What) {
    let kind = dice.of(&[Kind::VectorStore, Kind::GraphStore]).unwrap();
    let handle = handle(dice, model, who, Some(kind));
    let store = model.tasks[&who].space.get(handle).map_or(0, |cap| cap.object);
    let bytes = mutation(dice, model, store, memory);
    let slot = if dice.once_in(25) { dice.below(12) as u32 } else { slot_of(&bytes) };
    let mut old_leaf = leaf(model, store, slot);
    if dice.once_in(25) {
        old_leaf[9] ^= 1;
    }
    let expiry = match dice.below(12) {
        0 => model.now,
        1 => model.now + dice.below(300_000),
        _ => u64::MAX,
    };
    (handle, What::Approve { slot, mutation: HASHER.hash(&bytes), old_leaf, expiry })
}

/// A change with a proof: the store's handle, the mutation, the proof.
pub fn change(
    dice: &mut Dice,
    model: &Model,
    who: u32,
    kind: Kind,
    memory: &mut Memory,
) -> (Handle, Vec<u8>, Proof) {
    let mut store = handle(dice, model, who, Some(kind));
    let object = model.tasks[&who].space.get(store).map_or(0, |cap| cap.object);
    let is_minted = rules(model, object).is_none_or(|rules| rules.tier == Tier::Reflex);
    let mut bytes = mutation(dice, model, object, memory);
    if is_minted == dice.once_in(12) {
        // The tier wants a signed one.
        let proof = match known(dice, memory).filter(|_| dice.once_in(3)) {
            Some(proof) => proof,
            None => signed(dice, model, object, &bytes, memory),
        };
        let known = memory.mutations.get(&proof.statement.mutation);
        bytes = known.filter(|_| !dice.once_in(20)).cloned().unwrap_or(bytes);
        let id = proof.statement.store;
        let is_for = |it: &Handle| {
            let cap = model.tasks[&who].space.get(*it);
            cap.is_ok_and(|cap| rules(model, cap.object).is_some_and(|rules| rules.id == id))
        };
        let mut all = held(model, who, Some(kind)).into_iter();
        store = all.find(is_for).filter(|_| !dice.once_in(20)).unwrap_or(store);
        return (store, bytes, as_proof(proof));
    }
    let proof = handle(dice, model, who, Some(Kind::Proof));
    let minted = model.tasks[&who].space.get(proof).ok().and_then(|cap| {
        match model.objects.get(&cap.object).map(|it| &it.body) {
            Some(Body::Proof(minted)) => Some(minted.clone()),
            _ => None,
        }
    });
    let Some(minted) = minted else {
        let proof = if dice.once_in(2) { Proof::None } else { Proof::Minted(proof) };
        return (store, bytes, proof);
    };
    let known = memory.mutations.get(&minted.mutation);
    bytes = known.filter(|_| !dice.once_in(20)).cloned().unwrap_or(bytes);
    let is_for = |it: &Handle| {
        let cap = model.tasks[&who].space.get(*it);
        cap.is_ok_and(|cap| cap.object == minted.store)
    };
    let mut all = held(model, who, Some(kind)).into_iter();
    store = all.find(is_for).filter(|_| !dice.once_in(20)).unwrap_or(store);
    (store, bytes, Proof::Minted(proof))
}

pub fn question(dice: &mut Dice, operation: u32) -> What {
    let mut question = match operation {
        0 => [key(dice), dice.below(2)].map(u64::to_le_bytes).concat(),
        1 => {
            let k = dice.of(&[1u32, 2, 3, 64, 65, 0]).unwrap();
            let visit = dice.of(&[0u32, 7, 4_096, 4_097]).unwrap();
            let numbers = (0..2).map(|_| (dice.below(5) as f32 - 2.0).to_bits());
            let words = [k, 1, visit, 0].into_iter().chain(numbers);
            words.flat_map(u32::to_le_bytes).collect()
        }
        _ => [dice.below(6), dice.below(6), dice.below(3)].map(u64::to_le_bytes).concat(),
    };
    match dice.below(25) {
        0 => question.push(0),
        1 => drop(question.pop()),
        2 => *question.last_mut().unwrap() ^= 1,
        3 => question[8] ^= 2,
        _ => {}
    }
    let window = dice.of(&[400, 400, 400, 100, 40, 32, 16, 0]).unwrap();
    What::Get { question, window }
}
