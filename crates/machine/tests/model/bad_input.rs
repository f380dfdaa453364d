//! Bad input, by name: each gets an error code of its own, changes nothing
//! and leaves one record. The model has to agree, too.

use crate::{
    bench::{APPROVERS, sign},
    common::HASHER,
    deed::{Deed, Event, Proof, Step, What},
    drive::Drive,
    plain::{Life, Seen},
    stores,
};
use abi::{
    Call, Error, GrantArguments, GraphMutation, Handle, Kind, PutHead, Reference, RegionMode,
    Rights, SignedProof, SpawnArguments, Statement,
    profile::{CAPABILITIES, MAILBOX, NO_HANDLE, SLICE_RECORDS, TASKS},
};
use witness::{Body, Record, Verdict};

/// The task that makes the calls, and what it holds.
const CHIEF: u32 = 1;
const LETTERS: Handle = Handle(3);
const TYPED: Handle = Handle(4);
const TIMER: Handle = Handle(5);
const LOG: Handle = Handle(6);
const MEMORY: Handle = Handle(7);
const PACKAGES: Handle = Handle(8);
const PROGRAM: Handle = Handle(9);
const OTHER: Handle = Handle(10);
const DATA: Handle = Handle(11);
const NEAR: Handle = Handle(14);
const TURNED: Handle = Handle(15);
const CLAIMS: Handle = Handle(16);
const TIES: Handle = Handle(17);
const PROBE: Handle = Handle(18);
const GUARDED: Handle = Handle(20);

/// A machine that is about to be asked something bad.
struct Table(Drive);

fn deed(call: Call, operation: u32, handle: Handle, what: What) -> Deed {
    Deed { call, handle, operation, fuel: 1 << 40, what: Ok(what) }
}

impl Table {
    fn new() -> Self {
        let mut table = Self(Drive::new());
        table.turn();
        table
    }

    /// Has the chief in its slice, with room in it.
    fn turn(&mut self) {
        while self.0.on.is_none_or(|(who, left)| who != CHIEF || left < 500_000) {
            let step = if self.0.on.is_some() { Step::End { fuel: 0 } } else { Step::Begin };
            assert!(self.0.step(&step));
        }
    }

    /// Has a task make a call, whatever comes of it.
    fn ask_as(&mut self, who: u32, deed: Deed) -> i64 {
        while self.0.on.is_none_or(|(on, left)| on != who || left < 300_000) {
            let step = if self.0.on.is_some() { Step::End { fuel: 0 } } else { Step::Begin };
            assert!(self.0.step(&step), "task {who} has no slice");
        }
        self.0.step(&Step::Call(deed));
        self.0.value
    }

    fn ask(&mut self, deed: Deed) -> i64 {
        self.turn();
        self.ask_as(CHIEF, deed)
    }

    /// The same, which must be done.
    fn done(&mut self, call: Call, operation: u32, handle: Handle, what: What) -> Handle {
        let value = self.ask(deed(call, operation, handle, what));
        assert!(value >= 0, "{:?}", Error::from_guest(value));
        Handle(u32::try_from(value).unwrap())
    }

    /// Holds that this is refused for that reason.
    fn refused(&mut self, name: &str, bad: Deed, error: Error) {
        self.turn();
        self.refused_as(name, CHIEF, bad, error);
    }

    fn refused_as(&mut self, name: &str, who: u32, bad: Deed, error: Error) {
        let call = bad.call;
        let before = Seen::of(&self.0.nucleus);
        let next = self.0.nucleus.log().next().0;
        let value = self.ask_as(who, bad);
        let found = Error::from_guest(value);
        assert_eq!(found, Some(error), "{name}");
        let after = Seen::of(&self.0.nucleus);
        assert_eq!(before.held, after.held, "{name}");
        assert_eq!(before.objects, after.objects, "{name}");
        let records = self.0.nucleus.log().next().0 - next;
        assert_eq!(records, 1, "{name}");
        let bytes = self.0.nucleus.log().recent(1).last().unwrap().bytes().to_vec();
        let record = Record::decode(&bytes).unwrap();
        assert_eq!(record.verdict, Verdict::Denied(error), "{name}");
        let Body::Call(body) = record.body else { panic!("{name}: no call") };
        assert_eq!(body.call, call, "{name}");
    }

    fn start(fuel: u64) -> SpawnArguments {
        let (memory, priority, deadline, capabilities) = (0, 0, u64::MAX, 0);
        SpawnArguments { fuel, memory, priority, deadline, capabilities, is_reactor: false }
    }

    /// A child with these capabilities; gives the handle of it.
    fn child(&mut self, passed: &[Handle]) -> Handle {
        let passed = passed.iter().flat_map(|handle| handle.0.to_le_bytes()).collect();
        let start = Self::start(10_000_000);
        self.done(Call::TaskSpawn, 0, PROGRAM, What::Spawn { start, passed, prepared: Ok(()) })
    }

    fn grant(&mut self, of: Handle, to: Handle, rights: Rights) -> Handle {
        self.done(Call::CapGrant, 0, of, grant(to, rights))
    }

    fn id(&self, store: Handle) -> u32 {
        self.0.model.tasks[&CHIEF].space.get(store).unwrap().object
    }

