//! Names: what may be one, and those that the machine itself gives.

use abi::{Kind, NAME_MAX};

/// Whether `text` may name something: 1 to 64 characters of `A–Z a–z 0–9 . _ -`,
/// the first a letter or digit. So a name is never a path, an option or blank,
/// and two names that look alike are alike.
pub fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= NAME_MAX
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// The objects that every machine has, by kind and name.
const WELL_KNOWN: [(Kind, &str); 7] = [
    (Kind::Queue, "console"),
    (Kind::Queue, "console-input"),
    (Kind::Queue, "approvals"),
    (Kind::Log, "log"),
    (Kind::Timer, "timer"),
    (Kind::Memory, "memory"),
    (Kind::Namespace, "packages"),
];

/// The kind of the object that the machine itself gives this name.
pub fn well_known(name: &str) -> Option<Kind> {
    WELL_KNOWN.iter().find(|(_, n)| *n == name).map(|(kind, _)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn names_are_plain_words() {
        for name in ["a", "0", "longley.csv", "A-b_c", &"x".repeat(64)] {
            assert!(is_name(name), "{name}");
        }
        let too_long = "x".repeat(65).to_string();
        for name in ["", ".", "..", "-a", "_a", "a/b", "a b", "a\n", "ä", "a\0", &too_long] {
            assert!(!is_name(name), "{name:?}");
        }
    }

    #[test]
    fn the_machines_own_names_are_names() {
        for (kind, name) in WELL_KNOWN {
            assert!(is_name(name));
            assert_eq!(well_known(name), Some(kind));
        }
        assert_eq!(well_known("results"), None);
    }
}
