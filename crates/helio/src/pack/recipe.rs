//! The TOML file a package is made from.

use std::path::{Path, PathBuf};

use abi::{Kind, Rights};
use package::manifest::{
    CapabilityEntry, Limits, QueueEntry, SensorEntry, StandingApproval, TaskEntry, TaskKind,
    WasiEntry,
};
use serde::Deserialize;

use crate::error::{HelioError, Result};
use crate::file;

use super::stores::{GraphStoreTable, VectorStoreTable};
use super::write::{Contents, NamedBytes};

/// The file as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    package: PackageTable,
    limits: LimitsTable,
    #[serde(default)]
    component: Vec<FileTable>,
    #[serde(default)]
    region: Vec<FileTable>,
    #[serde(default)]
    queue: Vec<QueueTable>,
    #[serde(default)]
    vector_store: Vec<VectorStoreTable>,
    #[serde(default)]
    graph_store: Vec<GraphStoreTable>,
    #[serde(default)]
    sensor: Vec<SensorTable>,
    #[serde(default)]
    task: Vec<TaskTable>,
    #[serde(default)]
    approval: Vec<ApprovalTable>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PackageTable {
    name: String,
    version: u64,
    #[serde(default)]
    seed: Counter,
    state_roots: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsTable {
    fuel: Counter,
    memory: u64,
    records: Counter,
    #[serde(default = "default_share")]
    share: u16,
}

const fn default_share() -> u16 {
    Limits::DEFAULT_SHARE
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTable {
    name: String,
    file: PathBuf,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct QueueTable {
    name: String,
    capacity_bytes: u64,
    accepts: Option<u32>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SensorTable {
    name: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskTable {
    name: String,
    component: String,
    #[serde(default)]
    kind: KindWord,
    #[serde(default)]
    priority: u8,
    deadline: Option<Counter>,
    fuel: Option<Counter>,
    memory: Option<u32>,
    #[serde(default)]
    capabilities: Vec<CapabilityTable>,
    wasi: Option<WasiTable>,
}

/// `[task.wasi]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WasiTable {
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: Vec<String>,
    stdin: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KindWord {
    #[default]
    Command,
    Reactor,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CapabilityTable {
    #[serde(deserialize_with = "kind")]
    kind: Kind,
    name: String,
    #[serde(deserialize_with = "rights")]
    rights: Rights,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApprovalTable {
    claim_types: Vec<u32>,
    max_claims: u64,
    max_bytes: u64,
}

/// An integer; TOML's end at 2^63 - 1, so a larger one is a string of digits.
#[derive(Clone, Copy, Debug, Default)]
struct Counter(u64);

impl<'de> Deserialize<'de> for Counter {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "an integer from 0 to 2^64 - 1, or a string of its digits")]
        enum Spelling {
            Number(u64),
            Digits(String),
        }
        match Spelling::deserialize(deserializer)? {
            Spelling::Number(value) => Ok(Self(value)),
            Spelling::Digits(text) => witness::json::decimal(&text).map(Self).ok_or_else(|| {
                serde::de::Error::custom(format_args!("{text:?} is not a number below 2^64"))
            }),
        }
    }
}

fn kind<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Kind, D::Error> {
    let word = String::deserialize(deserializer)?;
    Kind::from_name(&word).ok_or_else(|| {
        let known: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        unknown(&word, &known)
    })
}

fn rights<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Rights, D::Error> {
    let words = Vec::<String>::deserialize(deserializer)?;
    words.iter().try_fold(Rights::NONE, |all, word| match Rights::from_name(word) {
        Some(right) => Ok(all | right),
        None => Err(unknown(word, &Rights::NAMED.map(|(_, name)| name))),
    })
}

/// The error for a word that is none of those there are.
pub(super) fn unknown<E: serde::de::Error>(word: &str, known: &[&str]) -> E {
    E::custom(format_args!("unknown word {word:?}; there are: {}", known.join(", ")))
}

impl Recipe {
    /// Reads a recipe.
    pub fn read(path: &Path) -> Result<Self> {
        let text = file::read_text("manifest", path)?;
        toml::from_str(&text).map_err(|error| {
            let place = error.span().map_or(0, |span| span.start).min(text.len());
            let before = text.get(..place).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = place - before.rfind('\n').map_or(0, |at| at + 1) + 1;
            HelioError::input(
                "manifest",
                format_args!("{}:{line}:{column}", path.display()),
                error.message().lines().collect::<Vec<_>>().join(" "),
                "docs/PACKAGE.md section 7 lists what a manifest may say",
            )
        })
    }

    /// Reads the files it names, which are relative to `folder`.
    pub fn gather(&self, folder: &Path) -> Result<Contents> {
        let component = |it: &FileTable| {
            Ok(NamedBytes { name: it.name.clone(), bytes: module(&folder.join(&it.file))? })
        };
        let region = |it: &FileTable| {
            Ok(NamedBytes { name: it.name.clone(), bytes: file::read(&folder.join(&it.file))? })
        };
        Ok(Contents {
            name: self.package.name.clone(),
            version: self.package.version,
            seed: self.package.seed.0,
            limits: Limits {
                fuel: self.limits.fuel.0,
                memory: self.limits.memory,
                records: self.limits.records.0,
                share: self.limits.share,
            },
            components: self.component.iter().map(component).collect::<Result<_>>()?,
            regions: self.region.iter().map(region).collect::<Result<_>>()?,
            queues: self.queue.iter().map(QueueTable::entry).collect(),
            vector_stores: self
                .vector_store
                .iter()
                .map(|it| it.entry(folder))
                .collect::<Result<_>>()?,
            graph_stores: self
                .graph_store
                .iter()
                .map(|it| it.entry(folder))
                .collect::<Result<_>>()?,
            sensors: self.sensor.iter().map(SensorTable::entry).collect(),
            standing_approvals: self.approval.iter().map(ApprovalTable::entry).collect(),
            state_roots: self.package.state_roots,
            tasks: self.task.iter().map(|task| task.entry(&self.limits)).collect(),
        })
    }
}

impl QueueTable {
    fn entry(&self) -> QueueEntry {
        let Self { capacity_bytes, accepts, .. } = *self;
        QueueEntry { name: self.name.clone(), capacity_bytes, accepts }
    }
}

impl SensorTable {
    fn entry(&self) -> SensorEntry {
        SensorEntry { name: self.name.clone() }
    }
}

impl ApprovalTable {
    fn entry(&self) -> StandingApproval {
        let mut claim_types = self.claim_types.clone();
        claim_types.sort_unstable();
        StandingApproval { claim_types, max_bytes: self.max_bytes, max_claims: self.max_claims }
    }
}

impl TaskTable {
    fn entry(&self, limits: &LimitsTable) -> TaskEntry {
        let memory = u32::try_from(limits.memory).unwrap_or(u32::MAX);
        TaskEntry {
            name: self.name.clone(),
            component: self.component.clone(),
            kind: match self.kind {
                KindWord::Command => TaskKind::Command,
                KindWord::Reactor => TaskKind::Reactor,
            },
            priority: self.priority,
            deadline: self.deadline.map(|deadline| deadline.0),
            fuel: self.fuel.map_or(limits.fuel.0, |fuel| fuel.0),
            memory: self.memory.unwrap_or(memory),
            capabilities: self.capabilities.iter().map(CapabilityTable::entry).collect(),
            wasi: self.wasi.as_ref().and_then(WasiTable::entry),
        }
    }
}

impl WasiTable {
    /// None where it says nothing.
    fn entry(&self) -> Option<WasiEntry> {
        let Self { args, env, stdin } = self.clone();
        let entry = WasiEntry { args, env, stdin };
        (entry != WasiEntry::default()).then_some(entry)
    }
}

impl CapabilityTable {
    fn entry(&self) -> CapabilityEntry {
        CapabilityEntry { kind: self.kind, name: self.name.clone(), rights: self.rights }
    }
}

/// A WebAssembly module, translated if it is text.
fn module(path: &Path) -> Result<Vec<u8>> {
    let bytes = file::read(path)?;
    let wrong = |reason: String| {
        HelioError::input(
            "component",
            path.display(),
            reason,
            "give a WebAssembly module (.wasm, or .wat as text)",
        )
    };
    if path.extension().is_some_and(|extension| extension == "wat") {
        // The translator's message spans lines, with the place in the second.
        let translated = wat::parse_bytes(&bytes).map_err(|error| {
            wrong(error.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" "))
        })?;
        return Ok(translated.into_owned());
    }
    if !bytes.starts_with(b"\0asm\x01\0\0\0") {
        return Err(wrong("not a WebAssembly module".into()));
    }
    Ok(bytes)
}
