//! Logs shown from wherever they lie, exported, and proofs about them, which
//! are checked by somebody else's rules too.

use std::fs;
use std::path::Path;

use crate::common::{self, HASHER, Recipe, device_key, helio_json, helio_text, import, put, text};
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use helio::log::prove::{self, Worth};
use serde_json::Value;
use tempfile::{TempDir, tempdir};
use witness::note::VerifierKey;
use witness::proof::InclusionProof;

/// A place with the log of a run as folder, disk and capture, and the key.
fn place(recipe: Recipe) -> TempDir {
    let place = tempdir().unwrap();
    let run = recipe.run();
    import(&run.disk, &place.path().join("log"));
    put(place.path(), "log.raw", &run.disk);
    put(place.path(), "console.log", &run.uart);
    put(place.path(), "device.pem", witness::key::public_to_pem(&device_key()).as_bytes());
    place
}

fn at(place: &TempDir, name: &str) -> String {
    text(&place.path().join(name))
}

#[test]
fn a_log_is_shown_from_a_folder_a_disk_and_a_capture() {
    let place = place(Recipe::default());
    let shown = ["log", "log.raw", "console.log"].map(|name| {
        let (code, out, error) = helio_text(&["log", "show", &at(&place, name)]);
        assert_eq!((code, error.as_str()), (0, ""));
        out
    });
    assert_eq!(shown[0].lines().count(), 25);
    assert!(shown.iter().all(|it| *it == shown[0]));
    for name in ["log", "log.raw", "console.log"] {
        let (code, out, _) = helio_text(&["log", "tail", &at(&place, name), "-n", "3"]);
        let lines: Vec<_> = shown[0].lines().skip(22).collect();
        assert_eq!((code, out.lines().collect::<Vec<_>>()), (0, lines));
    }
    let (code, json) = helio_json(&["log", "tail", &at(&place, "log")]);
    assert_eq!((code, &json["total"]), (0, &25.into()));
    let indices: Vec<_> =
        json["records"].as_array().unwrap().iter().map(|it| &it["index"]).collect();
    assert_eq!(indices, (15..25).map(Value::from).collect::<Vec<_>>().iter().collect::<Vec<_>>());
    // More than there are is all there are.
    let (_, json) = helio_json(&["log", "tail", &at(&place, "log"), "-n", "1000"]);
    assert_eq!(json["records"].as_array().unwrap().len(), 25);
    let (_, json) = helio_json(&["log", "tail", &at(&place, "log"), "-n", "0"]);
    assert!(json["records"].as_array().unwrap().is_empty());
}

#[test]
fn the_boot_that_is_asked_for_is_shown_or_refused() {
    let first = Recipe { calls: 3, ..Recipe::default() };
    let second = Recipe { boot: [9; 16], calls: 5, ..Recipe::default() };
    let place = place(first);
    let capture = [first.run().uart, second.run().uart].concat();
    let capture = text(&put(place.path(), "two.log", &capture));
    let boot = witness::hex::encode(&first.boot);
    let (code, json) = helio_json(&["log", "tail", &capture, "--boot", &boot]);
    assert_eq!((code, &json["total"]), (0, &8.into()));
    let log = at(&place, "log");
    assert_eq!(helio_json(&["log", "tail", &log, "--boot", &boot]).0, 0);
    let other = "09".repeat(16);
    let (code, json) = helio_json(&["log", "tail", &log, "--boot", &other]);
    assert_eq!((code, &json["error"]["object"]), (2, &log.into()));
}

#[test]
fn an_export_as_tiles_is_the_same_log_wherever_it_came_from() {
    let place = place(Recipe { calls: 300, ..Recipe::default() });
    let key = at(&place, "device.pem");
    for name in ["log", "log.raw", "console.log"] {
        let out = at(&place, &format!("out-{name}"));
        let (code, json) =
            helio_json(&["log", "export", &at(&place, name), "--format", "tiles", "-o", &out]);
        assert_eq!((code, &json["records"], &json["format"]), (0, &305.into(), &"tiles".into()));
        assert_eq!(helio_json(&["verify", &out, "--key", &key]).0, 0);
        for file in helio::file::files_below(&place.path().join("log")).unwrap() {
            let read = |folder: &Path| fs::read(folder.join(&file)).unwrap();
            assert_eq!(read(Path::new(&out)), read(&place.path().join("log")));
        }
    }
}

