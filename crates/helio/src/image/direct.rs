//! The image for direct boot: our AArch64 loader with its files behind it.
//!
//! The loader is a Linux-style image ("Booting AArch64 Linux"); it takes its
//! files from the initial RAM disk, or from what follows it in memory
//! (`boot/direct`). The second makes one file of all, which `qemu -kernel` or
//! a board's firmware starts.

use boot_contract::archive as format;

use crate::error::{HelioError, Result};

use super::Spec;

/// Where the header says how long the image is in memory, 8 bytes.
const LENGTH: usize = 16;

/// Where the header has its magic, "ARM\x64".
const MAGIC: usize = 56;

/// The kernel, package, trust file and key as one file.
///
/// # Errors
/// None for what a [`Spec`] can hold; the format has a limit on names.
pub fn archive(spec: &Spec) -> Result<Vec<u8>> {
    let parts = [
        ("kernel.elf", Some(&spec.kernel)),
        ("package.rvf", spec.package.as_ref()),
        ("trust.note", spec.trust.as_ref()),
        ("device.pem", spec.device_key.as_ref()),
        ("more.rvf", spec.more.as_ref()),
    ];
    let present = parts.iter().filter_map(|(name, part)| Some((*name, part.as_ref()?.as_slice())));
    format::build(&present.collect::<Vec<_>>()).ok_or_else(|| {
        let advice = "report it: helio and boot/contract disagree";
        HelioError::input("image", "boot files", "do not fit into an archive", advice)
    })
}

/// The loader with the archive behind it.
pub(super) fn append(loader: &[u8], archive: &[u8]) -> Result<Vec<u8>> {
    let wrong = || {
        HelioError::input(
            "image",
            "direct boot image",
            "not an AArch64 image",
            "give the direct.img that `make direct` builds",
        )
    };
    if loader.get(MAGIC..MAGIC + 4) != Some(b"ARM\x64") {
        return Err(wrong());
    }
    let mut image = loader.to_vec();
    let header: &mut [u8; 8] =
        image.get_mut(LENGTH..).and_then(|rest| rest.first_chunk_mut()).ok_or_else(wrong)?;
    let length = usize::try_from(u64::from_le_bytes(*header)).map_err(|_| wrong())?;
    if length < loader.len() || length > loader.len() + (64 << 20) {
        return Err(wrong());
    }
    *header = ((length + archive.len()) as u64).to_le_bytes();
    // What the image needs in memory beyond its file is zeros.
    image.resize(length, 0);
    image.extend_from_slice(archive);
    Ok(image)
}
