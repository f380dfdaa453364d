//! Disk images: the right files, the same bytes, and a start with Limine.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{self, helio_json, helio_text, put, store, text};
use helio::Arch;
use helio::image::{self, Spec, Start, paths};
use tempfile::tempdir;

/// An ELF header, as far as anybody looks at one here.
fn kernel(arch: Arch) -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(3 << 20, 0x90);
    bytes[18..20].copy_from_slice(&arch.elf_machine().to_le_bytes());
    bytes
}

/// A PE header, likewise.
fn loader(arch: Arch) -> Vec<u8> {
    let mut bytes = b"MZ".to_vec();
    bytes.resize(0x1000, 0);
    bytes[0x3c] = 0x80;
    bytes[0x80..0x84].copy_from_slice(b"PE\0\0");
    bytes[0x84..0x86].copy_from_slice(&arch.pe_machine().to_le_bytes());
    bytes
}

fn spec(arch: Arch) -> Spec {
    Spec {
        arch,
        start: Start::Uefi(loader(arch)),
        kernel: kernel(arch),
        kernel_signature: Some(b"signature".to_vec()),
        package: Some(vec![7; 100_000]),
        trust: Some(b"trust".to_vec()),
        device_key: Some(b"key".to_vec()),
        more: None,
        command_line: "nonce=00".into(),
    }
}

fn files(disk: &Path) -> Vec<image::Entry> {
    let disk = fs::read(disk).unwrap();
    image::read_back(&disk[image::partition(&disk).unwrap()]).unwrap()
}

/// Limine's released binaries, where a test may use them.
fn limine() -> Option<PathBuf> {
    std::env::var_os("LIMINE_DIR").map(PathBuf::from)
}

#[test]
fn an_image_holds_what_went_into_it() {
    let place = tempdir().unwrap();
    for arch in Arch::ALL {
        let path = place.path().join(arch.name());
        image::build(&spec(arch), &path).unwrap();
        let files = files(&path);
        let names: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
        let loader = format!("EFI/BOOT/{}", arch.removable_loader());
        let expected = [
            loader.as_str(),
            paths::COMMAND_LINE,
            paths::DEVICE_KEY,
            paths::KERNEL,
            paths::KERNEL_SIGNATURE,
            paths::PACKAGE,
            paths::TRUST,
        ];
        assert_eq!(names, expected);
        assert_eq!(files[1].bytes, b"nonce=00");
        assert_eq!(files[3].bytes, kernel(arch));
        assert_eq!(files[5].bytes, vec![7; 100_000]);
    }
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let place = tempdir().unwrap();
    let (a, b) = (place.path().join("a"), place.path().join("b"));
    image::build(&spec(Arch::X86_64), &a).unwrap();
    // FAT times have a grain of two seconds.
    std::thread::sleep(std::time::Duration::from_millis(2100));
    image::build(&spec(Arch::X86_64), &b).unwrap();
    assert!(fs::read(a).unwrap() == fs::read(b).unwrap());
}

#[test]
fn large_packages_make_larger_images() {
    let place = tempdir().unwrap();
    let path = place.path().join("disk.img");
    let package = Some(vec![1; 60 << 20]);
    image::build(&Spec { package, ..spec(Arch::X86_64) }, &path).unwrap();
    assert!(fs::metadata(&path).unwrap().len() > 64 << 20);
    assert_eq!(files(&path).iter().map(|file| file.bytes.len()).max(), Some(60 << 20));
}

