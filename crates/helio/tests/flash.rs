//! Flashing: files that stand for cards, what is refused, and what is asked.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use crate::common::{self, helio_json, helio_text, package, put, store, text};
use helio::Arch;
use helio::image;
use tempfile::TempDir;

/// The header of a Linux-style AArch64 image, as far as anybody looks at one
/// here.
fn direct() -> Vec<u8> {
    let mut bytes = vec![0x11; 10_000];
    bytes[16..24].copy_from_slice(&10_000u64.to_le_bytes());
    bytes[56..60].copy_from_slice(b"ARM\x64");
    bytes
}

/// A build folder and keys, as `make` leaves them, for images that look right
/// from outside; and the options that name them.
fn built() -> (TempDir, Vec<String>) {
    let (place, keys) = store();
    let build = place.path().join("build");
    for arch in Arch::ALL {
        let mut kernel = b"\x7fELF\x02\x01\x01".to_vec();
        kernel.resize(100_000, 0x90);
        kernel[18..20].copy_from_slice(&arch.elf_machine().to_le_bytes());
        put(&build, &format!("{arch}/kernel.elf"), &kernel);
        let mut loader = b"MZ".to_vec();
        loader.resize(0x1000, 0);
        loader[0x3c] = 0x80;
        loader[0x80..0x84].copy_from_slice(b"PE\0\0");
        loader[0x84..0x86].copy_from_slice(&arch.pe_machine().to_le_bytes());
        put(&build, &format!("{arch}/loader.efi"), &loader);
    }
    put(&build, "aarch64/direct.img", &direct());
    put(&build, "package.rvf", &package());
    let words = [
        "--build".into(),
        text(&build),
        "--keys".into(),
        text(keys.trust_path().parent().unwrap()),
        "--package".into(),
        text(&build.join("package.rvf")),
    ];
    (place, words.into())
}

fn flash<'a>(words: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    let words = words.iter().map(String::as_str);
    ["flash"].into_iter().chain(words).chain(more.iter().copied()).collect()
}

/// An empty card of so many MiB.
fn card(place: &TempDir, mebibytes: u64) -> String {
    let path = place.path().join("card.img");
    fs::File::create(&path).unwrap().set_len(mebibytes << 20).unwrap();
    text(&path)
}

#[test]
fn a_sparse_card_gets_the_image_and_keeps_its_size() {
    let (place, words) = built();
    let card = card(&place, 256);
    let (code, json) = helio_json(&flash(&words, &["--to", &card, "--yes"]));
    assert_eq!((code, &json["compared"]), (0, &true.into()), "{json}");
    let metadata = fs::metadata(&card).unwrap();
    assert_eq!(metadata.len(), 256 << 20);
    assert!(metadata.blocks() * 512 < 8 << 20, "what is zero takes no room");
    let disk = fs::read(&card).unwrap();
    let files = image::read_back(&disk[image::partition(&disk).unwrap()]).unwrap();
    let package = files.iter().find(|file| file.path == image::paths::PACKAGE).unwrap();
    assert_eq!(package.bytes, common::package());

    // The same as `helio image` makes, by its own way or from that image.
    let made = text(&place.path().join("made.img"));
    let mut image = flash(&words, &["-o", &made]);
    image[0] = "image";
    assert_eq!(helio_text(&image).0, 0);
    let bytes = fs::read(&made).unwrap();
    assert!(disk.starts_with(&bytes));
    let new = text(&place.path().join("new.img"));
    let (code, _, error) = helio_text(&["flash", &made, "--to", &new]);
    assert_eq!(code, 0, "{error}");
    assert!(error.contains("writing 48.0 MiB") && error.contains("comparing"), "{error}");
    assert!(fs::read(&new).unwrap() == bytes);
}

#[test]
fn places_that_must_not_be_written_to_are_refused_and_stay_as_they_are() {
    let (place, words) = built();
    let small = card(&place, 1);
    let junk = text(&put(place.path(), "junk.img", &[0; 1024]));
    let folder = text(place.path());
    for (more, reason) in [
        (&["--to", &small, "--yes"][..], "it has 1.0 MiB, and the image 48.0 MiB"),
        (&["--to", &folder, "--yes"], "it is a folder"),
        (&["--to", "/dev/null", "--yes"], "no disk and no file"),
        (&["--to", "/dev/no-such-disk", "--yes"], "no such device"),
        (&["--tftp", &folder, "--target", "rpi4"], "--firmware"),
        (&["--device", &small, "--yes", "--loader", "direct", "--target", "aarch64"], "is no disk"),
        (&["--tftp", &small], "not a folder"),
        (&["--tftp", &folder], "our UEFI loader reads its files from a disk"),
    ] {
        let more = match more[0] {
            "--tftp" if more[1] == small => {
                [more, &["--target", "aarch64", "--loader", "direct"]].concat()
            }
            _ => more.to_vec(),
        };
        let (code, _, error) = helio_text(&flash(&words, &more));
        assert_eq!((code, error.contains(reason)), (2, true), "{more:?}: {error}");
    }
    let (code, _, error) = helio_text(&["flash", &junk, "--to", &text(&place.path().join("new"))]);
    assert_eq!((code, error.contains("no partition table")), (2, true), "{error}");
    assert!(fs::read(&small).unwrap() == vec![0; 1 << 20]);
    assert!(!place.path().join("new").exists() && !place.path().join("heliograph").exists());
    assert_eq!(helio_text(&flash(&words, &[])).0, 2, "nowhere to write to");
}

