//! `helio run`, as `make run` and people use it: it brings the log home,
//! verifies it, and its exit status says whether all of that held.

use std::path::Path;
use std::process::{Command, Output};

use integration::work::Work;
use integration::{artefacts, packages};
use serde_json::Value;

const NONCE: &str = "5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e";

/// Runs the command in the root of the tree.
fn helio(arguments: &[&str]) -> (Option<i32>, String, String) {
    let command =
        Command::new(artefacts::helio()).args(arguments).current_dir(artefacts::root()).output();
    let Output { status, stdout, stderr } = command.unwrap();
    // A machine's lines end as a terminal on its serial port wants it.
    let text = |bytes| String::from_utf8(bytes).unwrap().replace("\r\n", "\n");
    (status.code(), text(stdout), text(stderr))
}

/// The words for a quick machine with this package.
fn quick<'a>(package: &'a str, out: &'a str) -> Vec<&'a str> {
    let machine = ["run", "--arch", "aarch64", "--boot", "direct", "--batch"];
    [&machine[..], &["--package", package, "--nonce", NONCE, "--out", out]].concat()
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_good_run_ends_with_a_verified_log_that_equals_the_hosted_one() {
    let work = Work::new("command");
    let (machine, hosted) = (work.path().join("machine"), work.path().join("hosted"));
    let package = artefacts::build().join("packages/regress.rvf");

    let (code, out, error) = helio(&quick(text(&package), text(&machine)));
    assert_eq!(code, Some(0), "{out}{error}");
    for line in ["least LRE 14.6: accurate\n", "\nverified\n", NONCE, "reproducible by replay:\n"] {
        assert!(out.contains(line), "{line}\n{out}");
    }

    let arguments = ["run", "--hosted", "--package", text(&package), "--out", text(&hosted)];
    let (code, out, error) = helio(&[&arguments[..], &["--json"]].concat());
    assert_eq!(code, Some(0), "{out}{error}");
    let summary: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&summary["verdict"], &summary["facts"]["records"]),
        (&"verified".into(), &10.into())
    );

    let (machine, hosted) = (machine.join("log"), hosted.join("log"));
    let (code, out, error) = helio(&["diff", text(&machine), text(&hosted)]);
    assert_eq!(code, Some(0), "{out}{error}");

    let key = artefacts::build().join("keys/device.pub.pem");
    let verify = ["verify", text(&machine), "--key", text(&key), "--nonce", NONCE];
    assert_eq!(helio(&verify).0, Some(0));
    let verify = ["verify", text(&hosted), "--key", text(&key), "--nonce", NONCE];
    assert_eq!(helio(&verify).0, Some(3), "another nonce is not the one that was given");
}

#[test]
fn a_task_that_traps_fails_the_run_though_the_log_verifies() {
    let work = Work::new("command");
    let package = work.path().join("trap.rvf");
    std::fs::write(&package, packages::hostile("trap").sign(&artefacts::operator()).unwrap())
        .unwrap();
    let out = work.path().join("out");
    let (code, shown, error) = helio(&quick(text(&package), text(&out)));
    assert_eq!(code, Some(1), "{shown}{error}");
    assert!(shown.contains("\nverified\n") && shown.contains("trap: trap 1"), "{shown}");
}

#[test]
fn a_machine_that_does_not_end_is_ended_and_the_run_has_failed() {
    let work = Work::new("command");
    let package = artefacts::build().join("packages/regress.rvf");
    let out = work.path().join("out");
    // It waits for somebody to type.
    let waits = ["--cmdline", "test=input", "--timeout", "4"];
    let (code, shown, error) = helio(&[&quick(text(&package), text(&out))[..], &waits].concat());
    assert_eq!(code, Some(1), "{shown}{error}");
    assert!(error.contains("time limit"), "{shown}{error}");
}
