//! `helio approve`: signs a proof for one change of a store.

use std::fmt;
use std::path::PathBuf;

use abi::Operation;
use clap::{ArgGroup, Args, ValueEnum};
use serde::Serialize;
use witness::{Hash, Hasher, hex};

use super::verify::nonce as digest;
use crate::approve::{self, Change, Mounted, Store, Terms};
use crate::error::{HelioError, Result};
use crate::exit::ExitCode;
use crate::output::Output;
use crate::{file, keys};

/// Approve one change of a store of a package: sign a proof for it.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("change").required(true).args(["mutation", "put", "graph"])))]
pub struct Approve {
    /// The approver's private key, which the store lists.
    #[arg(long)]
    key: PathBuf,
    /// The signed package that the store is of.
    #[arg(long)]
    package: PathBuf,
    /// Where the package is mounted; `/` is the one a machine starts with.
    #[arg(long, default_value = "/", value_parser = mount_path)]
    path: String,
    /// The store's name in the package.
    #[arg(long)]
    store: String,
    /// A file with the mutation's canonical bytes.
    #[arg(long, value_name = "FILE")]
    mutation: Option<PathBuf>,
    /// The vector to put, as KEY=NUMBER,NUMBER,…
    #[arg(long, value_name = "KEY=NUMBERS", value_parser = put)]
    put: Option<Put>,
    /// What to change in a graph.
    #[arg(long, value_enum, value_name = "OPERATION", requires = "from")]
    graph: Option<Graph>,
    /// The node, or where the edge begins.
    #[arg(long, value_name = "NODE", requires = "graph")]
    from: Option<u64>,
    /// Where the edge ends.
    #[arg(long, value_name = "NODE", requires = "graph")]
    to: Option<u64>,
    /// The edge's weight.
    #[arg(long, requires = "graph", allow_negative_numbers = true)]
    weight: Option<f32>,
    /// The slot that changes; for what is new, by default the one that an
    /// empty store would suggest.
    #[arg(long, conflicts_with = "mutation")]
    slot: Option<u32>,
    /// The slot's leaf before the change, 64 hexadecimal digits; by default
    /// that of an empty slot.
    #[arg(long, value_name = "HEX", value_parser = digest)]
    old_leaf: Option<Hash>,
    /// A number that this key has not given this store before.
    #[arg(long)]
    nonce: u64,
    /// Logical time in ns from which the proof is void; by default never.
    #[arg(long, value_name = "NS")]
    expiry: Option<u64>,
    /// Where the proof goes.
    #[arg(short, long)]
    output: PathBuf,
}

fn mount_path(text: &str) -> core::result::Result<String, String> {
    let is_path = text == "/" || package::manifest::is_name(text);
    if is_path { Ok(text.into()) } else { Err("give / or the name it is mounted under".into()) }
}

/// A vector with its key, as it comes on a command line.
#[derive(Clone, Debug)]
struct Put {
    key: u64,
    vector: Vec<f32>,
}

fn put(text: &str) -> core::result::Result<Put, String> {
    let (key, numbers) = text.split_once('=').ok_or("give KEY=NUMBER,NUMBER,…")?;
    let number = |text: &str| match text.trim().parse::<f32>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(format!("{text:?} is not a finite number")),
    };
    Ok(Put {
        key: key.parse().map_err(|_| format!("{key:?} is not a number below 2^64"))?,
        vector: numbers.split(',').map(number).collect::<core::result::Result<_, _>>()?,
    })
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Graph {
    AddNode,
    RemoveNode,
    AddEdge,
    RemoveEdge,
    SetWeight,
}

impl Graph {
    const fn operation(self) -> Operation {
        match self {
            Self::AddNode => Operation::AddNode,
            Self::RemoveNode => Operation::RemoveNode,
            Self::AddEdge => Operation::AddEdge,
            Self::RemoveEdge => Operation::RemoveEdge,
            Self::SetWeight => Operation::SetWeight,
        }
    }
}

/// What was signed.
#[derive(Serialize)]
struct Approved {
    proof: PathBuf,
    approver: String,
    package: String,
    version: u64,
    path: String,
    store: String,
    store_id: String,
    change: String,
    slot: u32,
    old_leaf: String,
    was_empty: bool,
    mutation: String,
    mutation_sha256: String,
    nonce: u64,
    expiry: Option<u64>,
}

