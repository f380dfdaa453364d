//! JSON: what we read others read alike, and write alike; manifests of
//! packages that are taken are the bytes that they would be written as.

use package::Manifest;
use witness::json;

pub(crate) fn fuzz(input: &[u8]) {
    if let Ok(manifest) = Manifest::parse(input) {
        assert_eq!(manifest.to_json().as_bytes(), input);
        assert_eq!(manifest.check(), Ok(()));
    }
    let Ok(text) = str::from_utf8(input) else { return };
    let Ok(value) = json::parse(text) else { return };
    let ours = value.to_string();
    assert_eq!(json::parse_canonical(&ours), Ok(value));
    assert_eq!(json::parse_canonical(text).is_ok(), text == ours);

    let theirs: serde_json::Value = serde_json::from_str(text).expect("what we read is JSON");
    assert_eq!(serde_json_canonicalizer::to_string(&theirs).unwrap(), ours);
}
