//! Comparing runs.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::Path;

use common::{Recipe, helio_json, helio_text, import, text};
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
