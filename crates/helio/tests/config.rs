//! The configuration: what is said of it, and that it gets to where the kernel
//! has it from.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::{put, store, text};
use helio::image;
use serde_json::Value;
use tempfile::tempdir;

/// Runs helio in a folder; its exit code, what it says, and the errors.
fn helio(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_helio"));
    let output = command.current_dir(folder).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim().to_owned();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn every_value_has_its_meaning_and_its_source() {
    let place = tempdir().unwrap();
    put(place.path(), "heliograph.toml", b"[memory]\nheap = \"64 MiB\"\n[shell]\nstay = true\n");
    let show = ["config", "show", "--set", "tasks.most=4", "--json"];
    let (code, out, _) = helio(place.path(), &show);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 0);
    let settings = json["settings"].as_array().unwrap();
    let value = |key: &str| {
        let line = settings.iter().find(|line| line["key"] == key).unwrap();
        assert!(line["meaning"].as_str().unwrap().len() > 20);
        format!("{}, {}", line["value"].as_str().unwrap(), line["source"].as_str().unwrap())
    };
    assert_eq!(value("memory.heap"), "64 MiB, heliograph.toml:2");
    assert_eq!(value("shell.stay"), "true, heliograph.toml:4");
    assert_eq!(value("tasks.most"), "4, command line");
    assert_eq!(value("console.log"), "disk, default");
    assert_eq!(json["words"], "heap=67108864 tasks=4 end=shell");
    // The command line goes before the file.
    let get = ["config", "get", "memory.heap", "--set", "memory.heap=1GiB"];
    assert_eq!(helio(place.path(), &get).1, "1 GiB");
    let (_, out, _) = helio(place.path(), &["config", "show"]);
    assert!(out.contains("memory.heap      64 MiB     heliograph.toml:2\n"), "{out}");
}

#[test]
fn a_setting_is_set_and_taken_back_and_what_is_wrong_changes_nothing() {
    let place = tempdir().unwrap();
    let file = place.path().join("heliograph.toml");
    assert_eq!(helio(place.path(), &["config", "set", "memory.heap", "64MiB"]).0, 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), "[memory]\nheap = \"64 MiB\"\n");
    for (arguments, reason) in [
        (&["set", "memory.heap", "1"][..], "is not between"),
        (&["set", "memory.heep", "64MiB"], "did you mean memory.heap?"),
        (&["get", "nothing"], "there is no setting nothing"),
        (&["show", "--set", "memory.heap"], "there is no ="),
        (&["show", "--config", "elsewhere.toml"], "elsewhere.toml"),
    ] {
        let (code, _, error) = helio(place.path(), &[&["config"], arguments].concat());
        assert_eq!((code, error.contains(reason)), (2, true), "{arguments:?}: {error}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "[memory]\nheap = \"64 MiB\"\n");
    assert_eq!(helio(place.path(), &["config", "unset", "memory.heap"]).0, 0);
    assert_eq!(helio(place.path(), &["config", "get", "memory.heap"]).1, "auto");

    // Every command that takes the configuration names the line.
    put(place.path(), "heliograph.toml", b"[memory]\n\nheep = 1\n");
    for command in [&["config", "show"][..], &["image", "-o", "x"], &["run"]] {
        let (code, _, error) = helio(place.path(), command);
        let is_named = error.contains("heliograph.toml:3") && error.contains("memory.heep");
        assert!(code == 2 && (is_named || error.contains("make ")), "{command:?}: {error}");
    }
    assert_eq!(helio(place.path(), &["config", "set", "memory.heap", "64MiB"]).0, 2);
}

#[test]
fn an_image_has_the_configuration_on_the_kernels_command_line() {
    let (place, keys) = store();
    let build = place.path().join("build");
    let mut kernel = b"\x7fELF\x02\x01\x01".to_vec();
    kernel.resize(4096, 0x90);
    kernel[18..20].copy_from_slice(&62u16.to_le_bytes());
    put(&build, "x86_64/kernel.elf", &kernel);
    let mut loader = b"MZ".to_vec();
    loader.resize(0x1000, 0);
    loader[0x3c] = 0x80;
    loader[0x80..0x86].copy_from_slice(b"PE\0\0\x64\x86");
    put(&build, "x86_64/loader.efi", &loader);
    put(place.path(), "heliograph.toml", b"[tasks]\nmost = 4\n[console]\nlog = \"serial\"\n");
    let keys = text(keys.trust_path().parent().unwrap());
    let image = ["image", "--keys", &keys, "-o", "disk.img", "--cmdline", "tasks=9"];
    let image = [&image[..], &["--set", "memory.package=8MiB"]].concat();
    let (code, _, error) = helio(place.path(), &image);
    assert_eq!(code, 0, "{error}");
    let disk = fs::read(place.path().join("disk.img")).unwrap();
    let files = image::read_back(&disk[image::partition(&disk).unwrap()]).unwrap();
    let words = files.iter().find(|file| file.path == image::paths::COMMAND_LINE).unwrap();
    // What is given twice counts as it was given first.
    assert_eq!(words.bytes, b"tasks=9 memory=8388608 tasks=4 log=serial");
}
