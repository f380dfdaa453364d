//! Building what boots: the kernel, its loaders, and the payloads.
//!
//! [`cargo`] has the flags, for everything that is built for a bare target;
//! the Makefile builds through here, so that there is no other place for them.
//! [`tree`] finds the sources and the compiler.

pub mod cargo;
pub mod tree;

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use witness::note::SigningKey;
use witness::signature::{self, FileKind};
use witness::{Hash, Hasher};

use crate::arch::Arch;
use crate::error::{HelioError, Result};
use crate::file;
use crate::target::Target;
use crate::trim::trim;

use cargo::Job;
use tree::Tree;

/// Something that is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The kernel.
    Kernel,
    /// Our UEFI loader, with the root key in it.
    Loader,
    /// The direct boot image; AArch64 only.
    Direct,
    /// The programs in `payload/`, as WebAssembly.
    Payloads,
}

impl Part {
    /// What a machine of this target boots from.
    pub fn of(target: Target) -> &'static [Self] {
        match target {
            Target::X86_64 => &[Self::Kernel, Self::Loader],
            Target::Aarch64 => &[Self::Kernel, Self::Loader, Self::Direct],
            Target::Rpi4 => &[Self::Kernel, Self::Direct],
        }
    }
}

/// Whether a build is for speed or for looking into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Optimised.
    Release,
    /// With checks of arithmetic and debug assertions.
    Debug,
}

/// What is to be built.
#[derive(Clone, Debug)]
pub struct Order {
    /// For what.
    pub target: Target,
    /// Features of the kernel.
    pub features: Vec<String>,
    /// How.
    pub profile: Profile,
    /// The root public key, which goes into the loader.
    pub root_key: Option<[u8; 32]>,
}

/// A file that was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Where it is.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its SHA-256.
    pub digest: Hash,
}

impl Built {
    fn put(path: PathBuf, bytes: &[u8]) -> Result<Self> {
        file::write(&path, bytes)?;
        Ok(Self { path, bytes: bytes.len() as u64, digest: Hasher::SOFTWARE.hash(bytes) })
    }
}

impl Order {
    /// The call of cargo that builds a part.
    ///
    /// # Errors
    /// There is no such part, or feature, for this target.
    pub fn job(&self, part: Part, tree: &Tree) -> Result<Job> {
        tree.check_features(&self.features)?;
        if part == Part::Direct && self.target.arch() != Arch::Aarch64 {
            return Err(HelioError::input(
                "build",
                self.target,
                "there is no direct boot on this architecture",
                "use --target aarch64, or leave this part out",
            ));
        }
        Job::new(self, part, tree)
    }

    /// Builds a part, and puts it below `folder` where all other commands look
    /// for it. A kernel is signed if there is a key, under this name.
    ///
    /// # Errors
    /// Cargo cannot be started or fails; a file cannot be written.
    pub fn build(
        &self,
        part: Part,
        tree: &Tree,
        folder: &Path,
        signer: Option<(&SigningKey, &str)>,
    ) -> Result<Vec<Built>> {
        let job = self.job(part, tree)?;
        tree.run(&job)?;
        // A board has the kernel of its architecture.
        let place = |name: &str| folder.join(self.target.arch().name()).join(name);
        let output = tree.target_folder().join(job.output());
        let made = || file::read(&output);
        match part {
            Part::Kernel => {
                let whole = made()?;
                let kernel = trim(&output, &whole)?;
                file::write(&place("kernel.debug"), &whole)?;
                let kernel = Built::put(place("kernel.elf"), &kernel)?;
                let path = place("kernel.sig");
                let Some((key, name)) = signer else {
                    // One of another kernel would be taken for this one's.
                    remove(&path)?;
                    return Ok(vec![kernel]);
                };
                let note = signature::sign(FileKind::Kernel, &kernel.digest, name, key);
                Ok(vec![kernel, Built::put(path, note.as_bytes())?])
            }
            Part::Loader => Ok(vec![Built::put(place("loader.efi"), &made()?)?]),
            Part::Direct => Ok(vec![Built::put(place("direct.img"), &made()?)?]),
            // They are packed from where cargo leaves them.
            Part::Payloads => Ok(Vec::new()),
        }
    }
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(HelioError::write(path, error))
        }
        _ => Ok(()),
    }
}
