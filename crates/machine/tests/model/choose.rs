//! What to do next: from a number and what the model holds, mostly something
//! that makes sense, and often enough something that does not.

use crate::{
    bench::{APPROVERS, sign},
    common::HASHER,
    deed::{Deed, Event, Proof, Step, What},
    plain::{Body, Model},
    stores,
};
use abi::{
    Call, Error, GrantArguments, Handle, Kind, Reference, RegionMode, Rights, SignedProof,
    SpawnArguments, Statement, mix,
    profile::{MAILBOX, NO_HANDLE},
};
use std::collections::BTreeMap;
use witness::Hash;

/// Numbers from a number.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn long(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        mix(self.0 ^ 0x5bd1_e995)
    }

    /// Below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.long() % end.max(1)
    }

    /// Once in `times`.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub fn of<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        all.get(self.below(all.len() as u64) as usize).cloned()
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let byte = self.long() as u8;
        (0..length).map(|at| byte.wrapping_add(at as u8)).collect()
    }
}

/// What earlier choices made, for later ones.
#[derive(Default)]
pub struct Memory {
    /// Mutations by their SHA-256.
    pub mutations: BTreeMap<Hash, Vec<u8>>,
    /// Signed proofs, used or not.
    pub signed: Vec<SignedProof>,
    pub nonce: u64,
    /// A slice ends after so many steps on average.
    pub patience: u64,
}

pub fn step(dice: &mut Dice, model: &Model, on: Option<u32>, memory: &mut Memory) -> Step {
    let Some(who) = on else {
        let is_event = dice.once_in(if model.halted { 2 } else { 10 });
        return if is_event { Step::Event(event(dice, model, memory)) } else { Step::Begin };
    };
    let alive = model.tasks.values().filter(|task| task.is_alive()).count();
    if dice.once_in(memory.patience) {
        let fuel = if dice.once_in(3) { dice.below(1_000_000) } else { dice.below(3_000) };
        return Step::End { fuel };
    }
    if who > 3 && alive > 3 && dice.once_in(60) || dice.once_in(1_500) {
        return Step::Exit(dice.below(3) as i32);
    }
    Step::Call(deed(dice, model, who, memory))
}

fn event(dice: &mut Dice, model: &Model, memory: &mut Memory) -> Event {
    match dice.below(12) {
        _ if model.halted && !dice.once_in(3) => Event::Resume,
        0 => Event::Stop,
        1 => Event::Resume,
        2..=6 => {
            let length = dice.below(250) as usize;
            Event::Reading(dice.bytes(length))
        }
        7 => {
            let length = dice.below(100) as usize;
            Event::Typed(dice.bytes(length))
        }
        _ => {
            let store = any_store(dice, model).unwrap();
            let mutation = stores::mutation(dice, model, store, memory);
            Event::Approval(Box::new(signed(dice, model, store, &mutation, memory)))
        }
    }
}

fn any_store(dice: &mut Dice, model: &Model) -> Option<u32> {
    let is_store = |body: &Body| matches!(body, Body::Vectors(_) | Body::Graph(_));
    let all: Vec<u32> =
        model.objects.iter().filter(|(_, it)| is_store(&it.body)).map(|it| *it.0).collect();
    dice.of(&all)
}

/// Handles of a task for things of a kind; all if there is no kind.
pub fn held(model: &Model, who: u32, kind: Option<Kind>) -> Vec<Handle> {
    let all = model.tasks[&who].space.iter();
    all.filter(|(_, cap)| kind.is_none_or(|kind| kind == cap.kind)).map(|it| it.0).collect()
}

/// A handle for something of a kind: mostly a good one.
pub fn handle(dice: &mut Dice, model: &Model, who: u32, kind: Option<Kind>) -> Handle {
    let any = held(model, who, None);
    match dice.below(40) {
        0 => Handle(dice.long() as u32),
        1 => dice.of(&[MAILBOX, NO_HANDLE, Handle(64), Handle(65), Handle(63)]).unwrap(),
        2 => dice.of(&any).unwrap_or(NO_HANDLE),
        3 | 4 => {
            let some = dice.of(&any).unwrap_or(Handle(0));
            let generation = some.generation().wrapping_sub(1).wrapping_add(dice.below(3) as u16);
            Handle::new(dice.below(66) as u16 & some.slot() | some.slot(), generation)
        }
        _ => dice.of(&held(model, who, kind)).or(dice.of(&any)).unwrap_or(Handle(3)),
    }
}

