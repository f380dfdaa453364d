//! Stores in a recipe: their sizes, and the keys of those who may approve.

use std::path::Path;

use package::manifest::{GraphStoreEntry, Metric, StoreRules, Tier, VectorStoreEntry};
use serde::{Deserialize, Deserializer};
use witness::hex;

use super::recipe::unknown;
use crate::error::{HelioError, Result};
use crate::keys;

/// `[[vector_store]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VectorStoreTable {
    name: String,
    capacity: u32,
    dimension: u32,
    #[serde(default = "default_metric", deserialize_with = "metric")]
    metric: Metric,
    #[serde(deserialize_with = "tier")]
    tier: Tier,
    #[serde(default)]
    approvers: Vec<String>,
    guard: Option<String>,
}

/// `[[graph_store]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GraphStoreTable {
    name: String,
    nodes: u32,
    edges: u32,
    #[serde(deserialize_with = "tier")]
    tier: Tier,
    #[serde(default)]
    approvers: Vec<String>,
    guard: Option<String>,
}

const fn default_metric() -> Metric {
    Metric::Cosine
}

fn metric<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Metric, D::Error> {
    let word = String::deserialize(deserializer)?;
    Metric::from_name(&word).ok_or_else(|| unknown(&word, &Metric::NAMED.map(|(_, name)| name)))
}

fn tier<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tier, D::Error> {
    let word = String::deserialize(deserializer)?;
    Tier::from_name(&word).ok_or_else(|| unknown(&word, &Tier::NAMED.map(|(_, name)| name)))
}

impl VectorStoreTable {
    /// Its entry in the manifest; key files are relative to `folder`.
    pub(super) fn entry(&self, folder: &Path) -> Result<VectorStoreEntry> {
        Ok(VectorStoreEntry {
            name: self.name.clone(),
            capacity: self.capacity,
            dimension: self.dimension,
            metric: self.metric,
            rules: rules(self.tier, &self.approvers, self.guard.as_ref(), folder)?,
        })
    }
}

impl GraphStoreTable {
    /// Its entry in the manifest; key files are relative to `folder`.
    pub(super) fn entry(&self, folder: &Path) -> Result<GraphStoreEntry> {
        Ok(GraphStoreEntry {
            name: self.name.clone(),
            nodes: self.nodes,
            edges: self.edges,
            rules: rules(self.tier, &self.approvers, self.guard.as_ref(), folder)?,
        })
    }
}

fn rules(
    tier: Tier,
    approvers: &[String],
    guard: Option<&String>,
    folder: &Path,
) -> Result<StoreRules> {
    let key = |text: &String| approver(text, folder);
    let mut approvers = approvers.iter().map(key).collect::<Result<Vec<_>>>()?;
    approvers.sort_unstable();
    Ok(StoreRules { tier, approvers, guard: guard.cloned() })
}

/// A key in hexadecimal, or the file that has it.
fn approver(text: &str, folder: &Path) -> Result<[u8; 32]> {
    if let Some(key) = hex::decode(text) {
        return Ok(key);
    }
    let path = folder.join(text);
    if !path.exists() {
        return Err(HelioError::input(
            "approver",
            text,
            "neither 64 lower-case hexadecimal digits nor a key file",
            "give the key as `helio keys show --public ROLE` prints it, or a PEM file",
        ));
    }
    keys::read_public(&path)
}
