//! The kernel's command line.

use alloc::string::String;
use core::fmt::Write;

use witness::Hash;
use witness::hex::Hex;

use crate::check::Digests;
use crate::refusal::Refusal;

/// Puts the line together: what the loader has found out, the digests of what
/// it checked among them, then the words of the file. A kernel takes a word that is given twice as it was given first,
/// so the file cannot take back what the loader says.
pub fn compose(
    loader: Option<&Hash>,
    checked: &Digests,
    entropy: Option<&[u8; 32]>,
    file: &[u8],
) -> Result<String, Refusal> {
    let is_printable = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t');
    if !file.iter().all(is_printable) {
        return Err(Refusal::CommandLine);
    }
    let mut line = String::from("loader.checked=1");
    let Digests { kernel, package, trust } = checked;
    let checked = [("kernel", kernel), ("package", package), ("trust", trust)];
    for (name, digest) in loader.map(|digest| ("loader", digest)).into_iter().chain(checked) {
        // Writing to a string does not fail.
        let _ = write!(line, " {name}.sha256={}", Hex(digest));
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

    const CHECKED: Digests = Digests { kernel: [2; 32], package: [3; 32], trust: [4; 32] };

    #[test]
    fn the_loaders_own_words_come_first_and_the_files_follow_on_one_line() {
        let file = b"test=1\r\n  loader.checked=0\n";
        let line = compose(Some(&[0xab; 32]), &CHECKED, Some(&[1; 32]), file);
        let digits = |pair: &str| pair.repeat(32);
        let checked = std::format!(
            "kernel.sha256={} package.sha256={} trust.sha256={}",
            digits("02"),
            digits("03"),
            digits("04")
        );
        let wanted = std::format!(
            "loader.checked=1 loader.sha256={} {checked} entropy={} test=1 loader.checked=0",
            digits("ab"),
            digits("01")
        );
        assert_eq!(line, Ok(wanted));
        let wanted = std::format!("loader.checked=1 {checked}");
        assert_eq!(compose(None, &CHECKED, None, b""), Ok(wanted));
    }

    #[test]
    fn what_is_not_printable_is_refused() {
        for file in [b"a\0b".as_slice(), b"\x1b[2J", "ä".as_bytes()] {
            assert_eq!(compose(None, &CHECKED, None, file), Err(Refusal::CommandLine));
        }
    }
}
