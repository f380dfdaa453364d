//! The part of a kernel's file that is loaded.
//!
//! The linker's output is mostly debug information. What boots ends behind
//! the last segment: less to read, and less to hash at every start. The whole
//! file is kept for [`crate::symbolize`].

use std::path::Path;

use boot_contract::Architecture;
use boot_contract::elf::{ElfError, Image};

use crate::error::{HelioError, Result};

/// `e_shoff`, and `e_shentsize`, `e_shnum` and `e_shstrndx`, in an ELF header.
const SECTION_FIELDS: [std::ops::Range<usize>; 2] = [40..48, 58..64];

/// The kernel's file at `path` without what no segment needs.
///
/// # Errors
/// The file is not a kernel that our loaders would take.
pub fn trim(path: &Path, file: &[u8]) -> Result<Vec<u8>> {
    let trimmed = read(file).and_then(|image| {
        let ends = image.segments().iter().map(|segment| segment.offset + segment.file_size);
        let mut trimmed = file[..ends.max().unwrap_or_default()].to_vec();
        for field in SECTION_FIELDS {
            trimmed.get_mut(field).ok_or(ElfError::BadHeaders)?.fill(0);
        }
        // The program headers lie in front of what they describe.
        read(&trimmed).map(|_| ())?;
        Ok(trimmed)
    });
    trimmed.map_err(|error| {
        let advice = "give the file that cargo built";
        HelioError::input("trim", path.display(), error, advice)
    })
}

fn read(file: &[u8]) -> Result<Image<'_>, ElfError> {
    Image::read(file, Architecture::X86_64).or_else(|error| match error {
        ElfError::WrongMachine(_) => Image::read(file, Architecture::Aarch64),
        other => Err(other),
    })
}
