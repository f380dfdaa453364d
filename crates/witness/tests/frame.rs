//! The stream survives what disks and serial lines do to it.

use crate::common::{self, BOOT, Sample, sample};
use proptest::prelude::*;
use witness::{
    BootId,
    frame::{
        Collected, Collector, Frame, FrameError, FrameKind, Frames, OrderError,
        disk::{self, DiskEnd, DiskReader, SECTOR},
        uart::{Piece, Reader, SEPARATOR, Writer},
    },
};

/// The sample, flushed in two pieces, with a checkpoint after each.
fn flushes(sample: &Sample) -> [Vec<u8>; 2] {
    let first = 9;
    let early = witness::checkpoint::Checkpoint {
        origin: &sample.origin,
        size: first as u64,
        root: witness::tree::root(common::HASHER, &sample.ids[..first]),
    };
    let mut frames = Frames::new(BOOT);
    sample.entries[..first].iter().for_each(|entry| frames.entry(entry));
    assert!(frames.checkpoint(&early.sign(&common::device())));
    let one = frames.take();
    sample.entries[first..].iter().for_each(|entry| frames.entry(entry));
    assert!(frames.checkpoint(&sample.checkpoint));
    assert!(frames.manifest(&sample.manifest));
    [one, frames.take()]
}

fn disk(sample: &Sample) -> Vec<u8> {
    let mut bytes = disk::header_sector(&BOOT).to_vec();
    for mut flush in flushes(sample) {
        disk::pad(&mut flush, &BOOT);
        assert!(flush.len().is_multiple_of(SECTOR));
        bytes.extend(flush);
    }
    bytes
}

fn lines(sample: &Sample) -> Vec<Vec<u8>> {
    let mut writer = Writer::new();
    let mut lines = Vec::new();
    for flush in flushes(sample) {
        writer.send(&flush, &mut |line| lines.push(line.to_vec()));
    }
    lines
}

fn collected(sample: &Sample) -> Collected {
    Collected {
        boot: Some(BOOT),
        entries: sample.entries.clone(),
        covered: sample.entries.len(),
        checkpoint: Some(sample.checkpoint.clone()),
        manifest: Some(sample.manifest.clone()),
    }
}

fn read_disk(bytes: &[u8]) -> (Collected, DiskEnd) {
    let mut reader = DiskReader::open(bytes).unwrap();
    let mut collector = Collector::new();
    for frame in &mut reader {
        collector.push(&frame).unwrap();
    }
    assert!(reader.position() <= bytes.len());
    (collector.finish(), reader.end().unwrap())
}

/// What a reader of a serial line finds: log, console text, number of losses.
fn read_uart(pieces: &[&[u8]]) -> (Collected, Vec<u8>, usize) {
    let (mut reader, mut collector) = (Reader::new(), Collector::new());
    let (mut console, mut lost) = (Vec::new(), 0);
    for bytes in pieces {
        reader.push(bytes, &mut |piece| match piece {
            Piece::Console(text) => console.extend_from_slice(text),
            Piece::Start => {}
            Piece::Frame(frame) => {
                let _ = collector.push(&frame);
            }
            Piece::Lost | Piece::Damaged(_) => {
                lost += 1;
                collector.gap();
            }
        });
    }
    (collector.finish(), console, lost)
}

#[test]
fn a_log_comes_back_from_a_disk_and_from_a_serial_line() {
    let sample = sample();
    let bytes = disk(&sample);
    assert_eq!(read_disk(&bytes), (collected(&sample), DiskEnd::Blank));
    let mut larger = bytes.clone();
    larger.resize(bytes.len() + 10 * SECTOR, 0);
    assert_eq!(read_disk(&larger), (collected(&sample), DiskEnd::Blank));
    let lines = lines(&sample);
    let all: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
    assert_eq!(read_uart(&all), (collected(&sample), Vec::new(), 0));
    for line in lines {
        assert!(line.len() <= 977 && line.ends_with(b"\n"));
    }
}

#[test]
fn an_older_log_behind_the_end_is_not_read() {
    let sample = sample();
    let new = disk(&sample);
    for shift in [0, SECTOR, 7 * SECTOR] {
        // An older log, longer, whose frames do not line up with the new one's.
        let mut frames = Frames::new([0x0d; 16]);
        for _ in 0..40 {
            sample.entries.iter().for_each(|entry| frames.entry(entry));
        }
        let mut bytes = vec![0; shift];
        bytes.extend(frames.take());
        disk::pad(&mut bytes, &[0x0d; 16]);
        bytes[..new.len()].copy_from_slice(&new);
        assert_eq!(read_disk(&bytes), (collected(&sample), DiskEnd::OldContent));
    }
}

