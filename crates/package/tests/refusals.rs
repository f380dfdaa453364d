//! Bad packages: each is refused with its own reason, none panics.

use crate::common::*;
use abi::Error;
use package::error::{Object, Reason, Stage};
use package::{DATA_SEGMENT, Package, SEAL_SIZE, SEGMENTS_MAX, Seal, Skipped};

fn reason(file: &[u8]) -> Reason {
    open(file).unwrap_err().reason
}

#[test]
fn a_good_package_opens_with_all_it_says() {
    let file = good();
    let package = open(&file).unwrap();
    assert_eq!(package.manifest(), Some(&manifest()));
    assert_eq!(*package.digest(), HASHER.hash(&file));
    assert_eq!(package.signer().key, operator().verifying_key().to_bytes());
    assert_eq!(package.signer().name, "operator");
    assert_eq!(package.components()[0].bytes, MODULE);
    assert_eq!(package.components()[0].name, "program");
    assert_eq!(package.regions()[0].bytes, CSV);
    assert_eq!(package.regions()[0].sha256, HASHER.hash(CSV));
    assert_eq!(package.skipped(), []);
}

#[test]
fn truncated_at_any_length_is_refused_as_what_it_is() {
    let file = good();
    let regions = file.len() - SEAL_SIZE;
    // Cut between segments, a file looks like one that was never signed.
    let between = [regions - 256, regions - 128, regions];
    for length in 0..file.len() {
        let expected = match length {
            0 => Reason::NotRvf,
            _ if between.contains(&length) => Reason::Unsigned,
            _ => Reason::Truncated,
        };
        assert_eq!(reason(&file[..length]), expected, "{length} bytes");
    }
}

