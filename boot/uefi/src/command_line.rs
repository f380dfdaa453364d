//! The kernel's command line.

use alloc::string::String;
use core::fmt::Write;

use witness::Hash;
use witness::hex::Hex;

use crate::refusal::Refusal;

/// Puts the line together: what the loader has found out, then the words of
/// the file. A kernel takes a word that is given twice as it was given first,
/// so the file cannot take back what the loader says.
pub fn compose(
    loader: Option<&Hash>,
    entropy: Option<&[u8; 32]>,
    file: &[u8],
) -> Result<String, Refusal> {
    let is_printable = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t');
    if !file.iter().all(is_printable) {
        return Err(Refusal::CommandLine);
    }
    let mut line = String::from("loader.checked=1");
    if let Some(digest) = loader {
        // Writing to a string does not fail.
        let _ = write!(line, " loader.sha256={}", Hex(digest));
    }
    if let Some(bytes) = entropy {
        let _ = write!(line, " entropy={}", Hex(bytes));
    }
    for word in core::str::from_utf8(file).unwrap_or_default().split_ascii_whitespace() {
        line.push(' ');
        line.push_str(word);
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loaders_own_words_come_first_and_the_files_follow_on_one_line() {
        let line = compose(Some(&[0xab; 32]), Some(&[1; 32]), b"test=1\r\n  loader.checked=0\n");
        let digits = ("ab".repeat(32), "01".repeat(32));
        let wanted = std::format!(
            "loader.checked=1 loader.sha256={} entropy={} test=1 loader.checked=0",
            digits.0,
            digits.1
        );
        assert_eq!(line, Ok(wanted));
        assert_eq!(compose(None, None, b""), Ok("loader.checked=1".into()));
    }

    #[test]
    fn what_is_not_printable_is_refused() {
        for file in [b"a\0b".as_slice(), b"\x1b[2J", "ä".as_bytes()] {
            assert_eq!(compose(None, None, file), Err(Refusal::CommandLine));
        }
    }
}
