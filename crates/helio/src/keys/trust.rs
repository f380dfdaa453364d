//! Changing whom the trust file trusts.
//!
//! A trust file is written anew and signed by the root key at each change.
//! What was revoked stays so: a list that forgets is no list of revocations.

use witness::note::SigningKey;
use witness::trust::{MinimumVersion, NamedKey};
use witness::{Trust, checkpoint, key};

use super::{Role, Store, hexadecimal};
use crate::error::{HelioError, Result};
use crate::file;

/// What the trust file says of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is the key that signs the trust file.
    Root,
    /// It signs packages, kernels and events, under this name.
    Operator(String),
    /// It signs logs, under this name.
    Device(String),
    /// It is not believed any more; what it was called, if that is known.
    Revoked(Option<String>),
    /// Nothing.
    Unknown,
}

impl Standing {
    /// Of `key`, by a trust file that `root` signs.
    pub fn of(key: &[u8; 32], root: Option<&[u8; 32]>, trust: &Trust) -> Self {
        let named = |list: &[NamedKey]| {
            list.iter().find(|named| named.key == *key).map(|named| named.name.clone())
        };
        let (operator, device) = (named(&trust.operators), named(&trust.devices));
        if trust.revoked.contains(key) {
            return Self::Revoked(operator.or(device));
        }
        match (operator, device) {
            (Some(name), _) => Self::Operator(name),
            (None, Some(name)) => Self::Device(name),
            (None, None) if root == Some(key) => Self::Root,
            (None, None) => Self::Unknown,
        }
    }
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Root => f.write_str("root"),
            Self::Operator(name) => write!(f, "operator {name}"),
            Self::Device(name) => write!(f, "device {name}"),
            Self::Revoked(Some(name)) => write!(f, "revoked, was {name}"),
            Self::Revoked(None) => f.write_str("revoked"),
            Self::Unknown => f.write_str("-"),
        }
    }
}

impl Store {
    /// Trusts a key as an operator's or a device's. `false` if it was trusted
    /// so before, and nothing is written.
    ///
    /// # Errors
    /// The key was revoked, is the root key, or trusted in the other role; the
    /// name cannot be one, or is that of another key.
    pub fn trust_key(&self, public: [u8; 32], role: Role, name: &str) -> Result<bool> {
        let refuse = |reason: String, advice: &str| {
            Err(HelioError::input("trust file", hexadecimal(&public), reason, advice))
        };
        if !checkpoint::is_device_name(name) {
            let reason = "a name has 1 to 64 letters, digits, dots, hyphens and underscores";
            return Err(HelioError::input("trust file", name, reason, "give --name another one"));
        }
        let mut trust = self.trust()?;
        match Standing::of(&public, Some(&self.public(Role::Root)?), &trust) {
            Standing::Revoked(_) => {
                return refuse(
                    "it was revoked, and that is for good".into(),
                    "make another key with `helio keys generate`",
                );
            }
            Standing::Root => {
                let advice = "keep it for the trust file alone and trust another key";
                return refuse("it is the root key".into(), advice);
            }
            Standing::Operator(was) if role == Role::Operator && was == name => return Ok(false),
            Standing::Device(was) if role == Role::Device && was == name => return Ok(false),
            standing @ (Standing::Operator(_) | Standing::Device(_)) => {
                let advice = "one key has one role and one name; make another key";
                return refuse(format!("it is trusted already, as {standing}"), advice);
            }
            Standing::Unknown => {}
        }
        if !key::is_usable(&public) {
            return refuse("not a point that can be a public key".into(), "give another key");
        }
        let revoked = &trust.revoked;
        let is_taken = |other: &NamedKey| other.name == name && !revoked.contains(&other.key);
        if trust.operators.iter().chain(&trust.devices).any(is_taken) {
            let reason = "another key that is trusted has this name";
            let advice = "revoke that one first, or give --name another one";
            return Err(HelioError::input("trust file", name, reason, advice));
        }
        let named = NamedKey { key: public, name: name.into() };
        match role {
            Role::Device => trust.devices.push(named),
            Role::Operator | Role::Root => trust.operators.push(named),
        }
        self.write_trust(&trust, &self.private(Role::Root)?)?;
        Ok(true)
    }

    /// Refuses packages of this name below this version.
    ///
    /// # Errors
    /// It is lower than what was asked for before: that would let an old
    /// package back in.
    pub fn trust_from(&self, package: &str, version: u64) -> Result<bool> {
        let mut trust = self.trust()?;
        let before = trust.minimum_version(package);
        if version < before {
            return Err(HelioError::input(
                "trust file",
                package,
                format_args!("versions below {before} are refused already"),
                "give that version or a later one",
            ));
        }
        if version == before {
            return Ok(false);
        }
        trust.minimum_versions.retain(|least| least.package != package);
        trust.minimum_versions.push(MinimumVersion { package: package.into(), version });
        self.write_trust(&trust, &self.private(Role::Root)?)?;
        Ok(true)
    }

    /// Stops trusting a key, for good, whoever names it. `false` if it was
    /// revoked before.
    ///
    /// # Errors
    /// It is the root key, which cannot be revoked by a file that it signs.
    pub fn revoke(&self, public: [u8; 32]) -> Result<bool> {
        let mut trust = self.trust()?;
        if public == self.public(Role::Root)? {
            return Err(HelioError::input(
                "trust file",
                hexadecimal(&public),
                "it is the root key, which signs the list of what is revoked",
                "make a new store with `helio keys init --dir`, and loaders with its root key",
            ));
        }
        if trust.revoked.contains(&public) {
            return Ok(false);
        }
        trust.revoked.push(public);
        self.write_trust(&trust, &self.private(Role::Root)?)?;
        Ok(true)
    }

    /// Signs the trust file and puts it in its place.
    pub(super) fn write_trust(&self, trust: &Trust, root: &SigningKey) -> Result<()> {
        file::write(&self.trust_path(), trust.sign(root).as_bytes())
    }
}
