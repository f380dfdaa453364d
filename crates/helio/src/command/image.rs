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

    /// What an image for this architecture is made of; and the direct boot
    /// image, where that starts it.
    pub fn parts(&self, arch: Arch) -> Result<(Spec, Option<Vec<u8>>)> {
        if self.loader == Loader::Direct {
            let (spec, direct) = self.direct_parts(arch)?;
            return Ok((spec, Some(direct)));
        }
        Ok((self.with_package(self.parts.gather(arch, self.loader, &self.cmdline)?)?, None))
    }

    /// What a machine without a boot disk of its own starts from, and the
    /// direct boot image.
    pub fn direct_parts(&self, arch: Arch) -> Result<(Spec, Vec<u8>)> {
        let spec = self.parts.gather_direct(arch, &self.cmdline)?;
        Ok((self.with_package(spec)?, file::read(&self.parts.direct_image_path(arch))?))
    }

    fn with_package(&self, mut spec: Spec) -> Result<Spec> {
        spec.package = self.package.as_deref().map(file::read).transpose()?;
        Ok(spec)
    }

    /// Makes the image and puts it at `path`.
    pub fn build(&self, arch: Arch, path: &Path) -> Result<()> {
        match self.parts(arch)? {
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
        let kernel = read_built(&self.kernel_path(arch), "make kernel")?;
        // What a command says goes before the configuration: the first counts.
        let words = self.configured.load()?.words();
        let command_line = format!("{} {words}", command_line.trim()).trim().to_owned();
        Ok(Spec {
            arch,
            start,
            kernel_signature: self.kernel_signature(arch, &kernel)?,
            kernel,
            package: None,
            trust: Some(read_built(&self.trust_path(), "helio keys init")?),
            device_key: Some(device_key),
            more: self.more.as_deref().map(file::read).transpose()?,
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
    std::fs::read(path).map_err(|error| {
        let advice = format!("run `{step}` first, or name another file");
        HelioError::input("read", path.display(), error, advice)
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
        self.content.build(self.arch, &self.output)?;
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