const WEIGHTS: [(Call, u32, u64); 24] = [
    (Call::TaskSpawn, 0, 5),
    (Call::CapGrant, 0, 16),
    (Call::CapGrant, 1, 3),
    (Call::CapGrant, 2, 5),
    (Call::RegionMap, 0, 6),
    (Call::RegionMap, 1, 6),
    (Call::RegionMap, 2, 4),
    (Call::RegionMap, 3, 5),
    (Call::RegionMap, 4, 3),
    (Call::QueueSend, 0, 8),
    (Call::QueueSend, 1, 6),
    (Call::QueueRecv, 0, 14),
    (Call::TimerWait, 0, 1),
    (Call::TimerWait, 1, 2),
    (Call::RvfMount, 0, 3),
    (Call::RvfMount, 1, 3),
    (Call::AttestEmit, 0, 3),
    (Call::AttestEmit, 1, 10),
    (Call::VectorGet, 0, 3),
    (Call::VectorGet, 1, 3),
    (Call::VectorGet, 2, 3),
    (Call::VectorPutProved, 0, 12),
    (Call::GraphApplyProved, 0, 14),
    (Call::SensorSubscribe, 0, 3),
];

fn deed(dice: &mut Dice, model: &Model, who: u32, memory: &mut Memory) -> Deed {
    let total = WEIGHTS.iter().map(|it| it.2).sum();
    let mut at = dice.below(total);
    let found = WEIGHTS.iter().find(|(_, _, weight)| {
        let is_it = at < *weight;
        at = at.saturating_sub(*weight);
        is_it
    });
    let (call, operation, _) = *found.unwrap();
    let fuel = if dice.once_in(40) { 0 } else { 1 << 40 };
    let (handle, operation, what) = what(dice, model, who, (call, operation), memory);
    let mut deed = Deed { call, handle, operation, fuel, what: Ok(what) };
    match dice.below(150) {
        0 => deed.operation = dice.below(7) as u32,
        // Arguments of another call, which a machine never makes.
        1 => deed.call = dice.of(&Call::ALL).unwrap(),
        2 => {
            let why = [Error::BadPointer, Error::BadLength, Error::Overlap, Error::BadArgument];
            deed.what = Err(dice.of(&why).unwrap());
        }
        _ => {}
    }
    // Only exact searches: the index is not modelled.
    if deed.call == Call::VectorGet
        && deed.operation == 1
        && let Ok(What::Get { question, .. }) = &mut deed.what
        && let Some(flags) = question.get_mut(4..8)
    {
        flags.copy_from_slice(&[1, 0, 0, 0]);
    }
    deed
}

