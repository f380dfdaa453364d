//! The worked example in docs/PACKAGE.md is the package of these tests.

use crate::common::*;
use package::{SEAL_SIZE, Seal, signing_message};
use witness::hex;

const PAGE: &str = include_str!("../../../docs/PACKAGE.md");

#[test]
fn the_document_shows_what_the_code_does() {
    let file = good();
    let body = &file[..file.len() - SEAL_SIZE];
    let seal = Seal::read(&file).unwrap();
    let shown = [
        manifest().to_json(),
        hex::encode(&body[..64]),
        hex::encode(&signing_message(&HASHER.hash(body))),
        hex::encode(&seal.key),
        hex::encode(&seal.signature),
        hex::encode(&file[body.len()..][..64]),
        hex::encode(&HASHER.hash(&file)),
        format!("{} bytes", file.len()),
    ];
    for text in shown {
        assert!(PAGE.contains(&text), "docs/PACKAGE.md lacks {text}");
    }
}
