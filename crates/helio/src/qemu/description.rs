//! The files in `qemu/`.

use std::path::PathBuf;

use serde::Deserialize;

use crate::arch::Arch;
use crate::error::{HelioError, Result};

/// A machine, as its file describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Name of the architecture.
    pub architecture: String,
    /// Name of the board.
    pub board: String,
    /// QEMU's program for it.
    pub program: String,
    /// Debian's package with that program.
    pub install: String,
    /// Words that the kernel's command line needs on this machine.
    #[serde(default)]
    pub words: String,
    /// Arguments for every way of booting.
    pub arguments: Vec<String>,
    /// Arguments for a boot disk.
    pub disk: Vec<String>,
    /// Arguments for the log disk.
    pub log: Vec<String>,
    /// UEFI firmware.
    pub firmware: Firmware,
    /// Booting a kernel image without firmware, where the board can.
    pub direct: Option<Direct>,
}

/// UEFI firmware in flash.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Firmware {
    /// Debian's package with it.
    pub install: String,
    /// Arguments for the two flash devices.
    pub arguments: Vec<String>,
    /// Where distributions put it.
    pub files: Vec<FirmwareFiles>,
}

/// A firmware image and the template of its variables.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirmwareFiles {
    /// The code, never written.
    pub code: PathBuf,
    /// The variables, copied for each run.
    pub vars: PathBuf,
}

/// Booting by `-kernel`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Direct {
    /// Arguments instead of those for firmware and disk.
    pub arguments: Vec<String>,
    /// Arguments for the log disk.
    pub log: Vec<String>,
}

impl Description {
    /// The machine that images for `arch` run on.
    pub fn of(arch: Arch) -> Result<Self> {
        let (name, text) = match arch {
            Arch::X86_64 => ("qemu/q35.toml", include_str!("../../../../qemu/q35.toml")),
            Arch::Aarch64 => ("qemu/virt.toml", include_str!("../../../../qemu/virt.toml")),
        };
        toml::from_str(text).map_err(|error| {
            HelioError::input(
                "machine description",
                name,
                error.message(),
                "mend the file and build helio again",
            )
        })
    }

    /// The firmware that is installed here.
    pub fn find_firmware(&self) -> Result<&FirmwareFiles> {
        self.firmware.files.iter().find(|f| f.code.is_file() && f.vars.is_file()).ok_or_else(|| {
            HelioError::Missing {
                what: format!("UEFI firmware for {}", self.architecture),
                advice: format!(
                    "install the package {0} (Debian: apt-get install {0})",
                    self.firmware.install
                ),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_description_is_one_of_its_architecture() {
        for arch in Arch::ALL {
            assert_eq!(Description::of(arch).unwrap().architecture, arch.name());
        }
    }
}
