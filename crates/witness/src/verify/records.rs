//! The records of a log, one after the other.

use super::{
    chain::Chain,
    event::Events,
    report::{Facts, Part, Reason, TaskFacts, Verdict},
};
use crate::{
    Hash, Hasher,
    record::{Body, EventKind, Kind, MachineFacts, Record, Subject},
    tree::Tree,
};
use abi::Call;
use alloc::{collections::BTreeMap, string::String, vec::Vec};

/// Checks records and the DAG they form, in one pass. After the first bad
/// one, only hashes are taken.
pub struct Records {
    hasher: Hasher,
    tree: Tree,
    ids: Vec<Hash>,
    numbers: BTreeMap<Hash, u64>,
    chains: BTreeMap<Subject, Chain>,
    events: Events,
    spawned: u32,
    /// Reasons for which kernel or tasks were refused a spawn.
    refusals: Vec<u16>,
    last: (u64, u64),
    bad: Option<(u64, Reason)>,
    facts: Facts,
}

impl Records {
    /// No records yet.
    pub fn new(hasher: Hasher) -> Self {
        Self {
            hasher,
            tree: Tree::new(hasher),
            ids: Vec::new(),
            numbers: BTreeMap::new(),
            chains: BTreeMap::new(),
            events: Events::default(),
            spawned: 0,
            refusals: Vec::new(),
            last: (0, 0),
            bad: None,
            facts: Facts::default(),
        }
    }

    /// Takes the next record.
    pub fn push(&mut self, bytes: &[u8]) {
        let index = self.size();
        let id = self.hasher.leaf(bytes);
        if self.bad.is_none()
            && let Err(reason) = self.check(index, bytes, id)
        {
            self.bad = Some((index, reason));
        }
        self.tree.push(id);
        self.ids.push(id);
        self.numbers.entry(id).or_insert(index);
    }

    /// 4: everything a record and those before it can show.
    fn check(&mut self, index: u64, bytes: &[u8], id: Hash) -> Result<(), Reason> {
        let record = Record::decode(bytes).map_err(Reason::Record)?;
        let kind = record.kind();
        if (index == 0) != (kind == Kind::Genesis) || (index == 1) != (kind == Kind::Machine) {
            return Err(Reason::Place);
        }
        let genesis = self.ids.first().copied().unwrap_or_default();
        let chain = self.chains.entry(record.subject).or_insert(Chain::new(genesis));
        chain.check(&record)?;
        self.check_cause(&record)?;
        let point = (record.point.time_ns, record.point.slice);
        if point.0 < self.last.0 || point.1 < self.last.1 {
            return Err(Reason::Time);
        }
        self.last = point;
        self.check_spawn(&record)?;
        if record.subject == Subject::OUTSIDE {
            let boot = self.machine().map(|machine| machine.boot_id).unwrap_or_default();
            self.events.push(&record, &boot)?;
        }
        if let Some(chain) = self.chains.get_mut(&record.subject) {
            chain.advance(&record, id);
        }
        self.note(&record);
        Ok(())
    }

    fn check_cause(&self, record: &Record<'_>) -> Result<(), Reason> {
        let Some(cause) = record.cause else { return Ok(()) };
        // `numbers` holds earlier records only.
        match self.numbers.get(&cause) {
            Some(&index) if index != 1 => Ok(()),
            _ => Err(Reason::Cause),
        }
    }

    /// Tasks are numbered 1, 2, 3 in order of spawn, and have records only
    /// after that.
    fn check_spawn(&mut self, record: &Record<'_>) -> Result<(), Reason> {
        if record.subject.is_task() && record.subject.0 > self.spawned {
            return Err(Reason::Spawn);
        }
        let Body::Call(call) = record.body else { return Ok(()) };
        if call.call == Call::TaskSpawn {
            match record.verdict.reason() {
                Some(reason) => self.refusals.push(reason.number()),
                None if call.result != i64::from(self.spawned) + 1 => return Err(Reason::Spawn),
                None => self.spawned += 1,
            }
        }
        Ok(())
    }

    fn note(&mut self, record: &Record<'_>) {
        let facts = &mut self.facts;
        *facts.kinds.entry(record.kind().number()).or_default() += 1;
        facts.denied += u64::from(record.verdict.outcome() == 1);
        facts.time_ns = record.point.time_ns;
        match record.body {
            Body::Genesis(genesis) => {
                facts.package = Some(genesis.package);
                facts.seed = Some(genesis.seed);
                facts.profile = String::from_utf8_lossy(genesis.profile.bytes()).into_owned();
            }
            Body::Machine(machine) => facts.machine = Some(machine),
            Body::Event(event) if event.kind == EventKind::Unrecorded => {
                // The record is not in the tree yet: its size is its number.
                facts.unrecorded.get_or_insert(self.tree.size());
            }
            _ => {}
        }
    }

    /// Fails if one of the first `count` records is bad.
    pub(super) fn sound_until(&self, count: u64) -> Result<(), Verdict> {
        match self.bad {
            Some((index, reason)) if index < count => Err(Part::Record(index).bad(reason)),
            _ => Ok(()),
        }
    }

    /// 7: fails if the last event lacks data.
    pub(super) fn ended(&self) -> Result<(), Verdict> {
        let last = self.size().saturating_sub(1);
        if self.events.is_whole() { Ok(()) } else { Err(Part::Record(last).bad(Reason::Event)) }
    }

    /// The first bad record, and what is wrong with it.
    pub fn bad(&self) -> Option<(u64, Reason)> {
        self.bad
    }

    /// Number of records.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Root of the tree over them.
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// Their ids, in order.
    pub fn ids(&self) -> &[Hash] {
        &self.ids
    }

    pub(super) fn machine(&self) -> Option<&MachineFacts> {
        self.facts.machine.as_ref()
    }

    pub(super) fn device_key(&self) -> Option<[u8; 32]> {
        self.machine().map(|machine| machine.device_key)
    }

    pub(super) fn package(&self) -> Option<Hash> {
        self.facts.package
    }

    pub(super) fn profile(&self) -> &str {
        &self.facts.profile
    }

    /// Whether the nonce is leaf 1's or came as a challenge.
    pub(super) fn answers(&self, nonce: &[u8; 32]) -> bool {
        self.machine().and_then(|machine| machine.nonce).as_ref() == Some(nonce)
            || self.events.challenges.contains(nonce)
    }

    /// Number of tasks spawned.
    pub(super) fn spawned(&self) -> u32 {
        self.spawned
    }

    /// How a task ended; `None` if it was not spawned.
    pub(super) fn task(&self, subject: u32) -> Option<TaskFacts> {
        let is_spawned = (1..=self.spawned).contains(&subject);
        let chain = self.chains.get(&Subject(subject));
        is_spawned.then(|| chain.map_or(TaskFacts::Open, |chain| chain.end))
    }

    /// How many spawns were refused for this reason.
    pub(super) fn refusals(&self, reason: i32) -> usize {
        self.refusals.iter().filter(|&&number| i32::from(number) == reason).count()
    }

    /// What the records say.
    pub(super) fn facts(&self) -> Facts {
        Facts {
            records: self.size(),
            tasks: (1..=self.spawned).filter_map(|subject| self.task(subject)).collect(),
            challenges: self.events.challenges.clone(),
            operators: self.events.counters.keys().copied().collect(),
            ..self.facts.clone()
        }
    }
}
