//! Private keys under a passphrase: PKCS#8 with PBES2 (RFC 8018), as
//! `openssl pkcs8` and `openssl genpkey` write and read them.

use std::fmt;

use pkcs8::der::pem::LineEnding;
use pkcs8::der::{Decode, Encode, SecretDocument, asn1::OctetString};
use pkcs8::pkcs5::{self, pbes2, scrypt};
use pkcs8::{EncryptedPrivateKeyInfoOwned, EncryptedPrivateKeyInfoRef};
use witness::key::{self, KeyError};
use witness::note::SigningKey;

use super::passphrase::Passphrase;
use crate::error::{HelioError, Result};

/// What stands in the first line of an encrypted key's PEM file.
const LABEL: &str = "ENCRYPTED PRIVATE KEY";

/// What stands in that of a plain one.
const PLAIN: &str = "PRIVATE KEY";

/// scrypt's cost: 16 MiB (2^14 blocks of 8 * 128 bytes), five times over. It
/// is the most memory that OpenSSL grants to a key's file.
const COST: (u8, u32, u32) = (14, 8, 5);

/// Why an encrypted key does not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockedError {
    /// It is not one PEM block of PKCS#8.
    Malformed,
    /// It is encrypted in a way that is not read here.
    Unsupported(String),
    /// The passphrase does not fit.
    WrongPassphrase,
    /// What was encrypted is no key of ours.
    Key(KeyError),
}

impl fmt::Display for LockedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("not a PEM file with one encrypted key"),
            Self::Unsupported(why) => write!(f, "encrypted in a way that is not read here: {why}"),
            Self::WrongPassphrase => f.write_str("the passphrase is wrong"),
            Self::Key(error) => error.fmt(f),
        }
    }
}

impl LockedError {
    /// What to do about it.
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::WrongPassphrase => {
                "try again; --passphrase-file takes the first line of a file, without its end"
            }
            _ => {
                "give an Ed25519 key in PKCS#8 PEM with PBES2 (AES-CBC under PBKDF2 or scrypt), \
                 such as `openssl genpkey -algorithm ed25519 -aes-256-cbc` makes"
            }
        }
    }
}

/// Whether this text is an encrypted key's PEM.
pub fn is_locked(pem: &str) -> bool {
    let first = pem.trim_start().lines().next().unwrap_or_default();
    first.trim_end() == format!("-----BEGIN {LABEL}-----")
}

/// The private key as PEM, encrypted with AES-256-CBC under scrypt.
///
/// # Errors
/// The system has no random numbers.
pub fn lock(key: &SigningKey, passphrase: &Passphrase) -> Result<String> {
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    super::random(&mut salt)?;
    super::random(&mut iv)?;
    let encrypted = || -> pkcs8::Result<String> {
        let plain = key::private_to_pem(key);
        let (_, der) = SecretDocument::from_pem(&plain)?;
        let (log_n, r, p) = COST;
        let cost =
            scrypt::Params::new(log_n, r, p).map_err(|_| pkcs8::Error::ParametersMalformed)?;
        let scheme = pbes2::Parameters::generate_scrypt_aes256cbc(cost, &salt, iv)?;
        let info = EncryptedPrivateKeyInfoOwned {
            encrypted_data: OctetString::new(scheme.encrypt(passphrase.bytes(), der.as_bytes())?)?,
            encryption_algorithm: scheme.into(),
        };
        let document = SecretDocument::try_from(info.to_der()?)?;
        Ok(document.to_pem(LABEL, LineEnding::LF)?.to_string())
    };
    encrypted().map_err(|error| HelioError::Failed {
        what: "encrypting the key".into(),
        reason: error.to_string(),
        advice: "make it without a passphrase and encrypt it with `openssl pkcs8 -topk8`".into(),
    })
}

/// The private key in an encrypted key's PEM.
///
/// # Errors
/// See [`LockedError`].
pub fn unlock(pem: &str, passphrase: &Passphrase) -> Result<SigningKey, LockedError> {
    let (label, document) =
        SecretDocument::from_pem(pem.trim_start()).map_err(|_| LockedError::Malformed)?;
    if label != LABEL {
        return Err(LockedError::Malformed);
    }
    let info = EncryptedPrivateKeyInfoRef::from_der(document.as_bytes())
        .map_err(|_| LockedError::Malformed)?;
    let plain = info.decrypt(passphrase.bytes()).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(error) => match error {
            pkcs5::Error::DecryptFailed => LockedError::WrongPassphrase,
            other => LockedError::Unsupported(other.to_string()),
        },
        // One wrong passphrase in 256 leaves what looks like padding, but is
        // no structure.
        _ => LockedError::WrongPassphrase,
    })?;
    let pem = plain.to_pem(PLAIN, LineEnding::LF).map_err(|_| LockedError::Malformed)?;
    key::private_from_pem(&pem).map_err(LockedError::Key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_key_opens_with_its_passphrase_alone() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let pem = lock(&key, &Passphrase::new(b"open sesame")).unwrap();
        assert!(is_locked(&pem) && !is_locked(&key::private_to_pem(&key)));
        let opened = unlock(&pem, &Passphrase::new(b"open sesame")).unwrap();
        assert_eq!(opened.as_bytes(), key.as_bytes());
        let wrong = unlock(&pem, &Passphrase::new(b"open sesam")).err().unwrap();
        assert_eq!(wrong, LockedError::WrongPassphrase);
        let again = lock(&key, &Passphrase::new(b"open sesame")).unwrap();
        assert_ne!(pem, again, "salt and IV are fresh");
    }

    #[test]
    fn what_is_no_encrypted_key_is_refused() {
        let passphrase = Passphrase::new(b"x");
        let plain = key::private_to_pem(&SigningKey::from_bytes(&[7; 32]));
        let label = |pem: &str| pem.replace(PLAIN, LABEL);
        for pem in ["", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", &plain, &label(&plain)] {
            assert_eq!(unlock(pem, &passphrase).err(), Some(LockedError::Malformed), "{pem}");
        }
    }
}
