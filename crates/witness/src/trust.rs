//! The trust file: whom a machine believes, signed by the root key.

use crate::{
    Hash, Hasher,
    checkpoint::is_device_name,
    json::{self, FieldError, Fields, Integer, JsonError, Object, Value},
    key, note,
    note::{NoteError, SigningKey, VerifierKey},
    signature::{self, FileKind},
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

/// Name of the root key in the note.
pub const ROOT_NAME: &str = "heliograph-root";

/// A public key and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedKey {
    /// Ed25519 public key.
    pub key: [u8; 32],
    /// Its name: what [`is_device_name`] takes.
    pub name: String,
}

/// The least version that is trusted of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinimumVersion {
    /// Name of the package.
    pub package: String,
    /// Its version, at most 2^53 - 1.
    pub version: u64,
}

/// What the trust file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// Whether its keys are for development only.
    pub development: bool,
    /// Keys that sign logs.
    pub devices: Vec<NamedKey>,
    /// Keys that sign packages, kernels and events.
    pub operators: Vec<NamedKey>,
    /// Keys that are no longer believed, whatever the lists above say.
    pub revoked: Vec<[u8; 32]>,
    /// Versions below which packages are refused.
    pub minimum_versions: Vec<MinimumVersion>,
    /// SHA-256 of the file it was read from; zero if it was not read.
    pub digest: Hash,
}

/// Why a file is not a trust file of this root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustError {
    /// It is not text, or the note does not open.
    Note(NoteError),
    /// Its text is not canonical JSON and a line feed.
    Json(JsonError),
    /// A member is wrong.
    Field(FieldError),
    /// A list is not in ascending order, or holds something twice.
    Order(&'static str),
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Note(error) => error.fmt(f),
            Self::Json(error) => error.fmt(f),
            Self::Field(error) => error.fmt(f),
            Self::Order(list) => write!(f, "\"{list}\" is not in ascending order"),
        }
    }
}

impl core::error::Error for TrustError {}

impl From<NoteError> for TrustError {
    fn from(error: NoteError) -> Self {
        Self::Note(error)
    }
}

impl From<JsonError> for TrustError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl From<FieldError> for TrustError {
    fn from(error: FieldError) -> Self {
        Self::Field(error)
    }
}

/// Why a key is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// It is not in the list.
    Unknown,
    /// It was revoked.
    Revoked,
}

impl Trust {
    /// Trust in nobody: for a machine without a trust file.
    pub fn nobody() -> Self {
        Self::default()
    }

    /// Reads a trust file signed by `root`.
    pub fn open(file: &[u8], root: &[u8; 32], hasher: Hasher) -> Result<Self, TrustError> {
        let note = core::str::from_utf8(file).map_err(|_| NoteError::Malformed)?;
        let root = VerifierKey::new(ROOT_NAME, root).ok_or(NoteError::UnknownKey)?;
        let (text, _) = note::open_only(note, &[root])?;
        Self::read(text, hasher.hash(file))
    }

    /// Reads a trust file without asking who signed it. This is how a kernel
    /// reads the one its loader gave it: the kernel has no root key of its
    /// own, so it writes the file's digest into leaf 1, where whoever knows
    /// the right file sees whether it was that one.
    pub fn taken_at_its_word(file: &[u8], hasher: Hasher) -> Result<Self, TrustError> {
        let note = core::str::from_utf8(file).map_err(|_| NoteError::Malformed)?;
        Self::read(note::parse(note)?.text, hasher.hash(file))
    }

    fn read(text: &str, digest: Hash) -> Result<Self, TrustError> {
        let json = text.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        let trust = Self::from_json(&json::parse_canonical(json)?)?;
        Ok(Self { digest, ..trust })
    }

    /// The file: a note signed by the root key. Lists are put in order first.
    pub fn sign(&self, root: &SigningKey) -> String {
        let mut sorted = self.clone();
        sorted.sort();
        let text = sorted.to_json().to_string() + "\n";
        note::sign(&text, ROOT_NAME, root)
    }

    /// The operator whose key this is.
    pub fn operator(&self, key: &[u8; 32]) -> Result<&NamedKey, Distrust> {
        self.find(&self.operators, key)
    }

    /// The device whose key this is.
    pub fn device(&self, key: &[u8; 32]) -> Result<&NamedKey, Distrust> {
        self.find(&self.devices, key)
    }

