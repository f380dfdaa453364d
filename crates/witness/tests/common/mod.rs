//! A small log of every kind of record, as a machine would write it, and
//! proptest strategies for records.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "shared by tests")]

pub mod page;
pub mod strategies;

use abi::{Call, Error};
use witness::{
    BootId, Hash, Hasher, Index, Log,
    checkpoint::{Checkpoint, default_device_name, origin},
    key,
    manifest::{End, Outcome, RunManifest, TaskEnd},
    note::SigningKey,
    record::*,
};

pub const HASHER: Hasher = Hasher::SOFTWARE;
pub const BOOT: BootId = *b"example boot id.";
pub const NONCE: [u8; 32] = [0x6e; 32];
pub const CHALLENGE: [u8; 32] = [0xc4; 32];
pub const PROFILE: &str = "heliograph-1/example";

/// Private keys that everybody knows.
pub fn device() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

pub fn operator() -> SigningKey {
    SigningKey::from_bytes(&[2; 32])
}

pub fn genesis() -> Genesis<'static> {
    Genesis {
        package: HASHER.hash(b"package"),
        seed: 42,
        state_root: witness::sha256::EMPTY,
        profile: Short::new(PROFILE.as_bytes()).unwrap(),
    }
}

pub fn facts() -> MachineFacts {
    MachineFacts {
        nonce: Some(NONCE),
        previous_checkpoint: [0; 32],
        boot_id: BOOT,
        kernel: HASHER.hash(b"kernel"),
        loader: [0; 32],
        trust: HASHER.hash(b"trust"),
        device_key: key::public(&device()),
        serial: 0,
        arch: Arch::X86_64,
        board: Board::Pc,
        flags: Flags::FLUSHES | Flags::TO_DISK | Flags::DEVELOPMENT_KEYS,
    }
}

/// Writes records the way the nucleus does: chains and numbers by themselves.
pub struct Machine {
    pub log: Log,
    pub time: u64,
    last: std::collections::BTreeMap<Subject, (u32, Index)>,
    pub entries: Vec<Vec<u8>>,
}

impl Machine {
    pub fn boot(facts: MachineFacts) -> Self {
        let mut machine = Self {
            log: Log::new(HASHER, 16),
            time: 0,
            last: Default::default(),
            entries: Vec::new(),
        };
        machine.raw(&Draft::genesis(genesis()));
        machine.raw(&Draft::machine(facts));
        machine
    }

    pub fn raw(&mut self, draft: &Draft<'_>) -> Index {
        let reservation = self.log.reserve().unwrap_or_else(|| {
            self.seal();
            self.log.reserve().unwrap()
        });
        let index = self.log.write(reservation, draft);
        self.last.insert(draft.subject, (draft.sequence, index));
        index
    }

    pub fn draft<'a>(
        &mut self,
        subject: Subject,
        cause: Option<Index>,
        body: Body<'a>,
    ) -> Draft<'a> {
        let last = self.last.get(&subject).copied();
        self.time += 1000;
        Draft {
            verdict: Verdict::Allowed,
            subject,
            sequence: last.map_or(0, |(sequence, _)| sequence + 1),
            point: Point { time_ns: self.time, slice: self.time / 5000, fuel: self.time / 2 },
            previous: last.map(|(_, index)| index),
            cause,
            body,
        }
    }

    pub fn write(&mut self, subject: Subject, cause: Option<Index>, body: Body<'_>) -> Index {
        let draft = self.draft(subject, cause, body);
        self.raw(&draft)
    }

    pub fn refuse(&mut self, subject: Subject, verdict: Verdict, body: Body<'_>) -> Index {
        let draft = Draft { verdict, ..self.draft(subject, None, body) };
        self.raw(&draft)
    }

    pub fn event(&mut self, kind: EventKind, signed: bool, data: &[u8]) -> Index {
        let event = Event::new(kind, signed, NO_OBJECT, data).unwrap();
        let index = self.write(Subject::OUTSIDE, None, Body::Event(event));
        for continuation in Continuation::of(data) {
            self.write(Subject::OUTSIDE, None, Body::Continuation(continuation));
        }
        index
    }

    pub fn seal(&mut self) {
        let entries = &mut self.entries;
        self.log.seal(&mut |bytes, id| {
            assert_eq!(HASHER.leaf(bytes), *id);
            entries.push(bytes.to_vec());
        });
    }
}

/// The data of an event that the operator signed.
pub fn signed(kind: EventKind, counter: u64, data: &[u8]) -> Vec<u8> {
    use ed25519_dalek::Signer;
    let message = SignedEvent::message(&BOOT, kind, NO_OBJECT, counter, data);
    let mut all = data.to_vec();
    all.extend(counter.to_le_bytes());
    all.extend(key::public(&operator()));
    all.extend(operator().sign(&message).to_bytes());
    all
}

pub fn call(call: Call, object: u32) -> CallBody<'static> {
    CallBody { object, badge: 7, ..CallBody::new(call) }
}

pub fn spawn(machine: &mut Machine, cause: Index, name: &'static str, number: i64) -> Index {
    let body = CallBody {
        digest: HASHER.hash(name.as_bytes()),
        tail: Short::new(name.as_bytes()).unwrap(),
        result: number,
        ..call(Call::TaskSpawn, 3)
    };
    machine.write(Subject::KERNEL, Some(cause), Body::Call(body))
}

/// A whole log at rest.
#[derive(Clone)]
pub struct Sample {
    pub entries: Vec<Vec<u8>>,
    pub ids: Vec<Hash>,
    pub origin: String,
    pub checkpoint: String,
    pub manifest: String,
}

