//! Records have one encoding, and nothing else decodes.

use crate::common;
use crate::common::strategies::records;
use proptest::prelude::*;
use witness::record::{RECORD_MAX, Record, RecordError};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn records_survive_the_round_trip(record in records()) {
        let encoded = record.encode();
        prop_assert!(encoded.as_bytes().len() <= RECORD_MAX);
        prop_assert_eq!(Record::decode(encoded.as_bytes()), Ok(record));
    }

    #[test]
    fn what_decodes_encodes_to_the_same_bytes(
        record in records(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in proptest::option::weighted(0.2, any::<prop::sample::Index>()),
        more in proptest::collection::vec(any::<u8>(), 0..3),
    ) {
        let mut bytes = record.encode().as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes.extend(more);
        if let Ok(decoded) = Record::decode(&bytes) {
            prop_assert!(decoded.encode().as_bytes() == bytes);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_have_one_encoding(
        bytes in proptest::collection::vec(any::<u8>(), 0..450),
    ) {
        if let Ok(decoded) = Record::decode(&bytes) {
            prop_assert!(decoded.encode().as_bytes() == bytes);
        }
    }

    #[test]
    fn every_record_can_be_shown_in_one_line(record in records()) {
        let line = record.to_string();
        prop_assert!(line.contains(record.kind().name()));
        prop_assert!(!line.contains(char::is_control), "{:?}", line);
    }
}

/// What was cut short has an outcome of its own, and was not denied.
#[test]
fn cut_short_is_not_a_reason_to_deny() {
    for record in common::sample().entries {
        let mut bytes = record.clone();
        if bytes[2] == 2 {
            bytes[2] = 1;
            assert_eq!(Record::decode(&bytes), Err(RecordError::Verdict));
            return;
        }
    }
    panic!("the sample has a call that was cut short");
}

/// Every single-byte change of every kind of record either does not decode or
/// is another record: never the same one.
#[test]
fn no_two_encodings_differ_in_one_byte() {
    for entry in common::sample().entries {
        let record = Record::decode(&entry).unwrap();
        for at in 0..entry.len() {
            for flip in 1..=255 {
                let mut bytes = entry.clone();
                bytes[at] ^= flip;
                if let Ok(other) = Record::decode(&bytes) {
                    assert_ne!(other, record, "byte {at} of a {}", record.kind().name());
                }
            }
        }
    }
}
