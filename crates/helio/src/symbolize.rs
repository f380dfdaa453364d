//! Names for the addresses in a trap report.
//!
//! A report may come from a log file, a terminal or a mail; all that is asked
//! of it is that addresses are written as `0x` and hexadecimal digits. Each
//! one that lies in a function of the kernel is named, on a line of its own
//! below.

use std::path::Path;

use addr2line::Loader;
use rustc_demangle::demangle;

use crate::error::{HelioError, Result};
use crate::file;

/// The kernel's symbols.
pub struct Symbols {
    loader: Loader,
    path: String,
}

/// Where an address is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Place {
    /// The function's name, demangled, without its hash.
    pub function: String,
    /// `file:line` or `file`, where the kernel has line numbers.
    pub source: Option<String>,
}

impl Symbols {
    /// Reads the symbols of an ELF file.
    pub fn read(path: &Path) -> Result<Self> {
        let wrong = |reason: String| {
            HelioError::input(
                "symbols",
                path.display(),
                reason,
                "give the kernel.elf that wrote the report",
            )
        };
        if !file::read(path)?.starts_with(b"\x7fELF") {
            return Err(wrong("not an ELF file".into()));
        }
        let loader = Loader::new(path).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { loader, path: path.display().to_string() })
    }

    /// The functions an address is in: the innermost inlined one first.
    pub fn places(&self, address: u64) -> Result<Vec<Place>> {
        let damaged = |error: Box<dyn std::error::Error>| {
            HelioError::input(
                "symbols",
                &self.path,
                error,
                "build the kernel again with debug information",
            )
        };
        let mut frames = self.loader.find_frames(address).map_err(damaged)?;
        let mut places = Vec::new();
        while let Ok(Some(frame)) = frames.next() {
            let Some(function) = frame.function else { continue };
            let source = frame.location.and_then(|location| {
                let file = location.file?;
                Some(location.line.map_or(file.to_owned(), |line| format!("{file}:{line}")))
            });
            let mangled = function.raw_name().map_err(|error| damaged(error.into()))?;
            places.push(Place { function: name(&mangled), source });
        }
        if places.is_empty()
            && let Some(symbol) = self.loader.find_symbol(address)
        {
            places.push(Place { function: name(symbol), source: None });
        }
        Ok(places)
    }

    /// The report with names below the lines that hold addresses.
    pub fn annotate(&self, report: &str) -> Result<String> {
        let mut text = String::new();
        for line in report.lines() {
            text.push_str(line);
            text.push('\n');
            for address in addresses(line) {
                // A return address is that of the instruction after the call,
                // which may belong to the next function; only the program
                // counter is exact, and for it one less is the same line.
                for (depth, place) in self.places(address.saturating_sub(1))?.iter().enumerate() {
                    let inlined = if depth > 0 { "  inlined into " } else { "  " };
                    text += &format!("{inlined:>16}{}", place.function);
                    if let Some(source) = &place.source {
                        text += &format!(" at {source}");
                    }
                    text.push('\n');
                }
            }
        }
        Ok(text)
    }
}

fn name(mangled: &str) -> String {
    format!("{:#}", demangle(mangled))
}

/// The numbers of a line that are written as addresses.
fn addresses(line: &str) -> impl Iterator<Item = u64> {
    line.split("0x").skip(1).filter_map(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        u64::from_str_radix(&rest[..digits], 16).ok().filter(|_| digits >= 6)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_wherever_they_stand() {
        let line = "rip=0xffffffff80001234, rsp: 0xFFFF800000001000 code 0x3 0x";
        let found: Vec<_> = addresses(line).collect();
        assert_eq!(found, [0xffff_ffff_8000_1234, 0xffff_8000_0000_1000]);
    }
}
