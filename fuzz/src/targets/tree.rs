//! A device tree: what the kernel, its direct loader and `helio dtb` read of
//! it. Arbitrary, once as it is and once with a header that states its length.

use helio::device_tree::Report;

pub(crate) fn fuzz(input: &[u8]) {
    read(input);
    let mut tree = input.to_vec();
    let length = u32::try_from(tree.len()).unwrap_or(0);
    if let Some(head) = tree.first_chunk_mut::<8>() {
        head[..4].copy_from_slice(&[0xd0, 0x0d, 0xfe, 0xed]);
        head[4..].copy_from_slice(&length.to_be_bytes());
        read(&tree);
    }
}

fn read(tree: &[u8]) {
    let report = match Report::of(tree) {
        Ok(report) => report,
        Err(reason) => return assert!(!reason.contains(char::is_control), "{reason}"),
    };
    assert_eq!(report.bytes + report.ignored, tree.len());
    let mut usable = 0;
    for range in report.memory.iter().filter(|range| range.is_usable) {
        assert!(range.base.0.checked_add(range.bytes).is_some());
        usable += range.bytes;
    }
    assert_eq!(usable, report.usable_bytes);
    serde_json::to_string(&report).unwrap();
}
