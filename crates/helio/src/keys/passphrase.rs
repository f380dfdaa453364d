//! Where a passphrase comes from: a file that was named, the environment, or
//! the person at the terminal. In this order; the first that is there counts.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use pkcs8::der::zeroize::Zeroizing;

use crate::error::{HelioError, Result};
use crate::{file, terminal};

/// The variable of the environment that may hold one.
pub const VARIABLE: &str = "HELIO_PASSPHRASE";

/// The file that `--passphrase-file` named. It is one for the whole process:
/// which of a command's keys are encrypted is only known once they are read.
static FILE: OnceLock<PathBuf> = OnceLock::new();

/// A passphrase. It is overwritten when it is dropped, and never shown.
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// One from its bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase")
    }
}

/// Takes passphrases from the first line of this file, from now on. The first
/// file that is named counts.
pub fn take_from(path: PathBuf) {
    // A second one would be a command line given twice.
    let _ = FILE.set(path);
}

/// The passphrase of a key that is encrypted.
///
/// # Errors
/// The file cannot be read, or there is none, no variable, and no terminal.
pub fn of(key: &Path) -> Result<Passphrase> {
    match given()? {
        Some(passphrase) => Ok(passphrase),
        None => ask(&format!("Passphrase of {}: ", key.display()), key),
    }
}

/// A passphrase for a new key; from a person, it is asked for twice.
///
/// # Errors
/// As [`of`]; and if it is empty, or the two are not the same.
pub fn new(key: &Path) -> Result<Passphrase> {
    let passphrase = match given()? {
        Some(passphrase) => passphrase,
        None => {
            let first = ask(&format!("Passphrase for {}: ", key.display()), key)?;
            let second = ask("The same again: ", key)?;
            if first.bytes() != second.bytes() {
                return Err(wrong("the two are not the same", "type the same one twice"));
            }
            first
        }
    };
    if passphrase.bytes().is_empty() {
        return Err(wrong("it is empty", "give one, or leave the encryption out"));
    }
    Ok(passphrase)
}

fn given() -> Result<Option<Passphrase>> {
    if let Some(path) = FILE.get() {
        let content = Zeroizing::new(file::read(path)?);
        let line = content.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        return Ok(Some(Passphrase::new(line)));
    }
    let variable = std::env::var_os(VARIABLE);
    Ok(variable.map(|value| Passphrase::new(value.as_encoded_bytes())))
}

fn ask(prompt: &str, key: &Path) -> Result<Passphrase> {
    match terminal::ask_hidden(prompt) {
        Some(line) => Ok(Passphrase::new(Zeroizing::new(line).as_bytes())),
        None => Err(HelioError::input(
            "key",
            key.display(),
            "a passphrase is needed, and nobody typed one",
            format!("give --passphrase-file FILE, or set {VARIABLE}"),
        )),
    }
}

fn wrong(reason: &str, advice: &str) -> HelioError {
    HelioError::input("key", "passphrase", reason, advice)
}