    /// A proof of this change that the chief mints.
    fn mint(&mut self, store: Handle, mutation: &[u8]) -> Handle {
        let slot = stores::slot_of(mutation);
        let old_leaf = stores::leaf(&self.0.model, self.id(store), slot);
        let (mutation, expiry) = (HASHER.hash(mutation), u64::MAX);
        let what = What::Approve { slot, mutation, old_leaf, expiry };
        self.done(Call::AttestEmit, 1, store, what)
    }

    /// One that an approver signs, for what the slot holds now.
    fn signed(&self, store: Handle, mutation: &[u8], nonce: u64, expiry: u64) -> SignedProof {
        let store = self.id(store);
        let slot = stores::slot_of(mutation);
        let statement = Statement {
            store: stores::rules(&self.0.model, store).unwrap().id,
            slot,
            old_leaf: stores::leaf(&self.0.model, store, slot),
            mutation: HASHER.hash(mutation),
            nonce,
            expiry,
        };
        sealed(statement)
    }
}

fn sealed(statement: Statement) -> SignedProof {
    let key = APPROVERS[0];
    SignedProof { statement, key, signature: sign(&key, &statement.message()) }
}

fn grant(to: Handle, rights: Rights) -> What {
    let (badge, expiry, uses) = (0, u64::MAX, u32::MAX);
    What::Grant(GrantArguments { to, rights, badge, expiry, uses })
}

fn put(key: u64, slot: u32, vector: &[f32]) -> Vec<u8> {
    let head = PutHead { key: 0x5500 | key, slot, dimension: vector.len() as u32 }.to_bytes();
    head.into_iter().chain(vector.iter().flat_map(|number| number.to_le_bytes())).collect()
}

fn node(key: u64, slot: u32) -> Vec<u8> {
    GraphMutation { operation: 0, slot, from: key, to: 0, weight: 0.0 }.to_bytes().to_vec()
}

fn send(length: usize) -> What {
    What::Send { kind: 7, priority: 0, bytes: vec![1; length] }
}

fn by(signed: SignedProof) -> Proof {
    Proof::Signed(Box::new(signed))
}

fn change(mutation: Vec<u8>, proof: Proof) -> Deed {
    deed(Call::VectorPutProved, 0, TURNED, What::Put { mutation, proof })
}

const V: [f32; 3] = [1.0, 2.0, 2.0];

#[test]
fn handles_of_every_wrong_kind() {
    let mut table = Table::new();
    /// A call, its operation, the kind it is for, and arguments for it.
    type Case = (Call, u32, Option<Kind>, fn() -> What);
    let calls: [Case; 14] = [
        (Call::TaskSpawn, 0, Some(Kind::Component), || {
            let (start, passed) = (Table::start(1), vec![]);
            What::Spawn { start, passed, prepared: Ok(()) }
        }),
        (Call::RegionMap, 0, Some(Kind::Region), || What::Read { offset: 0, window: 9 }),
        (Call::RegionMap, 3, Some(Kind::Memory), || What::Create {
            mode: RegionMode::Immutable,
            content: vec![1],
        }),
        (Call::RegionMap, 1, Some(Kind::Region), || What::Append(vec![1])),
        (Call::QueueSend, 0, Some(Kind::Queue), || send(1)),
        (Call::QueueRecv, 0, Some(Kind::Queue), || What::Receive { deadline: 0, window: 99 }),
        (Call::TimerWait, 1, Some(Kind::Timer), || What::Wait { ns: 0 }),
        (Call::RvfMount, 1, Some(Kind::Namespace), || What::Unmount { path: "a".into() }),
        (Call::AttestEmit, 0, Some(Kind::Log), || What::Claim {
            kind: 1,
            digest: [0; 32],
            body: vec![],
        }),
        (Call::VectorGet, 0, Some(Kind::VectorStore), || What::Get {
            question: vec![0; 16],
            window: 99,
        }),
        (Call::VectorGet, 2, Some(Kind::GraphStore), || What::Get {
            question: vec![0; 24],
            window: 99,
        }),
        (Call::VectorPutProved, 0, Some(Kind::VectorStore), || What::Put {
            mutation: put(1, 1, &V),
            proof: Proof::None,
        }),
        (Call::GraphApplyProved, 0, Some(Kind::GraphStore), || What::Apply {
            mutation: node(1, 1),
            proof: Proof::None,
        }),
        (Call::SensorSubscribe, 0, Some(Kind::Sensor), || What::Subscribe { queue: LETTERS }),
    ];
    let child = table.child(&[]);
    let one_of_each =
        [LETTERS, TIMER, LOG, MEMORY, PACKAGES, PROGRAM, DATA, NEAR, CLAIMS, PROBE, child, MAILBOX];
    for (call, operation, kind, what) in calls {
        for handle in one_of_each {
            let is = table.0.model.tasks[&CHIEF].space.get(handle).unwrap().kind;
            if Some(is) != kind {
                let name = format!("{call:?} {operation} with a {is:?}");
                table.refused(&name, deed(call, operation, handle, what()), Error::WrongKind);
            }
        }
    }
    // What is no store cannot be approved for.
    let approve =
        || What::Approve { slot: 0, mutation: [0; 32], old_leaf: [0; 32], expiry: u64::MAX };
    table.refused("approve", deed(Call::AttestEmit, 1, LOG, approve()), Error::WrongKind);
}

