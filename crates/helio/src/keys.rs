//! The key store: a folder of PEM files and the trust file.
//!
//! `root.pem` signs the trust file, `operator.pem` signs packages and kernels,
//! `device.pem` signs checkpoints. Private keys are PKCS#8 and readable by
//! their owner alone; beside each lies the public key as `NAME.pub.pem`. The
//! keys that [`Store::init`] makes are for development, and the trust file
//! says so.

use std::path::{Path, PathBuf};

use serde::Serialize;
use witness::note::{SigningKey, VerifierKey};
use witness::trust::NamedKey;
use witness::{Hasher, Trust, checkpoint, hex, key};

use crate::error::{HelioError, Result};
use crate::file;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Signs the trust file; its public half is built into the loader.
    Root,
    /// Signs packages and kernels.
    Operator,
    /// Signs checkpoints and manifests of one machine.
    Device,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Root, Self::Operator, Self::Device];

    /// Stem of the key's files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Operator => "operator",
            Self::Device => "device",
        }
    }
}

/// A folder of keys.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// What [`Store::init`] did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Made {
    /// Files that were not there before.
    pub made: Vec<PathBuf>,
}

impl Store {
    /// The store in `folder`, which need not exist yet.
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Where a private key lies.
    pub fn private_path(&self, role: Role) -> PathBuf {
        self.folder.join(format!("{}.pem", role.name()))
    }

    /// Where a public key lies.
    pub fn public_path(&self, role: Role) -> PathBuf {
        self.folder.join(format!("{}.pub.pem", role.name()))
    }

    /// Where the trust file lies.
    pub fn trust_path(&self) -> PathBuf {
        self.folder.join("trust.note")
    }

    /// Makes what is missing: keys, their public halves, the trust file.
    /// What is there stays, so it can be called before every build.
    pub fn init(&self) -> Result<Made> {
        let mut made = Vec::new();
        for role in Role::ALL {
            let path = self.private_path(role);
            if !path.exists() {
                let pem = key::private_to_pem(&generate()?);
                if file::create_private(&path, pem.as_bytes())? {
                    made.push(path);
                }
            }
            let public = self.public_path(role);
            let pem = key::public_to_pem(&key::public(&self.private(role)?));
            // A public half of another key would only be found out by a
            // verdict of "wrong key" much later.
            if std::fs::read(&public).ok().as_deref() != Some(pem.as_bytes()) {
                file::write(&public, pem.as_bytes())?;
                made.push(public);
            }
        }
        let trust = self.trust_path();
        if trust.exists() && made.is_empty() {
            self.trust()?;
        } else {
            file::write(&trust, self.development_trust()?.as_bytes())?;
            made.push(trust);
        }
        Ok(Made { made })
    }

    fn development_trust(&self) -> Result<String> {
        let device = self.public(Role::Device)?;
        let trust = Trust {
            development: true,
            devices: vec![NamedKey { key: device, name: checkpoint::default_device_name(&device) }],
            operators: vec![NamedKey {
                key: self.public(Role::Operator)?,
                name: Role::Operator.name().into(),
            }],
            ..Trust::default()
        };
        Ok(trust.sign(&self.private(Role::Root)?))
    }

    /// A private key.
    pub fn private(&self, role: Role) -> Result<SigningKey> {
        read_private(&self.private_path(role))
    }

    /// A public key.
    pub fn public(&self, role: Role) -> Result<[u8; 32]> {
        read_public(&self.public_path(role))
    }

    /// The trust file, checked against the store's root key.
    pub fn trust(&self) -> Result<Trust> {
        self.trust_at(&self.trust_path())
    }

    /// A trust file that lies elsewhere, checked likewise.
    pub fn trust_at(&self, path: &Path) -> Result<Trust> {
        let bytes = file::read(path)?;
        Trust::open(&bytes, &self.public(Role::Root)?, Hasher::SOFTWARE).map_err(|error| {
            HelioError::input(
                "trust file",
                path.display(),
                error,
                "remove it and run `helio keys init`, or restore it and the root key together",
            )
        })
    }
}

/// A new private key.
pub fn generate() -> Result<SigningKey> {
    let mut secret = [0; 32];
    random(&mut secret)?;
    Ok(SigningKey::from_bytes(&secret))
}

/// Fills `bytes` from the system's generator.
pub fn random(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| HelioError::Failed {
        what: "the system's random generator".into(),
        reason: error.to_string(),
        advice: "run on a system with getrandom(2) or /dev/urandom".into(),
    })
}

/// Reads a private key file.
pub fn read_private(path: &Path) -> Result<SigningKey> {
    let pem = file::read_text("key", path)?;
    key::private_from_pem(&pem).map_err(|error| {
        HelioError::input(
            "key",
            path.display(),
            error,
            "give an unencrypted Ed25519 private key in PKCS#8 PEM, such as \
             `helio keys init` or `openssl genpkey -algorithm ed25519` makes",
        )
    })
}

/// Reads a public key file; takes a private key's file too.
pub fn read_public(path: &Path) -> Result<[u8; 32]> {
    let pem = file::read_text("key", path)?;
    if let Ok(private) = key::private_from_pem(&pem) {
        return Ok(key::public(&private));
    }
    key::public_from_pem(&pem).map_err(|error| {
        HelioError::input(
            "key",
            path.display(),
            error,
            "give an Ed25519 public key in PEM, such as `openssl pkey -pubout` makes",
        )
    })
}

/// A key as it comes on a command line: a PEM file, a verifier key
/// (`name+id+base64`), or a file with one.
pub fn parse_public(text: &str) -> Result<[u8; 32]> {
    if let Some(key) = VerifierKey::parse(text) {
        return Ok(key.public_key());
    }
    let path = Path::new(text);
    if text.contains('+') && !path.exists() {
        return Err(HelioError::input(
            "key",
            text,
            "neither a file nor a verifier key",
            "give a PEM file, or name+id+base64 as C2SP signed-note defines it",
        ));
    }
    let content = file::read_text("key", path)?;
    match VerifierKey::parse(content.trim()) {
        Some(key) => Ok(key.public_key()),
        None => read_public(path),
    }
}

/// The name an operator signs under: the one the trust file beside the key
/// gives it, else the stem of the key's file.
pub fn operator_name(path: &Path, public: &[u8; 32]) -> String {
    let store = Store::at(file::parent(path));
    let named = store.trust().ok().and_then(|t| t.operator(public).ok().map(|n| n.name.clone()));
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    named
        .or(stem.filter(|stem| checkpoint::is_device_name(stem)))
        .unwrap_or_else(|| Role::Operator.name().into())
}

/// A public key in hexadecimal, for people and scripts.
pub fn hexadecimal(public: &[u8; 32]) -> String {
    hex::encode(public)
}
