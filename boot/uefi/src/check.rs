//! Whether the files of the boot partition may be started.
//!
//! The root key, which is part of the loader, signs the trust file; an
//! operator it names signs kernel and package. Nothing else is believed. The
//! kernel's headers are read first, by code that takes nothing for granted, so
//! that a file that is no kernel at all is called that and not unsigned.

use alloc::string::String;

use boot_contract::Architecture;
use boot_contract::elf::Image;
use package::Package;
use witness::note::NoteError;
use witness::signature::FileKind;
use witness::{Hash, Hasher, Trust};

use crate::refusal::Refusal;

/// The files that are checked, as they were read.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The kernel.
    pub kernel: &'a [u8],
    /// Its signature: a signed note.
    pub kernel_signature: &'a [u8],
    /// The package.
    pub package: &'a [u8],
    /// The trust file.
    pub trust: &'a [u8],
}

/// SHA-256 of each file that was checked, as it was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digests {
    /// The kernel's.
    pub kernel: Hash,
    /// The package's.
    pub package: Hash,
    /// The trust file's.
    pub trust: Hash,
}

/// Files that may be started. Only [`check`] makes it.
#[derive(Clone, Debug)]
pub struct Checked<'a> {
    kernel: Image<'a>,
    digests: Digests,
    kernel_signer: String,
    package_signer: String,
    is_development: bool,
}

impl<'a> Checked<'a> {
    /// The kernel.
    pub fn kernel(&self) -> &Image<'a> {
        &self.kernel
    }

    /// What the kernel may compare what it gets with.
    pub fn digests(&self) -> &Digests {
        &self.digests
    }

    /// Name of the operator who signed the kernel.
    pub fn kernel_signer(&self) -> &str {
        &self.kernel_signer
    }

    /// Name of the operator who signed the package.
    pub fn package_signer(&self) -> &str {
        &self.package_signer
    }

    /// Whether the keys are for development only.
    pub fn is_development(&self) -> bool {
        self.is_development
    }
}

/// Checks the files against a root key.
///
/// # Errors
/// The first thing that is wrong.
pub fn check<'a>(
    files: &Files<'a>,
    root: &[u8; 32],
    architecture: Architecture,
    hasher: Hasher,
) -> Result<Checked<'a>, Refusal> {
    let trust = Trust::open(files.trust, root, hasher)?;
    let kernel = Image::read(files.kernel, architecture)?;
    let note = core::str::from_utf8(files.kernel_signature);
    let note = note.map_err(|_| Refusal::Kernel(NoteError::Malformed))?;
    let digests = Digests {
        kernel: hasher.hash(files.kernel),
        package: hasher.hash(files.package),
        trust: trust.digest,
    };
    let kernel_signer =
        trust.check_file(FileKind::Kernel, &digests.kernel, note).map_err(Refusal::Kernel)?;
    let package = Package::open(files.package, &trust, hasher)?;
    Ok(Checked {
        kernel,
        digests,
        kernel_signer: kernel_signer.name.clone(),
        package_signer: package.signer().name.clone(),
        is_development: trust.development,
    })
}

#[cfg(test)]
mod tests;
