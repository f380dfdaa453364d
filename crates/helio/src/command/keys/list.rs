//! `helio keys list`: the keys of a store, and what each may do.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde::Serialize;
use witness::Trust;

use crate::error::Result;
use crate::keys::trust::Standing;
use crate::keys::{self, Role, Store, hexadecimal};

/// All of them.
#[derive(Serialize)]
pub(super) struct List {
    keys: Vec<Line>,
    /// Whether there is a trust file that the root key signed.
    trust: bool,
}

#[derive(Serialize)]
struct Line {
    /// None for one that only the trust file has.
    name: Option<String>,
    /// None where the private key is encrypted and the public one missing.
    key: Option<String>,
    private: Private,
    trusted: String,
}

/// What is here of a private key.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Private {
    None,
    Plain,
    Encrypted,
    /// Others than its owner may read it.
    Exposed,
}

impl Private {
    fn of(path: &Path) -> Result<Self> {
        let Ok(metadata) = fs::metadata(path) else { return Ok(Self::None) };
        if keys::is_locked(path)? {
            return Ok(Self::Encrypted);
        }
        let is_exposed = metadata.permissions().mode() & 0o077 != 0;
        Ok(if is_exposed { Self::Exposed } else { Self::Plain })
    }

    const fn text(self) -> &'static str {
        match self {
            Self::None => "-",
            Self::Plain => "plain",
            Self::Encrypted => "encrypted",
            Self::Exposed => "EXPOSED",
        }
    }
}

/// Lists a store.
pub(super) fn list(store: &Store) -> Result<List> {
    let trust = store.trust().ok();
    let believed = trust.clone().unwrap_or_default();
    let root = store.public(Role::Root).ok();
    let mut lines = Vec::new();
    let mut shown = Vec::new();
    for name in store.names()? {
        let private = Private::of(&store.private_path_of(&name))?;
        let public = store.public_path_of(&name);
        let key = match (public.exists(), private) {
            (true, _) => Some(keys::read_public(&public)?),
            (false, Private::Encrypted) => None,
            (false, _) => Some(keys::read_public(&store.private_path_of(&name))?),
        };
        let standing =
            key.map_or(Standing::Unknown, |key| Standing::of(&key, root.as_ref(), &believed));
        shown.extend(key);
        lines.push(Line {
            name: Some(name),
            key: key.as_ref().map(hexadecimal),
            private,
            trusted: standing.to_string(),
        });
    }
    let others = named(&believed).filter(|key| !shown.contains(key));
    lines.extend(others.map(|key| Line {
        name: None,
        key: Some(hexadecimal(&key)),
        private: Private::None,
        trusted: Standing::of(&key, root.as_ref(), &believed).to_string(),
    }));
    Ok(List { keys: lines, trust: trust.is_some() })
}

/// Every key that a trust file names, once.
fn named(trust: &Trust) -> impl Iterator<Item = [u8; 32]> {
    let listed = trust.operators.iter().chain(&trust.devices).map(|named| named.key);
    let mut all: Vec<_> = listed.chain(trust.revoked.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter()
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |line: &Line| line.name.clone().unwrap_or_else(|| "-".into());
        let width = self.keys.iter().map(|line| name(line).len()).max().unwrap_or(0).max(4);
        writeln!(f, "{:<width$}  {:<64}  {:<9}  trusted as", "name", "public key", "private")?;
        for line in &self.keys {
            let key = line.key.as_deref().unwrap_or("locked");
            writeln!(
                f,
                "{:<width$}  {key:<64}  {:<9}  {}",
                name(line),
                line.private.text(),
                line.trusted
            )?;
        }
        if !self.trust {
            writeln!(f, "\nthere is no trust file that the root key here signed")?;
        }
        Ok(())
    }
}
