//! `helio keys trust` and `helio keys revoke`: whom machines believe.

use std::fmt;
use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use serde::Serialize;
use witness::checkpoint;

use super::Folder;
use crate::error::{HelioError, Result};
use crate::keys::{self, Role, hexadecimal};
use crate::output::Output;

/// Trust a key, or only packages from a version on; signed by the root key.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("whom").required(true).args(["key", "package"])))]
pub(super) struct Trusting {
    /// The public key: its name here, a PEM file, a verifier key or 64
    /// hexadecimal digits.
    #[arg(requires = "role")]
    key: Option<String>,
    /// What it is trusted to sign.
    #[arg(long = "as", value_enum, requires = "key")]
    role: Option<Trustee>,
    /// What it is called in signatures and logs [default: the key's name
    /// here; for a device helio-DIGEST].
    #[arg(long, requires = "key")]
    name: Option<String>,
    /// Refuse packages of this name below a version.
    #[arg(long, value_name = "NAME", requires = "from")]
    package: Option<String>,
    /// The least version that is taken.
    #[arg(long, value_name = "VERSION", requires = "package")]
    from: Option<u64>,
    #[command(flatten)]
    folder: Folder,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Trustee {
    /// Packages, kernels, loaders and events.
    Operator,
    /// Logs of one machine.
    Device,
}

/// Stop trusting a key, for good; signed by the root key.
#[derive(Debug, Args)]
pub(super) struct Revoking {
    /// The public key: its name here or in the trust file, a PEM file, a
    /// verifier key or 64 hexadecimal digits.
    key: String,
    #[command(flatten)]
    folder: Folder,
}

#[derive(Serialize)]
struct Changed {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    what: String,
    changed: bool,
    trust_file: PathBuf,
    digest: String,
}

impl Trusting {
    pub(super) fn run(self, output: Output) -> Result<()> {
        let store = self.folder.store();
        let (key, what, changed) = match (&self.key, &self.package, self.role, self.from) {
            (Some(text), _, Some(role), _) => {
                let key = keys::public_named(&store, text)?;
                let role = match role {
                    Trustee::Operator => Role::Operator,
                    Trustee::Device => Role::Device,
                };
                let name = self.name.clone().unwrap_or_else(|| name_of(text, role, &key));
                let changed = store.trust_key(key, role, &name)?;
                let what = format!("{} is trusted as {} {name}", hexadecimal(&key), role.name());
                (Some(key), what, changed)
            }
            (_, Some(package), _, Some(version)) => {
                let changed = store.trust_from(package, version)?;
                (None, format!("{package} is taken from version {version} on"), changed)
            }
            // clap asks for one of the two.
            _ => {
                return Err(HelioError::input(
                    "trust file",
                    "command line",
                    "nothing to trust",
                    "name a key or a package",
                ));
            }
        };
        show(&store, output, key, what, changed)
    }
}

/// What a key is called that nobody gave a name.
fn name_of(text: &str, role: Role, key: &[u8; 32]) -> String {
    match role {
        Role::Device => checkpoint::default_device_name(key),
        _ if checkpoint::is_device_name(text) => text.into(),
        _ => {
            let stem = std::path::Path::new(text).file_stem().unwrap_or_default();
            let stem = stem.to_string_lossy();
            stem.strip_suffix(".pub").unwrap_or(&stem).to_owned()
        }
    }
}

impl Revoking {
    pub(super) fn run(self, output: Output) -> Result<()> {
        let store = self.folder.store();
        let key = keys::public_named(&store, &self.key)?;
        let changed = store.revoke(key)?;
        let what = format!("{} is revoked", hexadecimal(&key));
        show(&store, output, Some(key), what, changed)
    }
}

fn show(
    store: &keys::Store,
    output: Output,
    key: Option<[u8; 32]>,
    what: String,
    changed: bool,
) -> Result<()> {
    output.show(&Changed {
        key: key.as_ref().map(hexadecimal),
        what,
        changed,
        trust_file: store.trust_path(),
        digest: hexadecimal(&store.trust()?.digest),
    });
    Ok(())
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, changed, trust_file, digest, .. } = self;
        if !changed {
            return write!(f, "{what} already");
        }
        writeln!(f, "{what}")?;
        write!(
            f,
            "trust file {} is {}; machines have it with their next image",
            trust_file.display(),
            &digest[..16]
        )
    }
}
