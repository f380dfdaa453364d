//! The kernel command line: words `name=value`, separated by blanks.

/// Words that the loader handed over.
///
/// A name that is given twice counts as it was given first, so that what a
/// loader puts in front can't be taken back behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandLine<'a>(pub &'a str);

impl<'a> CommandLine<'a> {
    /// The value of a name; empty for a word without `=`.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        hal::boot::word(self.0, name)
    }

    /// Whether a name is there at all.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_by_their_whole_name_and_the_first_counts() {
        let line = CommandLine("  test=panic verbose fail= test=null\tnonce=a=b ");
        assert_eq!(line.get("test"), Some("panic"));
        assert_eq!(line.get("verbose"), Some(""));
        assert_eq!(line.get("fail"), Some(""));
        assert_eq!(line.get("nonce"), Some("a=b"));
        assert_eq!(line.get("tes"), None);
        assert!(!CommandLine("").has("test"));
    }
}
