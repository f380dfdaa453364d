//! A nucleus with a package mounted and its tasks started, without instances.

use crate::{
    common::{HASHER, Recipe, capability, facts, trust},
    counting::{counted, uncounted},
    deed::{Deed, What},
    plain::{Learn, Model, Setup},
};
use abi::{Error, Handle, Kind, Rights};
use nucleus::{
    Answer, Nucleus, Start, Word, Work,
    view::{Body, Region},
};
use package::{
    Package,
    manifest::{
        CapabilityEntry, GraphStoreEntry, Metric, QueueEntry, SensorEntry, StandingApproval,
        StoreRules, Tier, VectorStoreEntry,
    },
};
use std::sync::LazyLock;
use witness::Subject;

/// Signatures for tests that make a great many: whoever knows the key can
/// sign. What the gate does with real ones is tested elsewhere.
pub fn sign(key: &[u8; 32], message: &[u8]) -> [u8; 64] {
    let half = HASHER.hash(&[key, message].concat());
    [half, HASHER.hash(&half)].concat().try_into().unwrap()
}

pub fn holds(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    uncounted(|| sign(key, message) == *signature)
}

/// Approvers of the stores: the first is trusted, the second was revoked.
pub const APPROVERS: [[u8; 32]; 2] = [[1; 32], [2; 32]];

fn is_revoked(key: &[u8; 32]) -> bool {
    *key == APPROVERS[1]
}

fn rules(tier: Tier) -> StoreRules {
    let guard = (tier == Tier::Deep).then(|| "other".into());
    StoreRules { tier, approvers: APPROVERS.to_vec(), guard }
}

/// What the guard says to a change.
pub fn guard_allows(mutation: &[u8]) -> bool {
    mutation.first().is_some_and(|key| key % 4 != 3)
}

/// The package inside the package.
fn inner() -> Recipe {
    let mut recipe = Recipe::new();
    recipe.limits.records = 60;
    recipe.limits.memory = 3_000;
    recipe.queues = vec![QueueEntry { name: "in".into(), capacity_bytes: 500, accepts: None }];
    recipe.component("worker", b"\0asm\x01\0\0\0").region("words", b"words")
}

fn root(inner_file: &[u8]) -> Recipe {
    let mut recipe = Recipe::new();
    recipe.limits.memory = 60_000;
    recipe.limits.records = 1 << 20;
    let queue = |name: &str, capacity_bytes, accepts| {
        let name = name.into();
        QueueEntry { name, capacity_bytes, accepts }
    };
    recipe.queues = vec![queue("letters", 900, None), queue("typed", 300, Some(7))];
    let vectors = |name: &str, dimension, capacity, metric, tier| {
        let (name, rules) = (name.into(), rules(tier));
        VectorStoreEntry { name, capacity, dimension, metric, rules }
    };
    recipe.vector_stores = vec![
        vectors("near", 2, 6, Metric::L2, Tier::Reflex),
        vectors("turned", 3, 4, Metric::Cosine, Tier::Standard),
        vectors("guarded", 2, 4, Metric::L2, Tier::Deep),
    ];
    let graph = |name: &str, nodes, edges, tier| {
        let (name, rules) = (name.into(), rules(tier));
        GraphStoreEntry { name, nodes, edges, rules }
    };
    recipe.graph_stores =
        vec![graph("claims", 4, 5, Tier::Reflex), graph("ties", 3, 3, Tier::Standard)];
    recipe.sensors = vec![SensorEntry { name: "probe".into() }];
    let approval = |types: &[u32], max_bytes, max_claims| StandingApproval {
        claim_types: types.to_vec(),
        max_bytes,
        max_claims,
    };
    recipe.approvals = vec![approval(&[1, 4], 900, 20), approval(&[2], 0, 5)];
    let recipe =
        recipe.component("program", b"\0asm\x01\0\0\0").component("other", b"\0asm\x01\0\0\0\0");
    let recipe = recipe.region("data", b"what is written stays written").region("file", inner_file);
    let recipe = recipe.start("chief", "program", everything(true));
    let recipe = recipe.with(|task| (task.memory, task.fuel) = (1_000, 1 << 40));
    let recipe = recipe.start("clerk", "program", everything(false));
    let recipe = recipe.with(|task| (task.memory, task.fuel) = (1_000, 1 << 40));
    let recipe =
        recipe.start("idler", "other", vec![capability(Kind::Timer, "timer", Rights::READ)]);
    recipe.with(|task| (task.memory, task.fuel) = (1_000, 3_000_000))
}

