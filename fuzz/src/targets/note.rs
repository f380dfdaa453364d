//! Signed notes and what they carry: checkpoints, manifests of runs, trust
//! files, signatures of files.

use crate::world::{self, HASHER};
use witness::{
    Trust, base64,
    checkpoint::{self, Checkpoint},
    hex,
    manifest::RunManifest,
    note::{self, VerifierKey},
    signature::FileKind,
};

pub(crate) fn fuzz(input: &[u8]) {
    let _ = Trust::open(input, world::operator().verifying_key().as_bytes(), HASHER);
    let _ = Trust::taken_at_its_word(input, HASHER);
    let Ok(text) = str::from_utf8(input) else { return };
    words(text);
    let key = VerifierKey::new("fuzz", &world::facts().device_key).unwrap();
    let _ = note::open(text, std::slice::from_ref(&key));
    let _ = note::open_only(text, std::slice::from_ref(&key));
    let _ = world::trust().check_file(FileKind::Kernel, &[0; 32], text);
    match note::parse(text) {
        Ok(parsed) => {
            assert!(text.starts_with(parsed.text));
            content(parsed.text);
        }
        Err(_) => content(text),
    }
}

/// Spellings that there is one of.
fn words(text: &str) {
    if let Some(bytes) = base64::decode(text) {
        assert_eq!(base64::encode(&bytes), text);
    }
    if let Some(bytes) = hex::decode::<4>(text) {
        assert_eq!(hex::encode(&bytes), text);
    }
    if let Some(key) = VerifierKey::parse(text) {
        assert!(text.starts_with(key.name()));
        assert_eq!(VerifierKey::new(key.name(), &key.public_key()), Some(key));
    }
}

/// The text of a note, signed by whom it asks for.
fn content(text: &str) {
    if let Some(checkpoint) = Checkpoint::parse(text) {
        assert_eq!(checkpoint.text(), text);
        let _ = checkpoint::split_origin(checkpoint.origin);
        let note = checkpoint.sign(&world::device());
        let key = VerifierKey::new(checkpoint.origin, &world::facts().device_key).unwrap();
        let opened = note::open_only(&note, std::slice::from_ref(&key));
        assert_eq!(opened.map(|(text, _)| text), Ok(text));
    }
    if let Ok(manifest) = RunManifest::parse(text) {
        assert_eq!(manifest.text(), text);
    }
    // A trust file has one form for what it says, and its root signs that.
    let root = world::operator();
    let file = note::sign(text, witness::trust::ROOT_NAME, &root);
    if let Ok(trust) = Trust::open(file.as_bytes(), root.verifying_key().as_bytes(), HASHER) {
        assert_eq!(trust.sign(&root), file);
        assert_eq!(Trust::taken_at_its_word(file.as_bytes(), HASHER), Ok(trust));
    }
}
