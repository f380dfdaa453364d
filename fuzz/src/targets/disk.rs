//! A disk with a log on it: its content is arbitrary but for the first sector
//! and, in every frame, the checksum.

use crate::world::{self, HASHER};
use witness::{
    frame::{
        Collector, Frame, HEADER_SIZE, MAGIC,
        disk::{DiskReader, SECTOR, header_sector},
    },
    verify::{Evidence, Expected, verify},
};

pub(crate) fn fuzz(input: &[u8]) {
    // Some inputs as they are: sector 0 is a stranger's too.
    if let [0, disk @ ..] = input {
        read(disk);
    }
    let mut disk = header_sector(&world::BOOT).to_vec();
    disk.extend_from_slice(input);
    for at in SECTOR..disk.len() {
        if disk[at..].starts_with(&MAGIC) {
            fix(&mut disk[at..]);
        }
    }
    read(&disk);
}

fn read(disk: &[u8]) {
    let Some(mut reader) = DiskReader::open(disk) else { return };
    let mut collector = Collector::new();
    let mut last = reader.position();
    while let Some(frame) = reader.next() {
        assert!(last + HEADER_SIZE <= reader.position() && reader.position() <= disk.len());
        last = reader.position();
        let _ = collector.push(&frame);
    }
    assert!(reader.end().is_some() && reader.next().is_none());
    let log = collector.finish();
    let evidence = Evidence {
        checkpoint: log.checkpoint.as_deref(),
        manifest: log.manifest.as_deref(),
        leaves: None,
    };
    let entries = log.entries.iter().map(Vec::as_slice);
    let report = verify(HASHER, world::facts().device_key, Expected::default(), entries, evidence);
    let _ = report.verdict.to_string();
}

/// Sets boot and checksum of the frame that begins here, if it is whole.
fn fix(bytes: &mut [u8]) {
    let Some(length) = bytes.get(24..28).and_then(|it| it.try_into().ok()) else { return };
    let Some(end) = (u32::from_le_bytes(length) as usize).checked_add(HEADER_SIZE) else { return };
    let Some(frame) = bytes.get_mut(..end) else { return };
    if frame[8] & 1 == 0 {
        frame[8..24].copy_from_slice(&world::BOOT);
    }
    let checked = frame[4..28].iter().chain(&frame[HEADER_SIZE..]);
    let mut crc = u32::MAX;
    for &byte in checked {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
        }
    }
    frame[28..32].copy_from_slice(&(!crc).to_le_bytes());
    let parsed = Frame::parse(frame);
    assert!(parsed.is_err() || parsed.is_ok_and(|(_, length)| length == end));
}
