//! `helio sign`: a detached signature over a kernel or a loader.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use witness::signature::{self, FileKind};
use witness::{Hasher, hex, key};

use crate::error::Result;
use crate::exit::ExitCode;
use crate::output::Output;
use crate::{file, keys};

/// Sign a kernel or a loader.
#[derive(Debug, Args)]
pub struct Sign {
    /// The file to sign.
    file: PathBuf,
    /// What it is, so that one cannot stand in for another.
    #[arg(long, value_enum)]
    kind: Kind,
    /// The operator's private key.
    #[arg(long, default_value = "build/keys/operator.pem")]
    key: PathBuf,
    /// The operator's name; by default as in the trust file beside the key.
    #[arg(long)]
    name: Option<String>,
    /// Where the signature goes; by default beside the file, as `.sig`.
    #[arg(short, long)]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Kernel,
    Loader,
}

#[derive(Serialize)]
struct Signed {
    file: PathBuf,
    sha256: String,
    signer: String,
    signature: PathBuf,
}

impl Sign {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        let key = keys::read_private(&self.key)?;
        let signer =
            self.name.unwrap_or_else(|| keys::operator_name(&self.key, &key::public(&key)));
        let kind = match self.kind {
            Kind::Kernel => FileKind::Kernel,
            Kind::Loader => FileKind::Loader,
        };
        let digest = Hasher::SOFTWARE.hash(&file::read(&self.file)?);
        let path = self.output.unwrap_or_else(|| self.file.with_extension("sig"));
        file::write(&path, signature::sign(kind, &digest, &signer, &key).as_bytes())?;
        output.show(&Signed {
            file: self.file,
            sha256: hex::encode(&digest),
            signer,
            signature: path,
        });
        Ok(ExitCode::Success)
    }
}

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, sha256, signer, signature } = self;
        write!(
            f,
            "{}  sha256 {sha256}\nsigned by {signer}: {}",
            file.display(),
            signature.display()
        )
    }
}
