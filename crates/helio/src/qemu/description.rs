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
    #[serde(default)]
    pub disk: Vec<String>,
    /// Arguments for the log disk.
    #[serde(default)]
    pub log: Vec<String>,
    /// UEFI firmware, where the board has it.
    pub firmware: Option<Firmware>,
    /// Booting a kernel image without firmware, where the board can.
    pub direct: Option<Direct>,
    /// Booting from a card, where the board does.
    pub card: Option<Card>,
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

/// Booting what lies on a card, which holds the log too.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Arguments for the card, and what of it QEMU loads in firmware's place.
    pub arguments: Vec<String>,
    /// Arguments for the device tree.
    pub described: Vec<String>,
}

impl Description {
    /// The machine that images for `arch` run on.
    pub fn of(arch: Arch) -> Result<Self> {
        match arch {
            Arch::X86_64 => Self::read("qemu/q35.toml", include_str!("../../../../qemu/q35.toml")),
            Arch::Aarch64 => {
                Self::read("qemu/virt.toml", include_str!("../../../../qemu/virt.toml"))
            }
        }
    }

    /// The Raspberry Pi 4 that cards run on.
    pub fn of_rpi4() -> Result<Self> {
        Self::read("qemu/raspi4b.toml", include_str!("../../../../qemu/raspi4b.toml"))
    }

    fn read(name: &str, text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| {
            HelioError::input(
                "machine description",
                name,
                error.message(),
                "mend the file and build helio again",
            )
        })
    }

    /// The arguments for firmware, and what is installed of it here.
    pub fn find_firmware(&self) -> Result<(&Firmware, &FirmwareFiles)> {
        let missing = |advice: String| HelioError::Missing {
            what: format!("UEFI firmware for {}", self.architecture),
            advice,
        };
        let Some(firmware) = &self.firmware else {
            return Err(missing(format!("{} has none: boot it otherwise", self.board)));
        };
        let found = firmware.files.iter().find(|f| f.code.is_file() && f.vars.is_file());
        let install = &firmware.install;
        let advice = format!("install the package {install} (Debian: apt-get install {install})");
        Ok((firmware, found.ok_or_else(|| missing(advice))?))
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
        assert!(Description::of_rpi4().unwrap().card.is_some());
    }
}