/// All there is, with all rights there are, or with few.
fn everything(all: bool) -> Vec<CapabilityEntry> {
    use Kind::*;
    let keep = Rights::GRANT | Rights::REVOKE;
    let entries: [(Kind, &str, Rights, Rights); 21] = [
        (Queue, "console", Rights::WRITE, keep),
        (Queue, "console-input", Rights::READ, keep),
        (Queue, "approvals", Rights::READ, keep),
        (Queue, "letters", Rights::READ | Rights::WRITE, keep),
        (Queue, "typed", Rights::READ | Rights::WRITE, Rights::GRANT_ONCE),
        (Timer, "timer", Rights::READ, keep),
        (Log, "log", Rights::WRITE, Rights::PROVE | Rights::GRANT),
        (Memory, "memory", Rights::WRITE, keep),
        (Namespace, "packages", Rights::MOUNT, keep),
        (Component, "program", Rights::EXECUTE, keep),
        (Component, "other", Rights::READ, Rights::EXECUTE),
        (Region, "data", Rights::READ, keep),
        (Region, "data", Rights::WRITE, Rights::READ | Rights::GRANT_ONCE),
        (Region, "file", Rights::READ, keep),
        (VectorStore, "near", Rights::READ | Rights::WRITE, keep | Rights::PROVE),
        (VectorStore, "turned", Rights::READ | Rights::WRITE, keep | Rights::PROVE),
        (GraphStore, "claims", Rights::READ | Rights::WRITE, keep | Rights::PROVE),
        (GraphStore, "ties", Rights::READ | Rights::WRITE, keep | Rights::PROVE),
        (Sensor, "probe", Rights::READ, keep),
        (VectorStore, "near", Rights::READ, keep),
        (VectorStore, "guarded", Rights::READ | Rights::WRITE, keep | Rights::PROVE),
    ];
    let rights = |own, more| if all { own | more } else { own };
    let entries = entries.into_iter();
    entries.map(|(kind, name, own, more)| capability(kind, name, rights(own, more))).collect()
}

/// What every test of this kind is started with.
pub struct Bench {
    root: Recipe,
    inner: Recipe,
    file: Vec<u8>,
    inner_file: Vec<u8>,
}

pub static BENCH: LazyLock<Bench> = LazyLock::new(|| {
    let inner = inner();
    let inner_file = inner.signed();
    let root = root(&inner_file);
    Bench { file: root.signed(), root, inner, inner_file }
});

impl Bench {
    pub fn model(&self) -> Model {
        let inner = Package::open(&self.inner_file, &trust(), HASHER).unwrap();
        let parts = self.inner.components.iter().chain(&self.inner.regions);
        let parts: usize = parts.map(|(_, bytes)| bytes.len()).sum();
        Model::new(&Setup {
            root: &self.root,
            inner: &self.inner,
            inner_file: &self.inner_file,
            inner_bytes: nucleus::objects_bytes(&inner) + parts as u64,
            revoked: &is_revoked,
        })
    }

    pub fn nucleus(&self) -> Nucleus {
        let (package, seed, facts, hasher) = ([0; 32], 0, facts(1), HASHER);
        let start = Start { package, seed, facts, hasher, signature_holds: holds };
        let mut nucleus = Nucleus::new(start);
        let opened = Package::open(&self.file, &trust(), HASHER).unwrap();
        let Answer::Prepare(ticket) = nucleus.gate(Subject::KERNEL, Nucleus::mount_root()) else {
            panic!("no mount")
        };
        nucleus.commit_mount(ticket, Ok(&opened), 0, &is_revoked).unwrap();
        for number in 0..nucleus.plans().len() {
            let request = nucleus.plans()[number].request(number);
            let Answer::Prepare(ticket) = nucleus.gate(Subject::KERNEL, request) else {
                panic!("no spawn")
            };
            nucleus.commit_spawn(ticket, Ok(())).unwrap();
        }
        nucleus
    }

