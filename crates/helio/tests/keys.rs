//! Keys and signatures, also as openssl sees them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use common::{HASHER, helio_json, helio_text, private, put, store, text};
use helio::keys::{Role, Store, read_public};
use witness::signature::FileKind;

#[test]
fn init_makes_private_keys_private_and_a_trust_file_once() {
    let (_place, store) = store();
    for role in Role::ALL {
        let mode = fs::metadata(store.private_path(role)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let trust = store.trust().unwrap();
    assert!(trust.development);
    assert_eq!(trust.operators[0].key, store.public(Role::Operator).unwrap());
    assert_eq!(trust.devices[0].key, store.public(Role::Device).unwrap());
    assert!(store.init().unwrap().made.is_empty());
    assert_eq!(store.trust().unwrap(), trust);
}

#[test]
fn what_is_missing_is_made_again_and_a_stale_public_key_replaced() {
    let (_place, store) = store();
    let root = store.public(Role::Root).unwrap();
    fs::remove_file(store.private_path(Role::Device)).unwrap();
    store.init().unwrap();
    let device = store.public(Role::Device).unwrap();
    let trust = store.trust().unwrap();
    assert_eq!((store.public(Role::Root).unwrap(), trust.devices[0].key), (root, device));
}

#[test]
fn a_trust_file_of_another_root_is_refused_with_advice() {
    let ((_a, ours), (_b, theirs)) = (store(), store());
    fs::copy(theirs.trust_path(), ours.trust_path()).unwrap();
    let (code, _, error) =
        helio_text(&["keys", "show", "--dir", &text(ours.trust_path().parent().unwrap())]);
    assert_eq!(code, 2);
    assert!(error.contains("trust.note") && error.contains("helio keys init"), "{error}");
}

#[test]
fn the_command_shows_one_key_as_hexadecimal() {
    let (_place, store) = store();
    let folder = text(store.trust_path().parent().unwrap());
    let (code, out, _) = helio_text(&["keys", "show", "--dir", &folder, "--public", "root"]);
    assert_eq!(code, 0);
    assert_eq!(witness::hex::decode(out.trim()), Some(store.public(Role::Root).unwrap()));
    let (_, json) = helio_json(&["keys", "show", "--dir", &folder]);
    assert_eq!(json["trust"]["development"], true);
}

#[test]
fn openssl_reads_our_keys_and_we_read_its() {
    let (place, store) = store();
    let public = Command::new("openssl")
        .args(["pkey", "-in", &private(&store, Role::Operator), "-pubout"])
        .output()
        .unwrap();
    assert_eq!(public.stdout, fs::read(store.public_path(Role::Operator)).unwrap());

    let theirs = text(&place.path().join("theirs.pem"));
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "ed25519", "-out", &theirs])
        .status()
        .unwrap();
    assert!(made.success());
    let file = put(place.path(), "kernel.elf", b"kernel");
    let (code, _, error) =
        helio_text(&["sign", &text(&file), "--kind", "kernel", "--key", &theirs]);
    assert_eq!(code, 0, "{error}");
    read_public(theirs.as_ref()).unwrap();
}

#[test]
fn a_signature_is_the_operators_over_this_file_and_kind() {
    let (place, store) = store();
    let file = put(place.path(), "kernel.elf", b"kernel");
    let key = private(&store, Role::Operator);
    let (code, json) = helio_json(&["sign", &text(&file), "--kind", "kernel", "--key", &key]);
    assert_eq!((code, &json["signer"]), (0, &"operator".into()));
    let note = fs::read_to_string(place.path().join("kernel.sig")).unwrap();
    let trust = store.trust().unwrap();
    let check = |kind, bytes| trust.check_file(kind, &HASHER.hash(bytes), &note);
    assert_eq!(check(FileKind::Kernel, b"kernel").unwrap().name, "operator");
    assert!(check(FileKind::Loader, b"kernel").is_err());
    assert!(check(FileKind::Kernel, b"Kernel").is_err());
}

#[test]
fn files_that_are_no_keys_are_refused_and_nothing_is_written() {
    let (place, store) = store();
    let file = put(place.path(), "kernel.elf", b"kernel");
    let public = text(&store.public_path(Role::Operator));
    let junk = text(&put(place.path(), "junk.pem", b"\xff\xfe"));
    for key in [&public, &junk, "/nowhere/key.pem"] {
        let (code, _, error) =
            helio_text(&["sign", &text(&file), "--kind", "kernel", "--key", key]);
        assert_eq!(code, 2);
        assert!(error.contains(key) && error.contains("; "), "{error}");
    }
    assert!(!place.path().join("kernel.sig").exists());
    assert!(Store::at(place.path()).private(Role::Root).is_err());
}