fn what(
    dice: &mut Dice,
    model: &Model,
    who: u32,
    (call, operation): (Call, u32),
    memory: &mut Memory,
) -> (Handle, u32, What) {
    let of = |dice: &mut Dice, kind: Kind| handle(dice, model, who, Some(kind));
    let (handle, what) = match (call, operation) {
        (Call::TaskSpawn, _) => (of(dice, Kind::Component), spawn(dice, model, who)),
        (Call::CapGrant, 0) => grant(dice, model, who),
        (Call::CapGrant, 1) => {
            // Seldom a task: that kills it.
            let tasks = dice.once_in(4).then_some(Kind::Task);
            (handle(dice, model, who, tasks), What::TakeBack)
        }
        (Call::CapGrant, _) => (handle(dice, model, who, None), What::TakeBack),
        (Call::RegionMap, 3) => (of(dice, Kind::Memory), create(dice)),
        (Call::RegionMap, operation) => (of(dice, Kind::Region), map(dice, operation)),
        (Call::QueueSend, 0) => {
            let length = match dice.below(12) {
                0 => 4_096 + dice.below(2) as usize,
                1 => 0,
                _ => dice.below(150) as usize,
            };
            let (kind, priority) = (dice.of(&[7, 7, 0, 9]).unwrap(), dice.below(4) as u8);
            (of(dice, Kind::Queue), What::Send { kind, priority, bytes: dice.bytes(length) })
        }
        (Call::QueueSend, _) => {
            let region = of(dice, Kind::Region);
            let (offset, length) = (number(dice, 20), number(dice, 20));
            let reference = Reference { region, offset, length };
            let (kind, priority) = (dice.of(&[7, 0]).unwrap(), dice.below(4) as u8);
            (of(dice, Kind::Queue), What::SendReference { kind, priority, reference })
        }
        (Call::QueueRecv, _) => {
            let deadline = match dice.below(18) {
                0..=8 => 0,
                9..=11 => u64::MAX - u64::from(dice.once_in(10)),
                _ => model.now + dice.below(2_000_000),
            };
            let window = dice.of(&[5_000, 300, 300, 60, 48, 40, 24, 0]).unwrap();
            (of(dice, Kind::Queue), What::Receive { deadline, window })
        }
        (Call::TimerWait, _) => {
            let now = if operation == 0 { model.now } else { 0 };
            let ns =
                if dice.once_in(12) { u64::MAX - dice.below(2) } else { now + dice.below(900_000) };
            (of(dice, Kind::Timer), What::Wait { ns })
        }
        (Call::RvfMount, operation) => {
            let path = dice.of(&["a", "a", "b", "b", "/", "", "a/b", ".a"]).unwrap().into();
            let files = held(model, who, Some(Kind::Region));
            let is_file = |handle: &Handle| {
                let cap = model.tasks[&who].space.get(*handle);
                cap.is_ok_and(|cap| cap.object == model.inner.region)
            };
            let file = files.into_iter().find(is_file).filter(|_| !dice.once_in(8));
            let region = file.unwrap_or_else(|| of(dice, Kind::Region));
            let what =
                if operation == 0 { What::Mount { region, path } } else { What::Unmount { path } };
            (of(dice, Kind::Namespace), what)
        }
        (Call::AttestEmit, 0) => {
            let length = dice.of(&[0, 1, 40, 128, 129]).unwrap();
            let (kind, digest) = (dice.below(5) as u32, [dice.long() as u8; 32]);
            (of(dice, Kind::Log), What::Claim { kind, digest, body: dice.bytes(length) })
        }
        (Call::AttestEmit, _) => stores::approve(dice, model, who, memory),
        (Call::VectorGet, operation) => {
            let kind = if operation == 2 { Kind::GraphStore } else { Kind::VectorStore };
            (of(dice, kind), stores::question(dice, operation))
        }
        (Call::VectorPutProved, _) => {
            let (handle, mutation, proof) =
                stores::change(dice, model, who, Kind::VectorStore, memory);
            (handle, What::Put { mutation, proof })
        }
        (Call::GraphApplyProved, _) => {
            let (handle, mutation, proof) =
                stores::change(dice, model, who, Kind::GraphStore, memory);
            let operation = u32::from(mutation.first().copied().unwrap_or(0)) & 7;
            return (handle, operation, What::Apply { mutation, proof });
        }
        (Call::SensorSubscribe, _) => {
            (of(dice, Kind::Sensor), What::Subscribe { queue: of(dice, Kind::Queue) })
        }
    };
    (handle, operation, what)
}

/// Mostly small.
fn number(dice: &mut Dice, end: u64) -> u64 {
    match dice.below(14) {
        0 => u64::MAX - dice.below(3),
        1 => 1 << dice.below(64),
        _ => dice.below(end),
    }
}

fn spawn(dice: &mut Dice, model: &Model, who: u32) -> What {
    let fuel = match dice.below(8) {
        0 => u64::MAX,
        1 => dice.below(3_000),
        _ => 50_000 + dice.below(5_000_000),
    };
    let memory = if dice.once_in(8) { dice.long() as u32 } else { dice.below(1_500) as u32 };
    let count = if dice.once_in(30) { 66 } else { dice.below(9) };
    let mut passed: Vec<u8> =
        (0..count).flat_map(|_| passable(dice, model, who).0.to_le_bytes()).collect();
    if dice.once_in(30) {
        passed.push(0);
    }
    let (priority, deadline) = (dice.long() as u8, dice.long() >> dice.below(60));
    let capabilities = (passed.len() / 4) as u32;
    let start =
        SpawnArguments { fuel, memory, priority, deadline, capabilities, is_reactor: false };
    let prepared = if dice.once_in(10) { Err(Error::NotWasm) } else { Ok(()) };
    What::Spawn { start, passed, prepared }
}

/// A handle of what may be passed on, mostly.
fn passable(dice: &mut Dice, model: &Model, who: u32) -> Handle {
    let all = held(model, who, None);
    let may = |it: &Handle| model.tasks[&who].space.get(*it).is_ok_and(|cap| cap.may_pass());
    let all: Vec<Handle> = all.into_iter().filter(may).collect();
    let good = dice.of(&all).filter(|_| !dice.once_in(25));
    good.unwrap_or_else(|| handle(dice, model, who, None))
}