#[test]
fn tiles_are_not_made_of_records_that_nobody_signed_for() {
    let place = place(Recipe::default());
    let log = place.path().join("log");
    let bundle = log.join("tile/entries/000.p/25");
    let mut bytes = fs::read(&bundle).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&bundle, bytes).unwrap();
    let out = at(&place, "out");
    let export = ["log", "export", &text(&log), "--format", "tiles", "-o", &out];
    let (code, _, error) = helio_text(&export);
    assert_eq!(code, 2);
    assert!(error.contains("not those that the checkpoint is over"), "{error}");
    assert!(!Path::new(&out).exists());
    // As lines of JSON the records are what they are.
    assert_eq!(helio_text(&["log", "export", &text(&log)]).0, 0);
    let (code, json) = helio_json(&["log", "export", &text(&log), "--format", "tiles"]);
    assert_eq!((code, &json["error"]["object"]), (2, &"--output".into()));
}

#[test]
fn each_line_of_an_export_has_every_field_of_its_record() {
    let place = place(Recipe::default());
    let (code, out, _) = helio_text(&["log", "export", &at(&place, "log.raw")]);
    assert_eq!(code, 0);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 25);
    for (index, line) in lines.iter().enumerate() {
        assert_eq!(line["index"], index);
        let bytes: Vec<u8> = hex(line["bytes"].as_str().unwrap());
        assert_eq!(line["id"], witness::hex::encode(&HASHER.leaf(&bytes)));
    }
    assert_eq!(lines[0]["kind"], "genesis");
    assert_eq!(lines[0]["body"]["seed"], "7");
    assert_eq!(lines[0]["body"]["package"], witness::hex::encode(&common::package_digest()));
    let machine = &lines[1]["body"];
    assert_eq!(machine["boot"], witness::hex::encode(b"boot of the test"));
    assert_eq!(machine["nonce"], "6e".repeat(32));
    assert_eq!(
        (&machine["development_keys"], &machine["kernel_checked"]),
        (&true.into(), &false.into())
    );
    assert_eq!(machine["loader"], Value::Null);
    let spawn = &lines[3];
    assert_eq!((&spawn["subject"], &spawn["outcome"]), (&"kernel".into(), &"allowed".into()));
    assert_eq!(spawn["cause"]["record"], 2);
    assert_eq!(
        (&spawn["body"]["call"], &spawn["body"]["result"]),
        (&"task_spawn".into(), &"1".into())
    );
    assert_eq!(spawn["body"]["tail"]["text"], "demo");
    let send = &lines[4];
    assert_eq!((&send["kind"], &send["subject_number"]), (&"queue_send".into(), &1.into()));
    assert_eq!((&send["body"]["object"], &send["body"]["operation"]), (&3.into(), &"plain".into()));
    assert_eq!(send["body"]["digest"], witness::hex::encode(&HASHER.hash(&0u32.to_le_bytes())));
    assert_eq!((&lines[24]["kind"], &lines[24]["body"]["pages"]), (&"exit".into(), &2.into()));
    assert_eq!(lines[24]["previous"]["record"], 23);

    // Into a file, whole; --json then says what was written.
    let file = at(&place, "log.jsonl");
    let (code, json) = helio_json(&["log", "export", &at(&place, "log"), "-o", &file]);
    assert_eq!((code, &json["records"], &json["format"]), (0, &25.into(), &"jsonl".into()));
    assert_eq!(fs::read_to_string(file).unwrap(), out);
}

