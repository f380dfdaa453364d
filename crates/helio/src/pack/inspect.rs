//! What is in a package.

use std::fmt;
use std::path::Path;

use package::manifest::{CapabilityEntry, StoreRules, TaskEntry, WasiEntry};
use package::{Manifest, Package, Part, Seal, Skipped};
use serde::Serialize;
use witness::note::SigningKey;
use witness::trust::{Distrust, NamedKey};
use witness::{Hasher, Trust, hex};

use crate::error::{HelioError, Result};
use crate::file;

/// A package, as it is shown.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// SHA-256 of the file, which a log names it by.
    pub digest: String,
    /// Size of the file.
    pub bytes: usize,
    /// Who signed it.
    pub signature: Signature,
    /// The manifest's own words, where there is one.
    pub manifest: Option<serde_json::Value>,
    /// Components and regions, with sizes.
    pub parts: Vec<PartLine>,
    /// What no part is made from.
    pub skipped: Vec<String>,
    #[serde(skip)]
    objects: Vec<String>,
    #[serde(skip)]
    tasks: Vec<TaskEntry>,
    #[serde(skip)]
    title: String,
}

/// What a package's signature is worth.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Signature {
    /// There is none.
    Unsigned,
    /// It holds; nobody said whom to trust.
    Holds {
        /// The signer's key.
        key: String,
    },
    /// It holds, and the trust file names the signer.
    Trusted {
        /// The signer's key.
        key: String,
        /// The operator's name.
        operator: String,
    },
    /// It holds, but the trust file revokes the key or does not list it.
    Untrusted {
        /// The signer's key.
        key: String,
        /// Whether the key was revoked.
        revoked: bool,
    },
}

/// A component or region.
#[derive(Debug, Serialize)]
pub struct PartLine {
    /// "component" or "region".
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Id of its segment.
    pub segment: u64,
    /// Its size.
    pub bytes: usize,
    /// Its SHA-256.
    pub sha256: String,
}

/// Reads a package that a machine is to be given: one that is no package is
/// refused here, what it is worth is the machine's to judge.
///
/// # Errors
/// The file cannot be read; and as [`inspect`].
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = file::read(path)?;
    inspect(path, &bytes, None).map(|_| bytes)
}

/// Looks into a package.
///
/// # Errors
/// A file that is not a package, or whose signature does not hold.
pub fn inspect(path: &Path, file: &[u8], trust: Option<&Trust>) -> Result<Inspection> {
    let refused = |error: package::PackageError| {
        HelioError::input(
            "package",
            path.display(),
            error,
            "make it again with `helio pack`, or get an undamaged copy",
        )
    };
    let (signed, signature) = match Seal::read(file) {
        Ok(seal) => (file.to_vec(), worth(&seal.key, trust)),
        Err(error) if error.reason == package::error::Reason::Unsigned => {
            (sealed_for_reading(file), Signature::Unsigned)
        }
        Err(error) => return Err(refused(error)),
    };
    let seal = Seal::read(&signed).map_err(refused)?;
    // Trust is shown, not asked for: what is inside is readable either way.
    let reader = Trust {
        operators: vec![NamedKey { key: seal.key, name: "signer".into() }],
        ..Trust::default()
    };
    let package = Package::open(&signed, &reader, Hasher::SOFTWARE).map_err(refused)?;
    Ok(Inspection {
        digest: hex::encode(&Hasher::SOFTWARE.hash(file)),
        bytes: file.len(),
        signature,
        title: package.manifest().map_or("no manifest".into(), |manifest| {
            format!("{} version {}", manifest.name, manifest.version)
        }),
        objects: package.manifest().map_or(Vec::new(), objects),
        tasks: package.manifest().map_or(Vec::new(), |manifest| manifest.tasks.clone()),
        manifest: package.manifest().and_then(as_json),
        parts: lines("component", package.components())
            .chain(lines("region", package.regions()))
            .collect(),
        skipped: package.skipped().iter().map(describe).collect(),
    })
}

fn worth(public: &[u8; 32], trust: Option<&Trust>) -> Signature {
    let key = hex::encode(public);
    match trust.map(|trust| trust.operator(public)) {
        None => Signature::Holds { key },
        Some(Ok(operator)) => Signature::Trusted { key, operator: operator.name.clone() },
        Some(Err(why)) => Signature::Untrusted { key, revoked: why == Distrust::Revoked },
    }
}

/// The file with a signature by a key that nobody has, because the reader
/// opens nothing without one.
fn sealed_for_reading(file: &[u8]) -> Vec<u8> {
    let nobody = SigningKey::from_bytes(&Hasher::SOFTWARE.hash(file));
    super::write::seal(file.to_vec(), last_segment_id(file), &nobody)
}

fn last_segment_id(file: &[u8]) -> u64 {
    let (mut at, mut last) = (0, 0);
    while let Some((header, payload)) =
        file.get(at..).and_then(|rest| rvf_wire::read_segment(rest).ok())
    {
        last = header.segment_id;
        at += rvf_wire::calculate_padded_size(rvf_types::SEGMENT_HEADER_SIZE, payload.len());
    }
    last
}

