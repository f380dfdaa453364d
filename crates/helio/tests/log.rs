//! Logs: from a disk or a serial port to a folder, and what a verifier says
//! about every change to it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{
    self, HASHER, NONCE, Recipe, device_key, helio_json, helio_text, import, put, text,
};
use helio::exit::ExitCode;
use helio::file;
use helio::log::folder;
use helio::verify::{Word, verify};
use tempfile::tempdir;
use witness::verify::Expected;

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let names = file::files_below(folder).unwrap();
    names.into_iter().map(|name| (name.clone(), fs::read(folder.join(name)).unwrap())).collect()
}

fn word(folder: &Path) -> Word {
    verify(folder, device_key(), Expected::default()).unwrap().word()
}

fn sample(recipe: Recipe) -> (tempfile::TempDir, PathBuf) {
    let place = tempdir().unwrap();
    let folder = place.path().join("log");
    import(&recipe.run().disk, &folder);
    (place, folder)
}

#[test]
fn disk_and_serial_port_bring_the_same_log_home() {
    let run = Recipe { calls: 300, ..Recipe::default() }.run();
    let place = tempdir().unwrap();
    let (disk, uart) = (place.path().join("disk"), place.path().join("uart"));
    import(&run.disk, &disk);
    import(&run.uart, &uart);
    assert_eq!(files(&disk), files(&uart));
    assert_eq!(word(&disk), Word::Verified);
}

#[test]
fn import_and_verify_say_so_in_exit_codes_and_json() {
    let place = tempdir().unwrap();
    let disk = put(place.path(), "log.raw", &Recipe::default().run().disk);
    let log = text(&place.path().join("log"));
    let key =
        put(place.path(), "device.pem", witness::key::public_to_pem(&device_key()).as_bytes());

    let (code, out) = helio_json(&["log", "import", &text(&disk), "-o", &log]);
    assert_eq!((code, &out["records"], &out["complete"]), (0, &25.into(), &true.into()));

    let (code, out) = helio_json(&["verify", &log, "--key", &text(&key)]);
    assert_eq!((code, &out["verdict"]), (0, &"verified".into()));
    assert_eq!(out["facts"]["tasks"][0]["name"], "demo");
    for list in ["checked", "reproducible", "claimed"] {
        assert!(!out[list].as_array().unwrap().is_empty(), "{list}");
    }

    let nonce = witness::hex::encode(&NONCE);
    assert_eq!(helio_json(&["verify", &log, "--key", &text(&key), "--nonce", &nonce]).0, 0);
    let other = "00".repeat(32);
    assert_eq!(helio_json(&["verify", &log, "--key", &text(&key), "--nonce", &other]).0, 3);

    let (code, out, _) = helio_text(&["log", "show", &log]);
    assert_eq!((code, out.lines().count()), (0, 25));
    assert!(out.contains("queue_send"), "{out}");
    let (code, out) = helio_json(&["log", "show", &log, "24"]);
    assert_eq!((code, &out["kind"], &out["previous"]), (0, &"exit".into(), &23.into()));
    assert_eq!(helio_text(&["log", "show", &log, "25"]).0, 2);
}

#[test]
fn a_verifier_key_works_in_place_of_a_file() {
    let (_place, log) = sample(Recipe::default());
    let note = fs::read_to_string(log.join("checkpoint")).unwrap();
    let name = note.lines().next().unwrap();
    let key = witness::note::VerifierKey::new(name, &device_key()).unwrap().to_string();
    assert_eq!(helio_json(&["verify", &text(&log), "--key", &key]).0, 0);
}

#[test]
fn another_key_is_told_from_a_forgery() {
    let (_place, log) = sample(Recipe::default());
    let finding = verify(&log, [2; 32], Expected::default());
    // Not a point: nobody's key.
    assert_eq!(finding.unwrap().word(), Word::WrongKey);
    let stranger = witness::key::public(&witness::note::SigningKey::from_bytes(&[9; 32]));
    let finding = verify(&log, stranger, Expected::default()).unwrap();
    assert_eq!((finding.word(), finding.exit_code()), (Word::WrongKey, ExitCode::WrongKey));
}

#[test]
fn a_run_that_did_not_end_is_incomplete() {
    let (_place, log) = sample(Recipe { finished: false, ..Recipe::default() });
    assert_eq!(word(&log), Word::Incomplete);
}