#[test]
fn nothing_is_overwritten_unless_a_person_types_its_name_or_says_yes() {
    let (place, words) = built();
    let card = card(&place, 64);
    let (code, _, error) = helio_text(&flash(&words, &["--to", &card]));
    assert_eq!(code, 2);
    assert!(error.contains("card.img of 64.0 MiB") && error.contains("--yes"), "{error}");
    let (code, json) = helio_json(&flash(&words, &["--to", &card]));
    assert_eq!((code, &json["error"]["advice"]), (2, &"add --yes if that is meant".into()));
    for (answer, code) in [("y\n", 2), ("card.img\n", 0)] {
        let (mut person, terminal) = common::terminal();
        let child = Command::new(env!("CARGO_BIN_EXE_helio"))
            .args(flash(&words, &["--to", &card]))
            .stdin(terminal.try_clone().unwrap())
            .stderr(terminal)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"to go on: ") {
            let mut byte = [0];
            person.read_exact(&mut byte).unwrap();
            seen.push(byte[0]);
        }
        let seen = String::from_utf8(seen).unwrap();
        assert!(seen.contains("card.img of 64.0 MiB"), "{seen}");
        person.write_all(answer.as_bytes()).unwrap();
        // A terminal that nobody reads fills up with what progress bars draw.
        let reader = std::thread::spawn(move || person.read_to_end(&mut Vec::new()));
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        let _ = reader.join().unwrap();
        let is_written = fs::read(&card).unwrap()[510..512] == [0x55, 0xAA];
        assert_eq!(is_written, code == 0);
    }
}

#[test]
fn a_network_folder_has_what_u_boot_asks_for_beside_what_was_there() {
    let (place, words) = built();
    put(place.path(), "tftp/other/file", b"somebody else's");
    let folder = text(&place.path().join("tftp"));
    let more = ["--tftp", &folder, "--target", "aarch64", "--loader", "direct"];
    let more = [&more[..], &["--cmdline", "end=shell pace=0"]].concat();
    let (code, json) = helio_json(&flash(&words, &more));
    assert_eq!((code, json["files"].as_array().unwrap().len()), (0, 3), "{json}");
    let read = |path: &str| fs::read(Path::new(&folder).join(path)).unwrap();
    let pxe = String::from_utf8(read("pxelinux.cfg/default")).unwrap();
    assert!(pxe.contains("\n    KERNEL heliograph/direct.img\n"), "{pxe}");
    assert!(pxe.contains("\n    APPEND end=shell pace=0\n"), "{pxe}");
    assert_eq!(read("heliograph/direct.img"), direct());
    assert!(read("heliograph/boot.archive").starts_with(b"HGARCH01"));
    assert_eq!(read("other/file"), b"somebody else's");
}

#[test]
fn a_raspberry_pi_gets_its_card_and_its_folder() {
    let (place, words) = built();
    let card = card(&place, 512);
    let board = ["--target", "rpi4", "--set", "tasks.most=4"];
    let to = [&board[..], &["--to", &card, "--yes"]].concat();
    let (code, _, error) = helio_text(&flash(&words, &to));
    assert_eq!(code, 0, "{error}");
    // What it lacks for a board, and where that comes from.
    for words in ["start4.elf (", "fixup4.dat (", "bcm2711-rpi-4-b.dtb (", "raspi-firmware"] {
        assert!(error.contains(words), "{error}");
    }
    let disk = fs::read(&card).unwrap();
    let files = image::read_back(&disk[image::partition(&disk).unwrap()]).unwrap();
    let file = |name: &str| &files.iter().find(|file| file.path == name).unwrap().bytes;
    assert!(file("kernel8.img").len() > direct().len());
    assert!(String::from_utf8_lossy(file("cmdline.txt")).contains("tasks=4"));

    // Over a network the board needs its firmware from there, too.
    let folder = text(&place.path().join("tftp"));
    let network = [&board[..], &["--tftp", &folder, "--serial", "10000000abcd1234"]].concat();
    let (code, _, error) = helio_text(&flash(&words, &network));
    assert_eq!((code, error.contains("--firmware")), (2, true), "{error}");
    for name in ["start4.elf", "fixup4.dat", "bcm2711-rpi-4-b.dtb"] {
        put(place.path(), &format!("firmware/{name}"), b"of the board's maker");
    }
    let firmware = text(&place.path().join("firmware"));
    let (code, json) =
        helio_json(&flash(&words, &[&network[..], &["--firmware", &firmware]].concat()));
    assert_eq!((code, &json["folder"]), (0, &folder.clone().into()), "{json}");
    assert!(Path::new(&folder).join("abcd1234/kernel8.img").is_file());
}
