//! A machine that is ready to be started.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::arch::Arch;
use crate::error::{HelioError, Result};
use crate::file;

use super::description::Description;
use super::run::Run;

/// Size of a fresh log disk, in bytes. The file is sparse.
pub const LOG_DISK_BYTES: u64 = 64 << 20;

/// How a machine starts.
#[derive(Clone, Debug)]
pub enum Boot {
    /// UEFI firmware boots a disk image.
    Uefi(PathBuf),
    /// BIOS firmware boots a disk image.
    Bios(PathBuf),
    /// QEMU loads a kernel image, as a boot loader of its own.
    Direct {
        /// The image.
        image: PathBuf,
        /// The archive with kernel, package, trust file and keys.
        initrd: PathBuf,
        /// The command line.
        command_line: String,
    },
    /// A Raspberry Pi 4 with a card, which its log goes to. QEMU has no
    /// firmware for it, and does what that would do.
    Card {
        /// The card.
        card: PathBuf,
        /// The image that lies on it.
        image: PathBuf,
        /// The device tree, and the command line in it.
        tree: Option<(PathBuf, String)>,
    },
}

/// A machine with its disks.
pub struct Machine {
    description: Description,
    boot: Boot,
    folder: PathBuf,
    log_disk: bool,
    extra: Vec<String>,
    limit: Option<Duration>,
}

impl Machine {
    /// A machine for `arch` that keeps its files (log disk, firmware
    /// variables) in `folder`.
    pub fn new(arch: Arch, boot: Boot, folder: &Path) -> Result<Self> {
        let description = match boot {
            Boot::Card { .. } => Description::of_rpi4()?,
            _ => Description::of(arch)?,
        };
        match &boot {
            Boot::Card { .. } if arch != Arch::Aarch64 => {
                Err(unable(arch, "card", "use --arch aarch64"))
            }
            Boot::Bios(_) if arch != Arch::X86_64 => {
                Err(unable(arch, "BIOS", "use --boot uefi or --boot limine-uefi"))
            }
            Boot::Direct { .. } if description.direct.is_none() => {
                Err(unable(arch, "direct boot", "use --boot uefi, or --arch aarch64"))
            }
            _ => Ok(Self {
                description,
                boot,
                folder: folder.to_owned(),
                log_disk: true,
                extra: Vec::new(),
                limit: None,
            }),
        }
    }

    /// Without a log disk: the log leaves by the serial port.
    pub fn without_log_disk(mut self) -> Self {
        self.log_disk = false;
        self
    }

    /// More arguments for QEMU, after all others.
    pub fn arguments<S: Into<String>>(mut self, extra: impl IntoIterator<Item = S>) -> Self {
        self.extra.extend(extra.into_iter().map(Into::into));
        self
    }

    /// Ends the machine after this much wall time.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The file that is the log disk, or has the log on it.
    pub fn log_disk_path(&self) -> PathBuf {
        match &self.boot {
            Boot::Card { card, .. } => card.clone(),
            _ => self.folder.join(crate::session::DISK),
        }
    }

    /// Makes a fresh log disk and firmware variables and starts QEMU.
    ///
    /// # Errors
    /// QEMU or its firmware is not installed; a file cannot be written.
    pub fn start(self) -> Result<Run> {
        if self.log_disk && !matches!(self.boot, Boot::Card { .. }) {
            file::create_sparse(&self.log_disk_path(), LOG_DISK_BYTES)?;
        }
        self.restart()
    }

    /// The same with the log disk as an earlier run left it.
    pub fn restart(self) -> Result<Run> {
        let command = self.command()?;
        Run::spawn(command, &self.description, self.limit)
    }

    fn command(&self) -> Result<Command> {
        file::make_folder(&self.folder)?;
        let mut command = Command::new(&self.description.program);
        command.args(["-name", "heliograph", "-display", "none"]);
        command.args(["-monitor", "none", "-parallel", "none", "-serial", "stdio"]);
        command.args(&self.description.arguments);
        let mut log = &self.description.log;
        match &self.boot {
            Boot::Uefi(disk) => {
                let (firmware, files) = self.description.find_firmware()?;
                let vars = self.folder.join("firmware-variables.fd");
                file::copy(&files.vars, &vars)?;
                let words = [("{code}", option(&files.code)), ("{vars}", option(&vars))];
                command.args(filled(&firmware.arguments, &words));
                command.args(filled(&self.description.disk, &[("{disk}", option(disk))]));
            }
            Boot::Bios(disk) => {
                command.args(filled(&self.description.disk, &[("{disk}", option(disk))]));
            }
            Boot::Direct { image, initrd, command_line } => {
                if let Some(direct) = &self.description.direct {
                    let words = [
                        ("{image}", image.display().to_string()),
                        ("{initrd}", initrd.display().to_string()),
                        ("{cmdline}", command_line.clone()),
                    ];
                    command.args(filled(&direct.arguments, &words));
                    log = &direct.log;
                }
            }
            Boot::Card { card, image, tree } => {
                if let Some(arguments) = &self.description.card {
                    let words =
                        [("{card}", option(card)), ("{image}", image.display().to_string())];
                    command.args(filled(&arguments.arguments, &words));
                    if let Some((tree, line)) = tree {
                        let words =
                            [("{tree}", tree.display().to_string()), ("{cmdline}", line.clone())];
                        command.args(filled(&arguments.described, &words));
                    }
                }
            }
        }
        if self.log_disk {
            command.args(filled(log, &[("{log}", option(&self.log_disk_path()))]));
        }
        command.args(&self.extra);
        Ok(command)
    }
}

/// A path inside an option list, where QEMU wants commas doubled.
fn option(path: &Path) -> String {
    path.display().to_string().replace(',', ",,")
}

fn filled(arguments: &[String], words: &[(&str, String)]) -> Vec<String> {
    let fill = |argument: &String| {
        words.iter().fold(argument.clone(), |text, (word, value)| text.replace(word, value))
    };
    arguments.iter().map(fill).collect()
}

fn unable(arch: Arch, what: &str, advice: &str) -> HelioError {
    HelioError::input("machine", arch, format_args!("this machine has no {what}"), advice)
}
