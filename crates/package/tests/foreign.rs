//! Files made by other RVF tools, signed by an operator.

use crate::common::*;
use package::Skipped;
use package::error::Reason;
use rvf_types::{WASM_MAGIC, WasmHeader};
use rvf_wire::writer::write_segment_with_algo;

const VEC: u8 = 0x01;
const MANIFEST: u8 = 0x05;
const SHAKE256: u8 = 2;

/// A module behind the header that RVF's runtime puts before it.
fn with_wasm_header(module: &[u8]) -> Vec<u8> {
    let header = WasmHeader {
        wasm_magic: WASM_MAGIC,
        header_version: 1,
        role: 3,
        target: 0,
        required_features: 0,
        export_count: 1,
        bytecode_size: module.len() as u32,
        compressed_size: 0,
        compression: 0,
        min_memory_pages: 2,
        max_memory_pages: 0,
        table_count: 0,
        bytecode_hash: [0x5a; 32],
        bootstrap_priority: 1,
        interpreter_type: 0,
        reserved: [0; 6],
    };
    [&header.to_bytes()[..], module].concat()
}

fn ids(skipped: &[Skipped]) -> Vec<u64> {
    skipped
        .iter()
        .filter_map(|skipped| match skipped {
            Skipped::Segment { id, .. } => Some(*id),
            Skipped::RootPage { .. } => None,
        })
        .collect()
}

#[test]
fn modules_become_components_and_the_rest_is_named() {
    let mut stamped = write_segment_with_algo(
        WASM,
        &with_wasm_header(MODULE),
        rvf_types::SegmentFlags::from_raw(rvf_types::SegmentFlags::SEALED),
        20,
        SHAKE256,
    );
    stamped[0x18] = 9;
    let body = [
        segment(VEC, 30, &[1; 100]),
        stamped,
        segment(META, 21, b"RVFMETA\0"),
        segment(WASM, 5, MODULE),
        segment(WASM, 22, b"not a module"),
        segment(WASM, 23, &with_wasm_header(b"not a module")),
        segment(MANIFEST, 40, b""),
    ]
    .concat();
    let file = sealed(body, &operator(), 41);
    let package = open(&file).unwrap();
    assert!(package.manifest().is_none());
    let components: Vec<_> =
        package.components().iter().map(|part| (part.name.as_str(), part.bytes)).collect();
    assert_eq!(components, [("segment-20", MODULE), ("segment-5", MODULE)]);
    assert_eq!(package.components()[0].sha256, HASHER.hash(MODULE));
    assert_eq!(ids(package.skipped()), [30, 21, 22, 23, 40]);
    assert!(package.regions().is_empty());
}

#[test]
fn modules_that_cannot_be_read_as_they_lie_are_skipped() {
    for (at, value) in [(6, 0x01), (6, 0x02), (6, 0x10), (6, 0x20), (0x20, 3), (0x20, 9), (0x21, 1)]
    {
        let mut wasm = segment(WASM, 1, MODULE);
        wasm[at] = value;
        let file = sealed(wasm, &operator(), 2);
        let package = open(&file).unwrap();
        assert!(package.components().is_empty(), "{value} at {at}");
        assert_eq!(ids(package.skipped()), [1]);
    }
}

#[test]
fn two_modules_with_one_id_are_refused() {
    let body = [segment(WASM, 1, MODULE), segment(WASM, 1, MODULE)].concat();
    let refusal = open(&sealed(body, &operator(), 2)).unwrap_err();
    assert_eq!(refusal.reason, Reason::DuplicateName);
}

#[test]
fn a_root_page_is_stepped_over() {
    let mut page = vec![0xee; 4096];
    page[..4].copy_from_slice(&rvf_types::ROOT_MANIFEST_MAGIC_BYTES);
    let wasm = segment(WASM, 1, MODULE);
    let offset = wasm.len();
    let file = sealed([wasm.clone(), page.clone()].concat(), &operator(), 2);
    let package = open(&file).unwrap();
    assert_eq!(package.components().len(), 1);
    assert_eq!(package.skipped(), [Skipped::RootPage { offset }]);

    let cut = sealed([wasm, page[..4032].to_vec()].concat(), &operator(), 2);
    assert_eq!(open(&cut).unwrap_err().reason, Reason::Truncated);
    // It is no way for a file to begin.
    let first = sealed([page, segment(WASM, 1, MODULE)].concat(), &operator(), 2);
    assert_eq!(open(&first).unwrap_err().reason, Reason::NotRvf);
}

/// A segment with the SIGNED flag and RVF's signature footer.
fn with_footer(stated: u16, actual: usize, total: u32) -> Vec<u8> {
    let mut signed = segment(VEC, 1, &[3; 70]);
    signed[6] = 0x04;
    signed.truncate(64 + 70);
    signed.extend(0u16.to_le_bytes());
    signed.extend(stated.to_le_bytes());
    signed.extend(vec![0xaa; actual]);
    signed.extend(total.to_le_bytes());
    signed.resize(signed.len().next_multiple_of(64), 0);
    signed
}

#[test]
fn signature_footers_are_stepped_over() {
    let open_with = |signed: Vec<u8>| {
        let file = sealed([signed, segment(WASM, 2, MODULE)].concat(), &operator(), 3);
        open(&file).map(|package| package.components().len())
    };
    assert_eq!(open_with(with_footer(64, 64, 72)), Ok(1));
    assert_eq!(open_with(with_footer(7856, 7856, 7864)), Ok(1));
    assert_eq!(open_with(with_footer(64, 64, 71)).unwrap_err().reason, Reason::BadFooter);
    assert_eq!(open_with(with_footer(7857, 7857, 7865)).unwrap_err().reason, Reason::BadFooter);
    assert!(open_with(with_footer(7000, 64, 7008)).is_err());
}

#[test]
fn a_named_component_may_have_a_wasm_header() {
    let payload = with_wasm_header(MODULE);
    let with = |payload: &[u8]| {
        let body = [
            segment(META, 1, manifest().to_json().as_bytes()),
            segment(WASM, 2, payload),
            segment(package::DATA_SEGMENT, 3, CSV),
        ];
        let file = sealed(body.concat(), &operator(), 4);
        open(&file).map(|package| package.components()[0].bytes.to_vec())
    };
    assert_eq!(with(&payload).as_deref(), Ok(MODULE));
    // Version, compressed size, compression, reserved, size.
    for at in [0x04, 0x10, 0x14, 0x3a, 0x3f, 0x0c] {
        let mut bad = payload.clone();
        bad[at] ^= 2;
        assert_eq!(with(&bad).unwrap_err().reason, Reason::BadWasmHeader, "byte {at}");
    }
    assert_eq!(with(&payload[..63]).unwrap_err().reason, Reason::BadWasmHeader);
}

#[test]
fn compressed_and_strangely_hashed_segments_are_skipped_beside_a_manifest() {
    let mut odd = segment(VEC, 4, &[9; 10]);
    (odd[6], odd[0x20], odd[0x21], odd[0x38]) = (1, 77, 2, 200);
    let body = [body_with(manifest().to_json().as_bytes()), odd].concat();
    let file = sealed(body, &operator(), 5);
    assert_eq!(ids(open(&file).unwrap().skipped()), [4]);
}