#[test]
fn every_flipped_byte_of_every_file_is_refused() {
    let (_place, log) = sample(Recipe::default());
    assert_eq!(word(&log), Word::Verified);
    let mut tried = 0;
    for (name, bytes) in files(&log) {
        let path = log.join(&name);
        for at in 0..bytes.len() {
            let mask = [0x01, 0x20, 0x80, 0xff][at % 4];
            let mut bad = bytes.clone();
            bad[at] ^= mask;
            fs::write(&path, bad).unwrap();
            assert_eq!(word(&log), Word::Forged, "{} byte {at} ^ {mask:#x}", name.display());
            tried += 1;
        }
        fs::write(&path, bytes).unwrap();
    }
    assert!(tried > 5_000, "{tried}");
    assert_eq!(word(&log), Word::Verified);
}

#[test]
fn files_too_many_too_few_and_cut_short_are_refused() {
    let (_place, log) = sample(Recipe { calls: 300, ..Recipe::default() });
    for name in ["extra", "tile/2/000.p/1", "tile/0/002.p/1", "tile/entries/000.p/3"] {
        let path = put(&log, name, b"x");
        assert_eq!(word(&log), Word::Forged, "{name}");
        fs::remove_file(&path).unwrap();
        // The folders that were made for it.
        path.ancestors().skip(1).take_while(|path| fs::remove_dir(path).is_ok()).count();
    }
    for (name, bytes) in files(&log) {
        let path = log.join(&name);
        fs::remove_file(&path).unwrap();
        let gone = word(&log);
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert_ne!(word(&log), Word::Verified, "{} cut short", name.display());
        fs::write(&path, bytes).unwrap();
        assert_eq!(gone, Word::Incomplete, "{} removed", name.display());
    }
    assert_eq!(word(&log), Word::Verified);
}

#[test]
fn the_first_bad_record_is_named() {
    let (_place, log) = sample(Recipe { calls: 600, ..Recipe::default() });
    let path = log.join("tile/entries/001");
    let mut bytes = fs::read(&path).unwrap();
    bytes[2 + 178 + 2 + 60] ^= 1;
    fs::write(&path, bytes).unwrap();
    let finding = verify(&log, device_key(), Expected::default()).unwrap();
    assert_eq!(finding.bad_record(), Some(257), "{}", finding.sentence());
}

#[test]
fn crates_of_others_accept_a_long_log() {
    let (_place, log) = sample(Recipe { calls: 1_500, ..Recipe::default() });
    assert_eq!(word(&log), Word::Verified);
    let folder = folder::read(&log).unwrap();
    let note = folder.checkpoint.unwrap();
    let origin = note.lines().next().unwrap().to_owned();

    let text = witness::note::VerifierKey::new(&origin, &device_key()).unwrap().to_string();
    let verifier = signed_note::StandardVerifier::new(&text).unwrap();
    let verifiers = signed_note::VerifierList::new(vec![Box::new(verifier)]);
    let opened = signed_note::Note::from_bytes(note.as_bytes()).unwrap();
    let (verified, _) = opened.verify(&verifiers).unwrap();
    assert_eq!(verified.len(), 1);
    let checkpoint = tlog_tiles::Checkpoint::from_bytes(opened.text()).unwrap();
    assert_eq!((checkpoint.size(), checkpoint.origin()), (1_505, origin.as_str()));

    let reader = Tiles(log.clone());
    let tree = tlog_tiles::TileHashReader::new(1_505, *checkpoint.hash(), &reader);
    for (index, entry) in (0..).zip(&folder.entries) {
        // Reading a leaf's hash through the crate checks it against the root.
        let hashes =
            tlog_tiles::HashReader::read_hashes(&tree, &[tlog_tiles::stored_hash_index(0, index)]);
        assert_eq!(hashes.unwrap()[0].0, HASHER.leaf(entry), "{index}");
    }
}

/// Our folder as that crate reads one.
struct Tiles(PathBuf);

