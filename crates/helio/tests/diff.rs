//! Comparing runs.

use std::path::Path;

use crate::common::{self, Recipe, helio_json, helio_text, import, text};
use helio::diff::{Difference, diff};
use helio::log::Folder;
use tempfile::tempdir;
use witness::record::Arch;

fn log(place: &Path, name: &str, recipe: Recipe) -> String {
    let folder = place.join(name);
    import(&recipe.run().disk, &folder);
    text(&folder)
}

#[test]
fn two_machines_that_ran_the_same_are_equal() {
    let place = tempdir().unwrap();
    let a = log(place.path(), "a", Recipe::default());
    let other = Recipe { boot: [9; 16], arch: Arch::Aarch64, ..Recipe::default() };
    let b = log(place.path(), "b", other);
    let (code, json) = helio_json(&["diff", &a, &b]);
    assert_eq!((code, &json["equal"], &json["compared"]), (0, &true.into(), &24.into()));
}

#[test]
fn the_first_record_that_differs_is_shown_from_both_sides() {
    let place = tempdir().unwrap();
    let a = log(place.path(), "a", Recipe::default());
    let b = log(place.path(), "b", Recipe { seed: 8, ..Recipe::default() });
    let (code, json) = helio_json(&["diff", &a, &b]);
    assert_eq!((code, &json["first"]), (1, &0.into()));
    let (_, out, _) = helio_text(&["diff", &a, &b]);
    assert!(out.contains("seed 7") && out.contains("seed 8"), "{out}");
}

#[test]
fn a_log_that_ends_early_differs_where_it_ends() {
    let place = tempdir().unwrap();
    let a = log(place.path(), "a", Recipe::default());
    let b = log(place.path(), "b", Recipe { calls: 19, ..Recipe::default() });
    let (code, json) = helio_json(&["diff", &a, &b]);
    assert_eq!((code, &json["first"]), (1, &23.into()));
    let kinds = (json["a"]["kind"].as_str(), json["b"]["kind"].as_str());
    assert_eq!(kinds, (Some("queue_send"), Some("exit")));
}

#[test]
fn something_that_is_no_log_is_refused() {
    let place = tempdir().unwrap();
    let a = log(place.path(), "a", Recipe::default());
    let (code, _, error) = helio_text(&["diff", &a, &text(place.path())]);
    assert_eq!(code, 2);
    assert!(error.contains("not a log"), "{error}");
}

#[test]
fn a_log_without_records_equals_nothing() {
    let place = tempdir().unwrap();
    let a = log(place.path(), "a", Recipe::default());
    std::fs::remove_dir_all(Path::new(&a).join("tile")).unwrap();
    assert_eq!(helio_text(&["diff", &a, &a]).0, 2);
}

#[test]
fn a_log_that_ends_before_leaf_1_differs_there() {
    let whole = Folder { entries: vec![vec![1], vec![2]], ..Folder::default() };
    let cut = Folder { entries: vec![vec![1]], ..Folder::default() };
    assert_eq!(diff(&whole, &cut), Difference::At { index: 1 });
    assert_eq!(diff(&cut, &whole), Difference::At { index: 1 });
    assert_eq!(diff(&cut, &cut), Difference::None { compared: 1 });
}

/// A log as it was when this part of its stream had come, and as it ended.
fn earlier_and_later(place: &Path, part: usize) -> (String, String) {
    let stream = Recipe { calls: 300, ..Recipe::default() }.run().uart;
    let cut = &stream[..stream.len() * part / 100];
    let early = helio::log::stream::from_bytes(cut, None).unwrap();
    let folder = place.join("early");
    helio::log::folder::write(&folder, &early.log).unwrap();
    (text(&folder), log(place, "late", Recipe { calls: 300, ..Recipe::default() }))
}

fn key(place: &Path, key: [u8; 32]) -> String {
    text(&common::put(place, "key.pem", witness::key::public_to_pem(&key).as_bytes()))
}

