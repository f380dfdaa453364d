//! `helio card`: a card for a Raspberry Pi 4.

use std::fmt;
use std::path::PathBuf;

use clap::{ArgGroup, Args};
use serde::Serialize;
use witness::{Hasher, hex};

use super::image::Parts;
use crate::arch::Arch;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::file;
use crate::image::Spec;
use crate::image::rpi4::{self, Firmware, Serial};
use crate::output::Output;

/// Make a card for a Raspberry Pi 4, or lay its files out for network boot.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("place").required(true).args(["output", "tftp"])))]
pub struct Card {
    #[command(flatten)]
    parts: Parts,
    /// The package; without one the machine says so and ends.
    #[arg(long)]
    package: Option<PathBuf>,
    /// The kernel's command line: `name=value` words.
    #[arg(long, default_value = "")]
    cmdline: String,
    #[command(flatten)]
    board: Board,
    /// The card: an image file.
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Lay the files out in this folder for a TFTP server instead.
    #[arg(long, value_name = "DIR", requires = "serial")]
    tftp: Option<PathBuf>,
    /// The board's serial number, which names its folder there.
    #[arg(long, value_parser = Serial::read)]
    serial: Option<Serial>,
}

/// What the board brings with it.
#[derive(Debug, Args)]
pub struct Board {
    /// Folder with the board's firmware: start4.elf, fixup4.dat,
    /// bcm2711-rpi-4-b.dtb. Without it the card boots in QEMU only.
    #[arg(long, value_name = "DIR")]
    firmware: Option<PathBuf>,
}

impl Board {
    /// Reads the firmware, if a folder was given.
    ///
    /// # Errors
    /// Files are missing in it.
    pub fn firmware(&self) -> Result<Option<Firmware>> {
        self.firmware.as_deref().map(Firmware::read).transpose()
    }
}

#[derive(Serialize)]
struct Made {
    card: PathBuf,
    bytes: usize,
    sha256: String,
    boots_on_hardware: bool,
}

#[derive(Serialize)]
struct LaidOut {
    folder: PathBuf,
}

impl Card {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        let firmware = self.board.firmware()?;
        let mut spec: Spec = self.parts.gather_direct(Arch::Aarch64, &self.cmdline)?;
        if let Some(path) = &self.package {
            spec.package = Some(file::read(path)?);
        }
        let loader = file::read(&self.parts.direct_image_path(Arch::Aarch64))?;
        let card = rpi4::Card { spec: &spec, loader: &loader, firmware: firmware.as_ref() };
        if let (Some(folder), Some(serial)) = (&self.tftp, self.serial) {
            let folder = card.lay_out(folder, serial)?;
            output.remark("whoever reaches the TFTP server can read the device's key");
            output.show(&LaidOut { folder });
        }
        if let Some(path) = self.output {
            card.build(&path)?;
            let bytes = file::read(&path)?;
            if firmware.is_none() {
                output.remark("without --firmware the card boots in QEMU only");
            }
            output.show(&Made {
                bytes: bytes.len(),
                sha256: hex::encode(&Hasher::SOFTWARE.hash(&bytes)),
                card: path,
                boots_on_hardware: firmware.is_some(),
            });
        }
        Ok(ExitCode::Success)
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { card, bytes, sha256, .. } = self;
        write!(f, "{}  {bytes} bytes, sha256 {sha256}", card.display())
    }
}

impl fmt::Display for LaidOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.folder.display())
    }
}
