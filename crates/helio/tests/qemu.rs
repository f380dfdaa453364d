//! The QEMU runner, with a boot sector for a machine: it prints `>`, waits
//! for a digit on the serial port, echoes it and exits with it as status.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::common::{package, put, store, text};
use helio::Arch;
use helio::qemu::{Boot, End, Machine, MachineStatus};
use tempfile::tempdir;

const PATIENCE: Duration = Duration::from_secs(60);

#[rustfmt::skip]
const CODE: [u8; 30] = [
    0xBA, 0xF8, 0x03,       // mov dx, 0x3f8
    0xB0, b'>',             // mov al, '>'
    0xEE,                   // out dx, al
    0xBA, 0xFD, 0x03,       // mov dx, 0x3fd
    0xEC,                   // in al, dx
    0xA8, 0x01,             // test al, 1
    0x74, 0xFB,             // jz back to the in
    0xBA, 0xF8, 0x03,       // mov dx, 0x3f8
    0xEC,                   // in al, dx
    0xEE,                   // out dx, al
    0x2C, b'0',             // sub al, '0'
    0x04, 0x10,             // add al, 0x10
    0xBA, 0xF4, 0x00,       // mov dx, 0xf4
    0xEE,                   // out dx, al
    0xF4,                   // hlt
    0xEB, 0xFD,             // jmp back to the hlt

];

fn machine(folder: &Path) -> Machine {
    let mut disk = vec![0; 1 << 20];
    disk[..CODE.len()].copy_from_slice(&CODE);
    disk[510..512].copy_from_slice(&[0x55, 0xAA]);
    let disk = put(folder, "disk, with a comma.img", &disk);
    Machine::new(Arch::X86_64, Boot::Bios(disk), folder).unwrap()
}

#[test]
fn a_conversation_ends_with_the_status_that_was_asked_for() {
    let place = tempdir().unwrap();
    for (digit, status) in [(b'0', MachineStatus::Success), (b'2', MachineStatus::Panic)] {
        let mut run = machine(place.path()).limit(PATIENCE).start().unwrap();
        run.expect(">", PATIENCE).unwrap();
        run.send(&[digit]);
        let ended = run.wait().unwrap();
        assert_eq!(ended.end, End::Machine(status), "{}", ended.errors);
        assert_eq!(ended.console.last(), Some(&digit));
    }
    // Its log disk was there, and is sparse.
    assert_eq!(std::fs::metadata(place.path().join("log.raw")).unwrap().len(), 64 << 20);
}

#[test]
fn a_machine_that_never_ends_is_ended() {
    let place = tempdir().unwrap();
    let begun = Instant::now();
    let run = machine(place.path()).limit(Duration::from_secs(3)).start().unwrap();
    let ended = run.wait().unwrap();
    assert_eq!(ended.end, End::TimedOut);
    assert!(begun.elapsed() < PATIENCE);
}

#[test]
fn waiting_for_what_never_comes_is_an_error_that_says_so() {
    let place = tempdir().unwrap();
    let mut run = machine(place.path()).limit(PATIENCE).start().unwrap();
    run.expect(">", PATIENCE).unwrap();
    let error = run.expect("login:", Duration::from_millis(300)).unwrap_err().to_string();
    assert!(error.contains("login:"), "{error}");
    run.send(b"1");
    let error = run.expect("login:", PATIENCE).unwrap_err().to_string();
    assert!(error.contains("ended before"), "{error}");
}

#[test]
fn boards_say_what_they_cannot_do() {
    let direct =
        Boot::Direct { image: PathBuf::new(), initrd: PathBuf::new(), command_line: String::new() };
    assert!(Machine::new(Arch::X86_64, direct, Path::new("x")).is_err());
    assert!(Machine::new(Arch::Aarch64, Boot::Bios(PathBuf::new()), Path::new("x")).is_err());
}

#[test]
fn a_missing_qemu_is_named_with_its_package() {
    let (place, keys) = store();
    let build = place.path().join("build");
    let mut kernel = b"\x7fELF\x02\x01".to_vec();
    kernel.resize(64, 0);
    kernel[18] = 62;
    put(&build, "x86_64/kernel.elf", &kernel);
    let mut loader = b"MZ".to_vec();
    loader.resize(0x100, 0);
    loader[0x3c] = 0x80;
    loader[0x80..0x86].copy_from_slice(b"PE\0\0\x64\x86");
    put(&build, "x86_64/loader.efi", &loader);
    put(&build, "packages/regress.rvf", &package());
    let output = Command::new(env!("CARGO_BIN_EXE_helio"))
        .args(["run", "--build", &text(&build), "--batch"])
        .args(["--keys", &text(keys.trust_path().parent().unwrap())])
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(6), "{error}");
    assert!(error.contains("qemu-system-x86"), "{error}");
    assert!(!build.join("run/x86_64/log").exists());
}
