//! Plain Ed25519 signatures over a file's bytes: 64 bytes in a file of their
//! own, which `openssl pkeyutl -rawin` makes and checks too.
//!
//! Packages, kernels, trust files, logs and proofs have signatures of their
//! own, each over a text that says what it is. A plain one over just such a
//! text would be one of those, so such files are not signed here.

use std::path::Path;

use ed25519_dalek::{Signer as _, SigningKey};
use witness::checkpoint::Checkpoint;
use witness::json;

use crate::error::{HelioError, Result};

/// Bytes of a signature.
pub const LENGTH: usize = 64;

/// Signs the bytes of the file at `path`.
///
/// # Errors
/// The bytes are what a signature of another kind is over.
pub fn sign(path: &Path, bytes: &[u8], key: &SigningKey) -> Result<[u8; LENGTH]> {
    if let Some(what) = stands_for(bytes) {
        return Err(HelioError::input(
            "signature",
            path.display(),
            format_args!("its bytes are those that {what} is signed by"),
            "use `helio sign`, `helio pack`, `helio approve` or `helio keys trust` for that",
        ));
    }
    Ok(key.sign(bytes).to_bytes())
}

/// What somebody would get who had these bytes signed.
fn stands_for(bytes: &[u8]) -> Option<&'static str> {
    // Packages, kernels and loaders, proofs, events: `heliograph-KIND@v1`.
    if bytes.starts_with(b"heliograph-") {
        return Some("a package, kernel, loader, proof or event");
    }
    let text = std::str::from_utf8(bytes).ok()?;
    if Checkpoint::parse(text).is_some() {
        return Some("a log's checkpoint");
    }
    let line = text.strip_suffix('\n')?;
    let is_manifest = line.starts_with('{') && json::parse_canonical(line).is_ok();
    is_manifest.then_some("a trust file or the manifest of a run")
}

/// Reads a signature file.
///
/// # Errors
/// It does not have 64 bytes.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<[u8; LENGTH]> {
    bytes.try_into().map_err(|_| {
        HelioError::input(
            "signature",
            path.display(),
            format_args!("it has {} bytes, and a signature has {LENGTH}", bytes.len()),
            "give the file that `helio keys sign` or `openssl pkeyutl -sign -rawin` wrote",
        )
    })
}

#[cfg(test)]
mod tests {
    use witness::signature::{self, FileKind};
    use witness::{Trust, key};

    use super::*;

    #[test]
    fn what_another_signature_is_over_is_not_signed() {
        let operator = SigningKey::from_bytes(&[3; 32]);
        let note = Trust::nobody().sign(&operator);
        let trust = &note[..note.find("\n\n").unwrap() + 1];
        let checkpoint = Checkpoint { origin: "helio-1/2", size: 3, root: [7; 32] }.text();
        let package = package::signing_message(&[1; 32]);
        let kernel = signature::text(FileKind::Kernel, &[1; 32]);
        for bytes in [trust.as_bytes(), checkpoint.as_bytes(), &package, kernel.as_bytes()] {
            assert!(sign(Path::new("file"), bytes, &operator).is_err());
        }
        for bytes in [&b""[..], b"{}", b"a\n1\nb\n", b"{\"a\": 1}\n", b"any\xff"] {
            let signature = sign(Path::new("file"), bytes, &operator).unwrap();
            assert!(key::holds(&key::public(&operator), bytes, &signature));
        }
    }
}
