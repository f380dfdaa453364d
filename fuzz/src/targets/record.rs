//! Records: what decodes has one encoding, and can be shown in one line.

use witness::Record;

pub(crate) fn fuzz(input: &[u8]) {
    let Ok(record) = Record::decode(input) else { return };
    assert_eq!(record.encode().as_bytes(), input);
    let line = record.to_string();
    assert!(line.contains(record.kind().name()));
    assert!(!line.contains(char::is_control), "{line:?}");
}
