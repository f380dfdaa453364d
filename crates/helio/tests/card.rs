//! Cards for a Raspberry Pi 4: what lies on them, and a log from one.

use std::fs;
use std::path::Path;

use crate::common::{Recipe, helio_json, helio_text, put, store, text};
use helio::Arch;
use helio::image::rpi4::{Card, Firmware};
use helio::image::{self, Spec, Start};
use tempfile::tempdir;

fn kernel() -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(100_000, 0x90);
    bytes[18..20].copy_from_slice(&Arch::Aarch64.elf_machine().to_le_bytes());
    bytes
}

/// The header of an AArch64 image, and a little behind it.
fn loader() -> Vec<u8> {
    let mut loader = vec![0x11; 10_000];
    loader[16..24].copy_from_slice(&0x5000u64.to_le_bytes());
    loader[56..60].copy_from_slice(b"ARM\x64");
    loader
}

fn spec() -> Spec {
    Spec {
        arch: Arch::Aarch64,
        start: Start::None,
        kernel: kernel(),
        kernel_signature: None,
        package: Some(vec![7; 1000]),
        more: None,
        trust: Some(b"trust".to_vec()),
        device_key: Some(b"key".to_vec()),
        command_line: "nonce=00".into(),
    }
}

/// A folder with firmware's files.
fn firmware(folder: &Path) {
    for name in ["start4.elf", "fixup4.dat", "bcm2711-rpi-4-b.dtb"] {
        put(folder, name, name.as_bytes());
    }
}

fn files(card: &[u8]) -> Vec<image::Entry> {
    image::read_back(&card[image::partition(card).unwrap()]).unwrap()
}

fn disk(firmware: Option<&Firmware>) -> Vec<u8> {
    let place = tempdir().unwrap();
    let path = place.path().join("card.img");
    Card { spec: &spec(), loader: &loader(), firmware }.build(&path).unwrap();
    fs::read(path).unwrap()
}

#[test]
fn a_card_has_a_partition_for_firmware_and_one_for_the_log() {
    let place = tempdir().unwrap();
    firmware(place.path());
    let card = disk(Some(&Firmware::read(place.path()).unwrap()));
    assert_eq!(card.len(), 128 << 20);
    // Type, first sector, number of sectors.
    let entry = |number: usize| {
        let entry = &card[446 + 16 * number..][..16];
        let word = |at: usize| u32::from_le_bytes(entry[at..at + 4].try_into().unwrap());
        (entry[0], entry[4], word(8), word(12))
    };
    assert_eq!(entry(0), (0x80, 0x0c, 2048, 47 << 11));
    assert_eq!(entry(1), (0, 0xda, 48 << 11, 80 << 11));
    assert_eq!((entry(2).1, entry(3).1), (0, 0));
    let names: Vec<_> = files(&card).into_iter().map(|file| file.path).collect();
    let expected = [
        "bcm2711-rpi-4-b.dtb",
        "cmdline.txt",
        "config.txt",
        "fixup4.dat",
        "heliograph/package.rvf",
        "heliograph/trust.note",
        "kernel8.img",
        "start4.elf",
    ];
    assert_eq!(names, expected);
}

#[test]
fn the_image_on_a_card_has_everything_behind_it() {
    let files = files(&disk(None));
    let file = |name: &str| &files.iter().find(|file| file.path == name).unwrap().bytes;
    let image = file("kernel8.img");
    assert_eq!(image[16..24], (image.len() as u64).to_le_bytes());
    let archive = boot_contract::archive::Archive::read(&image[0x5000..]).unwrap();
    assert_eq!(archive.get("kernel.elf").unwrap(), kernel());
    assert_eq!(archive.get("package.rvf").unwrap(), *file("heliograph/package.rvf"));
    assert_eq!(file("cmdline.txt"), b"uart=mini nonce=00\n");
    let configuration = String::from_utf8_lossy(file("config.txt"));
    assert!(configuration.contains("boots in QEMU only"), "{configuration}");
}

#[test]
fn the_same_files_give_the_same_card() {
    assert!(disk(None) == disk(None));
}