fn grant(dice: &mut Dice, model: &Model, who: u32) -> (Handle, What) {
    let giver = passable(dice, model, who);
    let cap = model.tasks[&who].space.get(giver).ok().cloned();
    let has = cap.as_ref().map_or(Rights::NONE, |cap| cap.rights);
    let rights = match dice.below(10) {
        0 => Rights::from_bits(dice.long() as u8),
        1 => has | Rights::GRANT_ONCE,
        2..=5 => has,
        _ => has.intersection(Rights::from_bits(dice.long() as u8)),
    };
    let expiry = match dice.below(8) {
        0 => model.now.saturating_sub(dice.below(100)),
        1 | 2 => model.now + dice.below(3_000_000),
        _ => u64::MAX,
    };
    let left = cap.map_or(0, |cap| cap.uses);
    let uses = match dice.below(8) {
        0 => 0,
        1..=3 => 1 + dice.below(4) as u32,
        4 => left.wrapping_sub(dice.below(3) as u32),
        _ => u32::MAX,
    };
    let badge = if dice.once_in(3) { dice.below(3) } else { 0 };
    let to = handle(dice, model, who, Some(Kind::Task));
    (giver, What::Grant(GrantArguments { to, rights, badge, expiry, uses }))
}

fn create(dice: &mut Dice) -> What {
    let small = |dice: &mut Dice, end| match dice.below(12) {
        0 => 0,
        1 => u32::MAX,
        2 => (1 << 24) - 1,
        _ => 1 + dice.below(end) as u32,
    };
    let mode = match dice.below(3) {
        0 => RegionMode::Immutable,
        1 => RegionMode::Append(small(dice, 300)),
        _ => RegionMode::Slab { slot_bytes: small(dice, 40), slots: small(dice, 5) },
    };
    let is_filled = mode == RegionMode::Immutable || dice.once_in(12);
    let length = if is_filled { dice.below(200) as usize } else { 0 };
    What::Create { mode, content: dice.bytes(length) }
}

fn map(dice: &mut Dice, operation: u32) -> What {
    let slot = if dice.once_in(12) { dice.long() } else { dice.below(3) << 32 | dice.below(5) };
    let length = if dice.once_in(8) { dice.below(500) } else { dice.below(50) } as usize;
    match operation {
        0 => {
            let offset = if dice.once_in(2) { slot } else { number(dice, 60) };
            let window = dice.of(&[0, 1, 30, 30, 400]).unwrap();
            What::Read { offset, window }
        }
        1 => What::Append(dice.bytes(length)),
        2 => What::Write { slot, bytes: dice.bytes(length) },
        _ => What::Free { slot },
    }
}

/// A proof by an approver of what the store holds now: mostly a good one.
pub fn signed(
    dice: &mut Dice,
    model: &Model,
    store: u32,
    mutation: &[u8],
    memory: &mut Memory,
) -> SignedProof {
    memory.nonce += dice.below(3);
    let nonce = match dice.below(6) {
        0 => memory.nonce.saturating_sub(dice.below(80)),
        1 => memory.nonce + dice.below(20),
        _ => {
            memory.nonce += 1;
            memory.nonce
        }
    };
    let slot = stores::slot_of(mutation);
    let expiry = if dice.once_in(6) { model.now + dice.below(500_000) } else { u64::MAX };
    let old_leaf = stores::leaf(model, store, slot);
    let id = stores::rules(model, store).map_or([0; 32], |rules| rules.id);
    let mutation = HASHER.hash(mutation);
    let mut statement = Statement { store: id, slot, old_leaf, mutation, nonce, expiry };
    let mut key = APPROVERS[0];
    let spoil = dice.below(36);
    match spoil {
        0 => statement.store[3] ^= 1,
        1 => statement.slot ^= 1,
        2 => statement.old_leaf[5] ^= 1,
        3 => statement.mutation[7] ^= 1,
        4 => statement.expiry = model.now,
        5 => key = APPROVERS[1],
        6 => key = [9; 32],
        _ => {}
    }
    let mut signature = sign(&key, &statement.message());
    match spoil {
        7 => signature[40] ^= 1,
        8 => statement.nonce += 1,
        _ => {}
    }
    let proof = SignedProof { statement, key, signature };
    // The same event twice would be one proof with two records.
    if !memory.signed.contains(&proof) {
        memory.signed.push(proof);
    }
    proof
}

/// One that was made before, perhaps used.
pub fn known(dice: &mut Dice, memory: &Memory) -> Option<SignedProof> {
    let recent = memory.signed.len().saturating_sub(6);
    dice.of(&memory.signed[recent..])
}

pub fn as_proof(signed: SignedProof) -> Proof {
    Proof::Signed(Box::new(signed))
}
