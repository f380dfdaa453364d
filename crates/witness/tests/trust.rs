//! The trust file, and signatures over files.

use crate::common::{HASHER, device, operator};
use witness::{
    Trust, key,
    note::{NoteError, SigningKey},
    signature::{self, FileKind},
    trust::{Distrust, MinimumVersion, NamedKey, TrustError},
};

fn root() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

fn named(key: &SigningKey, name: &str) -> NamedKey {
    NamedKey { key: key::public(key), name: name.into() }
}

fn trust() -> Trust {
    Trust {
        development: true,
        devices: vec![named(&device(), "bench-1")],
        operators: vec![named(&operator(), "alice"), named(&device(), "bob")],
        revoked: vec![key::public(&device())],
        minimum_versions: vec![MinimumVersion { package: "demo".into(), version: 3 }],
        digest: [0; 32],
    }
}

fn open(file: &str) -> Result<Trust, TrustError> {
    Trust::open(file.as_bytes(), &key::public(&root()), HASHER)
}

#[test]
fn what_the_root_signed_is_believed() {
    let file = trust().sign(&root());
    let read = open(&file).unwrap();
    assert_eq!(read.digest, HASHER.hash(file.as_bytes()));
    assert!(read.development);
    assert_eq!(read.operator(&key::public(&operator())).unwrap().name, "alice");
    assert_eq!(read.operator(&[7; 32]), Err(Distrust::Unknown));
    assert_eq!(read.operator(&key::public(&device())), Err(Distrust::Revoked));
    assert_eq!(read.device(&key::public(&device())), Err(Distrust::Revoked));
    assert_eq!((read.minimum_version("demo"), read.minimum_version("other")), (3, 0));
    assert_eq!(read.sign(&root()), file, "one content, one file");
    assert_eq!(Trust::nobody().operator(&key::public(&operator())), Err(Distrust::Unknown));
}

#[test]
fn nobody_else_can_sign_a_trust_file() {
    let file = trust().sign(&operator());
    assert_eq!(open(&file), Err(TrustError::Note(NoteError::UnknownKey)));
}

#[test]
fn no_byte_of_a_trust_file_can_change() {
    let file = trust().sign(&root());
    for at in 0..file.len() {
        for flip in [1, 0x20, 0x80] {
            let mut bytes = file.clone().into_bytes();
            bytes[at] ^= flip;
            assert!(Trust::open(&bytes, &key::public(&root()), HASHER).is_err(), "byte {at}");
        }
        assert!(open(&file[..at.min(file.floor_char_boundary(at))]).is_err());
    }
}

#[test]
fn signed_nonsense_is_refused() {
    let good = trust().sign(&root());
    let text = good.split("\n\n").next().unwrap();
    let resign = |text: &str| witness::note::sign(&format!("{text}\n"), "heliograph-root", &root());
    assert!(open(&resign(text)).is_ok());
    for (from, to) in [
        ("\"format\":1", "\"format\":2"),
        ("\"development\":true,", ""),
        ("\"development\":true,", "\"development\": true,"),
        ("\"development\":true,", "\"developer\":1,\"development\":true,"),
        ("\"name\":\"alice\"", "\"name\":\"alice+\""),
        ("\"demo\":3", "\"demo\":-3"),
        ("\"demo\":3", "\"demo\":\"3\""),
        ("\"revoked\":[\"", "\"revoked\":[\"00"),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text, "{from}");
        assert!(open(&resign(&changed)).is_err(), "{to}");
    }
    // Two operators in the wrong order.
    let start = text.find("\"operators\":[").unwrap() + 13;
    let end = start + text[start..].find(']').unwrap();
    let (first, second) = text[start..end].split_once("},").unwrap();
    let swapped = format!("{}{second},{first}}}{}", &text[..start], &text[end..]);
    assert_eq!(open(&resign(&swapped)), Err(TrustError::Order("operators")));
}

#[test]
fn a_file_is_accepted_for_what_it_was_signed_for() {
    let trust = open(&trust().sign(&root())).unwrap();
    let digest = HASHER.hash(b"kernel");
    let check = |kind, digest, note: &str| trust.check_file(kind, digest, note);
    let good = signature::sign(FileKind::Kernel, &digest, "alice", &operator());
    assert_eq!(check(FileKind::Kernel, &digest, &good).unwrap().name, "alice");
    let bad = Err(NoteError::BadSignature);
    assert_eq!(check(FileKind::Loader, &digest, &good), bad);
    assert_eq!(check(FileKind::Kernel, &[0; 32], &good), bad);
    let unknown = Err(NoteError::UnknownKey);
    let revoked = signature::sign(FileKind::Kernel, &digest, "bob", &device());
    assert_eq!(check(FileKind::Kernel, &digest, &revoked), unknown);
    let stranger = signature::sign(FileKind::Kernel, &digest, "alice", &root());
    assert_eq!(check(FileKind::Kernel, &digest, &stranger), unknown);
    let renamed = signature::sign(FileKind::Kernel, &digest, "carol", &operator());
    assert_eq!(check(FileKind::Kernel, &digest, &renamed), unknown);
}
