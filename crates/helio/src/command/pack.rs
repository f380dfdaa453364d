//! `helio pack`: makes, signs and shows packages.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use witness::{Hasher, hex};

use crate::error::{HelioError, Result};
use crate::exit::ExitCode;
use crate::keys::Store;
use crate::output::Output;
use crate::pack::{Recipe, inspect, unsigned};
use crate::{file, keys};

/// Make and sign a package from a TOML manifest, or show one.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Pack {
    #[command(subcommand)]
    action: Option<Action>,
    /// The manifest; its paths are relative to its folder.
    #[arg(required = true)]
    manifest: Option<PathBuf>,
    /// The package; by default the manifest's name with `.rvf`.
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// The operator's private key.
    #[arg(long, default_value = "build/keys/operator.pem")]
    key: PathBuf,
    /// Leave the signature out: for tests, no machine takes it.
    #[arg(long, conflicts_with = "key")]
    unsigned: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show what is in a package and who signed it.
    Inspect {
        /// The package.
        file: PathBuf,
        /// Folder with the trust file to judge the signer by.
        #[arg(long, default_value = super::KEYS)]
        keys: PathBuf,
    },
}

#[derive(Serialize)]
struct Packed {
    package: PathBuf,
    bytes: usize,
    sha256: String,
    signed: bool,
}

impl Pack {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        match (&self.action, &self.manifest) {
            (Some(Action::Inspect { file, keys }), _) => {
                let store = Store::at(keys);
                let trust = match store.trust_path().exists() {
                    true => Some(store.trust()?),
                    false => None,
                };
                output.show(&inspect::inspect(file, &file::read(file)?, trust.as_ref())?);
            }
            (None, Some(manifest)) => output.show(&self.pack(manifest)?),
            // clap asks for the manifest where there is no subcommand.
            (None, None) => {}
        }
        Ok(ExitCode::Success)
    }

    fn pack(&self, manifest: &Path) -> Result<Packed> {
        let contents = Recipe::read(manifest)?.gather(file::parent(manifest))?;
        let made = match self.unsigned {
            true => unsigned(&contents),
            false => contents.sign(&keys::read_private(&self.key)?),
        };
        let bytes = made.map_err(|error| {
            HelioError::input(
                "manifest",
                manifest.display(),
                error,
                "docs/PACKAGE.md section 4 has the rules",
            )
        })?;
        let path = self.output.clone().unwrap_or_else(|| manifest.with_extension("rvf"));
        file::write(&path, &bytes)?;
        Ok(Packed {
            package: path,
            bytes: bytes.len(),
            sha256: hex::encode(&Hasher::SOFTWARE.hash(&bytes)),
            signed: !self.unsigned,
        })
    }
}

impl fmt::Display for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signed = if self.signed { "signed" } else { "unsigned" };
        let Self { package, bytes, sha256, .. } = self;
        write!(f, "{}  {bytes} bytes, {signed}, sha256 {sha256}", package.display())
    }
}