#[test]
fn every_kind_of_record_has_an_object() {
    // The example of FORMAT.md has calls, an event and a denial.
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/FORMAT.md");
    let page = fs::read_to_string(page).unwrap();
    let decoder = helio::log::show::Decoder::default();
    let mut kinds = Vec::new();
    let example = page.split("example:begin").nth(1).unwrap();
    for part in example.split("\nRecord ").skip(1) {
        let dump = part.split("```").nth(1).unwrap();
        let bytes: Vec<u8> =
            dump.lines().filter_map(|line| Some(hex(line.split_once("  ")?.1))).flatten().collect();
        let object = helio::log::object::object(0, &bytes, &decoder);
        assert_eq!(object["id"], part.split('`').nth(1).unwrap());
        kinds.push(object["kind"].as_str().unwrap().to_owned());
        if object["kind"] == "timer_wait" {
            assert_eq!(
                (&object["denied"]["name"], &object["denied"]["stage"]),
                (&"BadHandle".into(), &"capability".into())
            );
            assert_eq!(
                (&object["body"]["operation"], &object["body"]["argument"]),
                (&"relative".into(), &"500".into())
            );
        }
        if object["kind"] == "event" {
            assert_eq!(object["body"]["data"]["text"], "ls\n");
        }
    }
    assert_eq!(
        kinds,
        [
            "genesis",
            "machine",
            "rvf_mount",
            "task_spawn",
            "event",
            "attest_emit",
            "timer_wait",
            "exit"
        ]
    );
    assert_eq!(helio::log::object::object(3, b"nonsense", &decoder)["kind"], "damaged");
}

fn hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn a_proof_of_each_record_holds_by_the_words_of_the_specification() {
    let place = place(Recipe { calls: 9, ..Recipe::default() });
    for index in 0..14 {
        let (proof, record) = (at(&place, "proof"), at(&place, "record"));
        let number = index.to_string();
        let (code, json) = helio_json(&[
            "log",
            "prove",
            &at(&place, "log"),
            &number,
            "-o",
            &proof,
            "--record",
            &record,
        ]);
        assert_eq!((code, &json["index"], &json["size"]), (0, &index.into(), &14.into()));
        let (proof_text, bytes) = (fs::read_to_string(&proof).unwrap(), fs::read(&record).unwrap());
        assert_eq!(json["proof"], proof_text.as_str());
        assert!(stranger::holds(&proof_text, &bytes, &device_key()), "record {index}");
        let check = ["log", "check-proof", &proof, &record, "--key", &at(&place, "device.pem")];
        let (code, json) = helio_json(&check);
        assert_eq!((code, &json["verdict"], &json["index"]), (0, &"holds".into(), &index.into()));
        // From the capture the same proof, on stdout.
        let (code, out, _) = helio_text(&["log", "prove", &at(&place, "console.log"), &number]);
        assert_eq!((code, out), (0, proof_text));
    }
    let (code, _, error) = helio_text(&["log", "prove", &at(&place, "log"), "14"]);
    assert_eq!(code, 2);
    assert!(error.contains("no record 14"), "{error}");
}

/// A checker by the texts alone: C2SP tlog-proof, signed-note and checkpoint,
/// RFC 9162 section 2.1.3.2. Of ours it has only the hash function.
mod stranger {
    use super::*;

