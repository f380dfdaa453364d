//! A machine for tests: two live tasks, one refused, five records.

use abi::{Call, Error, Handle};
use witness::manifest::Outcome;
use witness::record::{Arch, Board, Body, CallBody, Flags, Genesis, MachineFacts, Point, Short};
use witness::{Draft, Hasher, Index, Subject, Verdict, sha256};

use crate::view::{Activity, Entry, Heap, Log, Machine, Package, State, Task, View};

pub(crate) struct Sample {
    pub(crate) package: Option<Package<'static>>,
    pub(crate) tasks: usize,
    pub(crate) oldest: u64,
    pub(crate) records: witness::Log,
}

const FACTS: MachineFacts = MachineFacts {
    nonce: None,
    previous_checkpoint: [0; 32],
    boot_id: [0xb0; 16],
    kernel: [1; 32],
    loader: [2; 32],
    trust: [3; 32],
    device_key: [4; 32],
    serial: 0,
    arch: Arch::X86_64,
    board: Board::Pc,
    flags: Flags::TO_DISK.union(Flags::FLUSHES),
};

impl Sample {
    pub(crate) fn new() -> Self {
        let profile = Short::new(b"sample").unwrap();
        let genesis = Genesis { package: [5; 32], seed: 42, state_root: [0; 32], profile };
        let send = CallBody { object: 0, length: 18, result: 18, ..CallBody::new(Call::QueueSend) };
        let forged = CallBody { handle: Handle::new(9, 1), ..CallBody::new(Call::QueueSend) };
        let claim = CallBody {
            object: 7,
            digest: [6; 32],
            argument: 1,
            tail: Short::new(b"result\x1b[2J").unwrap(),
            ..CallBody::new(Call::AttestEmit)
        };
        let call = |sequence, verdict, body| Draft {
            verdict,
            subject: Subject(1),
            sequence,
            point: Point { time_ns: 1_000_000, slice: 7, fuel: 1_000 },
            previous: (sequence > 0).then(|| Index(1 + u64::from(sequence))),
            cause: None,
            body: Body::Call(body),
        };
        let mut log = witness::Log::new(Hasher(sha256::software), 16);
        let write = |log: &mut witness::Log, draft: &Draft<'_>| {
            let reservation = log.reserve().unwrap();
            log.write(reservation, draft);
        };
        write(&mut log, &Draft::genesis(genesis));
        write(&mut log, &Draft::machine(FACTS));
        log.seal(&mut |_, _| {});
        write(&mut log, &call(0, Verdict::Allowed, send));
        write(&mut log, &call(1, Verdict::Denied(Error::BadHandle), forged));
        write(&mut log, &call(2, Verdict::Allowed, claim));
        Self {
            package: Some(Package { name: "sample", version: 3, seed: 42 }),
            tasks: 3,
            oldest: 0,
            records: log,
        }
    }
}

impl View for Sample {
    fn machine(&self) -> Machine<'_> {
        Machine {
            version: "9.9.9",
            device_name: "helio-sample",
            facts: FACTS,
            package: self.package,
            package_digest: [5; 32],
            profile: "sample",
            time_ns: 1_500_000,
            slices: 7,
            activity: Activity::Running,
            heap: Some(Heap { used: 1 << 20, size: 64 << 20 }),
        }
    }

    fn task(&self, place: usize) -> Option<Task<'_>> {
        let worker = Task {
            subject: Some(1),
            name: "worker",
            state: State::Waiting(Some(2_000_000)),
            priority: 7,
            deadline_ns: Some(5_000_000),
            fuel_spent: 1_936_473,
            fuel_budget: 50_000_000_000,
            memory: 64 << 10,
            memory_limit: 16 << 20,
            records: 12,
        };
        let broken = Task {
            subject: Some(2),
            name: "broken",
            state: State::Ended(Outcome::Trap, 2),
            priority: 0,
            deadline_ns: None,
            fuel_spent: 500,
            fuel_budget: 1_000_000,
            memory_limit: 1 << 20,
            records: 3,
            ..worker
        };
        let absent = Task {
            subject: None,
            name: "absent",
            state: State::Ended(Outcome::Refused, i32::from(Error::NotWasm.number())),
            fuel_spent: 0,
            memory: 0,
            records: 0,
            ..broken
        };
        [worker, broken, absent].get(..self.tasks)?.get(place).copied()
    }

    fn log(&self) -> Log {
        Log {
            sealed: self.records.size(),
            pending: self.records.pending() as u64,
            oldest: self.oldest,
            root: self.records.root(),
            checkpoint: self.records.size(),
        }
    }

    fn entry(&self, index: u64) -> Option<Entry<'_>> {
        let entry = self.records.entry(Index(index)).filter(|_| index >= self.oldest)?;
        Some(Entry {
            id: entry.id,
            previous: entry.previous().map(|index| index.0),
            cause: entry.cause().map(|index| index.0),
            record: entry.record(),
        })
    }

    fn object_name(&self, object: u32) -> Option<&str> {
        (object == 0).then_some("console")
    }
}