#[test]
fn a_disk_cut_anywhere_gives_what_its_last_checkpoint_covers() {
    let sample = sample();
    let bytes = disk(&sample);
    for cut in SECTOR..bytes.len() {
        // What was not written is zero, or not there.
        let mut torn = bytes.clone();
        torn[cut..].fill(0);
        for bytes in [&torn, &bytes[..cut].to_vec()] {
            let (log, _) = read_disk(bytes);
            assert!(sample.entries.starts_with(&log.entries), "cut at {cut}");
            assert!(log.covered <= log.entries.len());
        }
    }
    assert!(DiskReader::open(&bytes[..SECTOR - 1]).is_none());
    assert!(DiskReader::open(&[0; SECTOR]).is_none());
}

#[test]
fn a_damaged_frame_ends_the_stream_and_is_named() {
    let sample = sample();
    let bytes = disk(&sample);
    let frame = &bytes[SECTOR..];
    let (_, length) = Frame::parse(frame).unwrap();
    for at in 0..length {
        let mut damaged = frame.to_vec();
        damaged[at] ^= 0x10;
        assert!(Frame::parse(&damaged).is_err(), "byte {at}");
    }
    let mut damaged = bytes.clone();
    damaged[SECTOR + 100] ^= 1;
    assert_eq!(read_disk(&damaged).1, DiskEnd::Damaged(FrameError::Checksum));
}

