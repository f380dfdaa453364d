//! A card for a Raspberry Pi 4, or the same files for booting over a network.
//!
//! The card is an MBR disk with two partitions: FAT32 with what the board's
//! firmware reads, and a raw one for the log. Firmware itself is not ours to
//! give away: [`Firmware`] takes it from where somebody has it. Without it a
//! card boots in QEMU only, which needs none.

use std::path::Path;

use crate::arch::Arch;
use crate::error::{HelioError, Result};
use crate::file;

use super::fat::{self, Entry};
use super::{Spec, check, direct, esp, mbr};

/// What firmware starts, on the card.
pub const KERNEL: &str = "kernel8.img";

/// The words for the kernel, on the card.
pub const COMMAND_LINE: &str = "cmdline.txt";

/// What firmware is told, on the card.
pub const CONFIGURATION: &str = "config.txt";

/// The board's device tree, on the card.
pub const TREE: &str = "bcm2711-rpi-4-b.dtb";

/// Least size of the log's partition, in bytes.
const LOG_BYTES: u64 = 64 << 20;

/// What the kernel is told beside what the card is made for: its console is
/// the UART that firmware sets up.
const WORDS: &str = "uart=mini";

/// Firmware's files that every card needs.
const NEEDED: [(&str, &str); 3] = [
    ("start4.elf", "the firmware itself"),
    ("fixup4.dat", "how it shares memory with the processor"),
    (TREE, "the board's device tree"),
];

/// Where they come from.
const SOURCES: &str = "put all three into one folder, from the folder boot of \
    https://github.com/raspberrypi/firmware; or, on Debian, start4.elf and fixup4.dat from \
    /usr/lib/raspi-firmware (package raspi-firmware) and the tree from \
    /usr/lib/linux-image-*/broadcom (package linux-image-arm64)";

/// What lies beside them, and goes with them where it is there.
const LICENCE: &str = "LICENCE.broadcom";

/// Firmware's files.
#[derive(Clone, Debug)]
pub struct Firmware {
    files: Vec<Entry>,
}

impl Firmware {
    /// Reads them from a folder.
    ///
    /// # Errors
    /// Says which of those that are needed are not there, and where they come
    /// from.
    pub fn read(folder: &Path) -> Result<Self> {
        let missing = listed(|name| !folder.join(name).is_file());
        if !missing.is_empty() {
            return Err(HelioError::Missing {
                what: format!("firmware in {}: {missing}", folder.display()),
                advice: SOURCES.into(),
            });
        }
        let needed = NEEDED.iter().map(|(name, _)| *name);
        let licence = folder.join(LICENCE).is_file().then_some(LICENCE);
        let read = |name: &str| {
            Ok(Entry { path: name.to_owned(), bytes: file::read(&folder.join(name))? })
        };
        Ok(Self { files: needed.chain(licence).map(read).collect::<Result<_>>()? })
    }

    /// What a card without it lacks, and where that comes from.
    pub fn advice() -> String {
        format!("a board needs {}: {SOURCES}", listed(|_| true))
    }
}

/// Those of the needed files that are meant, with what each is.
fn listed(is_meant: impl Fn(&str) -> bool) -> String {
    let meant = NEEDED.iter().filter(|(name, _)| is_meant(name));
    let with_reason: Vec<_> = meant.map(|(name, what)| format!("{name} ({what})")).collect();
    with_reason.join(", ")
}

/// What a card is made of.
#[derive(Clone, Debug)]
pub struct Card<'a> {
    /// Kernel, package, trust file, device key and command line.
    pub spec: &'a Spec,
    /// The direct boot image.
    pub loader: &'a [u8],
    /// Firmware, without which only QEMU boots the card.
    pub firmware: Option<&'a Firmware>,
}

impl Card<'_> {
    /// The files of the boot partition, in the order they are laid out.
    ///
    /// # Errors
    /// A kernel or loader that is not for this board, or a command line that is
    /// not one line.
    pub fn files(&self) -> Result<Vec<Entry>> {
        if self.spec.arch != Arch::Aarch64 {
            let reason = "a Raspberry Pi 4 has another processor";
            return Err(HelioError::input("image", self.spec.arch, reason, "use --arch aarch64"));
        }
        check(self.spec)?;
        let image = direct::append(self.loader, &direct::archive(self.spec)?)?;
        let words = format!("{WORDS} {}", esp::command_line(self.spec)?);
        let mut files = self.firmware.map_or_else(Vec::new, |firmware| firmware.files.clone());
        let mut add = |path: &str, bytes: Vec<u8>| files.push(Entry { path: path.into(), bytes });
        add(CONFIGURATION, configuration(self.firmware.is_some()).into_bytes());
        add(COMMAND_LINE, format!("{}\n", words.trim()).into_bytes());
        add(KERNEL, image);
        // For people: the machine takes its own from the image.
        let copies =
            [(esp::paths::PACKAGE, &self.spec.package), (esp::paths::TRUST, &self.spec.trust)];
        for (path, part) in copies {
            if let Some(bytes) = part {
                add(path, bytes.clone());
            }
        }
        Ok(files)
    }

    /// The whole card, a power of two long, as SD cards in QEMU are.
    ///
    /// # Errors
    /// As [`Self::files`].
    pub fn disk(&self) -> Result<Disk> {
        let volume = fat::format(&self.files()?).map_err(|error| {
            HelioError::input("image", "boot partition", error, "make the package smaller")
        })?;
        let (content, length) = mbr::with_log(&volume, LOG_BYTES)?;
        Ok(Disk { content, length })
    }

    /// Makes the card and puts it at `path`.
    ///
    /// # Errors
    /// As [`Self::disk`]; the file cannot be written. Nothing is left at `path`
    /// then.
    pub fn build(&self, path: &Path) -> Result<()> {
        self.disk()?.write(path)
    }

    /// The same files for a TFTP server, in the folder that the board with this
    /// serial number asks for.
    ///
    /// # Errors
    /// As [`Self::files`]; no firmware or serial number.
    pub fn network_files(&self, serial: Option<Serial>) -> Result<Vec<Entry>> {
        let missing = |what: &str, advice: &str| {
            Err(HelioError::input("image", "network boot", what, advice))
        };
        if self.firmware.is_none() {
            let reason = "a board fetches its firmware from the same place";
            return missing(reason, &format!("add --firmware DIR: {}", Firmware::advice()));
        }
        let Some(serial) = serial else {
            let reason = "a board asks for a folder of its own";
            return missing(reason, "add --serial with the board's serial number");
        };
        let place =
            |entry: Entry| Entry { path: format!("{}/{}", serial.folder(), entry.path), ..entry };
        Ok(self.files()?.into_iter().map(place).collect())
    }
}

