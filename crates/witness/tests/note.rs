//! Notes, checkpoints and proofs against each other and foreign readers.

use crate::common::{HASHER, device, operator, sample};
use ed25519_dalek::Signer;
use proptest::prelude::*;
use serde_json::Value;
use signed_note::{Note, StandardVerifier, VerifierList};
use witness::{
    base64,
    checkpoint::{Checkpoint, default_device_name, is_device_name, origin, split_origin},
    hex, key, note,
    note::{NoteError, VerifierKey},
    proof::{InclusionProof, ProofError},
};

fn foreign(key: &VerifierKey) -> VerifierList {
    VerifierList::new(vec![Box::new(StandardVerifier::new(&key.to_string()).unwrap())])
}

#[test]
fn signed_note_accepts_our_notes_and_keys() {
    let sample = sample();
    let key = VerifierKey::new(&sample.origin, &sample.key()).unwrap();
    for note in [&sample.checkpoint, &sample.manifest] {
        let foreign_note = Note::from_bytes(note.as_bytes()).unwrap();
        let (verified, unverified) = foreign_note.verify(&foreign(&key)).unwrap();
        assert_eq!((verified.len(), unverified.len()), (1, 0));
        let (text, _) = note::open_only(note, std::slice::from_ref(&key)).unwrap();
        assert_eq!(foreign_note.text(), text.as_bytes());
    }
    assert_eq!(VerifierKey::parse(&key.to_string()), Some(key));
}

#[test]
fn tlog_tiles_accepts_our_checkpoints_and_proofs() {
    let sample = sample();
    let parsed = note::parse(&sample.checkpoint).unwrap();
    let theirs = tlog_tiles::Checkpoint::from_bytes(parsed.text.as_bytes()).unwrap();
    let ours = Checkpoint::parse(parsed.text).unwrap();
    assert_eq!((theirs.origin(), theirs.size()), (ours.origin, ours.size));
    assert_eq!((theirs.hash().0, theirs.extension()), (ours.root, ""));
    for (index, entry) in (0..).zip(&sample.entries) {
        let proof = InclusionProof::new(HASHER, &sample.ids, index, &sample.checkpoint).unwrap();
        let hashes = proof.hashes.iter().map(|hash| tlog_tiles::Hash(*hash)).collect();
        let leaf = tlog_tiles::record_hash(entry);
        assert_eq!(leaf.0, sample.ids[index as usize]);
        tlog_tiles::check_record(&hashes, ours.size, *theirs.hash(), index, leaf).unwrap();
        let old = index + 1;
        if old < ours.size {
            let old_ids = &sample.ids[..old as usize];
            let old_root = tlog_tiles::Hash(witness::tree::root(HASHER, old_ids));
            let proof = witness::tree::consistency_proof(HASHER, &sample.ids, old).unwrap();
            let proof = proof.into_iter().map(tlog_tiles::Hash).collect();
            tlog_tiles::check_tree(&proof, ours.size, *theirs.hash(), old, old_root).unwrap();
        }
    }
}

#[test]
fn proofs_survive_the_round_trip_and_hold_for_one_record() {
    let sample = sample();
    let key = VerifierKey::new(&sample.origin, &sample.key()).unwrap();
    let stranger = VerifierKey::new(&sample.origin, &key::public(&operator())).unwrap();
    for (index, entry) in (0..).zip(&sample.entries) {
        let proof = InclusionProof::new(HASHER, &sample.ids, index, &sample.checkpoint).unwrap();
        let text = proof.text();
        let read = InclusionProof::parse(&text).unwrap();
        assert_eq!(read, proof);
        assert!(read.check(HASHER, entry, &key).is_ok());
        let other = &sample.entries[(index as usize + 1) % sample.entries.len()];
        assert_eq!(read.check(HASHER, other, &key), Err(ProofError::NotIncluded));
        let unknown = ProofError::Note(NoteError::UnknownKey);
        assert_eq!(read.check(HASHER, entry, &stranger), Err(unknown));
    }
}

#[test]
fn no_byte_of_a_proof_can_change() {
    let sample = sample();
    let key = VerifierKey::new(&sample.origin, &sample.key()).unwrap();
    let proof = InclusionProof::new(HASHER, &sample.ids, 5, &sample.checkpoint).unwrap();
    let text = proof.text();
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else { continue };
        let holds = InclusionProof::parse(&changed)
            .and_then(|proof| proof.check(HASHER, &sample.entries[5], &key).map(|_| ()));
        assert!(holds.is_err(), "byte {at}: {changed}");
    }
}

#[test]
fn wycheproof_signatures_are_judged_as_wanted() {
    let file: Value = serde_json::from_str(include_str!("vectors/wycheproof.json")).unwrap();
    let bytes = |value: &Value| -> Vec<u8> {
        let text = value.as_str().unwrap();
        text.as_bytes()
            .chunks(2)
            .map(|pair| hex::decode::<1>(str::from_utf8(pair).unwrap()).unwrap()[0])
            .collect()
    };
    let mut tried = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let public: [u8; 32] = bytes(&group["publicKey"]["pk"]).try_into().unwrap();
        let pem = group["publicKeyPem"].as_str().unwrap();
        assert_eq!(key::public_from_pem(pem), Ok(public));
        for test in group["tests"].as_array().unwrap() {
            let signature = <[u8; 64]>::try_from(bytes(&test["sig"]));
            let holds = signature
                .is_ok_and(|signature| key::holds(&public, &bytes(&test["msg"]), &signature));
            assert_eq!(holds, test["result"] == "valid", "{}", test["tcId"]);
            tried += 1;
        }
    }
    assert_eq!(tried, 151);
}

