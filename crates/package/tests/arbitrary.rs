//! Arbitrary bytes: an answer for everything, a panic for nothing.

use crate::common::*;
use package::{Package, Seal};
use proptest::prelude::*;

/// Headers with the magic in place, so that more than the first check runs.
fn headers() -> impl Strategy<Value = Vec<u8>> {
    let fields = (any::<u8>(), any::<u16>(), 0..9u64, prop_oneof![0..300u64, any::<u64>()]);
    prop::collection::vec((fields, prop::collection::vec(any::<u8>(), 0..200)), 0..6).prop_map(
        |segments| {
            let mut file = Vec::new();
            for ((segment_type, flags, id, length), payload) in segments {
                let mut bytes = segment(segment_type, id, &payload);
                bytes[6..8].copy_from_slice(&(flags & flags >> 3).to_le_bytes());
                if length > 300 || id == 0 {
                    bytes[0x10..0x18].copy_from_slice(&length.to_le_bytes());
                }
                file.extend(bytes);
            }
            file
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn bytes_never_panic(file in prop::collection::vec(any::<u8>(), 0..1000)) {
        let _ = Seal::read(&file);
        prop_assert!(open(&file).is_err());
    }

    #[test]
    fn headers_never_panic(file in headers()) {
        prop_assert!(open(&file).is_err());
    }

    #[test]
    fn signed_headers_never_panic(body in headers(), id in 0..9u64) {
        let file = sealed(body, &operator(), id);
        if let Ok(package) = Package::open(&file, &trust(&[], &[]), HASHER) {
            prop_assert!(package.manifest().is_none());
        }
    }

    #[test]
    fn signed_manifests_of_any_bytes_never_panic(
        manifest in prop::collection::vec(any::<u8>(), 0..300),
        brace: bool,
    ) {
        let bytes = if brace { [b"{", &manifest[..]].concat() } else { manifest };
        let _ = open(&package_with(&bytes));
    }

    #[test]
    fn a_changed_body_that_is_signed_again_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut body = body_with(manifest().to_json().as_bytes());
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        let file = sealed(body, &operator(), 4);
        if let Ok(package) = open(&file) {
            for part in package.components().iter().chain(package.regions()) {
                prop_assert_eq!(HASHER.hash(part.bytes), part.sha256);
            }
        }
    }

    #[test]
    fn a_change_of_several_bytes_is_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 1..=255u8), 1..4),
    ) {
        let good = good();
        let mut bad = good.clone();
        for (at, change) in changes {
            let at = at.index(bad.len());
            bad[at] ^= change;
        }
        prop_assert!(bad == good || open(&bad).is_err());
    }
}
