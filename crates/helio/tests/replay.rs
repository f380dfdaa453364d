//! `helio replay` as a command: its verdicts, their exit codes, the shell.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::{HASHER, helio_json, helio_text, put, store, text};
use helio::keys::{Role, Store};
use helio::log::folder;
use tempfile::TempDir;
use witness::checkpoint::Checkpoint;
use witness::frame::Collected;
use witness::manifest::RunManifest;
use witness::{Hash, note, tree};

const MANIFEST: &str = r#"
[package]
name = "demo"
version = 1
state_roots = 4

[limits]
fuel = 10_000_000
memory = 65_536
records = 2_000

[[component]]
name = "demo"
file = "demo.wat"

[[task]]
name = "main"
component = "demo"
capabilities = [
    { kind = "queue", name = "console", rights = ["write"] },
    { kind = "timer", name = "timer", rights = ["read"] },
]
"#;

/// Says hello ten times, a microsecond apart, and returns a code.
fn module(code: i32) -> String {
    format!(
        r#"(module
  (import "heliograph" "queue_send"
    (func $send (param i32 i32 i32 i32 i32) (result i64)))
  (import "heliograph" "timer_wait" (func $wait (param i32 i32 i64) (result i64)))
  (memory (export "memory") 1 1)
  (data (i32.const 16) "hello\n")
  (func (export "_start") (result i32)
    (local $left i32)
    (local.set $left (i32.const 10))
    (loop $again
      (drop (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 6)))
      (drop (call $wait (i32.const 1) (i32.const 1) (i64.const 1000)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $again (local.get $left)))
    (i32.const {code})))"#
    )
}

/// A key store, a package, and the log of its run.
struct Place {
    folder: TempDir,
    store: Store,
    package: String,
}

impl Place {
    fn new() -> Self {
        let (folder, store) = store();
        let mut place = Self { folder, store, package: String::new() };
        place.package = place.packed("p", &module(0));
        let (keys, out) = (place.keys(), text(&place.folder.path().join("run")));
        let run = ["run", "--hosted", "--package", &place.package, "--keys", &keys, "--out", &out];
        assert_eq!(helio_json(&run).0, 0);
        place
    }

    fn packed(&self, name: &str, module: &str) -> String {
        let manifest = put(self.folder.path(), &format!("{name}/demo.toml"), MANIFEST.as_bytes());
        put(self.folder.path(), &format!("{name}/demo.wat"), module.as_bytes());
        let package = text(&manifest.with_extension("rvf"));
        let key = text(&self.store.private_path(Role::Operator));
        let (code, _, error) =
            helio_text(&["pack", &text(&manifest), "-o", &package, "--key", &key]);
        assert_eq!(code, 0, "{error}");
        package
    }

    fn keys(&self) -> String {
        text(self.store.trust_path().parent().unwrap())
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("run/log")
    }

    fn replay(&self, more: &[&str]) -> (i32, serde_json::Value) {
        let (log, keys) = (text(&self.log()), self.keys());
        let replay = ["replay", &log, "--package", &self.package, "--keys", &keys];
        helio_json(&[&replay[..], more].concat())
    }

    /// Changes the records, and signs them again.
    fn sign_again(&self, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
        let log = folder::read(&self.log()).unwrap();
        let device = self.store.private(Role::Device).unwrap();
        let mut entries = log.entries;
        change(&mut entries);
        let ids: Vec<Hash> = entries.iter().map(|entry| HASHER.leaf(entry)).collect();
        let (root, size) = (tree::root(HASHER, &ids), ids.len() as u64);
        let checkpoint = log.checkpoint.unwrap();
        let origin = checkpoint.lines().next().unwrap();
        let manifest = log.manifest.unwrap();
        let manifest = RunManifest::parse(note::parse(&manifest).unwrap().text).unwrap();
        let manifest = RunManifest { records: size, root, ..manifest }.sign(origin, &device);
        let checkpoint = Checkpoint { origin, size, root }.sign(&device);
        let covered = entries.len();
        let (checkpoint, manifest) = (Some(checkpoint), Some(manifest));
        let log = Collected { boot: None, entries, covered, checkpoint, manifest };
        folder::write(&self.log(), &log).unwrap();
    }
}

#[test]
fn an_equal_run_ends_with_0_and_says_what_that_is_worth() {
    let place = Place::new();
    let (code, json) = place.replay(&[]);
    assert_eq!((code, &json["verdict"]), (0, &"equal".into()), "{json}");
    assert_eq!(json["equal"], json["records"]);
    assert!(json["records_per_second"].as_f64().unwrap() > 0.0);
    let claimed = json["claimed"].as_array().unwrap();
    assert!(claimed.iter().all(|line| !line.as_str().unwrap().contains("trust file")), "{json}");

    let (log, keys) = (text(&place.log()), place.keys());
    let replay = ["replay", &log, "--package", &place.package, "--keys", &keys];
    let (code, out, error) = helio_text(&replay);
    assert_eq!(code, 0, "{error}");
    assert!(out.starts_with("replayed equal: all "), "{out}");
    for part in ["records per second", "checked:", "reproduced:", "only claimed:"] {
        assert!(out.contains(part), "{part}\n{out}");
    }
    // What ran lies beside its log.
    let kept = place.folder.path().join("run/package.rvf");
    assert_eq!(fs::read(kept).unwrap(), fs::read(&place.package).unwrap());
    // Not at a terminal: one line a step, and no bar.
    assert_eq!(error, "helio: verifying the log\nhelio: replaying\n");
}