    /// A call that asks for something to be prepared, which takes so much fuel.
    /// Gives the answer.
    pub fn slowly(&self, nucleus: &mut Nucleus, who: u32, deed: &Deed, fuel: u64) -> i64 {
        let who = Subject(who);
        let answer = nucleus.gate(who, deed.request(&mut []));
        let Answer::Prepare(ticket) = answer else { panic!("{answer:?}") };
        nucleus.spend(who, fuel);
        match ticket.work() {
            Work::Spawn { .. } => {
                let _ = nucleus.commit_spawn(ticket, Ok(()));
            }
            Work::Mount { .. } => {
                let opened = Package::open(&self.inner_file, &trust(), HASHER).unwrap();
                let _ = nucleus.commit_mount(ticket, Ok(&opened), 0, &is_revoked);
            }
            Work::Unmount { .. } => {
                let _ = nucleus.commit_unmount(ticket);
            }
            work => panic!("{work:?}"),
        }
        nucleus.take_answer(who).unwrap()
    }

    /// A call, completed as a machine would. `into` is its window.
    pub fn call(&self, nucleus: &mut Nucleus, who: u32, deed: &Deed, into: &mut [u8]) -> Answer {
        let who = Subject(who);
        let request = deed.request(into);
        let (answer, allocations) = counted(|| nucleus.gate(who, request));
        assert_eq!(allocations, 0, "{deed:?} allocates inside the gate");
        let ticket = match answer {
            Answer::Prepare(ticket) => ticket,
            answer => return answer,
        };
        match (ticket.work(), &deed.what) {
            (Work::Spawn { .. }, Ok(What::Spawn { prepared, .. })) => {
                let _ = nucleus.commit_spawn(ticket, *prepared);
            }
            (Work::Region { .. }, Ok(What::Create { content, .. })) => {
                return nucleus.commit_region(ticket, content);
            }
            (Work::Mount { region: Some(region), .. }, _) => {
                let content = match nucleus.object(*region).map(|it| &it.body) {
                    Some(Body::Region(region)) => Region::content(region).map(|it| it.0.to_vec()),
                    _ => None,
                };
                let file = content.unwrap_or_default();
                let opened = Package::open(&file, &trust(), HASHER);
                let opened = opened.as_ref().map_err(|_| Error::NotRvf);
                let _ = nucleus.commit_mount(ticket, opened, file.len() as u32, &is_revoked);
            }
            (Work::Guard { .. }, Ok(What::Put { mutation, .. })) => {
                let word = Word { allows: guard_allows(mutation), fuel: 0 };
                return nucleus.commit_guard(ticket, deed.request(into), word);
            }
            (Work::Unmount { .. }, _) => nucleus.commit_unmount(ticket).unwrap(),
            (work, what) => panic!("{what:?} asks for {work:?}"),
        }
        Answer::Done { value: nucleus.take_answer(who).unwrap(), fuel: 0 }
    }
}

/// The gate, for the model to ask.
pub struct Asked<'a>(pub &'a Nucleus);

impl Learn for Asked<'_> {
    fn behind(&self, subject: u32, handle: Handle) -> u32 {
        let task = self.0.task(Subject(subject)).unwrap();
        task.space.get(handle).unwrap_or_else(|error| panic!("{handle:?}: {error:?}")).object.0
    }

    fn task(&self, subject: u32) -> (u32, u32) {
        let task = self.0.task(Subject(subject)).unwrap_or_else(|| panic!("no task {subject}"));
        (task.object.unwrap().0, task.mailbox.unwrap().0)
    }

    fn coherence(&self, store: u32, slot: u32) -> u32 {
        match self.0.object(nucleus::ObjectId(store)).map(|it| &it.body) {
            Some(Body::Vectors(it)) => it.store.entry(slot).map_or(0, |it| it.coherence.to_bits()),
            _ => 0,
        }
    }
}
