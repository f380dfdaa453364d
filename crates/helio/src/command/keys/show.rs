//! `helio keys show`: one key, or a store and its trust file.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use witness::key;
use witness::note::VerifierKey;

use super::Folder;
use crate::error::Result;
use crate::keys::trust::Standing;
use crate::keys::{self, Role, Store, hexadecimal};
use crate::output::Output;

/// Show a key, or the store's keys and whom its trust file trusts.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// A key: its name here, a PEM file, a verifier key or 64 hexadecimal
    /// digits.
    #[arg(value_name = "KEY")]
    key: Option<String>,
    #[command(flatten)]
    folder: Folder,
    /// Print only this public key, in hexadecimal.
    #[arg(long, value_name = "KEY", conflicts_with = "key")]
    public: Option<String>,
}

impl Show {
    pub(super) fn run(self, output: Output) -> Result<()> {
        let store = self.folder.store();
        match (self.key, self.public) {
            (None, None) => output.show(&shown(&store)?),
            (None, Some(name)) => {
                let key = hexadecimal(&keys::public_named(&store, &name)?);
                output.show(&One { name, key });
            }
            (Some(name), _) => output.show(&details(&store, &name)?),
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct One {
    name: String,
    key: String,
}

impl fmt::Display for One {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)
    }
}

#[derive(Serialize)]
struct Details {
    key: String,
    trusted: String,
    verifier_key: Option<String>,
    pem: String,
}

/// What there is to say of one key.
fn details(store: &Store, name: &str) -> Result<Details> {
    let public = keys::public_named(store, name)?;
    let root = store.public(Role::Root).ok();
    let standing = Standing::of(&public, root.as_ref(), &store.trust().unwrap_or_default());
    let called = match &standing {
        Standing::Root => Some(witness::trust::ROOT_NAME),
        Standing::Operator(name) | Standing::Device(name) => Some(name.as_str()),
        Standing::Revoked(_) | Standing::Unknown => None,
    };
    let verifier = called.and_then(|name| VerifierKey::new(name, &public));
    Ok(Details {
        key: hexadecimal(&public),
        trusted: standing.to_string(),
        verifier_key: verifier.map(|key| key.to_string()),
        pem: key::public_to_pem(&public),
    })
}

impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "key       {}", self.key)?;
        writeln!(f, "trusted   {}", self.trusted)?;
        if let Some(key) = &self.verifier_key {
            writeln!(f, "verifier  {key}")?;
        }
        f.write_str(&self.pem)
    }
}

#[derive(Serialize)]
struct Shown {
    keys: Vec<Line>,
    trust: Trusted,
}

#[derive(Serialize)]
struct Line {
    role: Role,
    key: String,
    file: PathBuf,
}

#[derive(Serialize)]
struct Trusted {
    digest: String,
    development: bool,
    devices: Vec<Named>,
    operators: Vec<Named>,
    revoked: Vec<String>,
    minimum_versions: Vec<Least>,
}

#[derive(Serialize)]
struct Named {
    name: String,
    key: String,
}

#[derive(Serialize)]
struct Least {
    package: String,
    version: u64,
}

fn shown(store: &Store) -> Result<Shown> {
    let line = |role| {
        let key = hexadecimal(&store.public(role)?);
        Ok(Line { role, key, file: store.public_path(role) })
    };
    let trust = store.trust()?;
    let named = |list: &[witness::trust::NamedKey]| {
        let one = |it: &witness::trust::NamedKey| Named {
            name: it.name.clone(),
            key: hexadecimal(&it.key),
        };
        list.iter().map(one).collect()
    };
    let least = |it: &witness::trust::MinimumVersion| Least {
        package: it.package.clone(),
        version: it.version,
    };
    Ok(Shown {
        keys: Role::ALL.into_iter().map(line).collect::<Result<_>>()?,
        trust: Trusted {
            digest: hexadecimal(&trust.digest),
            development: trust.development,
            devices: named(&trust.devices),
            operators: named(&trust.operators),
            revoked: trust.revoked.iter().map(hexadecimal).collect(),
            minimum_versions: trust.minimum_versions.iter().map(least).collect(),
        },
    })
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.keys {
            writeln!(f, "{:<9} {}  {}", line.role.name(), line.key, line.file.display())?;
        }
        let kind = if self.trust.development { " (development)" } else { "" };
        writeln!(f, "\ntrust file {}{kind}", &self.trust.digest[..16])?;
        for (what, list) in [("operator", &self.trust.operators), ("device", &self.trust.devices)] {
            for named in list {
                writeln!(f, "  {what:<8} {:<16} {}", named.name, named.key)?;
            }
        }
        for least in &self.trust.minimum_versions {
            writeln!(f, "  package  {:<16} from version {}", least.package, least.version)?;
        }
        self.trust.revoked.iter().try_for_each(|key| writeln!(f, "  revoked  {key}"))
    }
}