#[test]
fn handles_that_are_forged_stale_or_out_of_range() {
    let mut table = Table::new();
    let wait = |handle| deed(Call::TimerWait, 1, handle, What::Wait { ns: 0 });
    let forged = [Handle::new(5, 1), Handle::new(5, u16::MAX), Handle(40), Handle(0x7fff_0000)];
    for handle in forged {
        table.refused("forged", wait(handle), Error::BadHandle);
    }
    for handle in [64, 65, 0xffff, 0xffff_fffd] {
        table.refused("out of range", wait(Handle(handle)), Error::BadHandle);
    }
    table.refused("none", wait(NO_HANDLE), Error::BadHandle);
    table.done(Call::CapGrant, 2, TIMER, What::TakeBack);
    table.refused("given up", wait(TIMER), Error::StaleHandle);
    // The slot is taken again, and the old handle is still stale.
    let new = table.mint(NEAR, &put(1, 1, &[1.0, 1.0]));
    assert_eq!((new.slot(), new.generation()), (TIMER.slot(), 1));
    table.refused("used again", wait(TIMER), Error::StaleHandle);
}

#[test]
fn zero_and_maximum_lengths() {
    let mut table = Table::new();
    let mut refused = |name: &str, call, operation, handle, what, error| {
        table.refused(name, deed(call, operation, handle, what), error);
    };
    refused("4,097 bytes", Call::QueueSend, 0, LETTERS, send(4_097), Error::BadLength);
    let create = |mode| What::Create { mode, content: vec![] };
    for mode in [
        RegionMode::Append(0),
        RegionMode::Append(u32::MAX),
        RegionMode::Slab { slot_bytes: 0, slots: 3 },
        RegionMode::Slab { slot_bytes: 3, slots: 0 },
        RegionMode::Slab { slot_bytes: u32::MAX, slots: u32::MAX },
    ] {
        refused("a region", Call::RegionMap, 3, MEMORY, create(mode), Error::BadArgument);
    }
    let all_bytes = create(RegionMode::Append(1 << 30));
    refused("all memory", Call::RegionMap, 3, MEMORY, all_bytes, Error::ByteBudget);
    let claim = |length| What::Claim { kind: 1, digest: [0; 32], body: vec![0; length] };
    refused("a claim of 129", Call::AttestEmit, 0, LOG, claim(129), Error::BadLength);
    refused("a claim of 1,000", Call::AttestEmit, 0, LOG, claim(1_000), Error::NotApproved);
    let get = |length| What::Get { question: vec![0; length], window: 99 };
    for length in [0, 15, 17, 4_096] {
        refused("a question", Call::VectorGet, 0, NEAR, get(length), Error::BadLength);
        refused("a question", Call::VectorGet, 2, CLAIMS, get(length), Error::BadLength);
    }
    for length in [0, 15, 23, 25, 40] {
        let what = What::Put { mutation: vec![0; length], proof: Proof::None };
        refused("a put", Call::VectorPutProved, 0, NEAR, what, Error::BadLength);
    }
    for length in [0, 31, 33] {
        let what = What::Apply { mutation: vec![0; length], proof: Proof::None };
        refused("a change", Call::GraphApplyProved, 0, CLAIMS, what, Error::BadLength);
    }
    for length in [1, 3, 4 * CAPABILITIES + 4] {
        let (start, passed) = (Table::start(1), vec![0; length]);
        let what = What::Spawn { start, passed, prepared: Ok(()) };
        refused("handles", Call::TaskSpawn, 0, PROGRAM, what, Error::BadLength);
    }
    for ns in [u64::MAX, 1 << 63] {
        refused("for ever", Call::TimerWait, 0, TIMER, What::Wait { ns }, Error::BadArgument);
    }
    for (offset, window) in [(u64::MAX, 1), (30, 9)] {
        let what = What::Read { offset, window };
        refused("beyond", Call::RegionMap, 0, DATA, what, Error::OutOfRange);
    }
    let none = What::Grant(GrantArguments {
        to: Handle(21),
        rights: Rights::READ,
        badge: 0,
        expiry: u64::MAX,
        uses: 0,
    });
    table.child(&[]);
    table.refused("no uses", deed(Call::CapGrant, 0, DATA, none), Error::BadArgument);
}