impl Sample {
    pub fn key(&self) -> [u8; 32] {
        key::public(&device())
    }

    pub fn evidence(&self) -> witness::verify::Evidence<'_> {
        witness::verify::Evidence {
            checkpoint: Some(&self.checkpoint),
            manifest: Some(&self.manifest),
            leaves: Some(&self.ids),
        }
    }

    pub fn entries(&self) -> impl Iterator<Item = &[u8]> {
        self.entries.iter().map(Vec::as_slice)
    }

    pub fn verify(&self) -> witness::verify::Report {
        let expected = witness::verify::Expected::default();
        witness::verify::verify(HASHER, self.key(), expected, self.entries(), self.evidence())
    }
}

pub fn manifest(machine: &Machine, tasks: Vec<TaskEnd>) -> RunManifest {
    let facts = facts();
    RunManifest {
        arch: facts.arch,
        board: facts.board,
        boot_id: BOOT,
        development_keys: true,
        device_key: facts.device_key,
        end: End::Finished,
        package: genesis().package,
        profile: PROFILE.into(),
        records: machine.log.size(),
        root: machine.log.root(),
        tasks,
    }
}

pub fn finish(mut machine: Machine, tasks: Vec<TaskEnd>) -> Sample {
    machine.seal();
    let origin = origin(&default_device_name(&key::public(&device())), &BOOT);
    let checkpoint =
        Checkpoint { origin: &origin, size: machine.log.size(), root: machine.log.root() };
    Sample {
        checkpoint: checkpoint.sign(&device()),
        manifest: manifest(&machine, tasks).sign(&origin, &device()),
        ids: machine.log.ids().copied().collect(),
        entries: machine.entries,
        origin,
    }
}

pub fn task(name: &str, subject: u32, outcome: Outcome, code: i32) -> TaskEnd {
    TaskEnd { name: name.into(), subject, outcome, code }
}

/// A log in which every kind of record occurs.
pub fn sample() -> Sample {
    let mut machine = Machine::boot(facts());
    let path = "packages/demo";
    let mount = CallBody {
        object: 1,
        length: 9000,
        argument: 6,
        digest: genesis().package,
        tail: Short::new(path.as_bytes()).unwrap(),
        ..call(Call::RvfMount, 1)
    };
    let mount = machine.write(Subject::KERNEL, None, Body::Call(mount));
    let first = spawn(&mut machine, mount, "alpha", 1);
    let second = spawn(&mut machine, mount, "beta", 2);
    spawn(&mut machine, mount, "gamma", 3);
    spawn(&mut machine, mount, "delta", 4);
    let refused = CallBody { tail: Short::new(b"broken").unwrap(), ..call(Call::TaskSpawn, 4) };
    machine.refuse(Subject::KERNEL, Verdict::Denied(Error::NotWasm), Body::Call(refused));

    machine.event(EventKind::ConsoleInput, false, &[b'x'; 700]);
    machine.event(EventKind::Challenge, false, &CHALLENGE);
    machine.event(EventKind::Stop, true, &signed(EventKind::Stop, 1, b""));
    machine.event(EventKind::Resume, true, &signed(EventKind::Resume, 2, b""));

    let (alpha, beta) = (Subject(1), Subject(2));
    let claim = CallBody {
        argument: 9,
        digest: HASHER.hash(b"result"),
        length: 3,
        tail: Short::new(b"R2!").unwrap(),
        ..call(Call::AttestEmit, 5)
    };
    machine.write(alpha, Some(first), Body::Call(claim));
    let send = CallBody {
        length: 5,
        result: 5,
        digest: HASHER.hash(b"hello"),
        ..call(Call::QueueSend, 6)
    };
    let send = machine.write(alpha, None, Body::Call(send));
    machine.write(beta, Some(send), Body::Call(CallBody { length: 5, ..call(Call::QueueRecv, 6) }));
    machine.write(beta, Some(second), Body::Call(call(Call::CapGrant, 6)));
    for other in [Call::RegionMap, Call::TimerWait, Call::VectorGet] {
        machine.write(beta, None, Body::Call(call(other, 2)));
    }
    for other in [Call::VectorPutProved, Call::GraphApplyProved, Call::SensorSubscribe] {
        let body = Body::Call(CallBody { operation: 77, ..call(other, NO_OBJECT) });
        machine.refuse(beta, Verdict::Denied(Error::BadHandle), body);
    }
    let guard = Guard { store: 9, allowed: true, component: HASHER.hash(b"guard"), fuel: 17 };
    machine.write(alpha, None, Body::Guard(guard));
    machine.write(alpha, None, Body::Exit(Exit { code: -3, pages: 17 }));
    let root = StateRoot { reason: RootReason::Exit, root: HASHER.hash(b"state") };
    machine.write(alpha, None, Body::StateRoot(root));
    machine.refuse(beta, Verdict::CutShort, Body::Call(call(Call::QueueRecv, 6)));
    let trap = Trap { code: TrapCode::DivisionByZero, component: HASHER.hash(b"beta") };
    machine.write(beta, None, Body::Trap(trap));
    machine.write(Subject(3), None, Body::OutOfFuel(OutOfFuel { budget: 5, spent: 5 }));
    machine.write(
        Subject(4),
        None,
        Body::BudgetSpent(BudgetSpent { budget: Budget::Records, limit: 4 }),
    );

    finish(
        machine,
        vec![
            task("alpha", 1, Outcome::Exit, -3),
            task("beta", 2, Outcome::Trap, 5),
            task("gamma", 3, Outcome::OutOfFuel, 0),
            task("delta", 4, Outcome::Budget, 0),
            task("broken", 0, Outcome::Refused, Error::NotWasm.number().into()),
        ],
    )
}
