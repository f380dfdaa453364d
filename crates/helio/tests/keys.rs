//! Keys and signatures, also as openssl sees them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::common::{self, HASHER, helio, helio_json, helio_text, private, put, store, text};
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

/// Runs openssl; `None` where there is none, which is said loudly.
fn openssl(arguments: &[&str]) -> Option<bool> {
    match Command::new("openssl").args(arguments).output() {
        Ok(output) => Some(output.status.success()),
        Err(_) => {
            println!("SKIPPED: openssl is not installed, and nothing was compared with it");
            None
        }
    }
}

fn folder(store: &Store) -> String {
    text(store.trust_path().parent().unwrap())
}

#[test]
fn openssl_checks_our_signatures_and_we_check_its_with_plain_and_encrypted_keys() {
    let (place, store) = store();
    let dir = folder(&store);
    let secret = text(&put(place.path(), "secret", b"correct horse\nanother line\n"));
    let message = text(&put(place.path(), "message", b"any bytes \xff\x00 at all"));
    let at = |name: &str| text(&place.path().join(name));
    let (ours, theirs, public) = (at("ours.sig"), at("theirs.sig"), at("theirs.pub"));
    for encrypt in [false, true] {
        let name = if encrypt { "locked" } else { "plain" };
        let generate = ["keys", "generate", name, "--dir", &dir, "--passphrase-file", &secret];
        let generate = [&generate[..], if encrypt { &["--encrypt"] } else { &[] }].concat();
        assert_eq!(helio_text(&generate).0, 0);
        let key = text(&store.private_path_of(name));
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&key).unwrap().contains("ENCRYPTED"), encrypt);

        // Ours: made by us, checked by openssl, which opens the key too.
        let sign = ["keys", "sign", &message, "--key", name, "--dir", &dir, "-o", &ours];
        let sign = [&sign[..], &["--passphrase-file", &secret]].concat();
        let (code, _, error) = helio_text(&sign);
        assert_eq!(code, 0, "{error}");
        let half = text(&store.public_path_of(name));
        let verify = ["pkeyutl", "-verify", "-pubin", "-inkey", &half, "-rawin", "-in", &message];
        let Some(holds) = openssl(&[&verify[..], &["-sigfile", &ours]].concat()) else { return };
        assert!(holds, "openssl refuses the signature of the {name} key");
        let pass = format!("file:{secret}");
        let sign = ["pkeyutl", "-sign", "-inkey", &key, "-passin", &pass, "-rawin"];
        let sign = [&sign[..], &["-in", &message, "-out", &theirs]].concat();
        assert_eq!(openssl(&sign), Some(true), "openssl cannot sign with the {name} key");
        assert_eq!(fs::read(&ours).unwrap(), fs::read(&theirs).unwrap());

        // Theirs: made by openssl, read, used and checked by us.
        let made = at(&format!("openssl-{name}.pem"));
        let cipher = ["-aes-256-cbc", "-pass", &pass];
        let make = ["genpkey", "-algorithm", "ed25519", "-out", &made];
        let make = [&make[..], if encrypt { &cipher } else { &[] }].concat();
        assert_eq!(openssl(&make), Some(true));
        let pubout = ["pkey", "-in", &made, "-passin", &pass, "-pubout", "-out", &public];
        assert_eq!(openssl(&pubout), Some(true));
        let sign = ["pkeyutl", "-sign", "-inkey", &made, "-passin", &pass, "-rawin"];
        let sign = [&sign[..], &["-in", &message, "-out", &theirs]].concat();
        assert_eq!(openssl(&sign), Some(true));
        let verify = ["keys", "verify", &message, "--key", &public, "--signature", &theirs];
        let (code, json) = helio_json(&verify);
        assert_eq!((code, &json["holds"]), (0, &true.into()), "{json}");
        let sign = ["keys", "sign", &message, "--key", &made, "-o", &ours];
        let sign = [&sign[..], &["--passphrase-file", &secret]].concat();
        assert_eq!(helio_text(&sign).0, 0);
        assert_eq!(fs::read(&ours).unwrap(), fs::read(&theirs).unwrap());
    }
    // The other derivation that openssl knows.
    let made = at("scrypt.pem");
    let pass = format!("file:{secret}");
    let key = text(&store.private_path_of("plain"));
    let make = ["pkcs8", "-topk8", "-scrypt", "-in", &key, "-out", &made, "-passout", &pass];
    assert_eq!(openssl(&make), Some(true));
    let show = ["keys", "show", "--public", &made, "--passphrase-file", &secret];
    let (code, out, error) = helio_text(&show);
    assert_eq!(code, 0, "{error}");
    let plain = store.public_path_of("plain");
    assert_eq!(witness::hex::decode(out.trim()), Some(read_public(&plain).unwrap()));
}