    /// The least version that is trusted of a package: 0 if none is set.
    pub fn minimum_version(&self, package: &str) -> u64 {
        let found = self.minimum_versions.iter().find(|least| least.package == package);
        found.map_or(0, |least| least.version)
    }

    /// The operator who signed a file of this kind and digest.
    pub fn check_file(
        &self,
        kind: FileKind,
        digest: &Hash,
        note: &str,
    ) -> Result<&NamedKey, NoteError> {
        let believed = self.operators.iter().filter(|named| !self.revoked.contains(&named.key));
        let keys: Vec<_> =
            believed.filter_map(|named| VerifierKey::new(&named.name, &named.key)).collect();
        let (text, key) = note::open_only(note, &keys)?;
        if text != signature::text(kind, digest) {
            return Err(NoteError::BadSignature);
        }
        self.operator(&key.public_key()).map_err(|_| NoteError::UnknownKey)
    }

    fn find<'a>(&self, list: &'a [NamedKey], key: &[u8; 32]) -> Result<&'a NamedKey, Distrust> {
        if self.revoked.contains(key) {
            return Err(Distrust::Revoked);
        }
        list.iter().find(|named| named.key == *key).ok_or(Distrust::Unknown)
    }

    fn sort(&mut self) {
        for list in [&mut self.devices, &mut self.operators] {
            list.sort_by_key(|named| named.key);
            list.dedup_by_key(|named| named.key);
        }
        self.revoked.sort_unstable();
        self.revoked.dedup();
    }

    fn to_json(&self) -> Value {
        let keys = |list: &[NamedKey]| -> Value {
            let object = |named: &NamedKey| {
                Object::new().with("key", Value::hex(&named.key)).with("name", named.name.as_str())
            };
            list.iter().map(|named| object(named).into()).collect()
        };
        let versions = self.minimum_versions.iter().fold(Object::new(), |object, least| {
            // A version beyond what JSON holds is refused by `from_json`, and
            // here becomes the largest there is: nothing older is believed.
            let version = i64::try_from(least.version).ok().and_then(Integer::new);
            let largest = Integer::new(json::INTEGER_MAX);
            object.with(&least.package, version.or(largest).map_or(Value::Null, Value::from))
        });
        Object::new()
            .with("development", self.development)
            .with("devices", keys(&self.devices))
            .with("format", 1u8)
            .with("minimum_versions", versions)
            .with("operators", keys(&self.operators))
            .with("revoked", self.revoked.iter().map(|key| Value::hex(key)).collect::<Value>())
            .into()
    }

    fn from_json(value: &Value) -> Result<Self, TrustError> {
        let mut fields = Fields::of(value)?;
        fields.read("format", |format| (format.as_u64() == Some(1)).then_some(()))?;
        let revoked = fields.array("revoked")?.iter().map(Value::as_hex).collect::<Option<_>>();
        let versions = fields.object("minimum_versions")?.iter().map(|(package, version)| {
            Some(MinimumVersion { package: package.into(), version: version.as_u64()? })
        });
        let minimum_versions = versions.collect::<Option<_>>();
        let trust = Self {
            development: fields.bool("development")?,
            devices: named_keys("devices", fields.array("devices")?)?,
            operators: named_keys("operators", fields.array("operators")?)?,
            revoked: revoked.ok_or(FieldError::Wrong("revoked"))?,
            minimum_versions: minimum_versions.ok_or(FieldError::Wrong("minimum_versions"))?,
            digest: [0; 32],
        };
        fields.end()?;
        if !trust.revoked.is_sorted_by(|a, b| a < b) {
            return Err(TrustError::Order("revoked"));
        }
        Ok(trust)
    }
}

fn named_keys(list: &'static str, values: &[Value]) -> Result<Vec<NamedKey>, TrustError> {
    let mut keys = Vec::with_capacity(values.len());
    for value in values {
        let mut fields = Fields::of(value)?;
        let named = NamedKey { key: fields.hex("key")?, name: fields.str("name")?.into() };
        fields.end()?;
        if !is_device_name(&named.name) || !key::is_usable(&named.key) {
            return Err(FieldError::Wrong(list).into());
        }
        keys.push(named);
    }
    if keys.is_sorted_by(|a: &NamedKey, b| a.key < b.key) {
        Ok(keys)
    } else {
        Err(TrustError::Order(list))
    }
}
