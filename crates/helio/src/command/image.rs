//! `helio image`: a bootable disk image.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use witness::signature::{self, FileKind};
use witness::{Hasher, Trust, hex, key};

use super::config::Configured;
use crate::arch::Arch;
use crate::error::{HelioError, Result};
use crate::exit::ExitCode;
use crate::file;
use crate::image::{self, Loader, Spec, Start};
use crate::keys::{self, Role, Store};
use crate::output::Output;
use crate::pack::inspect;
use crate::target::Target;

/// Make a bootable disk image, or one file for direct boot.
#[derive(Debug, Args)]
pub struct Image {
    /// The architecture.
    #[arg(long, value_enum, default_value_t = Arch::X86_64)]
    arch: Arch,
    #[command(flatten)]
    content: Content,
    /// The image.
    #[arg(short, long)]
    output: PathBuf,
}

/// What an image holds, and what starts it.
#[derive(Debug, Args)]
pub struct Content {
    /// What starts the kernel.
    #[arg(long, value_enum, default_value_t = Loader::Uefi)]
    loader: Loader,
    #[command(flatten)]
    parts: Parts,
    /// The package; without one the machine says so and ends.
    #[arg(long)]
    package: Option<PathBuf>,
    /// The kernel's command line: `name=value` words.
    #[arg(long, default_value = "")]
    cmdline: String,
}

impl Content {
    /// What starts the kernel.
    pub fn loader(&self) -> Loader {
        self.loader
    }

    /// What an image for this target is made of; and the direct boot image,
    /// where that starts it.
    pub fn parts(&self, target: Target) -> Result<(Spec, Option<Vec<u8>>)> {
        let arch = target.arch();
        // A card has nothing else that could start the kernel.
        let loader = if target == Target::Rpi4 { Loader::Direct } else { self.loader };
        let mut spec = self.parts.gather(arch, loader, &self.cmdline)?;
        if let Some(path) = &self.package {
            spec.package = Some(inspect::read(path)?);
        }
        let path = self.parts.direct_image_path(arch);
        let direct = (loader == Loader::Direct).then(|| file::read(&path)).transpose()?;
        Ok((spec, direct))
    }

    /// Makes the image, which is no card, and puts it at `path`.
    pub fn build(&self, target: Target, path: &Path) -> Result<()> {
        match self.parts(target)? {
            (spec, Some(direct)) => image::build_direct(&spec, &direct, path),
            (spec, None) => image::build(&spec, path),
        }
    }
}

/// What an image is made of, with the places where `make` puts it.
#[derive(Debug, Args)]
pub struct Parts {
    /// Folder of Limine's released binaries.
    #[arg(long)]
    limine_dir: Option<PathBuf>,
    /// Folder where `make` puts what it builds.
    #[arg(long, default_value = super::BUILD)]
    build: PathBuf,
    /// Folder of the keys and the trust file.
    #[arg(long, default_value = super::KEYS)]
    keys: PathBuf,
    /// The kernel [default: BUILD/ARCH/kernel.elf].
    #[arg(long)]
    kernel: Option<PathBuf>,
    /// The kernel's signature [default: the one that `helio build --key` made,
    /// if it is trusted; else it is signed with the operator's key].
    #[arg(long)]
    signature: Option<PathBuf>,
    /// Leave the kernel's signature out: for tests, our loader refuses it.
    #[arg(long, conflicts_with = "signature")]
    unsigned: bool,
    /// Our loader [default: BUILD/ARCH/loader.efi].
    #[arg(long)]
    loader_file: Option<PathBuf>,
    /// The trust file [default: KEYS/trust.note].
    #[arg(long)]
    trust: Option<PathBuf>,
    /// The device's private key [default: KEYS/device.pem].
    #[arg(long)]
    device_key: Option<PathBuf>,
    #[command(flatten)]
    configured: Configured,
    /// A further package, which an operator can mount at the shell.
    #[arg(long, value_name = "PACKAGE")]
    more: Option<PathBuf>,
}

impl Parts {
    /// Folder where `make` puts what it builds.
    pub fn build(&self) -> &Path {
        &self.build
    }

    /// The key store.
    pub fn store(&self) -> Store {
        Store::at(&self.keys)
    }

    /// Where the device's key lies.
    pub fn device_key_path(&self) -> PathBuf {
        self.device_key.clone().unwrap_or_else(|| self.store().private_path(Role::Device))
    }

    /// Where the trust file lies.
    pub fn trust_path(&self) -> PathBuf {
        self.trust.clone().unwrap_or_else(|| self.store().trust_path())
    }

    /// The trust file, checked against the key store's root key.
    pub fn trust(&self) -> Result<Trust> {
        self.store().trust_at(&self.trust_path())
    }

    /// Where the kernel lies.
    pub fn kernel_path(&self, arch: Arch) -> PathBuf {
        let built = || self.build.join(arch.name()).join("kernel.elf");
        self.kernel.clone().unwrap_or_else(built)
    }

