//! `include/heliograph.h` says what `abi` says.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use abi::{
    Approval, CLAIM_BODY_MAX, Call, EXIT_REPORT, EntryHead, Error, ExitReport, GRANT_SIZE,
    GetByKey, GetNearest, GetNeighbours, GraphMutation, MessageHeader, Neighbour, NodeHead,
    OpeningHead, PutHead, Reference, RegionMode, Rights, SPAWN_SIZE, SignedProof, Statement,
    profile,
};
use std::{collections::BTreeMap, process::Command};

const HEADER: &str = include_str!("../include/heliograph.h");

/// Everything of the form `HELIO_NAME = number` in the header.
fn numbers() -> BTreeMap<&'static str, u64> {
    let line = |line: &'static str| {
        let (name, rest) = line.trim().split_once(" = ")?;
        let number = rest.split([',', ' ']).next()?.parse().ok()?;
        Some((name.strip_prefix("HELIO_")?, number))
    };
    HEADER.lines().filter_map(line).collect()
}

/// `SomeName` or `some-name` as `SOME_NAME`.
fn upper(name: &str) -> String {
    let mut upper = String::new();
    for symbol in name.chars() {
        if symbol.is_ascii_uppercase() && !upper.is_empty() {
            upper.push('_');
        }
        upper.push(if symbol == '-' { '_' } else { symbol.to_ascii_uppercase() });
    }
    upper
}

#[test]
fn errors_rights_and_operations_have_the_same_numbers_and_no_others_are_there() {
    let mut expected = BTreeMap::new();
    for error in Error::ALL {
        expected.insert(upper(error.name()), u64::from(error.number()));
    }
    for (right, name) in Rights::NAMED {
        expected.insert(upper(name), u64::from(right.bits()));
    }
    for call in Call::ALL {
        let operations: Vec<_> =
            (0..8).filter_map(|code| Some((code, call.operation(code)?))).collect();
        for (code, operation) in operations.iter().filter(|_| operations.len() > 1) {
            let name =
                format!("{}_{}", call.name().to_uppercase(), upper(&format!("{operation:?}")));
            expected.insert(name, u64::from(*code));
        }
    }
    let found: BTreeMap<_, _> =
        numbers().into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_call_is_imported_by_its_name() {
    for call in Call::ALL {
        let import = format!("HELIO_IMPORT({})\nint64_t helio_{0}(", call.name());
        assert!(HEADER.contains(&import), "{}", call.name());
    }
    assert_eq!(HEADER.matches("\nHELIO_IMPORT(").count(), Call::ALL.len());
}

#[test]
fn structures_have_the_sizes_of_their_blocks() {
    let sizes = [
        ("spawn", SPAWN_SIZE),
        ("grant", GRANT_SIZE),
        ("message", MessageHeader::SIZE),
        ("reference", Reference::SIZE),
        ("exit", ExitReport::SIZE),
        ("approval", Approval::SIZE),
        ("statement", Statement::SIZE),
        ("proof", SignedProof::SIZE),
        ("put", PutHead::SIZE),
        ("change", GraphMutation::SIZE),
        ("get_by_key", GetByKey::SIZE),
        ("get_nearest", GetNearest::SIZE),
        ("get_neighbours", GetNeighbours::SIZE),
        ("entry", EntryHead::SIZE),
        ("node", NodeHead::SIZE),
        ("neighbour", Neighbour::SIZE),
        ("opening", OpeningHead::SIZE),
    ];
    for (name, size) in sizes {
        let line = format!("HELIO_SIZE(struct helio_{name}, {size});");
        assert!(HEADER.contains(&line), "{line}");
    }
    assert_eq!(HEADER.matches("\nHELIO_SIZE(struct").count(), sizes.len());
}

/// A C program whose compile-time asserts hold if the header's words do.
fn asserts() -> String {
    let slab = RegionMode::Slab { slot_bytes: 64, slots: 3 }.to_word().unwrap();
    let append = RegionMode::Append(9).to_word().unwrap();
    let words = [
        ("HELIO_MAILBOX", u64::from(profile::MAILBOX.0)),
        ("HELIO_NO_HANDLE", u64::from(profile::NO_HANDLE.0)),
        ("HELIO_MESSAGE_BYTES", profile::MESSAGE_BYTES as u64),
        ("HELIO_CLAIM_BODY_MAX", CLAIM_BODY_MAX as u64),
        ("HELIO_NEAREST_MAX", u64::from(profile::NEAREST_MAX)),
        ("HELIO_CAPABILITIES", profile::CAPABILITIES as u64),
        ("HELIO_EXIT_REPORT", u64::from(EXIT_REPORT)),
        ("HELIO_REGION_IMMUTABLE", RegionMode::Immutable.to_word().unwrap()),
        ("HELIO_REGION_APPEND(9)", append),
        ("HELIO_REGION_SLAB(64, 3)", slab),
        ("HELIO_PRIORITY(HELIO_QUEUE_SEND_REFERENCE, 5)", 0x105),
    ];
    let mut program = String::from("#include \"heliograph.h\"\n");
    for (name, word) in words {
        program += &format!("_Static_assert({name} == UINT64_C({word}), \"{name}\");\n");
    }
    let offsets = [
        ("spawn", "priority", 24),
        ("grant", "badge", 8),
        ("message", "priority", 16),
        ("exit", "task", 12),
        ("statement", "nonce", 104),
        ("proof", "signature", 152),
        ("change", "weight", 24),
        ("entry", "dimension", 20),
        ("opening", "depth", 64),
    ];
    program += "#include <stddef.h>\n";
    for (name, member, offset) in offsets {
        program += &format!(
            "_Static_assert(offsetof(struct helio_{name}, {member}) == {offset}, \"{name}\");\n"
        );
    }
    program
}

#[test]
fn a_c_compiler_agrees_about_sizes_places_and_words() {
    let folder = std::env::temp_dir().join(format!("heliograph-header-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let source = folder.join("asserts.c");
    std::fs::write(&source, asserts()).unwrap();
    let include = concat!(env!("CARGO_MANIFEST_DIR"), "/include");
    // The linker that Rust needs is a C compiler.
    let output = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", include])
        .arg(&source)
        .output();
    std::fs::remove_dir_all(&folder).unwrap();
    match output {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        Err(error) => println!("skipped: there is no C compiler called cc: {error}"),
    }
}
