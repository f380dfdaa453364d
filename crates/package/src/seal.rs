//! The signature segment: the last 192 bytes of a package.
//!
//! It is read from the end, by its fixed size, so that nothing in front of it
//! is looked at before the signature over all of it has held. No byte of it is
//! free: the header's fields are fixed, the content hash follows from the
//! payload, the key must be a trusted one, and the signature holds for no
//! other bytes. The segment's id is compared with the others once those may
//! be read.

use rvf_types::{SEGMENT_HEADER_SIZE, SEGMENT_VERSION, SegmentType, SignatureAlgo};
use witness::{Hash, key};

use crate::error::{Object, PackageError, Reason, Stage};
use crate::{segment, xxh3};

/// What the signed message begins with.
pub const DOMAIN: &[u8; 22] = b"heliograph-package@v1\n";

/// Size of the signed message: the domain and a SHA-256.
pub const MESSAGE_SIZE: usize = DOMAIN.len() + 32;

/// Size of the signature segment's payload.
pub const PAYLOAD_SIZE: usize = 104;

/// Size of the signature segment with header and padding.
pub const SEAL_SIZE: usize = (SEGMENT_HEADER_SIZE + PAYLOAD_SIZE).next_multiple_of(64);

/// What an operator signs, given the SHA-256 of every byte before the
/// signature segment.
pub fn signing_message(digest: &Hash) -> [u8; MESSAGE_SIZE] {
    let mut message = [0; MESSAGE_SIZE];
    message[..DOMAIN.len()].copy_from_slice(DOMAIN);
    message[DOMAIN.len()..].copy_from_slice(digest);
    message
}

/// The payload of the signature segment.
pub fn signature_payload(key: &[u8; 32], signature: &[u8; 64]) -> [u8; PAYLOAD_SIZE] {
    let mut payload = [0; PAYLOAD_SIZE];
    payload[..2].copy_from_slice(&(SignatureAlgo::Ed25519 as u16).to_le_bytes());
    payload[8..40].copy_from_slice(key);
    payload[40..].copy_from_slice(signature);
    payload
}

/// A signature as a file carries it, not yet checked against anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The signer's public key.
    pub key: [u8; 32],
    /// The signature over [`signing_message`].
    pub signature: [u8; 64],
    /// Id of the segment.
    pub(crate) segment: u64,
    /// Number of bytes in front of it, which are the ones signed.
    pub(crate) signed: usize,
}

impl Seal {
    /// The signature segment at the end of `file`, without looking further.
    ///
    /// # Errors
    /// [`Reason::Unsigned`] where there is no signature segment at the end;
    /// [`Reason::NotRvf`] and [`Reason::Truncated`] where the reason for that
    /// can be told from the segments' headers; other reasons where there is
    /// one with bytes that no writer of version 1 would put there.
    pub fn read(file: &[u8]) -> Result<Self, PackageError> {
        let Some((body, seal)) = file.split_last_chunk::<SEAL_SIZE>() else {
            return Err(diagnose(file));
        };
        let header = seal.first_chunk().and_then(segment::decode);
        let Some(header) = header.filter(|header| header.seg_type == SegmentType::Crypto as u8)
        else {
            return Err(diagnose(file));
        };
        let refuse = |reason| Stage::Signature.refuse(Object::Signature, reason);

        let (payload, padding) = seal[SEGMENT_HEADER_SIZE..]
            .split_first_chunk::<PAYLOAD_SIZE>()
            .ok_or_else(|| refuse(Reason::Truncated))?;
        let as_written = segment::Segment { offset: body.len(), header, payload };
        if header.version != SEGMENT_VERSION
            || header.payload_length != PAYLOAD_SIZE as u64
            || !as_written.is_plain()
            || !body.len().is_multiple_of(64)
        {
            return Err(refuse(Reason::BadHeaderField));
        }
        if padding.iter().any(|&byte| byte != 0) {
            return Err(refuse(Reason::PaddingNotZero));
        }
        let (mut key, mut signature) = ([0; 32], [0; 64]);
        key.copy_from_slice(&payload[8..40]);
        signature.copy_from_slice(&payload[40..]);
        if signature_payload(&key, &signature) != *payload {
            return Err(refuse(Reason::BadHeaderField));
        }
        if xxh3::content_hash(payload) != header.content_hash {
            return Err(refuse(Reason::BadContentHash));
        }
        Ok(Self { key, signature, segment: header.segment_id, signed: body.len() })
    }

    /// Whether this signature holds for bytes of this digest.
    pub(crate) fn check(&self, signed: &Hash) -> Result<(), PackageError> {
        if key::holds(&self.key, &signing_message(signed), &self.signature) {
            return Ok(());
        }
        Err(Stage::Signature.refuse(Object::Key(self.key), Reason::BadSignature))
    }
}

/// Why there is no signature segment at the end: the walk over the headers
/// tells a file cut short from one that was never signed.
fn diagnose(file: &[u8]) -> PackageError {
    match segment::walk(file) {
        Err(refusal) => refusal,
        Ok(_) => Stage::Signature.refuse(Object::File, Reason::Unsigned),
    }
}
