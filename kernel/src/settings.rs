//! What a run is started with, from the loader's modules and command line.

use alloc::string::{String, ToString};
use core::fmt;

use machine::Ceiling;
use witness::key::{self, KeyError};
use witness::note::SigningKey;
use witness::trust::TrustError;
use witness::{Hash, Hasher, Trust, checkpoint, hex};

use crate::Kernel;

/// Everything the run needs that is not the machine's own.
pub struct Settings {
    /// The package's file, not looked at yet.
    pub package: &'static [u8],
    /// Its SHA-256.
    pub package_digest: Hash,
    /// Whom the machine believes.
    pub trust: Trust,
    /// Signs checkpoints and manifest.
    pub device_key: SigningKey,
    /// What the device is called in the log's origin.
    pub device_name: String,
    /// The verifier's nonce, if one was given.
    pub nonce: Option<[u8; 32]>,
    /// SHA-256 of the loader, if it gave one.
    pub loader: [u8; 32],
    /// Whether the loader says it checked the kernel.
    pub kernel_checked: bool,
    /// Whether the machine stays with the shell when all tasks have ended.
    pub stay: bool,
    /// Whether logical time is held back to real time while tasks wait.
    pub pace: bool,
    /// The most that the package may take and list.
    pub ceiling: Ceiling,
    /// Bytes of heap that the package may come to take at most.
    pub memory: u64,
    /// Number of slices after which the kernel is to panic, to see what is
    /// left of the log.
    pub panic_after: Option<u64>,
}

/// Why there can be no run.
pub enum Unfit {
    /// A module is missing; which, and what it is.
    Missing(&'static str),
    /// The device's key is not one.
    DeviceKey(KeyError),
    /// The trust file is not one.
    Trust(TrustError),
    /// A module is not the file that the loader checked, by its digest on the
    /// command line; by which word.
    Differs(&'static str),
    /// A word of the command line is not 64 hex digits; which.
    NotDigits(&'static str),
    /// A word of the command line is not a number; which.
    NotNumber(&'static str),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => {
                write!(f, "the loader gave no module named {name}; see docs/BOOT.md for its place")
            }
            Self::DeviceKey(error) => write!(f, "the module device-key is no private key: {error}"),
            Self::Trust(error) => write!(f, "the module trust is no trust file: {error}"),
            Self::Differs(word) => {
                write!(f, "a module has not the digest that the command line's {word} says")
            }
            Self::NotDigits(word) => write!(f, "the command line's {word} is not 64 hex digits"),
            Self::NotNumber(word) => write!(f, "the command line's {word} is not a number"),
        }
    }
}

impl Settings {
    /// Reads them.
    pub fn read(kernel: &Kernel, hasher: Hasher) -> Result<Self, Unfit> {
        let module = |name: &'static str| kernel.modules.get(name).ok_or(Unfit::Missing(name));
        let words = &kernel.command_line;
        let key = core::str::from_utf8(module("device-key")?);
        let key = key.map_err(|_| KeyError::NotPem).and_then(key::private_from_pem);
        let device_key = key.map_err(Unfit::DeviceKey)?;
        let trust = Trust::taken_at_its_word(module("trust")?, hasher).map_err(Unfit::Trust)?;
        let package = module("package")?;
        let package_digest = hasher.hash(package);
        for (word, digest) in [("package.sha256", package_digest), ("trust.sha256", trust.digest)] {
            if digits(words.get(word), word)?.is_some_and(|checked| checked != digest) {
                return Err(Unfit::Differs(word));
            }
        }
        let public = key::public(&device_key);
        let device_name = match trust.device(&public) {
            Ok(named) => named.name.to_string(),
            Err(_) => checkpoint::default_device_name(&public),
        };
        Ok(Self {
            package,
            package_digest,
            device_name,
            trust,
            device_key,
            nonce: digits(words.get("nonce"), "nonce")?,
            loader: digits(words.get("loader.sha256"), "loader.sha256")?.unwrap_or_default(),
            kernel_checked: words.get("loader.checked") == Some("1"),
            stay: words.get("end") == Some("shell"),
            pace: words.get("pace") != Some("0"),
            ceiling: Ceiling {
                tasks: number(words.get("tasks"), "tasks")?.unwrap_or(u64::MAX),
                stores: number(words.get("stores"), "stores")?.unwrap_or(u64::MAX),
            },
            memory: number(words.get("memory"), "memory")?.unwrap_or(u64::MAX),
            panic_after: number(words.get("panic-after"), "panic-after")?,
        })
    }
}

/// A word of 64 hex digits, if it is there.
fn digits(word: Option<&str>, name: &'static str) -> Result<Option<[u8; 32]>, Unfit> {
    word.map(|word| hex::decode(word).ok_or(Unfit::NotDigits(name))).transpose()
}

fn number(word: Option<&str>, name: &'static str) -> Result<Option<u64>, Unfit> {
    word.map(|word| word.parse().map_err(|_| Unfit::NotNumber(name))).transpose()
}