impl tlog_tiles::TileReader for Tiles {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        // The crate puts the height in the path, C2SP leaves it out.
        let path = |tile: &tlog_tiles::Tile| self.0.join(tile.path().replacen("/8/", "/", 1));
        Ok(tiles.iter().map(|tile| fs::read(path(tile)).unwrap()).collect())
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

/// Puts other bytes in the place of a file's, and says what becomes of it.
fn with(log: &Path, name: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Word {
    let path = log.join(name);
    let good = fs::read(&path).unwrap();
    fs::write(&path, change(good.clone())).unwrap();
    let found = word(log);
    fs::write(&path, good).unwrap();
    found
}

fn flip_last(mut bytes: Vec<u8>) -> Vec<u8> {
    *bytes.last_mut().unwrap() ^= 1;
    bytes
}

#[test]
fn a_log_is_regular_files_and_the_folders_they_need() {
    let (place, log) = sample(Recipe::default());
    for name in ["extra", "tile/1", "tile/1/000.p", "tile/0/001.p", "tile/entries/x001"] {
        fs::create_dir_all(log.join(name)).unwrap();
        assert_eq!(word(&log), Word::Forged, "{name}");
        let top = if name.starts_with("tile/1") { "tile/1" } else { name };
        fs::remove_dir_all(log.join(top)).unwrap();
    }
    for (name, bytes) in files(&log) {
        let (path, away) = (log.join(&name), place.path().join("away"));
        fs::rename(&path, &away).unwrap();
        std::os::unix::fs::symlink(&away, &path).unwrap();
        assert_eq!(word(&log), Word::Forged, "{} is a link", name.display());
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_ne!(word(&log), Word::Verified, "{} is a folder", name.display());
        fs::remove_dir(&path).unwrap();
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(word(&log), Word::Verified);
}

#[test]
fn a_pipe_in_a_log_is_refused_and_not_waited_for() {
    let (_place, log) = sample(Recipe::default());
    let path = log.join("manifest");
    fs::remove_file(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert_eq!(word(&log), Word::Forged);
}

#[test]
fn records_cannot_move_between_bundles() {
    let (_place, log) = sample(Recipe { calls: 300, ..Recipe::default() });
    let names = ["tile/entries/000", "tile/entries/001.p/49"].map(|name| log.join(name));
    let [first, second] = names.each_ref().map(|path| fs::read(path).unwrap());
    let length = 2 + usize::from(u16::from_be_bytes([second[0], second[1]]));
    let (moved, rest) = second.split_at(length);
    fs::write(&names[0], [&first, moved].concat()).unwrap();
    fs::write(&names[1], rest).unwrap();
    assert_eq!(word(&log), Word::Forged);
    fs::write(&names[0], &first).unwrap();
    assert_eq!(word(&log), Word::Forged, "a record is cut out");
    fs::write(&names[1], b"").unwrap();
    assert_eq!(word(&log), Word::Forged, "an empty bundle");
}

#[test]
fn bytes_that_are_no_text_do_not_pass_for_a_replacement_character() {
    let (_place, log) = sample(Recipe::default());
    let note = fs::read_to_string(log.join("manifest")).unwrap();
    let text = witness::note::parse(&note).unwrap().text;
    let mut manifest = witness::manifest::RunManifest::parse(text).unwrap();
    manifest.tasks[0].name = "\u{fffd}".into();
    let checkpoint = fs::read_to_string(log.join("checkpoint")).unwrap();
    let origin = checkpoint.lines().next().unwrap();
    let signed = manifest.sign(origin, &common::device());
    fs::write(log.join("manifest"), &signed).unwrap();
    assert_eq!(word(&log), Word::Verified);
    let (before, after) = signed.split_once('\u{fffd}').unwrap();
    for bytes in [b"\xff".as_slice(), b"\xef\xbf"] {
        let bad = [before.as_bytes(), bytes, after.as_bytes()].concat();
        fs::write(log.join("manifest"), bad).unwrap();
        assert_eq!(word(&log), Word::Forged);
    }
}

#[test]
fn damage_is_found_beside_gaps() {
    let (_place, log) = sample(Recipe { calls: 600, ..Recipe::default() });
    let tiles = ["tile/0/000", "tile/0/001", "tile/0/002.p/93", "tile/1/000.p/2"];
    for (gone, bytes) in files(&log) {
        if gone == Path::new("checkpoint") {
            continue;
        }
        fs::remove_file(log.join(&gone)).unwrap();
        assert_eq!(word(&log), Word::Incomplete, "{}", gone.display());
        for tile in tiles.iter().filter(|tile| gone != Path::new(tile)) {
            assert_eq!(with(&log, tile, flip_last), Word::Forged, "{tile}, {}", gone.display());
        }
        fs::write(log.join(&gone), bytes).unwrap();
    }
}

#[test]
fn what_is_there_of_a_tree_is_compared_as_far_as_the_records_reach() {
    let (_place, log) = sample(Recipe { calls: 600, ..Recipe::default() });
    for gone in ["tile/entries/001", "tile/0/001"] {
        fs::remove_file(log.join(gone)).unwrap();
    }
    let flip = |at: usize| {
        move |mut bytes: Vec<u8>| {
            bytes[at] ^= 1;
            bytes
        }
    };
    assert_eq!(with(&log, "tile/1/000.p/2", flip(0)), Word::Forged);
    // Nothing that is there leads to the second hash.
    assert_eq!(with(&log, "tile/1/000.p/2", flip(32)), Word::Incomplete);
    assert_eq!(word(&log), Word::Incomplete);
}

#[test]
fn of_two_files_of_one_bundle_the_listed_one_is_read() {
    let (_place, log) = sample(Recipe::default());
    put(&log, "tile/entries/000", b"x");
    let found = verify(&log, device_key(), Expected::default()).unwrap();
    assert_eq!((found.word(), found.bad_record()), (Word::Forged, None));
}

#[test]
fn what_is_left_of_a_long_log_is_incomplete_not_forged() {
    let (_place, log) = sample(Recipe { calls: 1_500, ..Recipe::default() });
    let kept = ["checkpoint", "tile/entries/000", "tile/0/000"].map(Path::new);
    for name in files(&log).into_keys().filter(|name| !kept.contains(&name.as_path())) {
        fs::remove_file(log.join(name)).unwrap();
    }
    assert_eq!(word(&log), Word::Incomplete);
    // Without a checkpoint nobody says which files there should be.
    fs::remove_file(log.join("checkpoint")).unwrap();
    put(&log, "tile/0/009.p/1", b"x");
    assert_eq!(word(&log), Word::Incomplete);
}

#[test]
fn a_boot_that_broke_off_takes_nothing_from_the_next() {
    let first = Recipe { boot: [1; 16], ..Recipe::default() }.run().uart;
    let second = Recipe { boot: [2; 16], ..Recipe::default() }.run().uart;
    for cut in (0..first.len()).step_by(97) {
        let capture = [&first[..cut], &second].concat();
        let imported = helio::log::stream::from_bytes(&capture, None).unwrap();
        assert_eq!(imported.log.boot, Some([2; 16]), "cut at {cut}");
        assert!(imported.log.manifest.is_some(), "cut at {cut}: {:?}", imported.remarks);
    }
}

#[test]
fn a_boot_of_which_nothing_can_be_placed_hides_no_other() {
    let first = Recipe { boot: [1; 16], ..Recipe::default() }.run().uart;
    let second = Recipe { boot: [2; 16], ..Recipe::default() }.run().uart;
    // The beginning of its first frame is there, the rest is not.
    let mut torn = second;
    torn[1_000] ^= 1;
    let capture = [first.as_slice(), &torn].concat();
    let imported = helio::log::stream::from_bytes(&capture, None).unwrap();
    assert_eq!(imported.log.boot, Some([1; 16]));
    assert!(imported.log.manifest.is_some(), "{:?}", imported.remarks);
}

#[test]
fn a_capture_that_begins_too_late_holds_no_log() {
    let uart = Recipe { calls: 300, ..Recipe::default() }.run().uart;
    let whole = helio::log::stream::from_bytes(&uart, None).unwrap().log;
    for from in (0..uart.len()).step_by(101) {
        if let Some(imported) = helio::log::stream::from_bytes(&uart[from..], None) {
            assert!(whole.entries.starts_with(&imported.log.entries), "from {from}");
        }
    }
}

#[test]
fn a_stream_cut_anywhere_or_damaged_is_never_taken_for_a_whole_one() {
    let run = Recipe { calls: 5, ..Recipe::default() }.run();
    let place = tempdir().unwrap();
    let log = place.path().join("log");
    for stream in [&run.disk, &run.uart] {
        for cut in (0..stream.len()).step_by(61) {
            let mut damaged = stream.clone();
            damaged[cut] ^= 1;
            for stream in [&stream[..cut], &damaged] {
                let Some(found) = helio::log::stream::from_bytes(stream, None) else { continue };
                folder::write(&log, &found.log).unwrap();
                let found = word(&log);
                assert_ne!(found, Word::Forged, "at {cut}");
            }
        }
    }
}

#[test]
fn an_import_replaces_a_log_and_nothing_else() {
    let place = tempdir().unwrap();
    let disk = text(&put(place.path(), "log.raw", &Recipe::default().run().disk));
    let log = place.path().join("log");
    assert_eq!(helio_text(&["log", "import", &disk, "-o", &text(&log)]).0, 0);
    assert_eq!(helio_text(&["log", "import", &disk, "-o", &text(&log)]).0, 0);
    put(&log, "thesis.txt", b"years of work");
    assert_eq!(helio_text(&["log", "import", &disk, "-o", &text(&log)]).0, 2);
    assert!(log.join("thesis.txt").exists());
}