#[test]
fn an_encrypted_key_needs_its_passphrase_and_nothing_is_written_without() {
    let (place, store) = store();
    let dir = folder(&store);
    let secret = text(&put(place.path(), "secret", b"correct horse"));
    let wrong = text(&put(place.path(), "wrong", b"battery staple"));
    let empty = text(&put(place.path(), "empty", b"\n"));
    let message = text(&put(place.path(), "message", b"m"));
    let generate = ["keys", "generate", "k", "--dir", &dir, "--encrypt", "--passphrase-file"];
    assert_eq!(helio_text(&[&generate[..], &[&empty]].concat()).0, 2);
    assert_eq!(helio_text(&generate[..6]).0, 2, "there is nobody to ask");
    assert!(!store.private_path_of("k").exists() && !store.public_path_of("k").exists());
    assert_eq!(helio_text(&[&generate[..], &[&secret]].concat()).0, 0);
    let before = fs::read(store.private_path_of("k")).unwrap();
    assert_eq!(helio_text(&[&generate[..], &[&secret]].concat()).0, 2, "it is there");
    assert_eq!(fs::read(store.private_path_of("k")).unwrap(), before);

    let sign = ["keys", "sign", &message, "--key", "k", "--dir", &dir];
    let (code, _, error) = helio_text(&sign);
    assert_eq!(code, 2);
    assert!(error.contains("--passphrase-file") && error.contains("k.pem"), "{error}");
    let (code, _, error) = helio_text(&[&sign[..], &["--passphrase-file", &wrong]].concat());
    assert_eq!(code, 2);
    assert!(error.contains("the passphrase is wrong"), "{error}");
    assert!(!place.path().join("message.sig").exists());

    let output = Command::new(env!("CARGO_BIN_EXE_helio"))
        .args(sign)
        .env("HELIO_PASSPHRASE", "correct horse")
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(
        helio(&["keys", "verify", &message, "--key", "k", "--dir", &dir]).status.code(),
        Some(0)
    );
    put(place.path(), "message", b"M");
    assert_eq!(
        helio(&["keys", "verify", &message, "--key", "k", "--dir", &dir]).status.code(),
        Some(3)
    );
}

#[test]
fn a_person_is_asked_for_the_passphrase_and_it_is_not_shown() {
    use std::io::{Read, Write};
    let (place, store) = store();
    let dir = folder(&store);
    let secret = text(&put(place.path(), "secret", b"correct horse"));
    let make = ["keys", "generate", "k", "--dir", &dir, "--encrypt", "--passphrase-file", &secret];
    assert_eq!(helio_text(&make).0, 0);
    let message = text(&put(place.path(), "message", b"m"));
    let (mut person, terminal) = common::terminal();
    let mut sign = |keys: &[u8]| {
        let child = Command::new(env!("CARGO_BIN_EXE_helio"))
            .args(["keys", "sign", &message, "--key", "k", "--dir", &dir])
            .stdin(terminal.try_clone().unwrap())
            .stderr(terminal.try_clone().unwrap())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"k.pem: ") {
            let mut byte = [0];
            person.read_exact(&mut byte).unwrap();
            seen.push(byte[0]);
        }
        person.write_all(keys).unwrap();
        let output = child.wait_with_output().unwrap();
        let mut rest = [0; 256];
        let count = person.read(&mut rest).unwrap_or(0);
        (output.status.code(), String::from_utf8_lossy(&rest[..count]).into_owned())
    };
    // Ctrl-C: the terminal shows what is typed again.
    let signature = place.path().join("message.sig");
    let (code, said) = sign(b"half of it\x03");
    assert!(code == Some(2) && !said.contains("half") && !signature.exists(), "{said}");
    let modes = rustix::termios::tcgetattr(&terminal).unwrap().local_modes;
    assert!(modes.contains(rustix::termios::LocalModes::ECHO | rustix::termios::LocalModes::ISIG));
    let (code, said) = sign(b"correct horse\n");
    assert!(code == Some(0) && !said.contains("horse"), "{said}");
    assert_eq!(fs::read(signature).unwrap().len(), 64);
}

