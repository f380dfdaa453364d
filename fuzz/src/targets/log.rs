//! Verification: records of a stranger, chained, hashed and signed as if a
//! machine had written them.

use crate::world::{self, HASHER};
use std::collections::BTreeMap;
use witness::{
    Draft, Index, Log, Record, tiles,
    verify::{Evidence, Expected, Missing, Verdict, verify},
};

/// The input is a bundle of entries, what is left of it the text of a
/// manifest, which the device signs.
pub(crate) fn fuzz(input: &[u8]) {
    let (entries, manifest) = split(input);
    let manifest = str::from_utf8(manifest).ok().filter(|text| text.ends_with('\n'));
    let manifest =
        manifest.map(|text| witness::note::sign(text, &world::log_origin(), &world::device()));
    judge(&entries, manifest.as_deref());
    judge(&chained(&entries), manifest.as_deref());
}

fn split(mut input: &[u8]) -> (Vec<Vec<u8>>, &[u8]) {
    let mut entries = Vec::new();
    while let Some((&length, rest)) = input.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes(length));
        // No entry is longer, so a larger number begins the rest.
        let Some((entry, rest)) = rest.split_at_checked(length).filter(|_| length < 512) else {
            break;
        };
        entries.push(entry.to_vec());
        input = rest;
    }
    (entries, input)
}

fn judge(entries: &[Vec<u8>], manifest: Option<&str>) {
    let ids: Vec<_> = entries.iter().map(|entry| HASHER.leaf(entry)).collect();
    let checkpoint = world::checkpoint(ids.len() as u64, witness::tree::root(HASHER, &ids));
    let key = world::facts().device_key;
    let verdict = |entries: &[Vec<u8>], leaves| {
        let evidence = Evidence { checkpoint: Some(&checkpoint), manifest, leaves };
        let entries = entries.iter().map(Vec::as_slice);
        let report = verify(HASHER, key, Expected::default(), entries, evidence);
        let _ = report.verdict.to_string();
        report.verdict
    };
    let whole = verdict(entries, Some(&ids));
    assert_eq!(verdict(entries, None), whole);
    let is_sound =
        matches!(whole, Verdict::Verified | Verdict::Incomplete { missing: Missing::Manifest, .. });
    if is_sound && let Some(last) = entries.last().filter(|last| !last.is_empty()) {
        let mut other = entries.to_vec();
        let changed = other.last_mut().unwrap();
        changed[last.len() / 2] ^= 1;
        assert!(matches!(verdict(&other, None), Verdict::Forged { .. }));
        let bundle = entries.iter().fold(Vec::new(), |mut bundle, entry| {
            tiles::append_entry(&mut bundle, entry);
            bundle
        });
        let split = tiles::split_bundle(&bundle).unwrap();
        assert!(split.iter().eq(entries));
    }
}

/// The entries that decode, each with its subject's last as its parent. A
/// cause stays what it was.
fn chained(entries: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let decoded = |entry: &Vec<u8>| Record::decode(entry).is_ok();
    let sound: Vec<_> = entries.iter().filter(|entry| decoded(entry)).collect();
    let records: Vec<_> = sound.iter().filter_map(|entry| Record::decode(entry).ok()).collect();
    let ids: Vec<_> = sound.iter().map(|entry| HASHER.leaf(entry)).collect();
    let mut log = Log::new(HASHER, records.len());
    let mut last: BTreeMap<u32, (u32, Index)> = BTreeMap::new();
    for record in records {
        let Record { verdict, subject, point, body, .. } = record;
        let before = last.get(&subject.0).copied();
        let sequence = before.map_or(0, |(sequence, _)| sequence + 1);
        let cause = record.cause.and_then(|id| ids.iter().position(|it| *it == id));
        let cause = cause.map(|at| Index(at as u64)).filter(|cause| *cause < log.next());
        let previous = before.map(|(_, index)| index);
        let draft = Draft { verdict, subject, sequence, point, previous, cause, body };
        let slot = log.reserve().unwrap();
        let index = log.write(slot, &draft);
        last.insert(subject.0, (sequence, index));
    }
    let mut chained = Vec::new();
    log.seal(&mut |entry, _| chained.push(entry.to_vec()));
    chained
}
