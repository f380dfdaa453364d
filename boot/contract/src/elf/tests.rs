use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

const BASE: u64 = KERNEL_LOWEST;

struct Part {
    flags: u32,
    address: u64,
    file: Vec<u8>,
    memory_size: u64,
}

fn part(flags: u32, address: u64, file: &[u8], memory_size: u64) -> Part {
    Part { flags, address, file: file.to_vec(), memory_size }
}

/// A kernel of three parts, as a linker lays it out.
fn parts() -> Vec<Part> {
    vec![
        part(5, BASE, &[0xc3; 100], 100),
        part(4, BASE + 0x1000, b"constants", 9),
        part(6, BASE + 0x2008, &[1, 2, 3], 0x3000),
    ]
}

fn file(parts: &[Part], entry: u64) -> Vec<u8> {
    let mut file = vec![0; HEADER + parts.len() * PROGRAM_HEADER];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"\x7fELF\x02\x01\x01");
    put(16, &2u16.to_le_bytes());
    put(18, &62u16.to_le_bytes());
    put(24, &entry.to_le_bytes());
    put(32, &(HEADER as u64).to_le_bytes());
    put(54, &(PROGRAM_HEADER as u16).to_le_bytes());
    put(56, &(parts.len() as u16).to_le_bytes());
    for (index, part) in parts.iter().enumerate() {
        let at = HEADER + index * PROGRAM_HEADER;
        let offset = file.len() as u64;
        let words = [offset, part.address, 0, part.file.len() as u64, part.memory_size, 4096];
        file[at..at + 4].copy_from_slice(&PT_LOAD.to_le_bytes());
        file[at + 4..at + 8].copy_from_slice(&part.flags.to_le_bytes());
        for (index, word) in words.iter().enumerate() {
            file[at + 8 + index * 8..][..8].copy_from_slice(&word.to_le_bytes());
        }
        file.extend_from_slice(&part.file);
    }
    file
}

fn read(file: &[u8]) -> Result<Image<'_>, ElfError> {
    Image::read(file, Architecture::X86_64)
}

fn refusal(parts: &[Part]) -> ElfError {
    read(&file(parts, BASE)).map(|image| image.size()).unwrap_err()
}

#[test]
fn a_kernel_is_loaded_where_it_is_linked_and_the_rest_is_zero() {
    let file = file(&parts(), BASE + 99);
    let image = read(&file).unwrap();
    assert_eq!((image.base(), image.size(), image.entry()), (BASE, 0x6000, BASE + 99));
    let mut memory = vec![0xaa; 0x6000];
    image.load(&mut memory).unwrap();
    assert_eq!(&memory[..101], [[0xc3; 100].as_slice(), &[0]].concat());
    assert_eq!(&memory[0x1000..0x100a], b"constants\0");
    assert_eq!(&memory[0x2007..0x200c], [0, 1, 2, 3, 0]);
    assert!(memory[0x200c..].iter().all(|&byte| byte == 0));
    assert_eq!(image.load(&mut memory[..0x5fff]), None);
}

#[test]
fn each_part_has_the_pages_and_the_protection_it_asks_for() {
    let file = file(&parts(), BASE);
    let segments = read(&file).unwrap();
    let found: Vec<_> = segments
        .segments()
        .iter()
        .map(|part| (part.first_page() - BASE, part.pages(), part.protection))
        .collect();
    let wanted = [
        (0, 0x1000, Protection::ReadExecute),
        (0x1000, 0x1000, Protection::ReadOnly),
        (0x2000, 0x4000, Protection::ReadWrite),
    ];
    assert_eq!(found, wanted);
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let whole = file(&parts(), BASE);
    for length in 0..whole.len() {
        let error = read(&whole[..length]).map(|image| image.size()).unwrap_err();
        let wanted = if length < 4 { ElfError::NotElf } else { ElfError::Truncated };
        assert_eq!(error, wanted, "at {length}");
    }
}

