//! Stores written by RVF's own runtime, signed by an operator: they mount as
//! far as they carry what we understand.

use std::path::Path;

use crate::common::*;
use package::Skipped;
use package::error::Reason;
use rvf_runtime::{RvfOptions, RvfStore};
use rvf_wire::reader::read_segment_header;
use rvf_wire::tail_scan::split_root_page;
use rvf_wire::writer::calculate_padded_size;

/// A store with vectors and two modules, as the runtime leaves it on disk.
fn store(create: impl FnOnce(&Path) -> RvfStore) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.rvf");
    let mut store = create(&path);
    store.ingest_batch(&[&[1.0, 0.0, 0.0, 0.5], &[0.0; 4]], &[1, 2], None).unwrap();
    store.embed_wasm(3, 0, 0, MODULE, 1, 0, 0).unwrap();
    store.embed_wasm(3, 1, 0, &[MODULE, b"\0\x02\x01x"].concat(), 1, 1, 0).unwrap();
    store.close().unwrap();
    std::fs::read(path).unwrap()
}

fn options() -> RvfOptions {
    RvfOptions { dimension: 4, ..Default::default() }
}

/// Type and id of every segment, as `rvf-wire` reads them.
fn segments_of(file: &[u8]) -> Vec<(u8, u64)> {
    let (mut rest, _) = split_root_page(file);
    let mut segments = Vec::new();
    while !rest.is_empty() {
        let header = read_segment_header(rest).unwrap();
        segments.push((header.seg_type, header.segment_id));
        rest = &rest[calculate_padded_size(64, header.payload_length as usize)..];
    }
    segments
}

fn check(body: Vec<u8>, has_root_page: bool) {
    let segments = segments_of(&body);
    let last = segments.last().unwrap().1;
    assert_eq!(open(&body).unwrap_err().reason, Reason::Unsigned);

    let file = sealed(body, &operator(), last + 1);
    let package = open(&file).unwrap();
    assert!(package.manifest().is_none() && package.regions().is_empty());
    let modules: Vec<_> = segments.iter().filter(|(kind, _)| *kind == WASM).collect();
    assert_eq!(modules.len(), 2);
    for ((_, id), component) in modules.iter().zip(package.components()) {
        assert_eq!(component.name, format!("segment-{id}"));
        assert!(component.bytes.starts_with(MODULE));
    }
    assert_eq!(package.components().len(), 2);
    assert_eq!(package.components()[0].bytes, MODULE);
    assert_eq!(package.skipped().len(), segments.len() - 2 + usize::from(has_root_page));
    let ends_in_page = matches!(package.skipped().last(), Some(Skipped::RootPage { .. }));
    assert_eq!(ends_in_page, has_root_page);
}

#[test]
fn a_store_of_the_runtime_mounts_with_its_modules() {
    check(store(|path| RvfStore::create(path, options()).unwrap()), false);
}

#[test]
fn a_store_that_the_runtime_signed_itself_mounts_too() {
    check(store(|path| RvfStore::create_signed(path, options(), &[3; 32]).unwrap()), true);
}