#[test]
fn missing_firmware_is_named_with_where_it_comes_from() {
    let place = tempdir().unwrap();
    put(place.path(), "start4.elf", b"");
    let error = Firmware::read(place.path()).unwrap_err().to_string();
    for words in ["fixup4.dat (", "bcm2711-rpi-4-b.dtb (", "raspberrypi/firmware", "raspi-firmware"]
    {
        assert!(error.contains(words), "{error}");
    }
    assert!(!error.contains("start4.elf (the"), "{error}");
}

#[test]
fn flash_makes_cards_and_lays_files_out_for_a_board() {
    let (place, keys) = store();
    let build = place.path().join("build");
    put(&build, "aarch64/kernel.elf", &kernel());
    put(&build, "aarch64/direct.img", &loader());
    firmware(&place.path().join("firmware"));
    let path = |name: &str| text(&place.path().join(name));
    let keys = text(keys.trust_path().parent().unwrap());
    let build = text(&build);
    let common = ["flash", "--target", "rpi4", "--build", &build, "--keys", &keys];
    let run = |more: &[&str]| helio_json(&[&common[..], more].concat());

    let (code, json) = run(&["--to", &path("card.img"), "--set", "tasks.pace=false"]);
    assert_eq!(code, 0, "{json}");
    let card = fs::read(path("card.img")).unwrap();
    assert_eq!(card.len(), 128 << 20);
    let files = files(&card);
    let words = &files.iter().find(|file| file.path == "cmdline.txt").unwrap().bytes;
    assert_eq!(words, b"uart=mini pace=0\n");
    // What the device's key lies in is no other key.
    let (_, json) = helio_json(&["security", &path("card.img"), "--keys", &keys]);
    let findings = json["reports"][0]["findings"].as_array().unwrap();
    let is_there = |code: &str| findings.iter().any(|finding| finding["code"] == code);
    assert!(is_there("device-key-in-image") && !is_there("private-key-in-image"), "{json}");
    assert!(findings.iter().any(|finding| finding["place"] == "the board's firmware"), "{json}");

    let (tftp, firmware) = (path("tftp"), path("firmware"));
    let network = ["--tftp", &tftp, "--serial", "100000009ffefdef", "--firmware", &firmware];
    for (wrong, reason) in [
        (&network[..4], "firmware"),
        (&["--tftp", &tftp, "--firmware", &firmware], "folder of its own"),
    ] {
        let (code, json) = run(wrong);
        let said = json["error"]["reason"].as_str().unwrap();
        assert!(code == 2 && said.contains(reason), "{json}");
    }
    let (code, json) = run(&network);
    assert_eq!(code, 0, "{json}");
    for name in ["start4.elf", "config.txt", "cmdline.txt", "kernel8.img"] {
        assert!(Path::new(&tftp).join("9ffefdef").join(name).is_file(), "{name}");
    }
    let missing = ["--to", &path("other.img"), "--firmware", &tftp];
    let (code, _, error) = helio_text(&[&common[..], &missing].concat());
    assert!(code != 0 && error.contains("start4.elf (the firmware itself)"), "{error}");
}

#[test]
fn a_log_is_imported_from_its_partition_of_a_card() {
    let place = tempdir().unwrap();
    let mut card = disk(None);
    let card_path = put(place.path(), "blank.img", &card);
    let output = text(&place.path().join("log"));
    let (code, _, error) = helio_text(&["log", "import", &text(&card_path), "-o", &output]);
    assert!(code == 2 && error.contains("no log in it"), "{error}");

    let run = Recipe::default().run();
    let start = image::log_partition(&card).unwrap().start as usize;
    card[start..start + run.disk.len()].copy_from_slice(&run.disk);
    let card_path = put(place.path(), "card.img", &card);
    let (code, json) = helio_json(&["log", "import", &text(&card_path), "-o", &output]);
    assert_eq!(code, 0, "{json}");
    let disk_path = put(place.path(), "log.raw", &run.disk);
    let other = text(&place.path().join("other"));
    assert_eq!(helio_text(&["log", "import", &text(&disk_path), "-o", &other]).0, 0);
    let read = |folder: &str| fs::read(Path::new(folder).join("checkpoint")).unwrap();
    assert_eq!(read(&output), read(&other));
}
