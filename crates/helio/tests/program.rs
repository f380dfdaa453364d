//! `helio run program.wasm`: a program that is in no package yet.

use std::fs;

use crate::common::{helio_text, put, store, text};
use helio::keys::Store;
use tempfile::TempDir;

/// Writes its standard input, then the file `a.txt`, then its arguments with
/// zeros behind them, and ends with the number of those as its code.
const PROGRAM: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\00\04\00\00\00\04\00\00")
  (data (i32.const 64) "a.txt")
  (func $copy (param $from i32)
    (if (i32.eqz (call $read (local.get $from) (i32.const 0) (i32.const 1) (i32.const 4))) (then
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (i32.store (i32.const 4) (i32.const 1024)))))
  (func (export "_start")
    (call $copy (i32.const 0))
    (if (i32.eqz (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 5) (i32.const 0)
          (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)))
      (then (call $copy (i32.load (i32.const 16)))))
    (drop (call $sizes (i32.const 16) (i32.const 4)))
    (drop (call $args (i32.const 128) (i32.const 1024)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $exit (i32.sub (i32.load (i32.const 16)) (i32.const 1)))))"#;

struct Place {
    folder: TempDir,
    store: Store,
}

impl Place {
    fn new() -> Self {
        let (folder, store) = store();
        put(folder.path(), "prog.wasm", &wat::parse_str(PROGRAM).unwrap());
        put(folder.path(), "files/a.txt", b"alpha\n");
        put(folder.path(), "files/b.txt", b"beta\n");
        put(folder.path(), "in", b"input\n");
        Self { folder, store }
    }

    fn path(&self, name: &str) -> String {
        text(&self.folder.path().join(name))
    }

    /// Runs the program. Gives the exit code, what it wrote, and errors.
    fn run(&self, more: &[&str]) -> (i32, String, String) {
        self.run_file("prog.wasm", more)
    }

    fn run_file(&self, file: &str, more: &[&str]) -> (i32, String, String) {
        let keys = text(self.store.trust_path().parent().unwrap());
        let (file, out) = (self.path(file), self.path("out"));
        let run = ["run", "--hosted", &file, "--keys", &keys, "--out", &out];
        let (code, _, error) = helio_text(&[&run, more].concat());
        let console = fs::read_to_string(self.path("out/console.log")).unwrap_or_default();
        (code, console, error)
    }
}

#[test]
fn a_program_runs_with_what_it_is_given() {
    let place = Place::new();
    let (code, console, error) = place.run(&[]);
    assert_eq!((code, console.as_str()), (0, "prog.wasm\0"), "{error}");

    let (folder, input) = (place.path("files"), place.path("in"));
    let (_, console, _) = place.run(&["--dir", &folder, "--stdin", &input]);
    assert_eq!(console, "input\nalpha\nprog.wasm\0");

    let named = format!("a.txt={}", place.path("files/b.txt"));
    let (_, console, _) = place.run(&["--file", &named, "--env", "A=b"]);
    assert_eq!(console, "beta\nprog.wasm\0");
}

#[test]
fn its_arguments_and_its_code_are_its_own() {
    let place = Place::new();
    let (code, console, _) = place.run(&["--", "--json", "x y"]);
    assert_eq!((code, console.as_str()), (1, "prog.wasm\0--json\0x y\0"));
}

#[test]
fn the_same_program_has_the_same_package() {
    let place = Place::new();
    let digest = || {
        place.run(&["--file", &place.path("files/a.txt")]);
        let key = text(&place.store.public_path(helio::keys::Role::Device));
        let package = place.path("out/package.rvf");
        let log = place.path("out/log");
        let verify = ["verify", &log, "--key", &key, "--package", &package, "--json"];
        let (code, out, _) = helio_text(&verify);
        assert_eq!(code, 0);
        serde_json::from_str::<serde_json::Value>(&out).unwrap()["facts"]["package"].clone()
    };
    let first = digest();
    assert!(first.is_string());
    assert_eq!(first, digest());
}

#[test]
fn what_cannot_be_given_is_said() {
    let place = Place::new();
    let file = place.path("files/a.txt");
    for (more, reason) in [
        (vec!["--env", "novalue"], "env[0]"),
        (vec!["--file", "no/such/file"], "no/such/file"),
        (vec!["--dir", "no/such/folder"], "no/such/folder"),
        (vec!["--file", &file, "--file", &file], "a.txt"),
    ] {
        let (code, _, error) = place.run(&more);
        assert!(code != 0 && error.contains(reason), "{reason}: {error}");
    }
    put(place.folder.path(), "not.wasm", b"text");
    let (code, _, error) = place.run_file("not.wasm", &["--", "x"]);
    assert!(code != 0 && error.contains("not.wasm"), "{error}");
}