    pub(super) fn holds(proof: &str, record: &[u8], key: &[u8; 32]) -> bool {
        let mut lines = proof.split_inclusive('\n');
        let mut line = || lines.next().and_then(|line| line.strip_suffix('\n')).unwrap();
        assert_eq!(line(), "c2sp.org/tlog-proof@v1");
        let index: u64 = line().strip_prefix("index ").unwrap().parse().unwrap();
        let mut path = Vec::new();
        loop {
            match line() {
                "" => break,
                hash => path.push(base64(hash)),
            }
        }
        let note: String = lines.collect();
        let (body, signatures) = note.split_once("\n\n").unwrap();
        let body = format!("{body}\n");
        let [origin, size, root] = body.lines().collect::<Vec<_>>()[..] else { panic!("{body}") };
        let (size, root): (u64, _) = (size.parse().unwrap(), base64(root));
        let signed = signatures.lines().any(|line| {
            let rest = line.strip_prefix("\u{2014} ").unwrap();
            let (name, signature) = rest.split_once(' ').unwrap();
            let raw = base64(signature);
            let id = HASHER.hash(&[name.as_bytes(), b"\n\x01", key].concat());
            let signature = Signature::from_slice(&raw[4..]).unwrap();
            let key = VerifyingKey::from_bytes(key).unwrap();
            name == origin && raw[..4] == id[..4] && key.verify(body.as_bytes(), &signature).is_ok()
        });
        signed && index < size && root_of(index, size, record, &path) == Some(root)
    }

    fn root_of(index: u64, size: u64, record: &[u8], path: &[Vec<u8>]) -> Option<Vec<u8>> {
        let node = |left: &[u8], right: &[u8]| HASHER.hash(&[&[1], left, right].concat()).to_vec();
        let (mut f, mut s) = (index, size - 1);
        let mut r = HASHER.hash(&[&[0], record].concat()).to_vec();
        for p in path {
            if s == 0 {
                return None;
            }
            if f & 1 == 1 || f == s {
                r = node(p, &r);
                while f & 1 == 0 && f != 0 {
                    (f, s) = (f >> 1, s >> 1);
                }
            } else {
                r = node(&r, p);
            }
            (f, s) = (f >> 1, s >> 1);
        }
        (s == 0).then_some(r)
    }

    fn base64(text: &str) -> Vec<u8> {
        const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let digits = text.bytes().filter(|&byte| byte != b'=');
        let bits = digits.flat_map(|byte| {
            let value = DIGITS.iter().position(|&it| it == byte).unwrap();
            (0..6).rev().map(move |bit| value >> bit & 1)
        });
        let bits: Vec<_> = bits.collect();
        bits.chunks_exact(8)
            .map(|byte| byte.iter().fold(0, |all, bit| all << 1 | *bit as u8))
            .collect()
    }
}

#[test]
fn a_proof_that_was_changed_or_is_for_something_else_does_not_hold() {
    let place = place(Recipe::default());
    let (proof, record) = (at(&place, "proof"), at(&place, "record"));
    let key = at(&place, "device.pem");
    let log = at(&place, "log");
    let prove = ["log", "prove", &log, "7", "-o", &proof, "--record", &record];
    assert_eq!(helio_text(&prove).0, 0);
    let good = fs::read_to_string(&proof).unwrap();
    let check = |proof: &str, record: &str, key: &str| {
        helio_json(&["log", "check-proof", proof, record, "--key", key])
    };
    assert_eq!(check(&proof, &record, &key).0, 0);

    // The record of another number, one bit of it, nothing.
    let bytes = fs::read(&record).unwrap();
    for bad in [&bytes[1..], &[0; 200], b""] {
        let (code, json) = check(&proof, &text(&put(place.path(), "bad", bad)), &key);
        assert_eq!((code, &json["verdict"]), (3, &"forged".into()));
        assert!(json["reason"].as_str().unwrap().contains("not in the log"));
    }
    // Each byte of the proof.
    for at in 0..good.len() {
        let mut bad = good.clone().into_bytes();
        bad[at] ^= 1;
        let Ok(bad) = String::from_utf8(bad) else { continue };
        let Ok(bad) = InclusionProof::parse(&bad) else { continue };
        if let Ok((_, worth, _)) = prove::check(&bad, &bytes, &device_key().into()) {
            assert_ne!(worth, Worth::Holds, "byte {at}");
        }
    }
    // Somebody else's key.
    let other = witness::key::public(&witness::note::SigningKey::from_bytes(&[5; 32]));
    let other = put(place.path(), "other.pem", witness::key::public_to_pem(&other).as_bytes());
    let (code, json) = check(&proof, &record, &text(&other));
    assert_eq!((code, &json["verdict"]), (5, &"wrong-key".into()));
    // No proof at all, with the file and the reason.
    let (code, json) = check(&record, &record, &key);
    assert_eq!(code, 2, "{json}");
    let (code, json) = check(&key, &record, &key);
    assert_eq!((code, &json["error"]["object"]), (2, &key.clone().into()));
}