#[test]
fn numbers_that_are_not_finite_and_vectors_without_a_direction() {
    let mut table = Table::new();
    for (number, error) in [
        (f32::NAN, Error::NotFinite),
        (f32::INFINITY, Error::NotFinite),
        (f32::NEG_INFINITY, Error::NotFinite),
        (0.0, Error::ZeroNorm),
    ] {
        let mutation = put(1, 1, &[number, 0.0, 0.0]);
        let proof = table.signed(TURNED, &mutation, 1, u64::MAX);
        table.refused("a vector", change(mutation, by(proof)), error);
        let head = [1u32, 1, 0, 0].map(u32::to_le_bytes).concat();
        let numbers = [number, 0.0, 0.0].map(f32::to_le_bytes).concat();
        let what = What::Get { question: [head, numbers].concat(), window: 99 };
        table.refused("a query", deed(Call::VectorGet, 1, TURNED, what), error);
    }
    for (key, slot) in [(1, 1), (2, 2)] {
        let mutation = node(key, slot);
        let proof = Proof::Minted(table.mint(CLAIMS, &mutation));
        table.done(Call::GraphApplyProved, 0, CLAIMS, What::Apply { mutation, proof });
    }
    for weight in [f32::NAN, f32::INFINITY] {
        let (operation, slot, from, to) = (2, 5, 1, 2);
        let mutation = GraphMutation { operation, slot, from, to, weight }.to_bytes().to_vec();
        let proof = Proof::Minted(table.mint(CLAIMS, &mutation));
        let what = What::Apply { mutation, proof };
        table.refused("a weight", deed(Call::GraphApplyProved, 2, CLAIMS, what), Error::NotFinite);
    }
}