#[test]
fn a_file_whose_sections_are_cut_off_is_refused() {
    let mut whole = file(&parts(), BASE);
    let sections = whole.len() as u64;
    whole[40..48].copy_from_slice(&sections.to_le_bytes());
    whole[60..62].copy_from_slice(&3u16.to_le_bytes());
    whole.resize(whole.len() + 3 * 64, 0);
    assert!(read(&whole).is_ok());
    assert_eq!(read(&whole[..whole.len() - 1]).unwrap_err(), ElfError::Truncated);
}

#[test]
fn another_kind_of_file_is_refused_for_what_it_is() {
    let changed = |at: usize, byte: u8| {
        let mut file = file(&parts(), BASE);
        file[at] = byte;
        read(&file).map(|image| image.size()).unwrap_err()
    };
    assert_eq!(changed(1, b'e'), ElfError::NotElf);
    assert_eq!(changed(4, 1), ElfError::WrongClass);
    assert_eq!(changed(5, 2), ElfError::WrongClass);
    assert_eq!(changed(6, 0), ElfError::WrongClass);
    assert_eq!(changed(16, 3), ElfError::NotStatic);
    assert_eq!(changed(18, 183), ElfError::WrongMachine(Architecture::X86_64));
    assert_eq!(changed(54, 32), ElfError::BadHeaders);
}

#[test]
fn memory_that_is_written_and_executed_is_refused() {
    assert_eq!(refusal(&[part(7, BASE, b"x", 1)]), ElfError::WritableCode);
}

#[test]
fn parts_that_share_a_page_are_refused() {
    let parts = [part(5, BASE, b"x", 1), part(6, BASE + 0xfff, b"x", 1)];
    assert_eq!(refusal(&parts), ElfError::Overlap);
}

#[test]
fn parts_outside_the_highest_addresses_are_refused() {
    assert_eq!(refusal(&[part(5, BASE - 0x1000, b"x", 1)]), ElfError::OutOfPlace);
    assert_eq!(refusal(&[part(5, BASE, b"x", u64::MAX)]), ElfError::OutOfPlace);
    assert_eq!(refusal(&[part(5, u64::MAX - 4, b"x", 3)]), ElfError::OutOfPlace);
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    assert_eq!(refusal(&[part(5, BASE, b"xx", 1)]), ElfError::BadSegment);
    assert_eq!(refusal(&[part(5, BASE, b"x", IMAGE_MAX + 1)]), ElfError::TooLarge);
    let far = [part(5, BASE, b"x", 1), part(4, BASE + IMAGE_MAX, b"x", 1)];
    assert_eq!(refusal(&far), ElfError::TooLarge);
    assert_eq!(refusal(&[]), ElfError::Empty);
    let many: Vec<_> = (0..17).map(|at| part(5, BASE + at * 0x1000, b"x", 1)).collect();
    assert_eq!(refusal(&many), ElfError::TooManySegments);
}

#[test]
fn an_entry_outside_code_is_refused() {
    for entry in [0, BASE - 1, BASE + 100, BASE + 0x1000, BASE + 0x2008, u64::MAX] {
        assert_eq!(read(&file(&parts(), entry)).unwrap_err(), ElfError::BadEntry);
    }
}

proptest! {
    #[test]
    fn no_change_of_headers_breaks_more_than_the_file(
        changes in proptest::collection::vec((0usize..HEADER + 3 * PROGRAM_HEADER, any::<u8>()), 1..6),
    ) {
        let mut file = file(&parts(), BASE);
        for (at, byte) in changes {
            file[at] = byte;
        }
        if let Ok(image) = read(&file)
            && image.size() < 1 << 20
        {
            let mut memory = vec![0; image.size() as usize];
            prop_assert_eq!(image.load(&mut memory), Some(()));
            prop_assert!(image.is_code(image.entry()));
        }
    }
}