impl Approve {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        let key = keys::read_private(&self.key)?;
        let mounted = Mounted::read(&self.package, &file::read(&self.package)?, &self.path)?;
        let change = self.change(mounted.store(&self.store)?)?;
        let terms = Terms {
            store: &self.store,
            change: &change,
            old_leaf: self.old_leaf.unwrap_or_else(approve::empty_leaf),
            nonce: self.nonce,
            expiry: self.expiry.unwrap_or(u64::MAX),
        };
        let proof = approve::approve(&mounted, &terms, &key)?;
        file::write(&self.output, &proof.to_bytes())?;
        let mutation = change.to_bytes();
        output.show(&Approved {
            approver: hex::encode(&proof.key),
            package: mounted.manifest.name.clone(),
            version: mounted.manifest.version,
            store_id: hex::encode(&proof.statement.store),
            slot: change.slot(),
            change: change.to_string(),
            old_leaf: hex::encode(&terms.old_leaf),
            was_empty: terms.old_leaf == approve::empty_leaf(),
            mutation_sha256: hex::encode(&Hasher::SOFTWARE.hash(&mutation)),
            mutation: hex::encode(&mutation),
            nonce: self.nonce,
            expiry: Some(terms.expiry).filter(|expiry| *expiry != u64::MAX),
            proof: self.output,
            path: self.path,
            store: self.store,
        });
        Ok(ExitCode::Success)
    }

    /// The change that the arguments describe.
    fn change(&self, store: Store<'_>) -> Result<Change> {
        if let Some(path) = &self.mutation {
            return Change::from_bytes(&file::read(path)?, store).ok_or_else(|| {
                HelioError::input(
                    "mutation",
                    path.display(),
                    format_args!("not a change of the store \"{}\" in canonical bytes", self.store),
                    "docs/PACKAGE.md section 9 has the layout",
                )
            });
        }
        if let Some(Put { key, vector }) = &self.put {
            let slot = self.slot_of_new(*key, store)?;
            return Ok(Change::Put { key: *key, slot, vector: vector.clone() });
        }
        // clap asks for one of the three, and with this one for a node.
        let operation = self.graph.map_or(Operation::AddNode, Graph::operation);
        let from = self.from.unwrap_or_default();
        let is_node = approve::is_node(operation);
        let slot = match operation {
            Operation::AddNode => self.slot_of_new(from, store)?,
            _ => self.slot.ok_or_else(|| argument("--slot", "is missing", SLOT))?,
        };
        let to = goes_with("--to", self.to, !is_node)?;
        let weight = goes_with("--weight", self.weight, approve::has_weight(operation))?;
        Ok(Change::Graph { operation, slot, from, to, weight })
    }

    /// The slot given, or the one that the store suggests when it is empty.
    fn slot_of_new(&self, key: u64, store: Store<'_>) -> Result<u32> {
        let slots = match store {
            Store::Vectors(entry) => entry.capacity,
            Store::Graph(entry) => entry.nodes,
        };
        match (self.slot, self.old_leaf) {
            (Some(slot), _) => Ok(slot),
            (None, None) => Ok(abi::first_slot(key, slots)),
            (None, Some(_)) => Err(argument("--slot", "is missing beside --old-leaf", SLOT)),
        }
    }
}

const SLOT: &str = "give the slot that the machine names for it (vector_get with an opening)";

fn argument(name: &str, reason: &str, advice: &str) -> HelioError {
    HelioError::input("argument", name, reason, advice)
}

/// An argument that is there exactly when the change has a use for it.
fn goes_with<T: Default>(name: &str, value: Option<T>, is_needed: bool) -> Result<T> {
    match (value, is_needed) {
        (None, true) => Err(argument(name, "is missing", "give it: the change needs it")),
        (Some(_), false) => {
            Err(argument(name, "is not for this change", "leave it out, or name another change"))
        }
        (value, _) => Ok(value.unwrap_or_default()),
    }
}

impl fmt::Display for Approved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { change, store, package, version, path, old_leaf, nonce, .. } = self;
        writeln!(f, "approved, once: {change}")?;
        writeln!(f, "  of the store {store} of {package} version {version}, mounted at {path}")?;
        match self.was_empty {
            true => writeln!(f, "  if the slot is empty")?,
            false => writeln!(f, "  if the slot's leaf is {old_leaf}")?,
        }
        match self.expiry {
            Some(ns) => writeln!(f, "  before {ns} ns of logical time; nonce {nonce}")?,
            None => writeln!(f, "  at any time; nonce {nonce}")?,
        }
        writeln!(f, "signed by {}", self.approver)?;
        write!(f, "{}  {} bytes", self.proof.display(), abi::SignedProof::SIZE)
    }
}
