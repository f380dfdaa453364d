//! Hosted runs: the same cell without a machine, the same checks after it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{helio_json, helio_text, put, store, text};
use helio::keys::{Role, Store};
use tempfile::TempDir;

const MANIFEST: &str = r#"
[package]
name = "demo"
version = 1

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

/// Says hello a thousand times, a microsecond apart, and returns a code.
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
    (local.set $left (i32.const 500))
    (loop $again
      (drop (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 6)))
      (drop (call $wait (i32.const 1) (i32.const 1) (i64.const 1000)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $again (local.get $left)))
    (i32.const {code})))"#
    )
}

struct Place {
    folder: TempDir,
    store: Store,
}

impl Place {
    fn new() -> Self {
        let (folder, store) = store();
        Self { folder, store }
    }

    fn keys(&self) -> String {
        text(self.store.trust_path().parent().unwrap())
    }

    fn package(&self, name: &str, module: &str) -> String {
        let manifest = put(self.folder.path(), &format!("{name}/demo.toml"), MANIFEST.as_bytes());
        put(self.folder.path(), &format!("{name}/demo.wat"), module.as_bytes());
        let package = text(&manifest.with_extension("rvf"));
        let key = text(&self.store.private_path(Role::Operator));
        let (code, _, error) =
            helio_text(&["pack", &text(&manifest), "-o", &package, "--key", &key]);
        assert_eq!(code, 0, "{error}");
        package
    }

    fn out(&self, name: &str) -> String {
        text(&self.folder.path().join(name))
    }

    fn run(&self, package: &str, out: &str) -> (i32, serde_json::Value) {
        let (keys, out) = (self.keys(), self.out(out));
        helio_json(&["run", "--hosted", "--package", package, "--keys", &keys, "--out", &out])
    }

    fn log(&self, out: &str) -> PathBuf {
        self.folder.path().join(out).join("log")
    }
}

fn entries(log: &Path) -> usize {
    helio::log::folder::read(log).unwrap().entries.len()
}

#[test]
fn a_run_is_verified_and_ends_with_0() {
    let place = Place::new();
    let package = place.package("p", &module(0));
    let (code, json) = place.run(&package, "a");
    assert_eq!((code, &json["verdict"], &json["succeeded"]), (0, &"verified".into(), &true.into()));
    assert_eq!(json["facts"]["arch"], "hosted");
    assert!(entries(&place.log("a")) >= 1_000);
    let console = fs::read(place.folder.path().join("a/console.log")).unwrap();
    assert_eq!(console, b"hello\n".repeat(500));

    // The log stands on its own.
    let key = text(&place.store.public_path(Role::Device));
    let log = text(&place.log("a"));
    let verify = ["verify", &log, "--key", &key, "--package", &package];
    assert_eq!(helio_json(&verify).0, 0);
    let other = place.package("q", &module(1));
    let verify = ["verify", &log, "--key", &key, "--package", &other];
    assert_eq!(helio_json(&verify).0, 3);
}

#[test]
fn two_runs_have_the_same_records_and_another_package_has_not() {
    let place = Place::new();
    let package = place.package("p", &module(0));
    place.run(&package, "a");
    place.run(&package, "b");
    place.run(&place.package("q", &module(1)), "c");
    let [a, b, c] = ["a", "b", "c"].map(|out| text(&place.log(out)));
    let (code, json) = helio_json(&["diff", &a, &b]);
    assert_eq!((code, &json["equal"]), (0, &true.into()), "{json}");
    assert_eq!(helio_json(&["diff", &a, &c]).0, 1);
}

#[test]
fn a_task_that_fails_is_told_by_the_exit_code_of_a_run_that_verifies() {
    let place = Place::new();
    let (code, json) = place.run(&place.package("p", &module(3)), "a");
    assert_eq!((code, &json["verdict"]), (1, &"verified".into()));
    assert_eq!(json["facts"]["tasks"][0]["code"], 3);
}

#[test]
fn an_unsigned_package_is_refused_in_a_log_that_verifies() {
    let place = Place::new();
    let package = place.package("p", &module(0));
    let mut bytes = fs::read(&package).unwrap();
    bytes.truncate(bytes.len() - package::SEAL_SIZE);
    fs::write(&package, bytes).unwrap();
    let (code, json) = place.run(&package, "a");
    assert_eq!(
        (code, &json["verdict"], &json["facts"]["denied"]),
        (1, &"verified".into(), &1.into())
    );
}

#[test]
fn a_given_nonce_is_in_the_log_and_a_fresh_one_otherwise() {
    let place = Place::new();
    let package = place.package("p", &module(0));
    let nonce = "5a".repeat(32);
    let (keys, out) = (place.keys(), place.out("a"));
    let mut run = vec!["run", "--hosted", "--package", &package, "--keys", &keys, "--out", &out];
    let (_, first) = helio_json(&run);
    let (_, second) = helio_json(&run);
    run.extend(["--nonce", &nonce]);
    let (_, third) = helio_json(&run);
    assert_eq!(third["facts"]["nonce"], nonce.as_str());
    assert_ne!(first["facts"]["nonce"], second["facts"]["nonce"]);
}

#[test]
fn people_see_the_console_the_checkpoint_and_the_three_lists() {
    let place = Place::new();
    let package = place.package("p", &module(0));
    let output = Command::new(env!("CARGO_BIN_EXE_helio"))
        .args(["run", "--hosted", "--package", &package])
        .args(["--keys", &place.keys(), "--out", &place.out("a")])
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let order = [
        "hello\n",
        "signed checkpoint:",
        "\nverified\n",
        "checked:",
        "reproducible by replay:",
        "only claimed:",
    ];
    let places: Vec<_> = order.iter().map(|part| out.find(part)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{out}");
    assert!(out.contains("development"), "{out}");
}
