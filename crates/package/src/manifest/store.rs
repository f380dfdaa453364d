//! Stores of vectors and graphs: how large they are, and who may change them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use abi::{Kind, profile};
use witness::json::Value;
use witness::{Hash, Hasher};

use super::Manifest;
use super::check::{Objects, name};
use super::place::{Members, Place, ensure, named};
use super::read::{Read, digest, small, string, word};
use crate::error::{PackageError, Reason};

/// Most vector stores, and most graph stores.
pub const STORES_MAX: usize = 16;

/// What the id of a store is made of begins with this.
const STORE_DOMAIN: &[u8] = b"heliograph-store@v1\n";

/// How strong a proof must be. A stronger one does for a weaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Minted by a task that may.
    Reflex,
    /// Signed by an approver outside of the machine.
    Standard,
    /// Signed, and let through by a guard program.
    Deep,
}

impl Tier {
    /// All, with their names in manifests.
    pub const NAMED: [(Self, &'static str); 3] =
        [(Self::Reflex, "reflex"), (Self::Standard, "standard"), (Self::Deep, "deep")];

    /// Its name in manifests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reflex => "reflex",
            Self::Standard => "standard",
            Self::Deep => "deep",
        }
    }

    /// The tier with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(_, n)| *n == name).map(|(tier, _)| *tier)
    }
}

/// What makes vectors near.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Cosine similarity: higher is nearer.
    Cosine,
    /// Squared Euclidean distance: lower is nearer.
    L2,
}

impl Metric {
    /// Both, with their names in manifests.
    pub const NAMED: [(Self, &'static str); 2] = [(Self::Cosine, "cosine"), (Self::L2, "l2")];

    /// Its name in manifests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::L2 => "l2",
        }
    }

    /// The metric with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(_, n)| *n == name).map(|(metric, _)| *metric)
    }
}

/// What a change of a store needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreRules {
    /// The least tier of proof.
    pub tier: Tier,
    /// Ed25519 keys that may sign proofs, growing; at least one unless the
    /// tier is reflex.
    pub approvers: Vec<[u8; 32]>,
    /// Name of the component that decides last; there is one exactly for the
    /// tier deep.
    pub guard: Option<String>,
}

/// A store of vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VectorStoreEntry {
    /// Its name.
    pub name: String,
    /// Vectors it holds at most.
    pub capacity: u32,
    /// Numbers in each vector.
    pub dimension: u32,
    /// What makes them near.
    pub metric: Metric,
    /// What a change needs.
    pub rules: StoreRules,
}

/// A store of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphStoreEntry {
    /// Its name.
    pub name: String,
    /// Nodes it holds at most.
    pub nodes: u32,
    /// Edges it holds at most.
    pub edges: u32,
    /// What a change needs.
    pub rules: StoreRules,
}

impl Manifest {
    /// What proofs call the store of this name, of the package that `signer`
    /// signed, when it is mounted at `path` (`/` is the root package's).
    /// Neither a new version of the package, nor one by somebody else, nor a
    /// second mount has the same stores, so that no proof is good for two.
    pub fn store_id(&self, signer: &[u8; 32], path: &str, store: &str, hasher: Hasher) -> Hash {
        let [(name_length, name), (path_length, path), (store_length, store)] =
            [&self.name, path, store].map(counted);
        hasher.concatenation(&[
            STORE_DOMAIN,
            &name_length,
            name,
            &self.version.to_le_bytes(),
            signer,
            &path_length,
            path,
            &store_length,
            store,
        ])
    }
}

/// A text with its length in one byte. Names and paths have 64 at most.
fn counted(text: &str) -> ([u8; 1], &[u8]) {
    let bytes = text.as_bytes();
    let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    ([length], bytes.get(..usize::from(length)).unwrap_or(bytes))
}

pub(super) fn read_vector_store(value: &Value, place: &Place) -> Read<VectorStoreEntry> {
    let known = ["approvers", "capacity", "dimension", "guard", "metric", "name", "tier"];
    let members = Members::of(value, place, &known)?;
    Ok(VectorStoreEntry {
        capacity: members.read("capacity", small)?,
        dimension: members.read("dimension", small)?,
        metric: members.read("metric", |value, place| word(value, place, Metric::from_name))?,
        name: members.read("name", string)?,
        rules: read_rules(&members)?,
    })
}

pub(super) fn read_graph_store(value: &Value, place: &Place) -> Read<GraphStoreEntry> {
    let known = ["approvers", "edges", "guard", "name", "nodes", "tier"];
    let members = Members::of(value, place, &known)?;
    Ok(GraphStoreEntry {
        edges: members.read("edges", small)?,
        name: members.read("name", string)?,
        nodes: members.read("nodes", small)?,
        rules: read_rules(&members)?,
    })
}

fn read_rules(members: &Members) -> Read<StoreRules> {
    Ok(StoreRules {
        approvers: members.list("approvers", digest)?,
        guard: members.optional("guard", string)?,
        tier: members.read("tier", |value, place| word(value, place, Tier::from_name))?,
    })
}

impl VectorStoreEntry {
    pub(super) fn check(&self, place: &str, objects: &Objects) -> Result<(), PackageError> {
        let within = |value, most, member| size(value, 1..=most, place, member);
        within(self.capacity, profile::VECTOR_CAPACITY_MAX, "capacity")?;
        within(self.dimension, profile::VECTOR_DIMENSION_MAX, "dimension")?;
        self.rules.check(place, objects)
    }
}

impl GraphStoreEntry {
    pub(super) fn check(&self, place: &str, objects: &Objects) -> Result<(), PackageError> {
        let within = |value, most, member| size(value, 1..=most, place, member);
        within(self.edges, profile::GRAPH_EDGES_MAX, "edges")?;
        within(self.nodes, profile::GRAPH_NODES_MAX, "nodes")?;
        self.rules.check(place, objects)
    }
}

impl StoreRules {
    fn check(&self, place: &str, objects: &Objects) -> Result<(), PackageError> {
        let approvers = || format!("{place}.approvers");
        ensure(self.approvers.len() <= profile::APPROVERS_MAX, Reason::TooMany, approvers)?;
        ensure(self.approvers.is_sorted_by(|a, b| a < b), Reason::NotSorted, approvers)?;
        let can_be_proved = self.tier == Tier::Reflex || !self.approvers.is_empty();
        ensure(can_be_proved, Reason::Empty, approvers)?;

        let guarded = || format!("{place}.guard");
        let Some(guard) = &self.guard else {
            return ensure(self.tier != Tier::Deep, Reason::MissingMember, guarded);
        };
        ensure(self.tier == Tier::Deep, Reason::NotForTier, guarded)?;
        name(guard, guarded)?;
        let is_component = objects.get(guard.as_str()) == Some(&Kind::Component);
        ensure(is_component, Reason::NoSuchObject, || named(&guarded(), guard))
    }
}

fn size(
    value: u32,
    range: RangeInclusive<u32>,
    place: &str,
    member: &str,
) -> Result<(), PackageError> {
    ensure(range.contains(&value), Reason::OutOfRange, || format!("{place}.{member}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_convert_both_ways_and_tiers_have_an_order() {
        for (tier, name) in Tier::NAMED {
            assert_eq!((Tier::from_name(name), tier.name()), (Some(tier), name));
        }
        for (metric, name) in Metric::NAMED {
            assert_eq!((Metric::from_name(name), metric.name()), (Some(metric), name));
        }
        assert_eq!((Tier::from_name("Deep"), Metric::from_name("")), (None, None));
        assert!(Tier::Reflex < Tier::Standard && Tier::Standard < Tier::Deep);
    }
}
