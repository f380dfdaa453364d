//! Names for the addresses in a trap report.
//!
//! A report may come from a capture, a terminal or a mail, with anything in
//! front of its lines; what is read of it are the backtrace's, `#N 0x…`, and
//! the program counter, `pc 0x…`. Each frame that lies in a function of the
//! kernel is named on the lines below it, the innermost inlined one first.

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
                "give the kernel.debug of the kernel that wrote the report",
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

    /// The report with names below the lines of its backtrace.
    pub fn annotate(&self, report: &str) -> Result<String> {
        let mut text = String::new();
        let mut exact = None;
        for line in report.lines() {
            text.push_str(line);
            text.push('\n');
            exact = program_counter(line).or(exact);
            let Some(address) = frame(line) else { continue };
            // A return address is that of the instruction after the call,
            // which may belong to another line or function; only the program
            // counter of a trap is exact.
            let inside = if exact == Some(address) { address } else { address.wrapping_sub(1) };
            for (depth, place) in self.places(inside)?.iter().enumerate() {
                let how = if depth > 0 { "       inlined into " } else { "       " };
                text += how;
                text += &place.function;
                if let Some(source) = &place.source {
                    text += &format!(" at {source}");
                }
                text.push('\n');
            }
        }
        Ok(text)
    }
}

fn name(mangled: &str) -> String {
    format!("{:#}", demangle(mangled))
}

/// The address in a line `#N 0x…` of a backtrace, whatever precedes it.
fn frame(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once('#')?;
    let (number, address) = rest.split_once(' ')?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| hexadecimal(address))?
}

/// The address in a line with `pc 0x…`.
fn program_counter(line: &str) -> Option<u64> {
    line.split_once(" pc ").and_then(|(_, address)| hexadecimal(address))
}

fn hexadecimal(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x")?;
    let length = digits.bytes().take_while(u8::is_ascii_hexdigit).count();
    u64::from_str_radix(&digits[..length], 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_behind_any_prefix() {
        let address = Some(0xffff_ffff_8000_1234);
        assert_eq!(frame("  #0 0xffffffff80001234"), address);
        assert_eq!(frame("[kernel]   #12 0xffffffff80001234\r"), address);
        assert_eq!(frame("  rax 0xffffffff80001234"), None);
        assert_eq!(frame("#a 0xffffffff80001234"), None);
        assert_eq!(frame("#1 0xfffffffff80001234"), None);
        assert_eq!(program_counter("trap: x at pc 0xffffffff80001234"), address);
    }
}