#[test]
fn lines_of_others_are_passed_over_unless_only_one_is_wanted() {
    let keys = [VerifierKey::new("device", &key::public(&device())).unwrap()];
    let text = "one\n\ntwo\n";
    let ours = note::sign(text, "device", &device());
    let theirs = note::sign(text, "witness", &operator());
    let line = theirs.rsplit("\n\n").next().unwrap();
    let both = format!("{ours}{line}");
    assert_eq!(note::open(&both, &keys), Ok(text));
    assert_eq!(note::open_only(&both, &keys), Err(NoteError::Malformed));
    assert_eq!(note::open(&theirs, &keys), Err(NoteError::UnknownKey));
    let twice = format!("{ours}{}", line.repeat(note::SIGNATURES_MAX));
    assert_eq!(note::open(&twice, &keys), Err(NoteError::TooLarge));
}

#[test]
fn a_known_key_with_a_bad_signature_spoils_the_note() {
    let key = VerifierKey::new("device", &key::public(&device())).unwrap();
    let good = note::sign("text\n", "device", &device());
    let mut forged = Vec::from(note::key_id("device", &key.public_key()));
    forged.extend(device().sign(b"another text\n").to_bytes());
    let line = format!("\u{2014} device {}\n", base64::encode(&forged));
    let note = format!("{good}{line}");
    assert_eq!(note::open(&note, &[key]), Err(NoteError::BadSignature));
}

#[test]
fn malformed_notes_are_refused() {
    let good = note::sign("text\n", "device", &device());
    for bad in [
        "",
        "\n\n",
        "text\n",
        "text\n\n",
        "text\n\n\u{2014} device\n",
        "text\n\n\u{2014} device AAAA\n",
        "text\n\n\u{2014}  AAAAAAAA\n",
        "text\n\n- device AAAAAAAA\n",
        good.trim_end(),
        &good.replace('\n', "\r\n"),
        &good.replace("text", "te\txt"),
        &good.replace(" device", " de vice"),
        &good.replace(" device", " dev+ice"),
    ] {
        assert_eq!(note::parse(bad), Err(NoteError::Malformed), "{bad:?}");
    }
}

#[test]
fn checkpoints_have_one_spelling() {
    let root = base64::encode(&[7; 32]);
    let good = format!("a/b\n10\n{root}\n");
    assert_eq!(Checkpoint::parse(&good).unwrap().text(), good);
    for bad in [
        format!("a/b\n10\n{root}"),
        format!("a/b\n010\n{root}\n"),
        format!("a/b\n+10\n{root}\n"),
        format!("a b\n10\n{root}\n"),
        format!("\n10\n{root}\n"),
        format!("a/b\n10\n{root}\nextension\n"),
        format!("a/b\n10\n{}\n", &root[..40]),
        format!("a/b\n99999999999999999999\n{root}\n"),
    ] {
        assert_eq!(Checkpoint::parse(&bad), None, "{bad:?}");
    }
}

#[test]
fn origins_name_a_device_and_a_boot() {
    let name = default_device_name(&key::public(&device()));
    assert!(is_device_name(&name) && name.len() == 14, "{name}");
    let text = origin(&name, &[0xab; 16]);
    assert_eq!(split_origin(&text), Some((name.as_str(), [0xab; 16])));
    for bad in ["", "a", "a/", "a/00", "/00000000000000000000000000000000", &text.to_uppercase()] {
        assert_eq!(split_origin(bad), None, "{bad:?}");
    }
    assert!(!is_device_name("") && !is_device_name("a/b") && !is_device_name(&"x".repeat(65)));
}

#[test]
fn keys_survive_pem_and_only_theirs() {
    let private = key::private_to_pem(&device());
    assert_eq!(key::private_from_pem(&private).unwrap().as_bytes(), device().as_bytes());
    let public = key::public_to_pem(&key::public(&device()));
    assert_eq!(key::public_from_pem(&public), Ok(key::public(&device())));
    assert!(key::private_from_pem(&private.replace('\n', "\r\n")).is_ok());
    assert!(matches!(key::private_from_pem(&public), Err(key::KeyError::NotPem)));
    assert!(matches!(key::public_from_pem(&private), Err(key::KeyError::NotPem)));
    let weak = key::public_to_pem(&{
        let mut identity = [0; 32];
        identity[0] = 1;
        identity
    });
    assert_eq!(key::public_from_pem(&weak), Err(key::KeyError::WeakKey));
    let twice = format!("{public}{public}");
    assert_eq!(key::public_from_pem(&twice), Err(key::KeyError::NotPem));
    for at in 0..private.len() {
        assert!(key::private_from_pem(&private[..at]).is_err() || private[at..].trim().is_empty());
    }
}

proptest! {
    #[test]
    fn any_text_can_be_signed_and_opened(text in "[^\\p{Cc}]{0,40}(\n[^\\p{Cc}]{0,40}){0,5}") {
        let text = text + "\n";
        let key = VerifierKey::new("device", &key::public(&device())).unwrap();
        let note = note::sign(&text, "device", &device());
        prop_assert_eq!(note::open(&note, std::slice::from_ref(&key)), Ok(text.as_str()));
        let foreign_note = Note::from_bytes(note.as_bytes()).unwrap();
        prop_assert_eq!(foreign_note.text(), text.as_bytes());
        prop_assert!(foreign_note.verify(&foreign(&key)).is_ok());
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,30}(\n{0,2}(\u{2014} )?\\PC{0,30}){0,4}") {
        let _ = note::parse(&text);
        let _ = InclusionProof::parse(&text);
        let _ = Checkpoint::parse(&text);
    }
}