#[test]
fn who_has_not_the_trust_file_is_told_what_is_only_claimed() {
    let place = Place::new();
    let key = text(&place.store.public_path(Role::Device));
    let elsewhere = text(&place.folder.path().join("no-keys"));
    let (log, package) = (text(&place.log()), &place.package);
    let replay = ["replay", &log, "--package", package, "--keys", &elsewhere, "--key", &key];
    let (code, json) = helio_json(&replay);
    assert_eq!((code, &json["verdict"]), (0, &"equal".into()), "{json}");
    let last = json["claimed"].as_array().unwrap().last().unwrap();
    assert_eq!(last, "that the trust file allowed the package's signer");

    // The right one can be given, and a wrong one is found out.
    let trust = text(&place.store.trust_path());
    let (code, json) = helio_json(&[&replay[..], &["--trust", &trust]].concat());
    assert_eq!((code, json["claimed"].as_array().unwrap().len()), (0, 6), "{json}");
    let (_other_folder, other) = store();
    let trust = text(&other.trust_path());
    let (code, json) = helio_json(&[&replay[..], &["--trust", &trust]].concat());
    assert_eq!(
        (code, &json["verdict"], &json["record"]),
        (8, &"not-reproducible".into(), &1.into()),
        "{json}"
    );
}

#[test]
fn a_changed_record_under_a_signature_ends_with_7_and_shows_both_sides() {
    let place = Place::new();
    let mut last = 0;
    // The last record is nobody's parent: the rest stays as it is.
    place.sign_again(|entries| {
        last = entries.len() as u64 - 1;
        *entries.last_mut().unwrap().last_mut().unwrap() ^= 1;
    });
    let verify = ["verify", &text(&place.log()), "--key"];
    let key = text(&place.store.public_path(Role::Device));
    assert_eq!(helio_json(&[&verify[..], &[&key]].concat()).0, 0);

    let (code, json) = place.replay(&[]);
    assert_eq!(
        (code, &json["verdict"], &json["record"], &json["equal"]),
        (7, &"diverged".into(), &last.into(), &last.into()),
        "{json}"
    );
    let [difference] = &json["differences"].as_array().unwrap()[..] else { panic!("{json}") };
    assert_eq!(difference["field"], "root");
    assert_ne!(difference["log"], difference["replay"]);
    assert_eq!(json["log"]["line"]["kind"], "state-root");
    assert_eq!(json["replay"]["line"]["kind"], "state-root");

    let log = text(&place.log());
    let replay = ["replay", &log, "--package", &place.package, "--keys", &place.keys()];
    let (_, out, _) = helio_text(&replay);
    assert!(out.starts_with(&format!("diverged at record {last}\nlog\n")), "{out}");
    assert!(out.contains("\nreplay\n") && out.contains("root"), "{out}");
}

#[test]
fn another_package_ends_with_8() {
    let mut place = Place::new();
    place.package = place.packed("q", &module(1));
    let (code, json) = place.replay(&[]);
    assert_eq!(
        (code, &json["verdict"], &json["record"]),
        (8, &"not-reproducible".into(), &0.into()),
        "{json}"
    );
    assert!(json["sentence"].as_str().unwrap().contains("the package is another one"), "{json}");
}

#[test]
fn a_log_that_does_not_verify_ends_as_verify_does() {
    let bundle = |log: &Path| {
        let entries = log.join("tile/entries/000.p");
        fs::read_dir(entries).unwrap().next().unwrap().unwrap().path()
    };
    let place = Place::new();
    let (code, json) = place.replay(&["--key", &{
        let (_other_folder, other) = store();
        let key = text(&place.folder.path().join("other.pem"));
        fs::copy(other.public_path(Role::Device), &key).unwrap();
        key
    }]);
    assert_eq!((code, &json["verdict"]), (5, &"does-not-verify".into()), "{json}");

    // An end that is missing leaves what can be replayed.
    let manifest = place.log().join("manifest");
    fs::remove_file(&manifest).unwrap();
    let (code, json) = place.replay(&[]);
    assert_eq!((code, &json["verdict"]), (4, &"incomplete".into()), "{json}");
    assert_eq!(json["equal"], json["records"]);
    // Without a checkpoint nothing does.
    let checkpoint = place.log().join("checkpoint");
    let kept = fs::read(&checkpoint).unwrap();
    fs::remove_file(&checkpoint).unwrap();
    let (code, json) = place.replay(&[]);
    assert_eq!((code, &json["verdict"]), (4, &"does-not-verify".into()), "{json}");
    fs::write(&checkpoint, kept).unwrap();

    let path = bundle(&place.log());
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    let (code, json) = place.replay(&[]);
    let last = json["records"].as_u64().unwrap() - 1;
    assert_eq!(
        (code, &json["verdict"], &json["record"]),
        (3, &"does-not-verify".into(), &last.into()),
        "{json}"
    );
}

