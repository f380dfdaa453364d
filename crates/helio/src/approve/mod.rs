//! Proofs that an approver signs: which change of which store, and the 216
//! bytes that say so.
//!
//! [`Change`] is the change and its canonical bytes; [`approve`] holds it
//! against the store as the package declares it and signs. What a store holds
//! is not known here: the leaf before the change is the approver's word, and
//! the machine finds out.

mod change;

pub use change::Change;
pub(crate) use change::{has_weight, is_node};

use std::path::Path;

use abi::{SignedProof, Statement};
use ed25519_dalek::Signer as _;
use package::manifest::{GraphStoreEntry, Manifest, StoreRules, VectorStoreEntry};
use package::{Package, Seal};
use witness::note::SigningKey;
use witness::trust::NamedKey;
use witness::{Hash, Hasher, Trust, hex, key};

use crate::error::{HelioError, Result};

/// The package whose store is to change, as it is mounted.
#[derive(Clone, Debug)]
pub struct Mounted {
    /// Its manifest.
    pub manifest: Manifest,
    /// Who signed it.
    pub signer: [u8; 32],
    /// Where it is mounted.
    pub path: String,
}

/// A store as its package declares it.
#[derive(Clone, Copy, Debug)]
pub enum Store<'m> {
    /// Of vectors.
    Vectors(&'m VectorStoreEntry),
    /// Of a graph.
    Graph(&'m GraphStoreEntry),
}

/// What an approver approves.
#[derive(Clone, Debug)]
pub struct Terms<'a> {
    /// Name of the store.
    pub store: &'a str,
    /// What is to change.
    pub change: &'a Change,
    /// Leaf of the slot before the change.
    pub old_leaf: Hash,
    /// A number not given to this store before.
    pub nonce: u64,
    /// Logical time in ns from which it is void.
    pub expiry: u64,
}

/// The leaf of a slot that holds nothing.
pub fn empty_leaf() -> Hash {
    Hasher::SOFTWARE.leaf(&[])
}

impl Mounted {
    /// Reads the package in `file`. Whom a machine trusts is not asked for:
    /// one that does not trust the signer mounts nothing to change.
    pub fn read(name: &Path, file: &[u8], path: &str) -> Result<Self> {
        let refused = |reason: String| {
            let advice = "give the signed package that the machine mounts";
            HelioError::input("package", name.display(), reason, advice)
        };
        let signer = Seal::read(file).map_err(|error| refused(error.to_string()))?.key;
        let reader = Trust {
            operators: vec![NamedKey { key: signer, name: "signer".into() }],
            ..Trust::default()
        };
        let package = Package::open(file, &reader, Hasher::SOFTWARE)
            .map_err(|error| refused(error.to_string()))?;
        let manifest = package
            .manifest()
            .ok_or_else(|| refused("without a manifest, so without stores".into()))?;
        Ok(Self { manifest: manifest.clone(), signer, path: path.into() })
    }

    /// The store of this name.
    pub fn store(&self, name: &str) -> Result<Store<'_>> {
        let vectors = self.manifest.vector_stores.iter().map(Store::Vectors);
        let mut all = vectors.chain(self.manifest.graph_stores.iter().map(Store::Graph));
        let names: Vec<_> = all.clone().map(|store| store.name()).collect();
        all.find(|store| store.name() == name).ok_or_else(|| {
            let has = if names.is_empty() { "none".into() } else { names.join(", ") };
            HelioError::input(
                "store",
                name,
                format_args!("no store of the package \"{}\"", self.manifest.name),
                format!("its stores are: {has}"),
            )
        })
    }

    /// What proofs call that store.
    pub fn store_id(&self, name: &str) -> Hash {
        self.manifest.store_id(&self.signer, &self.path, name, Hasher::SOFTWARE)
    }
}

impl<'m> Store<'m> {
    /// Its name.
    pub fn name(self) -> &'m str {
        match self {
            Self::Vectors(entry) => &entry.name,
            Self::Graph(entry) => &entry.name,
        }
    }

    /// Who may change it, and how.
    pub fn rules(self) -> &'m StoreRules {
        match self {
            Self::Vectors(entry) => &entry.rules,
            Self::Graph(entry) => &entry.rules,
        }
    }
}

/// Signs a proof.
///
/// # Errors
/// A store that the package does not have, a key that does not approve for
/// it, a change that it cannot make.
pub fn approve(mounted: &Mounted, terms: &Terms<'_>, approver: &SigningKey) -> Result<SignedProof> {
    let store = mounted.store(terms.store)?;
    let key = key::public(approver);
    check_approver(store, &key)?;
    terms.change.check(store)?;
    if !terms.change.is_new() && terms.old_leaf == empty_leaf() {
        return Err(HelioError::input(
            "old leaf",
            terms.change,
            "changes what is there, but the leaf before it is that of an empty slot",
            "give the slot's leaf with --old-leaf",
        ));
    }
    let statement = Statement {
        store: mounted.store_id(terms.store),
        slot: terms.change.slot(),
        old_leaf: terms.old_leaf,
        mutation: Hasher::SOFTWARE.hash(&terms.change.to_bytes()),
        nonce: terms.nonce,
        expiry: terms.expiry,
    };
    let signature = approver.sign(&statement.message()).to_bytes();
    Ok(SignedProof { statement, key, signature })
}

fn check_approver(store: Store<'_>, key: &[u8; 32]) -> Result<()> {
    let approvers = &store.rules().approvers;
    if approvers.contains(key) {
        return Ok(());
    }
    let advice = if approvers.is_empty() {
        "the store takes no signed proofs: list the key under its `approvers` and pack again".into()
    } else {
        let listed: Vec<_> = approvers.iter().map(|key| hex::encode(key)).collect();
        format!(
            "sign with the private key of one that is ({}), or list this one under the store's \
             `approvers` and pack again",
            listed.join(", ")
        )
    };
    Err(HelioError::input(
        "key",
        hex::encode(key),
        format_args!("not an approver of the store \"{}\"", store.name()),
        advice,
    ))
}