#[test]
fn frames_out_of_order_are_refused() {
    let sample = sample();
    let [one, two] = flushes(&sample);
    let (entries, length) = Frame::parse(&one).unwrap();
    let (early, _) = Frame::parse(&one[length..]).unwrap();
    let mut rest = two.as_slice();
    let mut frames = Vec::new();
    while let Ok((frame, length)) = Frame::parse(rest) {
        frames.push(frame);
        rest = &rest[length..];
    }
    let manifest = *frames.last().unwrap();
    assert_eq!(manifest.kind, FrameKind::Manifest);

    let refused = |frames: &[Frame<'_>], last: &Frame<'_>, error| {
        let mut collector = Collector::new();
        frames.iter().for_each(|frame| collector.push(frame).unwrap());
        let before = collector.log().clone();
        assert_eq!(collector.push(last), Err(error));
        // What comes later cannot be placed.
        assert_eq!(collector.push(&entries), Err(OrderError::Gap));
        assert_eq!(collector.finish(), before);
    };
    let other = Frame { boot: BootId::default(), ..entries };
    refused(&[], &early, OrderError::Checkpoint);
    refused(&[], &manifest, OrderError::Manifest);
    refused(&[entries], &manifest, OrderError::Manifest);
    refused(&[entries, early], &other, OrderError::OtherBoot);
    refused(&[entries, early, entries], &early, OrderError::Checkpoint);

    let mut collector = Collector::new();
    for frame in [&entries, &early, &manifest] {
        collector.push(frame).unwrap();
    }
    let pad = Frame { kind: FrameKind::Pad, payload: &[], ..entries };
    assert_eq!(collector.push(&pad), Ok(()));
    assert!(collector.log().manifest.is_some());
    collector.push(&entries).unwrap();
    assert!(collector.log().manifest.is_none(), "a log that goes on has not ended");

    let mut collector = Collector::new();
    collector.gap();
    assert_eq!(collector.push(&entries), Err(OrderError::Gap));
}

#[test]
fn a_large_log_travels_in_small_frames() {
    let sample = sample();
    let mut frames = Frames::new(BOOT);
    for _ in 0..100 {
        sample.entries.iter().for_each(|entry| frames.entry(entry));
    }
    let bytes = frames.take();
    let (mut rest, mut entries) = (bytes.as_slice(), 0);
    while let Ok((frame, length)) = Frame::parse(rest) {
        assert!(length < 17_000);
        entries += witness::tiles::split_bundle(frame.payload).unwrap().len();
        rest = &rest[length..];
    }
    assert_eq!((entries, rest.len()), (100 * sample.entries.len(), 0));
    assert!(!frames.checkpoint(&"x".repeat(witness::frame::PAYLOAD_MAX + 1)));
    assert!(frames.take().is_empty());
}

/// Console text: anything but the separator.
fn console() -> impl Strategy<Value = Vec<u8>> {
    let byte = any::<u8>().prop_map(|byte| if byte == SEPARATOR { b'\n' } else { byte });
    prop_oneof![
        proptest::collection::vec(byte, 0..60),
        Just(b"HG AAAA\n".to_vec()),
        Just(b"no line feed HG ".to_vec()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn console_text_between_the_lines_disturbs_nothing(
        texts in proptest::collection::vec(console(), 40),
        cuts in proptest::collection::vec(1..300usize, 1..40),
        carriage_return: bool,
    ) {
        let sample = sample();
        let mut stream = Vec::new();
        let mut text = texts.iter().cycle();
        let mut printed = Vec::new();
        for mut line in lines(&sample) {
            let text = text.next().unwrap();
            stream.extend(text);
            printed.extend(text);
            if carriage_return {
                line.insert(line.len() - 1, b'\r');
            }
            stream.extend(line);
        }
        // Bytes arrive in pieces of any size.
        let (mut pieces, mut rest, mut cut) = (Vec::new(), stream.as_slice(), cuts.iter().cycle());
        while !rest.is_empty() {
            let (piece, more) = rest.split_at(rest.len().min(*cut.next().unwrap()));
            pieces.push(piece);
            rest = more;
        }
        prop_assert_eq!(read_uart(&pieces), (collected(&sample), printed, 0));
    }

    /// Frames may begin anywhere in a sector, and flushes may end anywhere.
    #[test]
    fn flushes_of_any_length_come_back(
        flushes in proptest::collection::vec(proptest::collection::vec(1..393usize, 1..6), 1..12),
    ) {
        let mut bytes = disk::header_sector(&BOOT).to_vec();
        let mut wanted = Vec::new();
        for lengths in flushes {
            let mut flush = Vec::new();
            for length in lengths {
                // A frame for each, so that many begin near a boundary.
                let mut frames = Frames::new(BOOT);
                wanted.push(vec![length as u8; length]);
                frames.entry(&wanted[wanted.len() - 1]);
                flush.extend(frames.take());
            }
            disk::pad(&mut flush, &BOOT);
            bytes.extend(flush);
        }
        let (log, end) = read_disk(&bytes);
        prop_assert_eq!((log.entries, end), (wanted, DiskEnd::Blank));
    }

    #[test]
    fn a_lost_or_broken_line_is_noticed(at: prop::sample::Index, byte: prop::sample::Index, how in 0..3u8) {
        let sample = sample();
        let mut lines = lines(&sample);
        let at = at.index(lines.len());
        match how {
            0 => drop(lines.remove(at)),
            1 => {
                let byte = byte.index(lines[at].len());
                lines[at][byte] ^= 2;
            }
            _ => {
                let length = byte.index(lines[at].len());
                lines[at].truncate(length);
            }
        }
        let last = lines.len() - 1;
        let all: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        let (log, _, lost) = read_uart(&all);
        prop_assert!(sample.entries.starts_with(&log.entries));
        // Only the loss of the very end cannot be told from silence.
        prop_assert!(lost > 0 || at >= last, "{} of {}", at, last);
        prop_assert!(log.manifest.is_none());
    }

    #[test]
    fn no_bytes_make_the_readers_panic(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(SEPARATOR), Just(b'\n')], 0..400),
        label: bool,
    ) {
        let mut stream = if label { b"\x1eHG ".to_vec() } else { Vec::new() };
        stream.extend(&bytes);
        read_uart(&[&stream]);
        let mut disk = disk::header_sector(&BOOT).to_vec();
        disk.extend(bytes);
        DiskReader::open(&disk).unwrap().for_each(drop);
    }

    #[test]
    fn arbitrary_frames_either_fail_or_hold(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let mut frame = b"HGF1".to_vec();
        frame.extend(bytes);
        if let Ok((_, length)) = Frame::parse(&frame) {
            prop_assert!(length <= frame.len());
        }
    }
}

#[test]
fn a_line_without_end_is_given_up() {
    let mut stream = vec![SEPARATOR];
    stream.extend(b"HG ");
    stream.resize(100_000, b'A');
    let (log, console, lost) = read_uart(&[&stream]);
    assert_eq!((log, lost), (Collected::default(), 1));
    assert_eq!(console.len(), stream.len() - 1);
}

#[test]
fn a_new_boot_on_the_line_begins_again() {
    let sample = sample();
    let lines = lines(&sample);
    let (mut reader, mut frames, mut starts) = (Reader::new(), 0, 0);
    for line in lines.iter().take(3).chain(&lines) {
        reader.push(line, &mut |piece| match piece {
            Piece::Start => starts += 1,
            Piece::Frame(_) => frames += 1,
            other => assert_eq!(other, Piece::Console(b""), "{other:?}"),
        });
    }
    assert!(frames >= 5);
    assert_eq!(starts, 2);
}
