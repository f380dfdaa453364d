//! The key store: a folder of PEM files and the trust file.
//!
//! `root.pem` signs the trust file, `operator.pem` signs packages and kernels,
//! `device.pem` signs checkpoints; there may be more, by any name. Private keys
//! are PKCS#8, readable by their owner alone, and encrypted where somebody
//! wanted it ([`locked`], with a [`passphrase`]); beside each lies the public
//! key as `NAME.pub.pem`. The keys that [`Store::init`] makes are for
//! development unless it is told otherwise, and the trust file says so.
//! [`trust`] changes whom that file trusts.

pub mod detached;
pub mod locked;
pub mod passphrase;
pub mod trust;

use std::path::{Path, PathBuf};

use serde::Serialize;
use witness::note::{SigningKey, VerifierKey};
use witness::trust::NamedKey;
use witness::{Hasher, Trust, checkpoint, hex, key};

use crate::error::{HelioError, Result};
use crate::file;
use locked::LockedError;

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
    /// Whether the trust file says that its keys are for development.
    pub development: bool,
}

/// What the keys of a store are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Trying things out: no passphrase, and the trust file says so.
    Development,
    /// The real thing: root and operator are encrypted. The device's key is
    /// not, for a machine has nobody to ask.
    Production,
}

impl Purpose {
    fn locks(self, role: Role) -> bool {
        self == Self::Production && role != Role::Device
    }
}

impl Store {
    /// The store in `folder`, which need not exist yet.
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Where a private key lies.
    pub fn private_path(&self, role: Role) -> PathBuf {
        self.private_path_of(role.name())
    }

    /// Where a public key lies.
    pub fn public_path(&self, role: Role) -> PathBuf {
        self.public_path_of(role.name())
    }

    /// Where the private key of this name lies.
    pub fn private_path_of(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.pem"))
    }

    /// Where the public key of this name lies.
    pub fn public_path_of(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.pub.pem"))
    }

    /// Where the trust file lies.
    pub fn trust_path(&self) -> PathBuf {
        self.folder.join("trust.note")
    }

    /// Makes what is missing: keys, their public halves, the trust file, all
    /// for development. What is there stays, so it can be called before every
    /// build.
    pub fn init(&self) -> Result<Made> {
        self.init_for(Purpose::Development)
    }

    /// The same for this purpose.
    ///
    /// # Errors
    /// The store is there and for another purpose, which no key changes.
    pub fn init_for(&self, purpose: Purpose) -> Result<Made> {
        if purpose == Purpose::Production && self.trust().is_ok_and(|trust| trust.development) {
            return Err(HelioError::input(
                "keys",
                self.folder.display(),
                "the keys here are for development, and stay so",
                "give --dir another folder",
            ));
        }
        let (mut made, mut replaced, mut root) = (Vec::new(), Vec::new(), None);
        for role in Role::ALL {
            let path = self.private_path(role);
            let mut fresh = None;
            if !path.exists() {
                let key = generate()?;
                if self.create(&path, &key, purpose.locks(role))? {
                    made.push(path.clone());
                    fresh = Some(key);
                }
            }
            let public = self.public_path(role);
            if fresh.is_none() && public.exists() && is_locked(&path)? {
                // Nobody is asked for a passphrase only to compare.
                self.public(role)?;
                continue;
            }
            let key = fresh.map_or_else(|| read_private(&path), Ok)?;
            let pem = key::public_to_pem(&key::public(&key));
            // A public half of another key would only be found out by a
            // verdict of "wrong key" much later.
            if std::fs::read(&public).ok().as_deref() != Some(pem.as_bytes()) {
                replaced.extend(read_public(&public));
                file::write(&public, pem.as_bytes())?;
                made.push(public);
            }
            if role == Role::Root {
                root = Some(key);
            }
        }
        let path = self.trust_path();
        // One that another root signed is worth nothing without that root.
        let before = self.trust();
        if made.is_empty() && path.exists() {
            before?;
        } else {
            let trust = self.renewed(before.unwrap_or_default(), &replaced, purpose)?;
            let root = root.map_or_else(|| self.private(Role::Root), Ok)?;
            self.write_trust(&trust, &root)?;
            made.push(path);
        }
        Ok(Made { made, development: self.trust()?.development })
    }

    /// Makes a key of this name, encrypted if asked; gives its public half.
    ///
    /// # Errors
    /// The name cannot be one, or there is a key of that name.
    pub fn generate(&self, name: &str, locks: bool) -> Result<[u8; 32]> {
        let refuse = |reason, advice: &str| Err(HelioError::input("key", name, reason, advice));
        if !checkpoint::is_device_name(name) || name.ends_with(".pub") {
            let reason = "a name has 1 to 64 letters, digits, dots, hyphens and underscores, and \
                          does not end in .pub";
            return refuse(reason, "give the key another name");
        }
        let (private, public) = (self.private_path_of(name), self.public_path_of(name));
        let key = generate()?;
        if public.exists() || private.exists() || !self.create(&private, &key, locks)? {
            let advice = "give the new one another name; a key that is in use is not replaced";
            return refuse("there is a key of that name", advice);
        }
        let half = key::public(&key);
        file::write(&public, key::public_to_pem(&half).as_bytes())?;
        Ok(half)
    }

    /// Writes a private key that must not be there; `false` where it is.
    fn create(&self, path: &Path, key: &SigningKey, locks: bool) -> Result<bool> {
        let pem = match locks {
            true => locked::lock(key, &passphrase::new(path)?)?,
            false => key::private_to_pem(key),
        };
        file::create_private(path, pem.as_bytes())
    }

