//! `helio flash`: an image onto a card, a disk, into a file, or laid out for
//! network boot.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use serde::Serialize;
use witness::{Hasher, hex};

use super::image::Content;
use crate::error::{HelioError, Result};
use crate::exit::ExitCode;
use crate::file;
use crate::flash::medium::Step;
use crate::flash::system::System;
use crate::flash::{Place, size, tftp};
use crate::image::Loader;
use crate::image::rpi4::{Card, Firmware, Serial};
use crate::output::Output;
use crate::progress::Progress;
use crate::target::Target;
use crate::terminal;

/// Write a bootable image to a card, a disk or a file, and read it back; or lay
/// out a folder for network boot.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("place").required(true).args(["to", "tftp"])))]
pub struct Flash {
    /// An image that is there already; else one is made of what the options
    /// below say.
    image: Option<PathBuf>,
    /// The disk, such as /dev/sdX, or a file. A file that is there stands for
    /// a card of its size.
    #[arg(long, alias = "device", value_name = "PATH")]
    to: Option<PathBuf>,
    /// Lay the files out in this folder for a TFTP server instead.
    #[arg(long, value_name = "DIR", conflicts_with = "image")]
    tftp: Option<PathBuf>,
    /// Folder with a Raspberry Pi 4's firmware: start4.elf, fixup4.dat,
    /// bcm2711-rpi-4-b.dtb. Without it a card for one boots in QEMU only.
    #[arg(long, value_name = "DIR", conflicts_with = "image")]
    firmware: Option<PathBuf>,
    /// Serial number of the Raspberry Pi 4 that boots from there: it asks for a
    /// folder of that name.
    #[arg(long, value_parser = Serial::read, requires = "tftp")]
    serial: Option<Serial>,
    /// Do not ask before something is overwritten.
    #[arg(short, long)]
    yes: bool,
    /// What the image is for.
    #[arg(long, value_enum, default_value_t = Target::X86_64)]
    target: Target,
    #[command(flatten)]
    content: Content,
}

#[derive(Serialize)]
struct Flashed {
    to: PathBuf,
    bytes: u64,
    sha256: String,
    compared: bool,
}

#[derive(Serialize)]
struct LaidOut {
    folder: PathBuf,
    files: Vec<PathBuf>,
}