#[test]
fn a_log_is_shown_to_be_the_beginning_of_what_it_became() {
    for part in [30, 60, 90] {
        let place = tempdir().unwrap();
        let (early, late) = earlier_and_later(place.path(), part);
        let key = key(place.path(), common::device_key());
        let (code, json) = helio_json(&["diff", "--prefix", &early, &late, "--key", &key]);
        assert_eq!((code, &json["verdict"]), (0, &"prefix".into()), "{json}");
        let size = json["a"]["size"].as_u64().unwrap();
        assert!(size >= 14 && size < json["b"]["size"].as_u64().unwrap());
        assert_eq!(json["a"]["signature"], "holds");
        // The proof holds by the two roots alone.
        let hash = |text: &serde_json::Value| {
            witness::base64::decode_array::<32>(text.as_str().unwrap()).unwrap()
        };
        let proof: Vec<_> = json["proof"].as_array().unwrap().iter().map(hash).collect();
        let root =
            |side: &str| witness::hex::decode::<32>(json[side]["root"].as_str().unwrap()).unwrap();
        let new = (305, &root("b"));
        let holds = |root: &[u8; 32]| {
            witness::tree::verify_consistency(common::HASHER, (size, root), new, &proof)
        };
        assert!(holds(&root("a")));
        assert!(!holds(&[7; 32]));

        // The other way round it is not, and the longer one says where.
        let (code, json) = helio_json(&["diff", "--prefix", &late, &early]);
        assert_eq!((code, &json["verdict"]), (1, &"not-a-prefix".into()));
        assert_eq!(
            (&json["first"], &json["b"]["record"]),
            (&size.into(), &serde_json::Value::Null)
        );
        let (code, out, _) = helio_text(&["diff", "--prefix", &early, &late]);
        assert_eq!(code, 0);
        assert!(out.starts_with("prefix: ") && out.contains("not checked"), "{out}");
    }
}

#[test]
fn a_log_is_its_own_beginning_and_another_boot_is_not() {
    let place = tempdir().unwrap();
    let a = log(place.path(), "a", Recipe::default());
    let (code, json) = helio_json(&["diff", "--prefix", &a, &a]);
    assert_eq!((code, &json["verdict"]), (0, &"prefix".into()));
    assert!(json["proof"].as_array().unwrap().is_empty());
    let b = log(place.path(), "b", Recipe { boot: [9; 16], calls: 30, ..Recipe::default() });
    let (code, json) = helio_json(&["diff", "--prefix", &a, &b]);
    assert_eq!((code, &json["first"]), (1, &1.into()));
    assert_eq!(json["a"]["record"]["kind"], "machine");
    let (code, out, _) = helio_text(&["diff", "--prefix", &a, &b]);
    assert_eq!(code, 1);
    assert!(out.contains("part at record 1"), "{out}");
}

#[test]
fn a_checkpoint_of_somebody_else_or_a_bad_one_proves_no_beginning() {
    let place = tempdir().unwrap();
    let (early, late) = earlier_and_later(place.path(), 60);
    let stranger = witness::key::public(&witness::note::SigningKey::from_bytes(&[5; 32]));
    let other = key(place.path(), stranger);
    let (code, json) = helio_json(&["diff", "--prefix", &early, &late, "--key", &other]);
    assert_eq!((code, &json["verdict"]), (5, &"wrong-key".into()));
    let key = key(place.path(), common::device_key());
    let path = Path::new(&early).join("checkpoint");
    let good = std::fs::read_to_string(&path).unwrap();
    // The signature of the later checkpoint under the earlier text.
    let late_note = std::fs::read_to_string(Path::new(&late).join("checkpoint")).unwrap();
    let (text, _) = good.split_once("\n\n").unwrap();
    let (_, signature) = late_note.split_once("\n\n").unwrap();
    std::fs::write(&path, format!("{text}\n\n{signature}")).unwrap();
    let (code, json) = helio_json(&["diff", "--prefix", &early, &late, "--key", &key]);
    assert_eq!((code, &json["verdict"]), (3, &"forged".into()));
    std::fs::remove_file(&path).unwrap();
    let (code, json) = helio_json(&["diff", "--prefix", &early, &late]);
    assert_eq!((code, &json["error"]["object"]), (2, &early.into()));
    let (code, _, _) = helio_text(&["diff", &late, &late, "--key", &key]);
    assert_eq!(code, 2, "--key is for --prefix");
}

#[test]
fn disks_and_captures_are_compared_as_they_are() {
    let place = tempdir().unwrap();
    let run = Recipe::default().run();
    let disk = text(&common::put(place.path(), "log.raw", &run.disk));
    let uart = text(&common::put(place.path(), "console.log", &run.uart));
    assert_eq!(helio_json(&["diff", &disk, &uart]).0, 0);
    assert_eq!(helio_json(&["diff", "--prefix", &disk, &uart]).0, 0);
}