#[test]
fn files_of_the_wrong_kind_are_refused_and_nothing_is_left() {
    let place = tempdir().unwrap();
    let path = place.path().join("disk.img");
    let wrong = [
        Spec { kernel: kernel(Arch::Aarch64), ..spec(Arch::X86_64) },
        Spec { kernel: b"#!/bin/sh".to_vec(), ..spec(Arch::X86_64) },
        Spec { start: Start::Uefi(loader(Arch::Aarch64)), ..spec(Arch::X86_64) },
        Spec { start: Start::Uefi(b"MZ".to_vec()), ..spec(Arch::X86_64) },
        Spec { start: Start::Limine("/nowhere".into()), ..spec(Arch::X86_64) },
        Spec { command_line: "a\nb".into(), ..spec(Arch::X86_64) },
    ];
    for spec in wrong {
        assert!(image::build(&spec, &path).is_err());
    }
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn the_command_signs_the_kernel_and_takes_everything_from_where_make_puts_it() {
    let (place, keys) = store();
    let build = place.path().join("build");
    put(&build, "x86_64/kernel.elf", &kernel(Arch::X86_64));
    put(&build, "x86_64/loader.efi", &loader(Arch::X86_64));
    let output = place.path().join("disk.img");
    let folders = [text(&build), text(keys.trust_path().parent().unwrap()), text(&output)];
    let arguments = ["image", "--build", &folders[0], "--keys", &folders[1], "-o", &folders[2]];
    let (code, json) = helio_json(&arguments);
    assert_eq!(code, 0, "{json}");
    let files = files(&output);
    let signature = files.iter().find(|file| file.path == paths::KERNEL_SIGNATURE).unwrap();
    let note = std::str::from_utf8(&signature.bytes).unwrap();
    let digest = common::HASHER.hash(&kernel(Arch::X86_64));
    let kind = witness::signature::FileKind::Kernel;
    keys.trust().unwrap().check_file(kind, &digest, note).unwrap();

    let (code, _, error) = helio_text(&[&arguments[..], &["--arch", "aarch64"]].concat());
    assert_eq!(code, 2);
    assert!(error.contains("make loader"), "{error}");
    let (code, _, error) = helio_text(&[&arguments[..], &["--loader", "limine"]].concat());
    assert_eq!(code, 2);
    assert!(error.contains("--limine-dir"), "{error}");
}

#[test]
fn a_direct_boot_image_is_the_loader_with_its_files_behind_it() {
    let place = tempdir().unwrap();
    let path = place.path().join("kernel8.img");
    // A header of 64 bytes, a little code, and more in memory than in the file.
    let mut loader = vec![0x11; 10_000];
    loader[16..24].copy_from_slice(&0x5000u64.to_le_bytes());
    loader[56..60].copy_from_slice(b"ARM\x64");
    let spec = Spec { start: Start::None, command_line: String::new(), ..spec(Arch::Aarch64) };
    image::build_direct(&spec, &loader, &path).unwrap();
    let bytes = fs::read(&path).unwrap();
    assert_eq!(bytes[..16], loader[..16]);
    assert_eq!(bytes[16..24], (bytes.len() as u64).to_le_bytes());
    assert!(bytes[10_000..0x5000].iter().all(|&byte| byte == 0));
    let archive = boot_contract::archive::Archive::read(&bytes[0x5000..]).unwrap();
    assert_eq!(archive.get("kernel.elf").unwrap(), kernel(Arch::Aarch64));
    let names: Vec<_> = archive.files().map(|(name, _)| name).collect();
    assert_eq!(names, ["kernel.elf", "package.rvf", "trust.note", "device.pem"]);

    let wrong = [
        (Spec { arch: Arch::X86_64, kernel: kernel(Arch::X86_64), ..spec.clone() }, loader.clone()),
        (Spec { command_line: "a=b".into(), ..spec.clone() }, loader.clone()),
        (spec.clone(), b"MZ".to_vec()),
        (spec, vec![0; 100]),
    ];
    for (spec, loader) in wrong {
        let path = place.path().join("wrong");
        assert!(image::build_direct(&spec, &loader, &path).is_err());
        assert!(!path.exists());
    }
}

#[test]
fn limine_gets_a_configuration_that_every_version_reads() {
    let Some(folder) = limine() else { return };
    let place = tempdir().unwrap();
    let path = place.path().join("disk.img");
    image::build(&Spec { start: Start::Limine(folder), ..spec(Arch::X86_64) }, &path).unwrap();
    let files = files(&path);
    let text = |name: &str| {
        let file = files.iter().find(|file| file.path == name).unwrap();
        String::from_utf8(file.bytes.clone()).unwrap()
    };
    let configuration = text(paths::LIMINE_CONFIGURATION);
    for line in [
        "    kernel_path: boot():/heliograph/kernel.elf",
        "    path: boot():/heliograph/kernel.elf",
        "    cmdline: nonce=00",
        "    module_path: boot():/heliograph/package.rvf",
        "    module_string: device-key",
        "    module_cmdline: trust",
    ] {
        assert!(configuration.lines().any(|it| it == line), "{line}");
    }
    // Boot code is in place, and the partition table still is.
    let disk = fs::read(&path).unwrap();
    assert!(disk[..440].iter().any(|&byte| byte != 0));
    assert!(disk[512..0x10_0000].iter().any(|&byte| byte != 0));
}