fn as_json(manifest: &Manifest) -> Option<serde_json::Value> {
    serde_json::from_str(&manifest.to_json()).ok()
}

fn lines(kind: &'static str, parts: &[Part<'_>]) -> impl Iterator<Item = PartLine> {
    parts.iter().map(move |part| PartLine {
        kind,
        name: part.name.clone(),
        segment: part.segment,
        bytes: part.bytes.len(),
        sha256: hex::encode(&part.sha256),
    })
}

fn describe(skipped: &Skipped) -> String {
    match skipped {
        Skipped::Segment { id, segment_type, offset } => {
            format!("segment {id} of type {segment_type:#04x} at byte {offset}")
        }
        Skipped::RootPage { offset } => format!("RVF root page at byte {offset}"),
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, {} bytes, sha256 {}", self.title, self.bytes, self.digest)?;
        writeln!(f, "{}", self.signature)?;
        for part in &self.parts {
            let PartLine { kind, name, segment, bytes, sha256 } = part;
            writeln!(f, "  {kind:<9} {name:<20} segment {segment:<3} {bytes:>9} bytes  {sha256}")?;
        }
        self.objects.iter().try_for_each(|object| writeln!(f, "  {object}"))?;
        for task in &self.tasks {
            let TaskEntry { name, component, kind, priority, fuel, memory, .. } = task;
            writeln!(
                f,
                "  task      {name:<20} {} of {component}, priority {priority}, {fuel} fuel, {memory} bytes",
                kind.name()
            )?;
            for (handle, capability) in task.capabilities.iter().enumerate() {
                writeln!(f, "    handle {handle:<3} {}", shown(capability))?;
            }
            for line in task.wasi.iter().flat_map(told) {
                writeln!(f, "    {line}")?;
            }
        }
        self.skipped.iter().try_for_each(|what| writeln!(f, "  skipped   {what}"))
    }
}

/// What the manifest declares that has no segment, a line each; the share
/// first, where it asks for one.
fn objects(manifest: &Manifest) -> Vec<String> {
    let share = manifest.limits.share;
    let mut lines = Vec::new();
    if share != package::manifest::Limits::DEFAULT_SHARE {
        lines.push(format!("share     {share}"));
    }
    for queue in &manifest.queues {
        let accepts = queue.accepts.map_or("any type".into(), |kind| format!("type {kind}"));
        let (name, bytes) = (&queue.name, queue.capacity_bytes);
        lines.push(format!("queue     {name:<20} {bytes} bytes, {accepts}"));
    }
    for store in &manifest.vector_stores {
        let (name, metric) = (&store.name, store.metric.name());
        let size = format!("{} vectors of {}, {metric}", store.capacity, store.dimension);
        lines.push(format!("vectors   {name:<20} {size}, {}", needs(&store.rules)));
        lines.extend(approvers(&store.rules));
    }
    for store in &manifest.graph_stores {
        let size = format!("{} nodes, {} edges", store.nodes, store.edges);
        lines.push(format!("graph     {:<20} {size}, {}", store.name, needs(&store.rules)));
        lines.extend(approvers(&store.rules));
    }
    lines.extend(manifest.sensors.iter().map(|sensor| format!("sensor    {}", sensor.name)));
    lines
}

fn needs(rules: &StoreRules) -> String {
    let guard = rules.guard.as_ref().map_or(String::new(), |name| format!(", guard {name}"));
    format!("tier {}{guard}", rules.tier.name())
}

fn approvers(rules: &StoreRules) -> impl Iterator<Item = String> {
    rules.approvers.iter().map(|key| format!("  approver {}", hex::encode(key)))
}

/// What a task is told through WASI, a line each. Whoever wrote the words may
/// have meant harm to a terminal.
fn told(wasi: &WasiEntry) -> Vec<String> {
    let stdin = wasi.stdin.iter().map(|name| format!("stdin      {name}"));
    let args = wasi.args.iter().map(|word| format!("argument   {word:?}"));
    let env = wasi.env.iter().map(|word| format!("variable   {word:?}"));
    stdin.chain(args).chain(env).collect()
}

fn shown(capability: &CapabilityEntry) -> String {
    let rights = abi::Rights::NAMED.iter().filter(|(right, _)| capability.rights.contains(*right));
    let rights: Vec<_> = rights.map(|(_, name)| *name).collect();
    format!("{} {}: {}", capability.kind.name(), capability.name, rights.join(", "))
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned => f.write_str("unsigned: no machine mounts it"),
            Self::Holds { key } => write!(f, "signed by {key}; no trust file was given"),
            Self::Trusted { key, operator } => write!(f, "signed by {operator}, key {key}"),
            Self::Untrusted { key, revoked: true } => {
                write!(f, "signed by {key}, which the trust file revokes")
            }
            Self::Untrusted { key, revoked: false } => {
                write!(f, "signed by {key}, which the trust file does not list")
            }
        }
    }
}