    /// Where the same kernel lies with its symbols.
    pub fn symbols_path(&self, arch: Arch) -> PathBuf {
        self.kernel_path(arch).with_extension("debug")
    }

    /// Where the direct boot image lies.
    pub fn direct_image_path(&self, arch: Arch) -> PathBuf {
        self.build.join(arch.name()).join("direct.img")
    }

    /// Reads everything but the package.
    pub fn gather(&self, arch: Arch, loader: Loader, command_line: &str) -> Result<Spec> {
        let start = match (loader, &self.limine_dir) {
            (Loader::Uefi, _) => {
                let built = || self.build.join(arch.name()).join("loader.efi");
                let path = self.loader_file.clone().unwrap_or_else(built);
                Start::Uefi(read_built(&path, "make loader")?)
            }
            (Loader::Direct, _) => return self.gather_direct(arch, command_line),
            (Loader::Limine, Some(folder)) => Start::Limine(folder.clone()),
            (Loader::Limine, None) => {
                return Err(HelioError::input(
                    "image",
                    "Limine",
                    "no folder with its binaries was given",
                    "add --limine-dir FOLDER, a binary release of Limine 8.0 or later",
                ));
            }
        };
        self.gather_for(arch, start, command_line)
    }

    /// The same for a machine without a boot disk.
    pub fn gather_direct(&self, arch: Arch, command_line: &str) -> Result<Spec> {
        read_built(&self.direct_image_path(arch), "make direct")?;
        self.gather_for(arch, Start::None, command_line)
    }

    fn gather_for(&self, arch: Arch, start: Start, command_line: &str) -> Result<Spec> {
        let device_key = read_built(&self.device_key_path(), "helio keys init")?;
        keys::check_plain(&self.device_key_path(), &device_key)?;
        let path = self.kernel_path(arch);
        let kernel = read_built(&path, "make kernel")?;
        image::check_kernel(path.display(), arch, &kernel)?;
        let path = self.trust_path();
        let trust = read_built(&path, "helio keys init")?;
        // Whose it is the loader asks.
        Trust::taken_at_its_word(&trust, Hasher::SOFTWARE).map_err(|error| {
            let advice = "give a trust file that `helio keys` made";
            HelioError::input("trust file", path.display(), error, advice)
        })?;
        // What a command says goes before the configuration: the first counts.
        let words = self.configured.load()?.words();
        let command_line = format!("{} {words}", command_line.trim()).trim().to_owned();
        Ok(Spec {
            arch,
            start,
            kernel_signature: self.kernel_signature(arch, &kernel)?,
            kernel,
            package: None,
            trust: Some(trust),
            device_key: Some(device_key),
            more: self.more.as_deref().map(inspect::read).transpose()?,
            command_line,
        })
    }

    /// The signature that was given, or was made with the kernel and holds; or
    /// a new one by the operator.
    fn kernel_signature(&self, arch: Arch, kernel: &[u8]) -> Result<Option<Vec<u8>>> {
        if self.unsigned {
            return Ok(None);
        }
        if let Some(path) = &self.signature {
            return Ok(Some(file::read(path)?));
        }
        let digest = Hasher::SOFTWARE.hash(kernel);
        let beside = self.kernel_path(arch).with_extension("sig");
        if beside.exists() {
            let note = file::read_text("signature", &beside)?;
            if self.trust()?.check_file(FileKind::Kernel, &digest, &note).is_ok() {
                return Ok(Some(note.into_bytes()));
            }
        }
        let path = self.store().private_path(Role::Operator);
        let operator = keys::read_private(&path)?;
        let name = keys::operator_name(&path, &key::public(&operator));
        Ok(Some(signature::sign(FileKind::Kernel, &digest, &name, &operator).into_bytes()))
    }
}

/// Reads a file that a step before this one makes.
pub fn read_built(path: &Path, step: &str) -> Result<Vec<u8>> {
    file::read(path).map_err(|error| match error {
        HelioError::File { source, .. } => {
            let advice = format!("run `{step}` first, or name another file");
            HelioError::input("read", path.display(), source, advice)
        }
        error => error,
    })
}

#[derive(Serialize)]
struct Made {
    image: PathBuf,
    bytes: usize,
    sha256: String,
}

impl Image {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        let target = match self.arch {
            Arch::X86_64 => Target::X86_64,
            Arch::Aarch64 => Target::Aarch64,
        };
        self.content.build(target, &self.output)?;
        let bytes = file::read(&self.output)?;
        output.show(&Made {
            image: self.output,
            bytes: bytes.len(),
            sha256: hex::encode(&Hasher::SOFTWARE.hash(&bytes)),
        });
        Ok(ExitCode::Success)
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { image, bytes, sha256 } = self;
        write!(f, "{}  {bytes} bytes, sha256 {sha256}", image.display())
    }
}
