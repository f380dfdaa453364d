//! Ed25519 keys in PEM files, as OpenSSL writes and reads them (RFC 8410).

use crate::{base64, note::SigningKey};
use alloc::{format, string::String, vec::Vec};
use core::fmt;
use ed25519_dalek::VerifyingKey;

/// DER before the 32 bytes of a private key: PKCS#8 version 0, algorithm
/// 1.3.101.112, an octet string in an octet string.
const PRIVATE: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// DER before the 32 bytes of a public key: algorithm 1.3.101.112, a bit
/// string without unused bits.
const PUBLIC: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Why a text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// It is not one PEM block of the right label.
    NotPem,
    /// It is a key of another kind, or encrypted.
    NotEd25519,
    /// It is a public key that nobody can sign for, or anybody.
    WeakKey,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotPem => "not a PEM file with one key of this kind",
            Self::NotEd25519 => "not a plain Ed25519 key",
            Self::WeakKey => "not a point that can be a public key",
        })
    }
}

impl core::error::Error for KeyError {}

/// The private key as PEM.
pub fn private_to_pem(key: &SigningKey) -> String {
    to_pem("PRIVATE KEY", &[PRIVATE.as_slice(), key.as_bytes()].concat())
}

/// Reads a private key from PEM.
pub fn private_from_pem(pem: &str) -> Result<SigningKey, KeyError> {
    let der = from_pem("PRIVATE KEY", pem)?;
    let secret = der.strip_prefix(&PRIVATE).and_then(|rest| rest.try_into().ok());
    secret.map(SigningKey::from_bytes).ok_or(KeyError::NotEd25519)
}

/// The public key as PEM.
pub fn public_to_pem(key: &[u8; 32]) -> String {
    to_pem("PUBLIC KEY", &[PUBLIC.as_slice(), key].concat())
}

/// Reads a public key from PEM.
pub fn public_from_pem(pem: &str) -> Result<[u8; 32], KeyError> {
    let der = from_pem("PUBLIC KEY", pem)?;
    let point = der.strip_prefix(&PUBLIC).and_then(|rest| rest.try_into().ok());
    let point: [u8; 32] = point.ok_or(KeyError::NotEd25519)?;
    if is_usable(&point) { Ok(point) } else { Err(KeyError::WeakKey) }
}

/// The public key that belongs to a private one.
pub fn public(key: &SigningKey) -> [u8; 32] {
    key.verifying_key().to_bytes()
}

/// Whether a signature by this public key can mean anything.
pub fn is_usable(public_key: &[u8; 32]) -> bool {
    VerifyingKey::from_bytes(public_key).is_ok_and(|key| !key.is_weak())
}

/// Whether `signature` is `public_key`'s over `message`, checked strictly.
pub fn holds(public_key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(signature);
    VerifyingKey::from_bytes(public_key)
        .is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}

fn to_pem(label: &str, der: &[u8]) -> String {
    // A key's base64 fits one line of 64 characters.
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", base64::encode(der))
}

fn from_pem(label: &str, pem: &str) -> Result<Vec<u8>, KeyError> {
    let mut lines = pem.trim().lines();
    let is_line = |line: Option<&str>, word| line == Some(&format!("-----{word} {label}-----"));
    if !is_line(lines.next(), "BEGIN") {
        return Err(KeyError::NotPem);
    }
    let mut body = String::new();
    loop {
        let line = lines.next().ok_or(KeyError::NotPem)?;
        if is_line(Some(line), "END") {
            break;
        }
        body.push_str(line);
    }
    if lines.next().is_some() {
        return Err(KeyError::NotPem);
    }
    base64::decode(&body).ok_or(KeyError::NotPem)
}