#[test]
fn a_proof_with_any_one_field_changed() {
    let mut table = Table::new();
    let mutation = put(1, 1, &V);
    let good = table.signed(TURNED, &mutation, 5, u64::MAX);
    type Case = (&'static str, fn(&mut SignedProof), Error);
    let changes: [Case; 12] = [
        ("store", |it| it.statement.store[31] ^= 1, Error::WrongObject),
        ("slot", |it| it.statement.slot = 2, Error::WrongSlot),
        ("mutation", |it| it.statement.mutation[0] ^= 128, Error::WrongMutation),
        ("expiry", |it| it.statement.expiry = 1, Error::ProofExpired),
        ("a later expiry", |it| it.statement.expiry -= 1, Error::BadSignature),
        ("nonce", |it| it.statement.nonce += 1, Error::BadSignature),
        ("old leaf", |it| it.statement.old_leaf[0] ^= 1, Error::BadSignature),
        ("key", |it| it.key[0] ^= 1, Error::UntrustedKey),
        ("a revoked key", |it| it.key = APPROVERS[1], Error::RevokedKey),
        ("signature, first", |it| it.signature[0] ^= 1, Error::BadSignature),
        ("signature, last", |it| it.signature[63] ^= 128, Error::BadSignature),
        ("all of it", |it| it.signature = [0; 64], Error::BadSignature),
    ];
    for (name, spoil, error) in changes {
        let mut bad = good;
        spoil(&mut bad);
        table.refused(name, change(mutation.clone(), by(bad)), error);
    }
    table.refused("none", change(mutation.clone(), Proof::None), Error::ProofRequired);
    let minted = table.mint(TURNED, &mutation);
    let minted = Proof::Minted(minted);
    table.refused("a lower tier", change(mutation.clone(), minted), Error::TierTooLow);
    // A minted one, of another change.
    let small = put(1, 1, &[1.0, 1.0]);
    let proof = table.mint(NEAR, &small);
    let with = |mutation: Vec<u8>, store| {
        let proof = Proof::Minted(proof);
        deed(Call::VectorPutProved, 0, store, What::Put { mutation, proof })
    };
    let other = put(1, 1, &[1.0, 2.0]);
    table.refused("another vector", with(other, NEAR), Error::WrongMutation);
    let other = put(1, 2, &[1.0, 1.0]);
    table.refused("another slot", with(other, NEAR), Error::WrongSlot);
    // And the good one is still good.
    table.done(Call::VectorPutProved, 0, TURNED, What::Put { mutation, proof: by(good) });
    let proof = Proof::Minted(proof);
    table.done(Call::VectorPutProved, 0, NEAR, What::Put { mutation: small, proof });
}

#[test]
fn a_nonce_that_is_replayed_before_and_after_its_expiry() {
    let mut table = Table::new();
    let mutation = put(1, 1, &V);
    let expiry = table.0.model.now + 2_000_000;
    let proof = table.signed(TURNED, &mutation, 5, expiry);
    let what = || What::Put { mutation: mutation.clone(), proof: by(proof) };
    table.done(Call::VectorPutProved, 0, TURNED, what());
    table.refused("at once", deed(Call::VectorPutProved, 0, TURNED, what()), Error::Replayed);
    // The nonce again, in a new proof of the store as it is now.
    let next = put(1, 1, &[2.0, 2.0, 1.0]);
    let again = table.signed(TURNED, &next, 5, u64::MAX);
    table.refused("in a new proof", change(next.clone(), by(again)), Error::Replayed);
    // One that is too far below the highest.
    let far = table.signed(TURNED, &next, 80, u64::MAX);
    table.done(Call::VectorPutProved, 0, TURNED, What::Put { mutation: next, proof: by(far) });
    let old = put(1, 1, &V);
    let below = table.signed(TURNED, &old, 16, u64::MAX);
    table.refused("too old", change(old.clone(), by(below)), Error::Replayed);
    while table.0.model.now < expiry {
        table.0.step(&Step::End { fuel: 400_000 });
        table.turn();
    }
    table.refused("later", deed(Call::VectorPutProved, 0, TURNED, what()), Error::ProofExpired);
    // A minted one: used, and it is not there any more.
    let small = put(1, 1, &[1.0, 1.0]);
    let minted = table.mint(NEAR, &small);
    let what = || What::Put { mutation: small.clone(), proof: Proof::Minted(minted) };
    table.done(Call::VectorPutProved, 0, NEAR, what());
    table.refused("minted", deed(Call::VectorPutProved, 0, NEAR, what()), Error::Replayed);
}

#[test]
fn a_proof_made_for_another_slot_root_or_package() {
    let mut table = Table::new();
    let mutation = put(1, 1, &V);
    let good = table.signed(TURNED, &mutation, 1, u64::MAX);
    let elsewhere = |statement: Statement| by(sealed(statement));
    let slot = Statement { slot: 2, ..good.statement };
    table.refused("slot", change(mutation.clone(), elsewhere(slot)), Error::WrongSlot);
    let root = Statement { old_leaf: HASHER.leaf(b"another"), ..good.statement };
    table.refused("root", change(mutation.clone(), elsewhere(root)), Error::StaleState);
    let package = Statement { store: HASHER.hash(b"another package"), ..good.statement };
    table.refused("package", change(mutation, elsewhere(package)), Error::WrongObject);
    // Another store of the same package.
    let mutation = node(1, 1);
    let ties = table.signed(TIES, &mutation, 1, u64::MAX);
    let what = What::Apply { mutation, proof: by(ties) };
    let bad = deed(Call::GraphApplyProved, 0, CLAIMS, what);
    table.refused("store", bad, Error::WrongObject);
}

#[test]
fn two_approvals_for_one_slot() {
    let mut table = Table::new();
    let (one, other) = (put(1, 1, &[1.0, 1.0]), put(2, 1, &[2.0, 2.0]));
    let first = Proof::Minted(table.mint(NEAR, &one));
    let second = Proof::Minted(table.mint(NEAR, &other));
    table.done(Call::VectorPutProved, 0, NEAR, What::Put { mutation: one, proof: first });
    let what = What::Put { mutation: other, proof: second };
    table.refused("the second", deed(Call::VectorPutProved, 0, NEAR, what), Error::StaleState);
}

#[test]
fn a_grant_of_more_than_is_held() {
    let mut table = Table::new();
    let child = table.child(&[]);
    let all = Rights::from_bits(u8::MAX);
    for rights in [Rights::WRITE, Rights::READ | Rights::PROVE, all] {
        let bad = deed(Call::CapGrant, 0, DATA, grant(child, rights));
        table.refused("rights", bad, Error::Amplification);
    }
    // Counted uses, an expiry, a badge: none of them grows.
    let (rights, badge, uses) = (Rights::READ | Rights::GRANT, 7, 3);
    let own = table.child(&[PROGRAM]);
    let expiry = table.0.model.now + 50_000_000;
    let terms = GrantArguments { to: child, rights, badge, expiry, uses };
    table.done(Call::CapGrant, 0, DATA, What::Grant(terms));
    table.done(Call::CapGrant, 0, own, grant(child, Rights::WRITE));
    let (granted, target) = (Handle(0), Handle(1));
    let terms = GrantArguments { to: target, uses: 1, ..terms };
    for (name, bad) in [
        ("uses", GrantArguments { uses: 3, ..terms }),
        ("any number", GrantArguments { uses: u32::MAX, ..terms }),
        ("expiry", GrantArguments { expiry: expiry + 1, ..terms }),
        ("badge", GrantArguments { badge: 8, ..terms }),
    ] {
        let bad = deed(Call::CapGrant, 0, granted, What::Grant(bad));
        table.refused_as(name, 4, bad, Error::Amplification);
    }
    let once = table.grant(NEAR, child, Rights::READ | Rights::GRANT_ONCE);
    for rights in [Rights::READ | Rights::GRANT_ONCE, Rights::READ | Rights::GRANT] {
        let bad = deed(Call::CapGrant, 0, once, grant(target, rights));
        table.refused_as("once", 4, bad, Error::Amplification);
    }
    let last = deed(Call::CapGrant, 0, once, grant(target, Rights::READ));
    assert!(table.ask_as(4, last) >= 0, "a right to grant once grants once");
    let bad = deed(Call::CapGrant, 0, OTHER, grant(child, Rights::EXECUTE));
    table.refused("no right", bad, Error::MissingRight);
}

#[test]
fn the_ninth_derivation() {
    let mut table = Table::new();
    let child = table.child(&[]);
    // The child can grant to itself.
    let own = table.grant(child, child, Rights::WRITE);
    let mut deepest = table.grant(DATA, child, Rights::READ | Rights::GRANT);
    for _ in 2..=8 {
        let next = deed(Call::CapGrant, 0, deepest, grant(own, Rights::READ | Rights::GRANT));
        deepest = Handle(u32::try_from(table.ask_as(4, next)).unwrap());
    }
    let ninth = deed(Call::CapGrant, 0, deepest, grant(own, Rights::READ));
    table.refused_as("the ninth", 4, ninth, Error::TooDeep);
}

#[test]
fn a_revoke_while_the_derived_capability_is_in_use() {
    let mut table = Table::new();
    let child = table.child(&[]);
    let read = table.grant(LETTERS, child, Rights::READ);
    let data = table.grant(DATA, child, Rights::READ);
    let look = deed(Call::RegionMap, 0, data, What::Read { offset: 0, window: 9 });
    assert_eq!(table.ask_as(4, look.clone()), 9);
    let what = What::Receive { deadline: u64::MAX, window: 99 };
    table.ask_as(4, deed(Call::QueueRecv, 0, read, what));
    assert!(table.0.model.tasks[&4].waits_in.is_some());
    for handle in [LETTERS, DATA] {
        table.done(Call::CapGrant, 1, handle, What::TakeBack);
    }
    // A message wakes it, and it may not have that.
    table.done(Call::QueueSend, 0, LETTERS, send(5));
    while table.0.model.tasks[&4].waits_in.is_some() {
        let step = if table.0.on.is_some() { Step::End { fuel: 0 } } else { Step::Begin };
        table.0.step(&step);
    }
    assert_eq!(table.0.value, Error::Revoked.to_guest());
    table.refused_as("the next call", 4, look, Error::Revoked);
    let what = What::Receive { deadline: 0, window: 99 };
    let still = table.ask(deed(Call::QueueRecv, 0, LETTERS, what));
    assert_eq!(still, 24 + 5, "the message is where it was");
}

#[test]
fn a_full_queue_table_store_or_region() {
    let mut table = Table::new();
    table.done(Call::QueueSend, 0, TYPED, send(200));
    table.refused("a queue", deed(Call::QueueSend, 0, TYPED, send(0)), Error::QueueFull);
    for slot in 0..6 {
        let mutation = put(u64::from(slot), slot, &[1.0, 1.0]);
        let proof = Proof::Minted(table.mint(NEAR, &mutation));
        table.done(Call::VectorPutProved, 0, NEAR, What::Put { mutation, proof });
    }
    let mutation = put(7, 3, &[1.0, 1.0]);
    let proof = Proof::Minted(table.mint(NEAR, &mutation));
    let what = What::Put { mutation, proof };
    table.refused("vectors", deed(Call::VectorPutProved, 0, NEAR, what), Error::StoreFull);
    for slot in 0..4 {
        let mutation = node(u64::from(slot), slot);
        let proof = Proof::Minted(table.mint(CLAIMS, &mutation));
        table.done(Call::GraphApplyProved, 0, CLAIMS, What::Apply { mutation, proof });
    }
    let mutation = node(9, 0);
    let proof = Proof::Minted(table.mint(CLAIMS, &mutation));
    let what = What::Apply { mutation, proof };
    table.refused("a graph", deed(Call::GraphApplyProved, 0, CLAIMS, what), Error::StoreFull);

    for mode in [RegionMode::Append(10), RegionMode::Slab { slot_bytes: 10, slots: 1 }] {
        let what = What::Create { mode, content: vec![] };
        let region = table.done(Call::RegionMap, 3, MEMORY, what);
        table.done(Call::RegionMap, 1, region, What::Append(vec![1; 10]));
        let bad = deed(Call::RegionMap, 1, region, What::Append(vec![1]));
        table.refused("a region", bad, Error::RegionFull);
    }
    // Its table of capabilities.
    let approve = || {
        deed(
            Call::AttestEmit,
            1,
            NEAR,
            What::Approve { slot: 0, mutation: [0; 32], old_leaf: [0; 32], expiry: u64::MAX },
        )
    };
    while table.0.model.tasks[&CHIEF].space.room(1).is_some() {
        assert!(table.ask(approve()) >= 0);
    }
    table.refused("a table", approve(), Error::TableFull);
    let (start, passed) = (Table::start(1), vec![]);
    let what = What::Spawn { start, passed, prepared: Ok(()) };
    table.refused("of tasks", deed(Call::TaskSpawn, 0, PROGRAM, what), Error::TableFull);
}

#[test]
fn a_full_log_and_a_full_slice() {
    let mut table = Table::new();
    // So many records in one slice, and no more.
    let wait = || deed(Call::TimerWait, 1, TIMER, What::Wait { ns: 0 });
    table.0.step(&Step::End { fuel: 0 });
    table.turn();
    for _ in 0..SLICE_RECORDS {
        assert!(table.ask(wait()) >= 0);
    }
    let next = table.0.nucleus.log().next();
    table.0.step(&Step::Call(wait()));
    assert_eq!(table.0.on, None, "the slice is over");
    assert_eq!(table.0.nucleus.log().next(), next, "and nothing has happened");
    // A task whose end could not be witnessed is not started.
    while table.0.nucleus.log().room() > 1 {
        let room = table.0.nucleus.log().room();
        let length = if room > 20 { 4_096 } else { 100 };
        table.0.admit_unsealed(&Event::Typed(vec![b'x'; length]));
    }
    let who = table.0.nucleus.begin_slice().unwrap().subject;
    let mut nothing = [];
    let (start, passed) = (Table::start(1), vec![]);
    let what = What::Spawn { start, passed, prepared: Ok(()) };
    let spawn = deed(Call::TaskSpawn, 0, PROGRAM, what);
    let before = Seen::of(&table.0.nucleus);
    let full = crate::bench::BENCH.call(&mut table.0.nucleus, who.0, &spawn, &mut nothing);
    let nucleus::Answer::Done { value, .. } = full else { panic!("{full:?}") };
    assert_eq!(Error::from_guest(value), Some(Error::LogFull));
    let after = Seen::of(&table.0.nucleus);
    assert_eq!((before.held, before.objects), (after.held, after.objects));
    let full = crate::bench::BENCH.call(&mut table.0.nucleus, who.0, &spawn, &mut nothing);
    assert!(matches!(full, nucleus::Answer::NextSlice), "no record, no call");
}

#[test]
fn a_message_of_the_wrong_type() {
    let mut table = Table::new();
    let what = What::Send { kind: 8, priority: 0, bytes: vec![] };
    table.refused("a message", deed(Call::QueueSend, 0, TYPED, what), Error::WrongType);
    let reference = Reference { region: DATA, offset: 0, length: 1 };
    let what = What::SendReference { kind: 8, priority: 0, reference };
    table.refused("a reference", deed(Call::QueueSend, 1, TYPED, what), Error::WrongType);
    let what = What::Create { mode: RegionMode::Slab { slot_bytes: 8, slots: 2 }, content: vec![] };
    let region = table.done(Call::RegionMap, 3, MEMORY, what);
    let reference = Reference { region, offset: 0, length: 1 };
    let what = What::SendReference { kind: 7, priority: 0, reference };
    table.refused("into a slab", deed(Call::QueueSend, 1, TYPED, what), Error::WrongMode);
    let reference = Reference { region: DATA, offset: 1, length: u64::MAX };
    let what = What::SendReference { kind: 7, priority: 0, reference };
    table.refused("that wraps", deed(Call::QueueSend, 1, TYPED, what), Error::OutOfRange);
}

#[test]
fn more_tasks_than_there_is_fuel_memory_or_place_for() {
    let mut table = Table::new();
    let spawn = |start| {
        let (passed, prepared) = (vec![], Ok(()));
        deed(Call::TaskSpawn, 0, PROGRAM, What::Spawn { start, passed, prepared })
    };
    table.refused("fuel", spawn(Table::start(u64::MAX)), Error::OverBudget);
    let start = SpawnArguments { memory: u32::MAX, ..Table::start(1) };
    table.refused("memory", spawn(start), Error::OverBudget);
    // Each child takes a slot, which the chief gives up; each report has its
    // room in the chief's mailbox, until there is none left.
    let mut refused = None;
    for _ in 0..TASKS {
        let value = table.ask(spawn(Table::start(1_000_000)));
        if value < 0 {
            refused = Error::from_guest(value);
            break;
        }
        table.done(Call::CapGrant, 2, Handle(u32::try_from(value).unwrap()), What::TakeBack);
    }
    assert_eq!(refused, Some(Error::QueueFull));
    table.refused("a full mailbox", spawn(Table::start(1)), Error::QueueFull);
}

#[test]
fn a_package_that_names_the_same_object_twice() {
    use crate::common::Recipe;
    use package::manifest::QueueEntry;
    let queue = || QueueEntry { name: "twice".into(), capacity_bytes: 64, accepts: None };
    let twice = Recipe { queues: vec![queue(), queue()], ..Recipe::new() };
    let run = twice.run();
    let records = run.decoded();
    let mounts: Vec<_> = records.iter().filter(|it| matches!(it.body, Body::Call(_))).collect();
    let [mount] = mounts[..] else { panic!("{} calls", mounts.len()) };
    assert_eq!(mount.verdict, Verdict::Denied(Error::DuplicateName));
    assert_eq!(run.cell.view().partitions().count(), 0);
}

#[test]
fn a_package_can_be_mounted_any_number_of_times_one_after_the_other() {
    let mut table = Table::new();
    let file = Handle(13);
    for _ in 0..70 {
        let mount = What::Mount { region: file, path: "a".into() };
        let first = table.done(Call::RvfMount, 0, PACKAGES, mount);
        let what = What::Spawn { start: Table::start(0), passed: vec![], prepared: Ok(()) };
        let child = table.done(Call::TaskSpawn, 0, first, what);
        // Unless it has ended already.
        table.ask(deed(Call::CapGrant, 1, child, What::TakeBack));
        table.done(Call::QueueRecv, 0, MAILBOX, What::Receive { deadline: 0, window: 100 });
        table.done(Call::RvfMount, 1, PACKAGES, What::Unmount { path: "a".into() });
        for handle in (first.0..first.0 + 3).map(Handle).chain([child]) {
            // Unless it was cleared away.
            table.ask(deed(Call::CapGrant, 2, handle, What::TakeBack));
        }
    }
}

#[test]
fn a_change_with_no_record_left_for_the_word_of_its_guard() {
    let mut table = Table::new();
    let mount = What::Mount { region: Handle(13), path: "a".into() };
    let worker = table.done(Call::RvfMount, 0, PACKAGES, mount);
    let passed = [GUARDED, TIMER].into_iter().flat_map(|it| it.0.to_le_bytes()).collect();
    let what = What::Spawn { start: Table::start(10_000_000), passed, prepared: Ok(()) };
    table.done(Call::TaskSpawn, 0, worker, what);
    let child = *table.0.model.tasks.keys().last().unwrap();
    let mutation = put(4, 0, &[1.0, 2.0]);
    let signed = table.signed(GUARDED, &mutation, 1, u64::MAX);
    // Of its 60 records.
    for _ in 0..59 {
        table.ask_as(child, deed(Call::TimerWait, 0, Handle(1), What::Wait { ns: 0 }));
    }
    let root = |table: &Table| Seen::of(&table.0.nucleus).objects[&table.id(GUARDED)].clone();
    let before = root(&table);
    let what = What::Put { mutation, proof: by(signed) };
    table.ask_as(child, deed(Call::VectorPutProved, 0, Handle(0), what));
    let ended = Life::Ended { outcome: 3, code: 0 };
    assert_eq!(table.0.model.tasks[&child].life, ended);
    assert_eq!(root(&table), before);
    let used = table.0.nucleus.partitions().map(|it| it.records);
    assert!(used.into_iter().all(|it| it.used <= it.limit));
}

#[test]
fn a_capability_that_expires_while_what_it_is_for_is_prepared() {
    let slowly = |which: usize, late: u64| {
        let mut table = Table::new();
        let child = table.child(&[PROGRAM]);
        let who = *table.0.model.tasks.keys().last().unwrap();
        let expiry = table.0.model.now + 2_000_000;
        let give = |table: &mut Table, of: Handle, rights, is_short| {
            let expiry = if is_short { expiry } else { u64::MAX };
            let terms = GrantArguments { to: child, rights, badge: 0, expiry, uses: u32::MAX };
            table.done(Call::CapGrant, 0, of, What::Grant(terms))
        };
        let program = give(&mut table, PROGRAM, Rights::EXECUTE, which == 0);
        let packages = give(&mut table, PACKAGES, Rights::MOUNT, which == 1 || which == 3);
        let region = give(&mut table, Handle(13), Rights::READ, which == 2);
        let what = What::Spawn { start: Table::start(1), passed: vec![], prepared: Ok(()) };
        let spawn = deed(Call::TaskSpawn, 0, program, what);
        let mount = deed(Call::RvfMount, 0, packages, What::Mount { region, path: "a".into() });
        while table.0.on.is_none_or(|(on, _)| on != who) {
            let step = if table.0.on.is_some() { Step::End { fuel: 0 } } else { Step::Begin };
            assert!(table.0.step(&step));
        }
        let gate = &mut table.0.nucleus;
        let deed = match which {
            0 => spawn,
            1 | 2 => mount,
            _ => {
                crate::bench::BENCH.call(gate, who, &mount, &mut []);
                deed(Call::RvfMount, 1, packages, What::Unmount { path: "a".into() })
            }
        };
        crate::bench::BENCH.slowly(gate, who, &deed, late)
    };
    for which in 0..4 {
        assert!(slowly(which, 0) >= 0);
        assert_eq!(Error::from_guest(slowly(which, 2_000_000)), Some(Error::Expired), "{which}");
    }
}

#[test]
fn a_subscription_that_has_died_is_in_nobodys_way() {
    let mut table = Table::new();
    let child = table.child(&[]);
    let who = *table.0.model.tasks.keys().last().unwrap();
    let subscribe =
        |sensor| deed(Call::SensorSubscribe, 0, sensor, What::Subscribe { queue: MAILBOX });
    let sensor = table.grant(PROBE, child, Rights::READ);
    assert_eq!(table.ask_as(who, subscribe(sensor)), 0);
    table.refused_as("the same", who, subscribe(sensor), Error::AlreadyExists);
    table.done(Call::CapGrant, 1, PROBE, What::TakeBack);
    let sensor = table.grant(PROBE, child, Rights::READ);
    assert_eq!(table.ask_as(who, subscribe(sensor)), 0);
}

#[test]
fn regions_of_the_same_content_share_it_and_each_pays_for_all_of_it() {
    use nucleus::view::Body;
    let mut table = Table::new();
    let content = |table: &Table, handle: Handle| {
        let object = table.0.nucleus.object(nucleus::ObjectId(table.id(handle))).unwrap();
        let Body::Region(region) = &object.body else { panic!("{object:?}") };
        std::sync::Arc::clone(region.content().unwrap().0)
    };
    let used = |table: &Table| table.0.nucleus.partitions().next().unwrap().memory.used;
    let before = used(&table);
    let packaged = content(&table, DATA);
    let mut make = |content: Vec<u8>| {
        let what = What::Create { mode: RegionMode::Immutable, content };
        table.done(Call::RegionMap, 3, MEMORY, what)
    };
    let (same, other) = (make(packaged.to_vec()), make(vec![7; 100]));
    let again = make(vec![7; 100]);
    let shared = |one: Handle, two: Handle| {
        std::sync::Arc::ptr_eq(&content(&table, one), &content(&table, two))
    };
    assert!(shared(same, DATA) && shared(other, again) && !shared(same, other));
    assert_eq!(used(&table) - before, packaged.len() as u64 + 200);
}
