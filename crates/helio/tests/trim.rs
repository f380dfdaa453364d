//! Trimming a kernel's file to what is loaded.

use std::path::Path;

use crate::common::{helio_text, put, text};
use boot_contract::Architecture;
use boot_contract::elf::Image;
use helio::trim::trim;
use tempfile::tempdir;

/// A kernel with one segment of code, 16 bytes long, and sections behind it.
fn kernel() -> Vec<u8> {
    let mut file = vec![0xEE; 0x3000];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"\x7fELF\x02\x01\x01");
    put(16, &2u16.to_le_bytes());
    put(18, &183u16.to_le_bytes());
    put(24, &0xffff_ffff_8000_0000u64.to_le_bytes());
    put(32, &64u64.to_le_bytes());
    put(40, &0x2000u64.to_le_bytes());
    for (at, value) in [(54, 56u16), (56, 1), (58, 64), (60, 3), (62, 1)] {
        put(at, &value.to_le_bytes());
    }
    let (load, read_execute) = (1u64, 5u64 << 32);
    let address = 0xffff_ffff_8000_0000;
    let header = [load | read_execute, 0x1000, address, address, 16, 0x100, 0x1000];
    for (index, word) in header.into_iter().enumerate() {
        put(64 + 8 * index, &word.to_le_bytes());
    }
    file
}

#[test]
fn a_trimmed_kernel_loads_the_same_and_ends_with_its_last_segment() {
    let whole = kernel();
    let trimmed = trim(Path::new("kernel"), &whole).unwrap();
    assert_eq!(trimmed.len(), 0x1010);
    let loaded = |file: &[u8]| {
        let image = Image::read(file, Architecture::Aarch64).unwrap();
        let mut memory = vec![0xAA; image.size() as usize];
        image.load(&mut memory).unwrap();
        (image.entry(), memory)
    };
    assert_eq!(loaded(&whole), loaded(&trimmed));
    assert_eq!(trim(Path::new("kernel"), &trimmed).unwrap(), trimmed);
}

#[test]
fn what_is_no_kernel_is_refused_and_nothing_is_written() {
    let place = tempdir().unwrap();
    let output = place.path().join("kernel.elf");
    for content in [b"text".as_slice(), &kernel()[..0x1008]] {
        let file = put(place.path(), "kernel.debug", content);
        let (code, _, error) = helio_text(&["trim", &text(&file), "-o", &text(&output)]);
        assert!(code == 2 && error.contains(&text(&file)), "{error}");
        assert!(!output.exists());
    }
}