impl Flash {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        match (&self.to, &self.tftp) {
            (Some(to), _) => self.write(to, output)?,
            (None, Some(folder)) => self.lay_out(folder, output)?,
            // clap asks for one of the two.
            (None, None) => return Err(nowhere()),
        }
        Ok(ExitCode::Success)
    }

    fn write(&self, to: &Path, output: Output) -> Result<()> {
        // A wrong disk is refused before an image is made for it.
        let place = Place::of(to, &System::here())?;
        place.check(0)?;
        let image = self.image(output)?;
        place.check(image.len() as u64)?;
        if !self.yes
            && let Some(loss) = place.loss()
        {
            confirm(&place, &loss, output)?;
        }
        let mut progress = None;
        let mut current = None;
        place.write(&image, &mut |step, bytes| {
            if current.replace(step) != Some(step) {
                let what = match step {
                    Step::Write => {
                        format!("writing {} to {}", size(image.len() as u64), to.display())
                    }
                    Step::Compare => "reading it back and comparing".into(),
                };
                // The old one is taken away before the new one begins.
                progress = None;
                progress = Some(Progress::bytes(output, &what, image.len() as u64));
            }
            if let Some(progress) = &progress {
                progress.reached(bytes);
            }
        })?;
        drop(progress);
        output.show(&Flashed {
            to: to.to_owned(),
            bytes: image.len() as u64,
            sha256: hex::encode(&Hasher::SOFTWARE.hash(&image)),
            compared: true,
        });
        Ok(())
    }

    fn image(&self, output: Output) -> Result<Vec<u8>> {
        if let Some(path) = &self.image {
            return whole_disk(path, file::read(path)?);
        }
        let place = tempfile::tempdir()
            .map_err(|source| HelioError::write(&std::env::temp_dir(), source))?;
        let path = place.path().join("disk.img");
        let firmware = self.firmware()?;
        match (self.target, self.content.loader()) {
            (Target::Rpi4, _) => {
                let (spec, loader) = self.content.parts(self.target)?;
                let loader = loader.unwrap_or_default();
                Card { spec: &spec, loader: &loader, firmware: firmware.as_ref() }.build(&path)?;
                if firmware.is_none() {
                    let advice = Firmware::advice();
                    let remark = format!("without --firmware it boots in QEMU only; {advice}");
                    output.remark(&remark);
                }
            }
            (_, Loader::Direct) => {
                return Err(HelioError::input(
                    "flash",
                    "--loader direct",
                    "a direct boot image is no disk: QEMU, U-Boot or firmware loads it",
                    "use --tftp DIR, `helio image --loader direct`, or --loader uefi",
                ));
            }
            _ => self.content.build(self.target, &path)?,
        }
        file::read(&path)
    }

    /// A Raspberry Pi 4's firmware, if a folder was given.
    fn firmware(&self) -> Result<Option<Firmware>> {
        match &self.firmware {
            Some(_) if self.target != Target::Rpi4 => Err(HelioError::input(
                "flash",
                "--firmware",
                "only a card for a Raspberry Pi 4 has its firmware on it",
                "add --target rpi4, or leave it out",
            )),
            Some(folder) => Firmware::read(folder).map(Some),
            None => Ok(None),
        }
    }

    fn lay_out(&self, folder: &Path, output: Output) -> Result<()> {
        let firmware = self.firmware()?;
        let (spec, direct) = self.content.parts(self.target)?;
        let files = match (self.target, &direct) {
            (Target::Rpi4, Some(loader)) => {
                let card = Card { spec: &spec, loader, firmware: firmware.as_ref() };
                card.network_files(self.serial)?
            }
            _ => tftp::files(&spec, direct.as_deref())?,
        };
        let files = tftp::lay_out(folder, &files)?;
        output.remark("whoever reaches the TFTP server can read the device's key");
        output.show(&LaidOut { folder: folder.to_owned(), files });
        Ok(())
    }
}

/// Refuses a file that is no disk image, which would boot nothing.
fn whole_disk(path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>> {
    let is_disk = bytes.get(510..512) == Some(&[0x55, 0xAA]) && bytes.len().is_multiple_of(512);
    if is_disk {
        return Ok(bytes);
    }
    Err(HelioError::input(
        "flash",
        path.display(),
        "it is not an image of a whole disk: there is no partition table",
        "give one that `helio image` made, or leave it out and one is made",
    ))
}

/// Asks whether it is the right one.
fn confirm(place: &Place, loss: &str, output: Output) -> Result<()> {
    let name = place.name();
    let refused = |reason: &str, advice: &str| {
        HelioError::input("flash", place.path().display(), reason, advice)
    };
    if output.is_json() {
        return Err(refused("it would be overwritten", "add --yes if that is meant"));
    }
    let question =
        format!("All of this is overwritten and lost:\n  {loss}\nType {name} to go on: ");
    match terminal::ask(&question) {
        None => Err(refused(
            &format!("it would be overwritten ({loss}), and there is nobody to ask"),
            "add --yes if that is meant",
        )),
        Some(answer) if answer.trim() == name => Ok(()),
        Some(_) => Err(refused("nothing was written: that is not its name", "try again")),
    }
}

fn nowhere() -> HelioError {
    HelioError::input(
        "flash",
        "command line",
        "there is no place to write to",
        "give --to or --tftp",
    )
}

impl fmt::Display for Flashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { to, bytes, sha256, .. } = self;
        write!(f, "{}  {bytes} bytes written, read back and equal, sha256 {sha256}", to.display())
    }
}

impl fmt::Display for LaidOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.iter().try_for_each(|path| writeln!(f, "{}", path.display()))
    }
}
