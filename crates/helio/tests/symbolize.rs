//! Names for addresses, found in this test's own program.

use std::fs;
use std::path::PathBuf;

use crate::common::{helio_text, put, text};
use helio::symbolize::Symbols;
use tempfile::tempdir;

#[inline(never)]
fn landmark(value: u64) -> u64 {
    std::hint::black_box(value).wrapping_mul(3)
}

fn program() -> PathBuf {
    std::env::current_exe().unwrap()
}

/// Where `landmark` begins in the file's own addresses.
fn address() -> u64 {
    let path = program();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let first = maps.lines().find(|line| line.ends_with(path.to_str().unwrap())).unwrap();
    let base = u64::from_str_radix(first.split('-').next().unwrap(), 16).unwrap();
    landmark as *const () as u64 - base
}

#[test]
fn an_address_is_named_with_function_and_line() {
    let symbols = Symbols::read(&program()).unwrap();
    let places = symbols.places(address()).unwrap();
    assert!(places.iter().any(|place| place.function.ends_with("landmark")), "{places:?}");
    let sources: Vec<_> = places.iter().filter_map(|place| place.source.as_deref()).collect();
    assert!(sources.iter().any(|it| it.contains("tests/symbolize.rs:")), "{sources:?}");
}

#[test]
fn a_report_keeps_its_text_and_gains_names() {
    let place = tempdir().unwrap();
    let address = address() + 1;
    let report = format!("trap: null at pc {address:#018x}\r\n  #0 {address:#018x}\n  code 0x2\n");
    let file = put(place.path(), "report", report.as_bytes());
    let (code, out, _) = helio_text(&["symbolize", &text(&program()), &text(&file)]);
    assert_eq!(code, 0);
    assert!(out.starts_with("trap: null at pc"), "{out}");
    assert!(out.contains("landmark at ") && out.contains("symbolize.rs:"), "{out}");
    assert!(out.trim_end().ends_with("code 0x2"), "{out}");
}

#[test]
fn a_file_without_symbols_is_refused() {
    let place = tempdir().unwrap();
    for content in [b"text".as_slice(), b"\x7fELF\x02"] {
        let file = put(place.path(), "kernel.debug", content);
        let (code, _, error) = helio_text(&["symbolize", &text(&file), "/dev/null"]);
        assert_eq!(code, 2);
        assert!(error.contains("kernel.debug"), "{error}");
    }
}
