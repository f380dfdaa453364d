//! docs/FORMAT.md says what the code does: its tables and its worked example
//! are made here and compared. With `WRITE_FORMAT=1` they are put into the
//! page instead.

use crate::common::*;
use abi::{Call, Error};
use std::fmt::Write;
use witness::{
    Subject, base64,
    frame::{Frames, disk, uart::Writer},
    hex, key,
    manifest::Outcome,
    note::VerifierKey,
    proof::InclusionProof,
    record::*,
    tiles,
};

fn compare(block: &str, wanted: &str) {
    page::compare("FORMAT.md", block, wanted);
}

/// All blocks in one test, because they write to one file.
#[test]
fn the_page_says_what_the_code_does() {
    compare("kinds", &kinds());
    compare("events", &events());
    compare("calls", &calls());
    compare("traps", &traps());
    compare("errors", &page::errors());
    compare("example", &example());
}

/// Whether a record of this kind decodes with this subject.
fn takes(kind: Kind, subject: Subject) -> bool {
    let entries = sample().entries;
    let entry = entries.iter().find(|entry| entry[1] == kind.number()).unwrap();
    let mut entry = entry.clone();
    entry[8..12].copy_from_slice(&subject.0.to_le_bytes());
    Record::decode(&entry).is_ok()
}

fn kinds() -> String {
    let mut table = String::from("| number | kind | subject |\n| --- | --- | --- |\n");
    for kind in Kind::ALL {
        let subjects = [
            (Subject::KERNEL, "kernel"),
            (Subject(1), "task"),
            (Subject::MACHINE, "machine"),
            (Subject::OUTSIDE, "outside"),
        ];
        let allowed: Vec<_> =
            subjects.iter().filter(|(subject, _)| takes(kind, *subject)).map(|(_, n)| *n).collect();
        let (number, subjects) = (kind.number(), allowed.join(" or "));
        writeln!(table, "| {number:#04x} | {} | {subjects} |", kind.name()).unwrap();
    }
    table
}

fn events() -> String {
    let mut table = String::from("| type | event | data | length |\n| --- | --- | --- | --- |\n");
    for kind in EventKind::ALL {
        let takes = |length: usize| Event::new(*kind, false, 0, &vec![0; length]).is_some();
        let length = match (takes(0), takes(32), takes(1)) {
            (true, false, false) => "0",
            (false, true, false) => "32",
            (true, true, true) => "any",
            other => panic!("{kind:?} {other:?}"),
        };
        let (number, name, text) = (kind.number(), kind.name(), kind.text());
        writeln!(table, "| {number} | {name} | {text} | {length} |").unwrap();
    }
    table
}

fn calls() -> String {
    let mut table = String::from("| kind | call | operations |\n| --- | --- | --- |\n");
    for call in Call::ALL {
        let operations = (0..16).filter_map(|code| Some((code, call.operation(code)?)));
        let named = operations
            .map(|(code, operation)| format!("{code} {}", page::operation_name(operation)));
        let operations = named.collect::<Vec<_>>().join(", ");
        let number = Kind::Call(call).number();
        writeln!(table, "| {number:#04x} | {} | {operations} |", call.name()).unwrap();
    }
    table
}

fn traps() -> String {
    let mut table = String::from("| code | trap |\n| --- | --- |\n");
    for (code, name) in TrapCode::ALL {
        writeln!(table, "| {} | {name} |", code.number()).unwrap();
    }
    table
}

fn dump(bytes: &[u8]) -> String {
    let mut text = String::from("```\n");
    for (at, line) in (0..).step_by(16).zip(bytes.chunks(16)) {
        writeln!(text, "{at:04x}  {}", hex::encode(line)).unwrap();
    }
    text + "```\n"
}

fn quote(text: &str) -> String {
    format!("```\n{text}```\n")
}

