//! Packages: segments of a stranger that an operator signed, with the digests
//! that they have.

use crate::world::{self, HASHER};
use package::{Package, Seal};

const HEADER: usize = 64;

pub(crate) fn fuzz(input: &[u8]) {
    let _ = Seal::read(input);
    open(input);
    let mut body = input.to_vec();
    open(&signed(body.clone()));
    digests(&mut body);
    open(&signed(body));
}

fn open(file: &[u8]) {
    let package = match Package::open(file, &world::trust(), HASHER) {
        Ok(package) => package,
        Err(refusal) => {
            let text = refusal.to_string();
            assert!(!text.contains(char::is_control), "{text:?}");
            assert!(!text.is_empty());
            return;
        }
    };
    assert_eq!(*package.digest(), HASHER.hash(file));
    for part in package.components().iter().chain(package.regions()) {
        assert_eq!(HASHER.hash(part.bytes), part.sha256);
        assert!(file.as_ptr_range().contains(&part.bytes.as_ptr()) || part.bytes.is_empty());
    }
    match package.manifest() {
        Some(manifest) => {
            assert_eq!(manifest.check(), Ok(()));
            assert_eq!(manifest.components.len(), package.components().len());
            assert_eq!(manifest.regions.len(), package.regions().len());
        }
        None => assert!(package.regions().is_empty()),
    }
    // No byte of it is free, wherever it is.
    let mut other = file.to_vec();
    let at = usize::from(u16::from_le_bytes([package.digest()[0], package.digest()[1]]));
    let at = at % other.len();
    other[at] ^= 1 << (package.digest()[2] & 7);
    assert!(Package::open(&other, &world::trust(), HASHER).is_err());
}

/// Fills up to a header's boundary, and signs with the id that is due.
fn signed(mut body: Vec<u8>) -> Vec<u8> {
    body.resize(body.len().next_multiple_of(HEADER), 0);
    let last = headers(&body).last().map_or(0, |(_, id, _)| *id);
    world::sealed(body, last.wrapping_add(1))
}

/// Where each segment begins, its id and where its payload is.
fn headers(body: &[u8]) -> Vec<(usize, u64, std::ops::Range<usize>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(header) = body.get(at..).and_then(<[u8]>::first_chunk::<HEADER>) {
        let word = |at: usize| u64::from_le_bytes(*header[at..].first_chunk().unwrap());
        let length = usize::try_from(word(16)).unwrap_or(usize::MAX);
        let start = at + HEADER;
        let end = start.checked_add(length).filter(|end| *end <= body.len());
        let Some(end) = end.filter(|_| header.starts_with(b"SFVR")) else { break };
        found.push((at, word(8), start..end));
        at = end.next_multiple_of(HEADER);
    }
    found
}

/// Writes the digests of parts into the manifest, which has room for them:
/// the text of a digest has one length.
fn digests(body: &mut [u8]) {
    let segments = headers(body);
    let Some((_, _, manifest)) = segments.first().cloned() else { return };
    let Ok(text) = str::from_utf8(&body[manifest.clone()]) else { return };
    let Ok(mut json) = serde_json::from_str::<serde_json::Value>(text) else { return };
    for list in ["components", "regions"] {
        let parts = json.get_mut(list).and_then(|list| list.as_array_mut());
        for part in parts.into_iter().flatten() {
            let wanted = part.get("segment").and_then(serde_json::Value::as_u64);
            let found = segments.iter().find(|(_, id, _)| Some(*id) == wanted);
            let Some((_, _, payload)) = found else { continue };
            let bytes = &body[payload.clone()];
            // A component's payload begins with a header of RVF's own.
            let module = bytes.windows(4).position(|four| four == b"\0asm");
            let bytes = match module {
                Some(at) if list == "components" => &bytes[at..],
                _ => bytes,
            };
            part["sha256"] = witness::hex::encode(&HASHER.hash(bytes)).into();
        }
    }
    let Ok(text) = serde_json_canonicalizer::to_string(&json) else { return };
    if text.len() == manifest.len() {
        body[manifest].copy_from_slice(text.as_bytes());
    }
}