/// A card's content.
#[derive(Clone, Debug)]
pub struct Disk {
    /// Up to the end of the boot partition; the rest is zeros.
    content: Vec<u8>,
    length: u64,
}

impl Disk {
    /// The files of the boot partition.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn files(&self) -> Result<Vec<Entry>> {
        let read = mbr::partition(&self.content)
            .and_then(|range| fat::read_back(self.content.get(range).unwrap_or_default()));
        read.map_err(|error| {
            let advice = "report it: helio cannot read the card it made";
            HelioError::input("card", "boot partition", error, advice)
        })
    }

    /// Puts the card at `path`, a file that takes no room for the zeros.
    ///
    /// # Errors
    /// The file cannot be written. Nothing is left at `path` then.
    pub fn write(&self, path: &Path) -> Result<()> {
        let fail = |source| HelioError::write(path, source);
        let temporary = file::temporary_beside(path)?;
        file::write_sparse(temporary.as_file(), &self.content).map_err(fail)?;
        temporary.as_file().set_len(self.length).map_err(fail)?;
        file::persist(temporary, path)
    }
}

/// A board's serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Serial(u64);

impl Serial {
    /// Reads up to 16 hexadecimal digits, as `/proc/cpuinfo` or the kernel
    /// show it.
    ///
    /// # Errors
    /// A sentence that says what is expected.
    pub fn read(text: &str) -> core::result::Result<Self, String> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).ok().filter(|_| is_number);
        number.map(Self).ok_or_else(|| "give up to 16 hexadecimal digits".into())
    }

    /// What the board's boot loader calls the folder with its files: the lower
    /// half, always eight digits.
    fn folder(self) -> String {
        format!("{:08x}", self.0 & 0xffff_ffff)
    }
}

/// What firmware is told, each line with its reason.
fn configuration(has_firmware: bool) -> String {
    let tree = match has_firmware {
        true => format!("device_tree={TREE}"),
        false => format!(
            "# This card was made without firmware: it boots in QEMU only.\n#device_tree={TREE}"
        ),
    };
    format!(
        "\
# Heliograph on a Raspberry Pi 4. docs/RPI4.md has more on each line.

# The processor starts in 64-bit mode.
arm_64bit=1

# What is started: the loader, with kernel, package, trust file and device key
# behind it. It is entered where its header says, at any multiple of 2 MiB.
kernel={KERNEL}

# What describes the board; without it the loader would take one with 512 MiB
# for granted.
{tree}

# The words for the kernel.
cmdline={COMMAND_LINE}

# The serial port at pins 8 (sends) and 10 (receives) of the header, 115200
# baud, is set up, and the clock that it depends on is held still. It is the
# mini-UART: the other one belongs to Bluetooth. For the other one, write
# uart=pl011 in front in {COMMAND_LINE}.
enable_uart=1

# No picture at the start: nothing here needs a screen.
disable_splash=1

# No initial RAM disk is looked for: what is needed lies behind the loader.
auto_initramfs=0
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_for_firmware_has_its_reason_above() {
        for has_firmware in [false, true] {
            let text = configuration(has_firmware);
            for block in text.split("\n\n").skip(1) {
                let (reasons, lines): (Vec<_>, Vec<_>) =
                    block.lines().partition(|line| line.starts_with('#'));
                assert!(!reasons.is_empty() && lines.len() <= 1, "{block}");
                assert!(block.lines().next().unwrap().starts_with("# "), "{block}");
            }
        }
    }

    #[test]
    fn a_board_asks_for_the_lower_half_of_its_serial_number() {
        let folder = |text: &str| Serial::read(text).map(Serial::folder);
        assert_eq!(folder("100000009ffefdef").as_deref(), Ok("9ffefdef"));
        assert_eq!(folder("100000000ABCDEF1").as_deref(), Ok("0abcdef1"));
        for wrong in ["", "0x12", "+1", "11111111111111111", "serial"] {
            assert!(folder(wrong).is_err(), "{wrong}");
        }
    }
}