#[test]
fn who_is_trusted_is_listed_and_who_is_revoked_stays_so() {
    let (place, store) = store();
    let dir = folder(&store);
    let keys = |words: &[&str]| helio_text(&[&["keys"], words, &["--dir", &dir]].concat());
    assert_eq!(keys(&["generate", "alice"]).0, 0);
    let alice = store.public_path_of("alice");
    assert_eq!(keys(&["trust", "alice", "--as", "operator"]).0, 0);
    let trust = store.trust().unwrap();
    let public = read_public(&alice).unwrap();
    assert_eq!(trust.operator(&public).unwrap().name, "alice");
    assert_eq!(trust.operators.len(), 2);
    let (code, out, _) = keys(&["trust", "alice", "--as", "operator"]);
    assert_eq!((code, out.contains("already")), (0, true), "{out}");
    // One key, one role, one name.
    assert_eq!(keys(&["trust", "alice", "--as", "device"]).0, 2);
    assert_eq!(keys(&["trust", "root", "--as", "operator"]).0, 2);
    assert_eq!(keys(&["generate", "bob"]).0, 0);
    assert_eq!(keys(&["trust", "bob", "--as", "operator", "--name", "alice"]).0, 2);

    let (_, out, _) = keys(&["list"]);
    let line = out.lines().find(|line| line.starts_with("alice")).unwrap();
    assert!(line.contains("plain") && line.ends_with("operator alice"), "{out}");
    fs::set_permissions(store.private_path_of("bob"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(keys(&["list"]).1.lines().any(|it| it.starts_with("bob") && it.contains("EXPOSED")));

    assert_eq!(keys(&["revoke", "alice"]).0, 0);
    assert_eq!(keys(&["revoke", "root"]).0, 2);
    let (code, _, error) = keys(&["trust", "alice", "--as", "operator"]);
    assert_eq!((code, error.contains("for good")), (2, true), "{error}");
    assert!(store.trust().unwrap().operator(&public).is_err());
    // A key that is made again does not make the machine forget.
    fs::remove_file(store.private_path(Role::Device)).unwrap();
    assert_eq!(keys(&["init"]).0, 0);
    let trust = store.trust().unwrap();
    assert_eq!((trust.revoked, trust.devices.len()), (vec![public], 1));

    assert_eq!(keys(&["trust", "--package", "regress", "--from", "3"]).0, 0);
    assert_eq!(keys(&["trust", "--package", "regress", "--from", "2"]).0, 2);
    assert_eq!(store.trust().unwrap().minimum_version("regress"), 3);
    drop(place);
}

#[test]
fn a_store_for_production_is_encrypted_and_says_nothing_of_development() {
    let place = tempfile::tempdir().unwrap();
    let dir = text(&place.path().join("keys"));
    let secret = text(&put(place.path(), "secret", b"correct horse"));
    let init = ["keys", "init", "--dir", &dir, "--production", "--passphrase-file", &secret];
    assert_eq!(helio_text(&init).0, 0);
    let store = Store::at(dir.as_ref());
    assert!(!store.trust().unwrap().development);
    for role in Role::ALL {
        let locked = helio::keys::is_locked(&store.private_path(role)).unwrap();
        assert_eq!(locked, role != Role::Device);
    }
    // What is there needs no passphrase to stay there.
    let (code, out, _) = helio_text(&["keys", "init", "--dir", &dir]);
    assert_eq!((code, out.trim()), (0, "keys and trust file are there"));
    let (_place, development) = self::store();
    let init = ["keys", "init", "--dir", &folder(&development), "--production"];
    let (code, _, error) = helio_text(&init);
    assert_eq!((code, error.contains("for development")), (2, true), "{error}");
}