#[test]
fn what_is_no_log_or_no_package_ends_with_2() {
    let place = Place::new();
    let keys = place.keys();
    let nowhere = text(&place.folder.path().join("nowhere"));
    for replay in [
        ["replay", &nowhere, "--package", &place.package, "--keys", &keys],
        ["replay", &text(&place.log()), "--package", &nowhere, "--keys", &keys],
        ["replay", &text(&place.log()), "--package", &place.package, "--keys", &nowhere],
    ] {
        let (code, json) = helio_json(&replay);
        assert_eq!(code, 2, "{json}");
        assert!(json["error"]["advice"].is_string());
    }
}

#[test]
fn until_stops_where_every_record_before_it_is_there() {
    let place = Place::new();
    let (_, json) = place.replay(&[]);
    let records = json["records"].as_u64().unwrap();
    let mut before = 0;
    for until in 0..records {
        let (code, json) = place.replay(&["--until", &until.to_string()]);
        let equal = json["equal"].as_u64().unwrap();
        assert_eq!(code, 0);
        assert!(until <= equal && before <= equal, "{json}");
        assert_eq!(json["stands"]["records"], equal);
        // A slice is not cut: all of the run may be there already.
        assert_eq!(json["verdict"], "stopped");
        before = equal;
    }
    let (code, json) = place.replay(&["--until", &(records + 1).to_string()]);
    assert_eq!((code, &json["verdict"]), (0, &"equal".into()), "{json}");
}

#[test]
fn a_replay_goes_on_from_each_snapshot_that_the_log_commits_to() {
    let place = Place::new();
    let folder = text(&place.folder.path().join("snapshots"));
    let (code, json) = place.replay(&["--snapshots", &folder]);
    assert_eq!((code, &json["verdict"], &json["from"]), (0, &"equal".into(), &().into()));
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut snapshots: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|it| it == "snapshot")).collect();
    snapshots.sort();
    assert!(snapshots.len() > 1, "{snapshots:?}");
    let (log, keys) = (text(&place.log()), place.keys());
    for path in &snapshots {
        let from = ["replay", &log, "--from", &text(path), "--keys", &keys];
        let (code, json) = helio_json(&from);
        assert_eq!((code, &json["verdict"]), (0, &"equal".into()), "{json}");
        let record: u64 = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        assert_eq!(json["from"], record);
        let sentence = json["sentence"].as_str().unwrap();
        assert!(sentence.ends_with(&format!("made again from record {record} on")), "{sentence}");
        let claimed = json["claimed"].as_array().unwrap().last().unwrap();
        assert_eq!(claimed, &format!("that the package comes to the state before record {record}"));
    }

    // Another log does not commit to them.
    let mut other = Place::new();
    other.package = other.packed("q", &module(1));
    let out = text(&other.folder.path().join("run"));
    let keys = other.keys();
    let run = ["run", "--hosted", "--package", &other.package, "--keys", &keys, "--out", &out];
    assert_eq!(helio_json(&run).0, 1, "the task returns 1");
    let log = text(&other.log());
    let (code, json) =
        helio_json(&["replay", &log, "--from", &text(&snapshots[0]), "--keys", &keys]);
    assert_eq!((code, &json["error"]["stage"]), (2, &"snapshot".into()), "{json}");
}

#[test]
fn the_shell_shows_the_machine_as_it_was_and_changes_nothing() {
    let place = Place::new();
    let mut helio = Command::new(env!("CARGO_BIN_EXE_helio"))
        .args(["replay", &text(&place.log()), "--package", &place.package])
        .args(["--keys", &place.keys(), "--until", "8", "--shell"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = "help\ninfo\ntasks\nwitness\nwitness show 2\nstop\nreboot\nfrob\n\
                 cap\tma\t\nmem\nqueues\nregions\nvectors\ngraphs\nproofs\n\x1dtasks\n";
    helio.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = helio.wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{out}");
    assert!(out.starts_with("stopped: the first "), "{out}");
    for part in [
        "list the commands",
        "package     demo, version 1",
        "main",
        "signed     the first ",
        "what       rvf_mount",
        "There is no command `frob`",
        "replay> caps main ",
        "mailbox  queue  main/mailbox  read write grant revoke",
        "console-input   0 B   64.0 KiB         0  any type  -",
        "/          demo",
        "There are no regions.",
        "There are no vector stores.",
        "There are no graph stores.",
        "There are no proofs that nobody has used.",
    ] {
        assert!(out.contains(part), "{part}\n{out}");
    }
    assert_eq!(out.matches("it can be looked at, not changed").count(), 2, "{out}");
    // What follows Ctrl-] is for nobody.
    assert_eq!(out.matches("of  records  state").count(), 1, "{out}");

    let (code, json) = place.replay(&["--shell"]);
    assert_eq!((code, &json["error"]["object"]), (2, &"--shell".into()));
}