#[test]
fn a_verifier_key_is_for_the_logs_of_its_name() {
    let place = place(Recipe::default());
    let (proof, record, log) = (at(&place, "proof"), at(&place, "record"), at(&place, "log"));
    let prove = ["log", "prove", &log, "7", "-o", &proof, "--record", &record];
    let (_, json) = helio_json(&prove);
    let origin = json["origin"].as_str().unwrap();
    let (device, boot) = origin.split_once('/').unwrap();
    let other_boot = [device, "/", &"0".repeat(boot.len())].concat();
    for (name, code) in [(origin, 0), (device, 0), ("somebody", 5), (&other_boot, 5)] {
        let key = VerifierKey::new(name, &device_key()).unwrap().to_string();
        // The same in a file.
        let file = text(&put(place.path(), "device.vkey", key.as_bytes()));
        for key in [&key, &file] {
            let verify = ["verify", &log, "--key", key];
            let check = ["log", "check-proof", &proof, &record, "--key", key];
            let diff = ["diff", "--prefix", &log, &log, "--key", key];
            for command in [&verify[..], &check, &diff] {
                let (found, json) = helio_json(command);
                let verdict =
                    if code == 5 { "wrong-key" } else { json["verdict"].as_str().unwrap() };
                assert_eq!((found, &json["verdict"]), (code, &verdict.into()), "{command:?}");
            }
            let (_, json) = helio_json(&["security", &log, "--key", key]);
            assert_eq!(json.to_string().contains("wrong-key"), code == 5, "{json}");
        }
    }
    let (_, out, _) = helio_text(&["verify", &log, "--key", &at(&place, "device.vkey")]);
    assert!(out.contains(&format!("is for {other_boot}, the log is {origin}")), "{out}");
}

/// C2SP signed-note: lines of keys that a reader does not know are passed over.
#[test]
fn a_witness_may_sign_the_checkpoint_in_a_proof_too() {
    let place = place(Recipe::default());
    let (proof, record, log) = (at(&place, "proof"), at(&place, "record"), at(&place, "log"));
    let prove = ["log", "prove", &log, "7", "-o", &proof, "--record", &record];
    assert_eq!(helio_text(&prove).0, 0);
    let text = fs::read_to_string(&proof).unwrap();
    let (_, note) = text.split_once("\n\n").unwrap();
    let signed = witness::note::parse(note).unwrap().text;
    let witness = witness::note::SigningKey::from_bytes(&[5; 32]);
    let cosigned = witness::note::sign(signed, "witness.example/w1", &witness);
    let line = cosigned.lines().last().unwrap();
    fs::write(&proof, format!("{text}{line}\n")).unwrap();
    let check = ["log", "check-proof", &proof, &record, "--key", &at(&place, "device.pem")];
    assert_eq!(helio_json(&check).0, 0);
    // Alone it is worth nothing here.
    fs::write(&proof, text.replace(note, &cosigned)).unwrap();
    assert_eq!(helio_json(&check).0, 5);
}

#[test]
fn what_nobody_signed_cannot_be_proved_and_nothing_is_written() {
    let place = place(Recipe::default());
    let log = at(&place, "log");
    let proof = at(&place, "proof");
    fs::remove_file(Path::new(&log).join("checkpoint")).unwrap();
    let (code, _, error) = helio_text(&["log", "prove", &log, "3", "-o", &proof]);
    assert_eq!(code, 2);
    assert!(error.contains("no checkpoint"), "{error}");
    assert!(!Path::new(&proof).exists());
}