#[test]
fn flipping_any_bit_of_any_byte_is_refused() {
    let file = good();
    for at in 0..file.len() {
        for bit in 0..8 {
            let mut bad = file.clone();
            bad[at] ^= 1 << bit;
            assert!(open(&bad).is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn bytes_after_the_signature_are_refused() {
    for extra in [vec![0], vec![0; 64], vec![0; 192], segment(META, 5, b"{}"), good()] {
        assert!(open(&[good(), extra].concat()).is_err());
    }
    // A second signature over the first does not help an outsider, but an
    // operator may well sign a signed file: the inner signature is foreign.
    let twice = sealed(good(), &operator(), 5);
    let skipped = open(&twice).unwrap().skipped().to_vec();
    assert!(matches!(skipped[..], [Skipped::Segment { id: 4, segment_type: CRYPTO, .. }]));
}

#[test]
fn unsigned_files_are_refused() {
    let unsigned = body_with(manifest().to_json().as_bytes());
    let refusal = open(&unsigned).unwrap_err();
    assert_eq!((refusal.stage, refusal.reason), (Stage::Signature, Reason::Unsigned));
    assert_eq!(refusal.to_string(), "package refused (signature): the file carries no signature");
}

#[test]
fn what_is_not_rvf_is_called_that() {
    let text = [b'#'; 1000];
    for file in [&b""[..], b"\0", b"\x7fELF", &text] {
        assert_eq!(open(file).unwrap_err().error(), Error::NotRvf);
    }
}

#[test]
fn a_strangers_signature_is_refused() {
    let body = body_with(manifest().to_json().as_bytes());
    let refusal = open(&sealed(body, &stranger(), 4)).unwrap_err();
    assert_eq!(refusal.stage, Stage::Trust);
    assert_eq!(refusal.reason, Reason::UntrustedKey);
    assert_eq!(refusal.object, Object::Key(stranger().verifying_key().to_bytes()));
}

#[test]
fn an_operators_key_over_a_strangers_signature_is_refused() {
    let body = body_with(manifest().to_json().as_bytes());
    let signature = Seal::read(&sealed(body.clone(), &stranger(), 4)).unwrap().signature;
    let key = operator().verifying_key().to_bytes();
    let payload = package::signature_payload(&key, &signature);
    let forged = [body, segment(CRYPTO, 4, &payload)].concat();
    assert_eq!(reason(&forged), Reason::BadSignature);
}

#[test]
fn a_signature_for_another_package_is_refused() {
    let mut other = manifest();
    other.version += 1;
    let seal = seal(&body_with(other.to_json().as_bytes()), &operator(), 4);
    let forged = [body_with(manifest().to_json().as_bytes()), seal].concat();
    assert_eq!(reason(&forged), Reason::BadSignature);
}

#[test]
fn a_revoked_operator_is_refused() {
    let refusal = Package::open(&good(), &trust(&[&operator()], &[]), HASHER).unwrap_err();
    assert_eq!((refusal.stage, refusal.error()), (Stage::Trust, Error::RevokedKey));
}

#[test]
fn a_version_below_the_minimum_is_refused() {
    let file = good();
    let open_with =
        |minimum| Package::open(&file, &trust(&[], minimum), HASHER).map_err(|e| e.error());
    let old = open_with(&[("sample", 4)]).unwrap_err();
    assert_eq!(old, Error::VersionTooOld);
    let refusal = Package::open(&file, &trust(&[], &[("sample", 4)]), HASHER).unwrap_err();
    let text =
        "the manifest's version 3 (least for \"sample\": 4) is below the least version trusted";
    assert!(refusal.to_string().ends_with(text), "{refusal}");
    assert!(open_with(&[("sample", 3)]).is_ok());
    assert!(open_with(&[("another", 9)]).is_ok());
}

#[test]
fn every_field_of_the_signature_segment_is_fixed() {
    let body = body_with(manifest().to_json().as_bytes());
    let seal = seal(&body, &operator(), 4);
    // Everything in the header but magic and type, where a change makes it
    // something other than a signature segment.
    for at in (4..64).filter(|&at| at != 5) {
        let mut changed = seal.clone();
        changed[at] ^= 1;
        let refusal = open(&[&body[..], &changed].concat()).unwrap_err();
        assert_eq!(refusal.error(), Error::BadSegment, "byte {at}: {refusal}");
    }
    for id in [0, 3, 5, u64::MAX] {
        assert_eq!(reason(&sealed(body.clone(), &operator(), id)), Reason::BadSegmentId);
    }
}

#[test]
fn segment_ids_must_grow() {
    let manifest = manifest().to_json();
    let (meta, data) = (segment(META, 1, manifest.as_bytes()), segment(DATA_SEGMENT, 3, CSV));
    for ids in [[1, 4], [2, 2], [9, 4]] {
        let [wasm, foreign] = ids.map(|id| segment(WASM, id, MODULE));
        let body = [&meta[..], &wasm, &foreign, &data].concat();
        let refusal = open(&sealed(body, &operator(), 4)).unwrap_err();
        assert_eq!((refusal.stage, refusal.reason), (Stage::Container, Reason::BadSegmentId));
    }
}

/// A good body in which one byte of the header of the segment at `offset` is
/// changed, signed all the same.
fn resigned(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut body = body_with(manifest().to_json().as_bytes());
    change(&mut body);
    sealed(body, &operator(), 4)
}

#[test]
fn parts_in_use_have_plain_headers() {
    let body = body_with(manifest().to_json().as_bytes());
    let starts = [0, body.len() - 256, body.len() - 128];
    for start in starts {
        // Flags, timestamp, checksum algorithm, compression, reserved,
        // uncompressed length, alignment pad.
        for at in [6, 0x18, 0x1f, 0x20, 0x21, 0x22, 0x24, 0x38, 0x3c] {
            let file = resigned(|body| body[start + at] ^= 1);
            assert_eq!(reason(&file), Reason::BadHeaderField, "field at {at} of {start}");
        }
        assert_eq!(reason(&resigned(|body| body[start + 4] = 2)), Reason::UnknownVersion);
    }
    // The content hash is not relied on: SHA-256 covers it and what it covers.
    assert!(open(&resigned(|body| body[0x28] ^= 1)).is_ok());
}

#[test]
fn padding_is_zero() {
    let file = resigned(|body| *body.last_mut().unwrap() = 1);
    assert_eq!(reason(&file), Reason::PaddingNotZero);
}

#[test]
fn lengths_that_wrap_are_refused() {
    for length in [u64::MAX, u64::MAX - 63, u64::MAX - 127, 1 << 63, 1 << 32] {
        let file = resigned(|body| body[0x10..0x18].copy_from_slice(&length.to_le_bytes()));
        let error = open(&file).unwrap_err().error();
        assert!(matches!(error, Error::Truncated | Error::BadSegment), "{length:x}");
    }
}

#[test]
fn a_segment_cannot_reach_into_the_signature() {
    let file = resigned(|body| {
        let at = body.len() - 128;
        body[at + 0x10..at + 0x18].copy_from_slice(&65u64.to_le_bytes());
        body[at + 0x3c] = 63;
    });
    assert_eq!(reason(&file), Reason::Truncated);
}

#[test]
fn too_many_segments_are_refused() {
    let manifest = manifest().to_json();
    let mut body = body_with(manifest.as_bytes());
    for id in 4..=SEGMENTS_MAX as u64 {
        body.extend(segment(0x01, id, b""));
    }
    let most = sealed(body.clone(), &operator(), SEGMENTS_MAX as u64 + 1);
    assert_eq!(open(&most).unwrap().skipped().len(), SEGMENTS_MAX - 3);
    body.extend(segment(0x01, SEGMENTS_MAX as u64 + 1, b""));
    let one_more = sealed(body, &operator(), SEGMENTS_MAX as u64 + 2);
    assert_eq!(reason(&one_more), Reason::TooManySegments);
}

#[test]
fn a_manifest_too_large_is_refused_before_it_is_read() {
    let mut bytes = manifest().to_json().into_bytes();
    bytes.resize(65_536, b' ');
    assert_eq!(reason(&package_with(&bytes)), Reason::NotCanonical);
    bytes.push(b' ');
    assert_eq!(reason(&package_with(&bytes)), Reason::ManifestTooLarge);
}

#[test]
fn missing_and_changed_parts_are_refused() {
    let with = |change: fn(&mut package::Manifest)| {
        let mut manifest = manifest();
        change(&mut manifest);
        open(&package_of(&manifest)).unwrap_err()
    };
    let missing = with(|m| m.components[0].segment = 9);
    assert_eq!((missing.stage, missing.error()), (Stage::Parts, Error::MissingPart));
    assert_eq!(missing.object, Object::Part("program".into()));
    assert_eq!(with(|m| m.regions[0].segment = 1).reason, Reason::WrongSegmentType);
    assert_eq!(with(|m| m.regions[0].segment = 4).reason, Reason::MissingPart);
    assert_eq!(with(|m| m.components[0].segment = 3).reason, Reason::SegmentTwice);
    let changed = with(|m| m.regions[0].sha256[31] ^= 1);
    assert_eq!((changed.stage, changed.error()), (Stage::Parts, Error::DigestMismatch));
    assert_eq!(changed.object, Object::Part("data.csv".into()));
}

#[test]
fn a_part_that_the_manifest_does_not_name_is_skipped() {
    let manifest = manifest().to_json();
    let body = [body_with(manifest.as_bytes()), segment(WASM, 4, MODULE)].concat();
    let offset = body.len() - 128;
    let file = sealed(body, &operator(), 5);
    let package = open(&file).unwrap();
    assert_eq!(package.components().len(), 1);
    let expected = Skipped::Segment { id: 4, segment_type: WASM, offset };
    assert_eq!(package.skipped(), [expected]);
}