/// A run of one task, which makes a claim and exits.
fn run() -> Sample {
    let mut machine = Machine::boot(facts());
    let mount = CallBody {
        object: 1,
        badge: 0,
        length: 4096,
        argument: 3,
        digest: genesis().package,
        tail: Short::new(b"/").unwrap(),
        ..CallBody::new(Call::RvfMount)
    };
    let mount = machine.write(Subject::KERNEL, None, Body::Call(mount));
    let spawn = spawn(&mut machine, mount, "alpha", 1);
    machine.event(EventKind::ConsoleInput, false, b"ls\n");
    let claim = CallBody {
        object: 5,
        badge: 0,
        length: 3,
        argument: 9,
        digest: HASHER.hash(b"result"),
        tail: Short::new(b"R2!").unwrap(),
        ..CallBody::new(Call::AttestEmit)
    };
    machine.write(Subject(1), Some(spawn), Body::Call(claim));
    let body = CallBody { operation: 1, argument: 500, ..CallBody::new(Call::TimerWait) };
    machine.refuse(Subject(1), Verdict::Denied(Error::BadHandle), Body::Call(body));
    machine.write(Subject(1), None, Body::Exit(Exit { code: 0, pages: 17 }));
    finish(machine, vec![task("alpha", 1, Outcome::Exit, 0)])
}

fn example() -> String {
    let sample = run();
    assert_eq!(sample.verify().verdict, witness::verify::Verdict::Verified);
    let mut text = String::new();
    let device = VerifierKey::new(&sample.origin, &sample.key()).unwrap();
    writeln!(
        text,
        "The device's private key is 32 bytes 0x01, so its public key is `{}` and the key with \
         its name, for this boot, `{device}`. As PEM:\n\n{}",
        hex::encode(&sample.key()),
        quote(&key::public_to_pem(&sample.key()))
    )
    .unwrap();
    writeln!(text, "The records, each with its id and in words:\n").unwrap();
    for (index, (entry, id)) in sample.entries.iter().zip(&sample.ids).enumerate() {
        let record = Record::decode(entry).unwrap();
        let (length, id) = (entry.len(), hex::encode(id));
        let words = record.to_string();
        writeln!(text, "Record {index}, {length} bytes, id `{id}`: {words}\n\n{}", dump(entry))
            .unwrap();
    }
    writeln!(text, "`checkpoint`:\n\n{}", quote(&sample.checkpoint)).unwrap();
    writeln!(text, "`manifest`:\n\n{}", quote(&sample.manifest)).unwrap();
    let paths: Vec<_> =
        tiles::layout(sample.ids.len() as u64).map(|tile| format!("`{}`", tile.path())).collect();
    writeln!(text, "The other files of the folder are {}.\n", paths.join(" and ")).unwrap();
    let proof = InclusionProof::new(HASHER, &sample.ids, 5, &sample.checkpoint).unwrap();
    writeln!(text, "Proof for record 5:\n\n{}", quote(&proof.text())).unwrap();

    let mut frames = Frames::new(BOOT);
    sample.entries.iter().for_each(|entry| frames.entry(entry));
    let bytes = frames.take();
    writeln!(text, "Header of an entries frame with all of them:\n\n{}", dump(&bytes[..32]))
        .unwrap();
    let mut pad = vec![0; disk::SECTOR - 36];
    disk::pad(&mut pad, &BOOT);
    let pad = &pad[disk::SECTOR - 36..];
    writeln!(text, "A pad frame of 4 bytes:\n\n{}", dump(pad)).unwrap();
    let mut line = String::new();
    Writer::new().send(pad, &mut |bytes| line.push_str(str::from_utf8(bytes).unwrap()));
    let line = line.replace('\u{1e}', "<1e>");
    writeln!(
        text,
        "It as the first frame on a UART, `<1e>` being the byte 0x1E:\n\n{}",
        quote(&line)
    )
    .unwrap();
    let data = signed(EventKind::Stop, 1, b"");
    let message = SignedEvent::message(&BOOT, EventKind::Stop, NO_OBJECT, 1, b"");
    writeln!(
        text,
        "Data of a stop event (type 3, object 0xFFFFFFFF, counter 1, no data of its own), signed \
         by the operator whose private key is 32 bytes 0x02; the message is `{}`:\n\n{}",
        base64::encode(&message),
        dump(&data)
    )
    .unwrap();
    text.pop();
    text
}
