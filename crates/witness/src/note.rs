//! Signed notes, as C2SP signed-note v1 defines them: a text, a blank line,
//! and lines that each name a key and hold its signature over the text.
//!
//! Only Ed25519 (signature type 1). Signatures are checked by `verify_strict`,
//! which refuses keys and signatures that other checkers may disagree about.

use crate::{Hasher, base64};
use alloc::{format, string::String, vec::Vec};
use core::fmt;
pub use ed25519_dalek::SigningKey;
use ed25519_dalek::{Signature, Signer as _, VerifyingKey};

/// Before the name in a signature line: an em dash and a space.
const DASH: &str = "\u{2014} ";

/// Signature type of Ed25519.
const ED25519: u8 = 1;

/// Longest note that is looked at, in bytes.
pub const NOTE_MAX: usize = 1_000_000;

/// Most signature lines that are looked at.
pub const SIGNATURES_MAX: usize = 16;

/// Why a note does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteError {
    /// It breaks the format.
    Malformed,
    /// It is too long or has too many signatures.
    TooLarge,
    /// No signature is by a key that is asked for.
    UnknownKey,
    /// A signature by a key that is asked for does not hold.
    BadSignature,
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a signed note",
            Self::TooLarge => "the signed note is too large",
            Self::UnknownKey => "no signature is by a known key",
            Self::BadSignature => "the signature does not hold",
        })
    }
}

impl core::error::Error for NoteError {}

/// Whether `name` can name a key: not empty, without blanks, control
/// characters and plus signs.
pub fn is_key_name(name: &str) -> bool {
    let is_bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    !name.is_empty() && !name.chars().any(is_bad)
}

/// First four bytes of SHA-256 of name, line feed, signature type and key.
pub fn key_id(name: &str, public_key: &[u8; 32]) -> [u8; 4] {
    let parts: [&[u8]; 3] = [name.as_bytes(), &[b'\n', ED25519], public_key];
    let [a, b, c, d, ..] = Hasher::SOFTWARE.concatenation(&parts);
    [a, b, c, d]
}

/// A named public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

impl VerifierKey {
    /// A key of this name; `None` if the name cannot be a key's, or the bytes
    /// are not a point that can be a key.
    pub fn new(name: &str, public_key: &[u8; 32]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(public_key).ok().filter(|key| !key.is_weak())?;
        is_key_name(name).then(|| Self { name: name.into(), id: key_id(name, public_key), key })
    }

    /// Reads `name+<key id>+<base64 of type and key>`.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('+')?;
        let (id, key) = rest.split_once('+')?;
        let [ED25519, key @ ..] = base64::decode_array::<33>(key)? else { return None };
        Self::new(name, &key).filter(|key| crate::hex::decode(id) == Some(key.id))
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key's 32 bytes.
    pub fn public_key(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    fn holds(&self, text: &str, signature: &[u8; 64]) -> bool {
        self.key.verify_strict(text.as_bytes(), &Signature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut encoded = Vec::from([ED25519]);
        encoded.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, crate::hex::Hex(&self.id), base64::encode(&encoded))
    }
}

/// The note that carries `text`, which must end in a line feed, with one
/// signature by `key` under `name`.
pub fn sign(text: &str, name: &str, key: &SigningKey) -> String {
    let mut signature = Vec::from(key_id(name, key.verifying_key().as_bytes()));
    signature.extend_from_slice(&key.sign(text.as_bytes()).to_bytes());
    format!("{text}\n{DASH}{name} {}\n", base64::encode(&signature))
}

/// A note taken apart; nothing is checked yet but its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// The text, up to and with its last line feed.
    pub text: &'a str,
    /// The signature lines.
    pub signatures: Vec<Line<'a>>,
}

/// A signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Name of the key.
    pub name: &'a str,
    /// Id of the key.
    pub id: [u8; 4],
    /// The signature: 64 bytes, if it is Ed25519's.
    pub signature: Vec<u8>,
}

/// Takes a note apart.
pub fn parse(note: &str) -> Result<Parsed<'_>, NoteError> {
    if note.len() > NOTE_MAX {
        return Err(NoteError::TooLarge);
    }
    if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
        return Err(NoteError::Malformed);
    }
    // The text may hold blank lines; signature lines cannot.
    let split = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
    let (text, rest) = (&note[..=split], &note[split + 2..]);
    let lines = rest.strip_suffix('\n').ok_or(NoteError::Malformed)?;
    let mut signatures = Vec::new();
    for line in lines.split('\n') {
        if signatures.len() == SIGNATURES_MAX {
            return Err(NoteError::TooLarge);
        }
        signatures.push(Line::parse(line).ok_or(NoteError::Malformed)?);
    }
    Ok(Parsed { text, signatures })
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(DASH)?.split_once(' ')?;
        let decoded = base64::decode(encoded)?;
        let (id, signature) = decoded.split_first_chunk()?;
        let is_whole = is_key_name(name) && !signature.is_empty();
        is_whole.then(|| Self { name, id: *id, signature: signature.into() })
    }

    /// Whether the line names `key`.
    fn is_by(&self, key: &VerifierKey) -> bool {
        self.name == key.name && self.id == key.id
    }

    fn check(&self, text: &str, key: &VerifierKey) -> Result<(), NoteError> {
        let signature = self.signature.as_slice().try_into().ok();
        let holds = signature.is_some_and(|signature| key.holds(text, signature));
        if holds { Ok(()) } else { Err(NoteError::BadSignature) }
    }
}

/// The text of a note on which at least one of `keys` has a signature. Lines
/// of other keys are passed over; a line of one of `keys` must hold.
pub fn open<'a>(note: &'a str, keys: &[VerifierKey]) -> Result<&'a str, NoteError> {
    let parsed = parse(note)?;
    let mut found = false;
    for line in &parsed.signatures {
        for key in keys.iter().filter(|key| line.is_by(key)) {
            line.check(parsed.text, key)?;
            found = true;
        }
    }
    if found { Ok(parsed.text) } else { Err(NoteError::UnknownKey) }
}

/// The text of a note whose only signature is by one of `keys`, and that key.
/// Everything this project writes is such a note, so that nothing can be
/// added to a file without being noticed.
pub fn open_only<'a, 'k>(
    note: &'a str,
    keys: &'k [VerifierKey],
) -> Result<(&'a str, &'k VerifierKey), NoteError> {
    let parsed = parse(note)?;
    let [line] = parsed.signatures.as_slice() else { return Err(NoteError::Malformed) };
    let key = keys.iter().find(|key| line.is_by(key)).ok_or(NoteError::UnknownKey)?;
    line.check(parsed.text, key)?;
    Ok((parsed.text, key))
}
