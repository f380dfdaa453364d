//! The command line itself: help, usage, errors as JSON, log import.

use crate::common::{self, Recipe, helio_json, helio_text, package, put, store, text};
use tempfile::tempdir;

#[test]
fn help_lists_commands_and_exit_codes() {
    let (code, out, _) = helio_text(&["--help"]);
    assert_eq!(code, 0);
    for word in [
        "keys",
        "sign",
        "pack",
        "approve",
        "image",
        "run",
        "log",
        "verify",
        "diff",
        "monitor",
        "dtb",
        "security",
        "symbolize",
        "Exit codes",
    ] {
        assert!(out.contains(word), "{word}");
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    for arguments in [
        &["frobnicate"][..],
        &["verify"],
        &["keys", "trust", "somebody"],
        &["run", "--arch", "riscv64"],
        &["run", "--hosted", "--boot", "uefi"],
        &["verify", "log", "--key", "k", "--nonce", "12"],
        &["log", "import", "x", "-o", "y", "--boot", "zz"],
    ] {
        assert_eq!(helio_text(arguments).0, 2, "{arguments:?}");
        let (code, json) = helio_json(arguments);
        assert_eq!((code, &json["error"]["stage"]), (2, &"usage".into()), "{arguments:?}");
        assert!(!json["error"]["reason"].as_str().unwrap().contains('\n'), "{json}");
    }
}

#[test]
fn errors_are_objects_with_json() {
    let (code, json) = helio_json(&["log", "show", "/nowhere"]);
    assert_eq!(code, 2);
    for field in ["stage", "object", "reason", "advice"] {
        assert!(!json["error"][field].as_str().unwrap().is_empty(), "{field}");
    }
}

#[test]
fn import_keeps_what_is_there_when_it_fails() {
    let place = tempdir().unwrap();
    let disk = put(place.path(), "log.raw", &Recipe::default().run().disk);
    let blank = put(place.path(), "blank.raw", &[0; 65_536]);
    let log = text(&place.path().join("log"));
    assert_eq!(helio_text(&["log", "import", &text(&disk), "-o", &log]).0, 0);
    let (code, _, error) = helio_text(&["log", "import", &text(&blank), "-o", &log]);
    assert_eq!(code, 2);
    assert!(error.contains("blank.raw") && error.contains("no log"), "{error}");
    assert_eq!(helio_text(&["log", "show", &log]).0, 0);

    // A folder of somebody else's is not replaced.
    put(place.path(), "mine/letter", b"dear");
    let mine = text(&place.path().join("mine"));
    assert_eq!(helio_text(&["log", "import", &text(&disk), "-o", &mine]).0, 2);
    assert!(place.path().join("mine/letter").exists());
}

#[test]
fn one_boot_of_a_capture_with_two_can_be_chosen() {
    let place = tempdir().unwrap();
    let first = Recipe { calls: 3, ..Recipe::default() };
    let second = Recipe { boot: [9; 16], calls: 5, ..Recipe::default() };
    let capture = [first.run().uart, second.run().uart].concat();
    let capture = text(&put(place.path(), "console.log", &capture));
    let log = text(&place.path().join("log"));
    let (code, json) = helio_json(&["log", "import", &capture, "-o", &log]);
    assert_eq!((code, &json["records"]), (0, &10.into()));
    assert_eq!(json["remarks"].as_array().unwrap().len(), 1);
    let boot = witness::hex::encode(&first.boot);
    let (code, json) = helio_json(&["log", "import", &capture, "-o", &log, "--boot", &boot]);
    assert_eq!((code, &json["records"], &json["complete"]), (0, &8.into(), &true.into()));
    let other = "0".repeat(32);
    assert_eq!(helio_text(&["log", "import", &capture, "-o", &log, "--boot", &other]).0, 2);
}

#[test]
fn damage_in_a_capture_costs_what_comes_after_it_and_says_so() {
    let place = tempdir().unwrap();
    let mut capture = Recipe { calls: 300, ..Recipe::default() }.run().uart;
    let middle = capture.len() / 2;
    capture.drain(middle..middle + 10);
    let capture = text(&put(place.path(), "console.log", &capture));
    let log = text(&place.path().join("log"));
    let (code, json) = helio_json(&["log", "import", &capture, "-o", &log]);
    assert_eq!((code, &json["complete"]), (0, &false.into()), "{json}");
    assert!(json["remarks"][0].as_str().unwrap().contains("missing or damaged"), "{json}");
    let key = put(
        place.path(),
        "device.pem",
        witness::key::public_to_pem(&common::device_key()).as_bytes(),
    );
    assert_eq!(helio_json(&["verify", &log, "--key", &text(&key)]).0, 4);
}

#[test]
fn a_run_names_what_is_not_built_yet() {
    let (place, keys) = store();
    let keys = text(keys.trust_path().parent().unwrap());
    let build = text(&place.path().join("build"));
    let run = ["run", "regress", "--build", &build, "--keys", &keys];
    let (code, _, error) = helio_text(&run);
    assert_eq!((code, error.contains("make payloads")), (2, true), "{error}");
    put(place.path(), "build/packages/regress.rvf", &package());
    let (code, _, error) = helio_text(&run);
    assert_eq!((code, error.contains("make loader")), (2, true), "{error}");
}

#[test]
fn results_that_do_not_reach_stdout_are_an_error_and_a_reader_that_left_is_none() {
    let (_place, store) = store();
    let keys = text(store.trust_path().parent().unwrap());
    let show = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_helio"));
        command.args(["keys", "show", "--dir", &keys]);
        command
    };
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = show().stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("cannot write stdout") && error.lines().count() == 1, "{error}");

    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(show().stdout(writer).output().unwrap().status.code(), Some(0));
}
