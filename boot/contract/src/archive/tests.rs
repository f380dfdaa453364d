use std::vec::Vec;

use proptest::prelude::*;

use super::*;

fn sample() -> Vec<u8> {
    build(&[("kernel.elf", &[7; 5000]), ("trust.note", b"note"), ("empty", b"")]).unwrap()
}

#[test]
fn an_archive_gives_back_its_files_on_pages_of_their_own() {
    let bytes = sample();
    let archive = Archive::read(&bytes).unwrap();
    assert_eq!(archive.get("kernel.elf"), Some([7; 5000].as_slice()));
    assert_eq!(archive.get("trust.note"), Some(b"note".as_slice()));
    assert_eq!(archive.get("empty"), Some(b"".as_slice()));
    assert_eq!(archive.get("other"), None);
    let base = bytes.as_ptr().addr();
    assert!(archive.files().all(|(_, file)| (file.as_ptr().addr() - base).is_multiple_of(4096)));
    assert_eq!(bytes.len(), 4 * 4096);
}

#[test]
fn bytes_behind_an_archive_are_ignored() {
    let bytes = sample();
    let longer = [bytes.as_slice(), b"more"].concat();
    assert_eq!(Archive::read(&longer).unwrap().bytes().len(), bytes.len());
}

#[test]
fn an_archive_cut_anywhere_is_refused() {
    let bytes = sample();
    for length in 0..bytes.len() {
        let wanted = if length < 8 { ArchiveError::NotArchive } else { ArchiveError::Truncated };
        assert_eq!(Archive::read(&bytes[..length]).unwrap_err(), wanted);
    }
}

#[test]
fn names_that_do_not_fit_are_refused() {
    let long = "x".repeat(NAME_MAX);
    assert!(build(&[(&long, b"")]).is_some());
    for name in ["", "a\0b", &"x".repeat(NAME_MAX + 1)] {
        assert_eq!(build(&[(name, b"")]), None);
    }
    let file: (&str, &[u8]) = ("a", b"");
    assert!(build(&[file; FILES_MAX]).is_some());
    assert_eq!(build(&[file; FILES_MAX + 1]), None);
}

#[test]
fn headers_that_break_the_format_are_refused() {
    for (at, byte) in
        [(8, 17), (9, 1), (12, 1), (16, 1), (24, 1), (32, 0), (43, 1), (80, 1), (81, 0), (94, 1)]
    {
        let mut bytes = sample();
        bytes[at] = byte;
        assert_eq!(Archive::read(&bytes).unwrap_err(), ArchiveError::Malformed, "at {at}");
    }
}

proptest! {
    #[test]
    fn no_change_of_headers_leads_outside(
        changes in proptest::collection::vec((0usize..256, any::<u8>()), 1..8),
    ) {
        let mut bytes = sample();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        if let Ok(archive) = Archive::read(&bytes) {
            prop_assert!(archive.files().map(|(_, file)| file.len()).sum::<usize>() < 1 << 20);
        }
    }
}
