//! Building: what cargo is called with, and what is refused before it is. That
//! it builds what boots is what every test in QEMU is about.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{store, text};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// Runs it in a folder, and reads what it says.
fn build(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_helio"))
        .current_dir(folder)
        .args(["build", "--json"])
        .args(arguments)
        .env("RUSTFLAGS", "-Cdebuginfo=2")
        .output()
        .unwrap();
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn cargo_is_called_with_flags_that_leave_no_path_of_this_machine() {
    let (place, keys) = store();
    let keys = text(keys.trust_path().parent().unwrap());
    let arguments = ["--dry-run", "--target", "aarch64", "--keys", &keys];
    // From below the root as well as from it.
    for folder in [root(), root().join("kernel/src")] {
        let (code, json) = build(&folder, &arguments);
        assert_eq!(code, 0, "{json}");
        let commands: Vec<_> =
            json["commands"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        let [kernel, loader, direct] = commands[..] else { panic!("{json}") };
        for command in commands {
            let remap = format!("--remap-path-prefix={}=heliograph", root().display());
            for word in [&remap, "=cargo ", "lib/rustlib=rust", "RUSTC_BOOTSTRAP=1", " --locked "] {
                assert!(command.contains(word), "{word}: {command}");
            }
            assert!(!command.contains("debuginfo"), "the user's own flags: {command}");
            assert!(command.contains(" -Zbuild-std=core,alloc,compiler_builtins "), "{command}");
        }
        let ours = "-p kernel --target kernel/targets/aarch64-heliograph.json --features";
        assert!(kernel.contains(ours) && kernel.ends_with("kernel-shell --release"), "{kernel}");
        assert!(loader.contains("HELIOGRAPH_ROOT_KEY=") && loader.contains("backend=\"serial\""));
        assert!(direct.contains("boot/direct/aarch64-direct.json"));
    }
    let debug = ["--dry-run", "--debug", "kernel", "payloads"];
    let (_, json) = build(&root(), &debug);
    let [kernel, payloads] = &json["commands"].as_array().unwrap()[..] else { panic!("{json}") };
    assert!(!kernel.as_str().unwrap().contains("--release"));
    let payloads = payloads.as_str().unwrap();
    assert!(payloads.contains("-p regress --profile payload --target wasm32"), "{payloads}");
    drop(place);
}

#[test]
fn what_cannot_be_built_is_refused_before_cargo_is_called() {
    let (place, keys) = store();
    let keys = text(keys.trust_path().parent().unwrap());
    let nobody = text(&place.path().join("nobody"));
    for (arguments, reason) in [
        (&["--features", "warp-drive"][..], "no such feature"),
        (&["direct"], "no direct boot"),
        (&["loader", "--keys", &nobody], "no root key"),
        (&["kernel", "--keys", &keys, "--key", "nobody"], "No such file"),
    ] {
        let (code, json) = build(&root(), arguments);
        assert_eq!(code, 2, "{json}");
        assert!(json["error"]["reason"].as_str().unwrap().contains(reason), "{reason}: {json}");
    }
    let (code, json) = build(place.path(), &[]);
    assert_eq!((code, &json["error"]["stage"]), (2, &"build".into()), "{json}");
}