    /// The names of the keys that lie here, sorted.
    pub fn names(&self) -> Result<Vec<String>> {
        let entries =
            self.folder.read_dir().map_err(|source| HelioError::read(&self.folder, source))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| HelioError::read(&self.folder, source))?;
            let file = entry.file_name().to_string_lossy().into_owned();
            if let Some(stem) = file.strip_suffix(".pem") {
                names.push(stem.strip_suffix(".pub").unwrap_or(stem).to_owned());
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// The trust file with the keys that are here: in place of those that were
    /// replaced, and beside what else it says.
    fn renewed(&self, before: Trust, replaced: &[[u8; 32]], purpose: Purpose) -> Result<Trust> {
        let (device, operator) = (self.public(Role::Device)?, self.public(Role::Operator)?);
        let is_new = before == Trust::default();
        let mut trust = before;
        trust.development |= is_new && purpose == Purpose::Development;
        for list in [&mut trust.devices, &mut trust.operators] {
            list.retain(|named| {
                !replaced.contains(&named.key) && named.key != device && named.key != operator
            });
        }
        let name = checkpoint::default_device_name(&device);
        trust.devices.push(NamedKey { key: device, name });
        let name = Role::Operator.name().into();
        trust.operators.push(NamedKey { key: operator, name });
        Ok(trust)
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

/// Reads a private key file; asks for the passphrase of one that is encrypted.
pub fn read_private(path: &Path) -> Result<SigningKey> {
    let pem = file::read_text("key", path)?;
    if locked::is_locked(&pem) {
        return locked::unlock(&pem, &passphrase::of(path)?).map_err(|error: LockedError| {
            HelioError::input("key", path.display(), &error, error.advice())
        });
    }
    key::private_from_pem(&pem).map_err(|error| {
        HelioError::input(
            "key",
            path.display(),
            error,
            "give an Ed25519 private key in PKCS#8 PEM, such as \
             `helio keys generate` or `openssl genpkey -algorithm ed25519` makes",
        )
    })
}

/// Whether a private key file is encrypted.
pub fn is_locked(path: &Path) -> Result<bool> {
    Ok(locked::is_locked(&file::read_text("key", path)?))
}

/// Reads the private key that a machine is given: as a file for it to read,
/// and it has nobody to ask for a passphrase.
pub fn check_plain(path: &Path, pem: &[u8]) -> Result<()> {
    match std::str::from_utf8(pem).is_ok_and(locked::is_locked) {
        false => Ok(()),
        true => Err(HelioError::input(
            "key",
            path.display(),
            "it is encrypted, and a machine has nobody to ask for the passphrase",
            "give a plain key, such as `openssl pkey` makes of this one",
        )),
    }
}

/// Reads a public key file; takes a private key's file too.
pub fn read_public(path: &Path) -> Result<[u8; 32]> {
    let pem = file::read_text("key", path)?;
    if locked::is_locked(&pem) {
        return Ok(key::public(&read_private(path)?));
    }
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

/// Where the private key lies that a command line names: the path of a file,
/// or the name of a key of this store.
pub fn private_named(store: &Store, text: &str) -> PathBuf {
    let named = store.private_path_of(text);
    if !text.contains('/') && named.exists() { named } else { text.into() }
}

/// The public key that a command line names: by what [`parse_public`] takes,
/// 64 hexadecimal digits, or the name of a key of this store or of its trust
/// file.
pub fn public_named(store: &Store, text: &str) -> Result<[u8; 32]> {
    if let Some(key) = hex::decode(text) {
        return Ok(key);
    }
    if checkpoint::is_device_name(text) {
        let path = store.public_path_of(text);
        if path.exists() {
            return read_public(&path);
        }
        let trust = store.trust().unwrap_or_default();
        let mut named = trust.operators.iter().chain(&trust.devices);
        if let Some(named) = named.find(|named| named.name == text) {
            return Ok(named.key);
        }
        if !Path::new(text).exists() {
            return Err(HelioError::input(
                "key",
                text,
                "there is no key of this name, and no file",
                "see `helio keys list`, or give a PEM file, a verifier key or 64 hexadecimal digits",
            ));
        }
    }
    parse_public(text)
}

/// A public key that logs are checked by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceKey {
    /// The key.
    pub public: [u8; 32],
    /// The name that a verifier key gives it.
    name: Option<String>,
}

impl DeviceKey {
    /// Reads it from what [`parse_public`] takes.
    ///
    /// # Errors
    /// As [`parse_public`].
    pub fn parse(text: &str) -> Result<Self> {
        let key = parse_verifier(text)?;
        let name = key.as_ref().map(|key| key.name().to_owned());
        let public =
            key.map_or_else(|| read_public(Path::new(text)), |key| Ok(key.public_key()))?;
        Ok(Self { public, name })
    }

    /// Whether it is for the log of this origin. A verifier key is for those of
    /// its name, which is the origin or the device in it; a key without a name
    /// is for all.
    pub fn is_for(&self, origin: &str) -> bool {
        let device = checkpoint::split_origin(origin).map(|(device, _)| device);
        self.name.as_deref().is_none_or(|name| name == origin || Some(name) == device)
    }

    /// The name that a verifier key gives it.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

impl From<[u8; 32]> for DeviceKey {
    fn from(public: [u8; 32]) -> Self {
        Self { public, name: None }
    }
}

/// A key as it comes on a command line: a PEM file, a verifier key
/// (`name+id+base64`), or a file with one.
pub fn parse_public(text: &str) -> Result<[u8; 32]> {
    DeviceKey::parse(text).map(|key| key.public)
}

/// The verifier key that a text is, or that is in the file of this name; `None`
/// for a file with something else.
fn parse_verifier(text: &str) -> Result<Option<VerifierKey>> {
    if let Some(key) = VerifierKey::parse(text) {
        return Ok(Some(key));
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
    Ok(VerifierKey::parse(content.trim()))
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
