//! `helio keys sign` and `helio keys verify`: plain signatures over files.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use witness::{Hasher, hex, key};

use super::Folder;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::file;
use crate::keys::trust::Standing;
use crate::keys::{self, Role, detached, hexadecimal};
use crate::output::Output;

/// Sign a file: 64 bytes of Ed25519, as `openssl pkeyutl -sign -rawin` makes.
#[derive(Debug, Args)]
pub(super) struct Sign {
    /// The file to sign.
    file: PathBuf,
    /// The private key: its name here, or a PEM file.
    #[arg(long)]
    key: String,
    #[command(flatten)]
    folder: Folder,
    /// Where the signature goes [default: FILE.sig].
    #[arg(short, long)]
    output: Option<PathBuf>,
}

/// Check such a signature; exit code 3 where it does not hold.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The file that was signed.
    file: PathBuf,
    /// The public key: its name here, a PEM file, a verifier key or 64
    /// hexadecimal digits.
    #[arg(long)]
    key: String,
    #[command(flatten)]
    folder: Folder,
    /// The signature [default: FILE.sig].
    #[arg(long)]
    signature: Option<PathBuf>,
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}

#[derive(Serialize)]
struct Signed {
    file: PathBuf,
    sha256: String,
    key: String,
    signature: PathBuf,
}

impl Sign {
    pub(super) fn run(self, output: Output) -> Result<()> {
        let bytes = file::read(&self.file)?;
        let path = keys::private_named(&self.folder.store(), &self.key);
        let signer = keys::read_private(&path)?;
        let signature = detached::sign(&self.file, &bytes, &signer)?;
        let path = self.output.unwrap_or_else(|| beside(&self.file));
        file::write(&path, &signature)?;
        output.show(&Signed {
            file: self.file,
            sha256: hex::encode(&Hasher::SOFTWARE.hash(&bytes)),
            key: hexadecimal(&key::public(&signer)),
            signature: path,
        });
        Ok(())
    }
}

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, sha256, key, signature } = self;
        writeln!(f, "{}  sha256 {sha256}", file.display())?;
        write!(f, "signed by {key}: {}", signature.display())
    }
}

#[derive(Serialize)]
struct Checked {
    file: PathBuf,
    key: String,
    trusted: String,
    holds: bool,
}

impl Verify {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        let store = self.folder.store();
        let key = keys::public_named(&store, &self.key)?;
        let bytes = file::read(&self.file)?;
        let path = self.signature.unwrap_or_else(|| beside(&self.file));
        let signature = detached::parse(&path, &file::read(&path)?)?;
        let holds = key::holds(&key, &bytes, &signature);
        let root = store.public(Role::Root).ok();
        let trust = store.trust().unwrap_or_default();
        output.show(&Checked {
            file: self.file,
            key: hexadecimal(&key),
            trusted: Standing::of(&key, root.as_ref(), &trust).to_string(),
            holds,
        });
        Ok(if holds { ExitCode::Success } else { ExitCode::Forged })
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, key, trusted, holds } = self;
        if !holds {
            return write!(
                f,
                "the signature does not hold: {} was changed, or another key than {key} signed it",
                file.display()
            );
        }
        writeln!(f, "the signature holds\n  file     {}\n  key      {key}", file.display())?;
        write!(f, "  trusted  {trusted}")
    }
}
