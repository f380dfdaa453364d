//! How large the heap is to be.
//!
//! It is fixed at boot: what tasks may have is decided by budgets, not by how
//! much happens to be free.

use hal::layout::HEAP_MAX;

/// Bytes of the blocks that the heap is made of: its size is a multiple.
pub const BLOCK: u64 = 2 << 20;

/// Most bytes that the heap takes where nobody asks for more.
const LARGEST: u64 = 512 << 20;

/// The size of the heap in bytes, a multiple of [`BLOCK`] and not zero, beside
/// so many bytes that are free. `asked` is the command line's word for it, whose
/// number is rounded down to blocks.
///
/// # Errors
/// What is wrong with the word, or that there is too little memory.
pub fn choose(asked: Option<&str>, free_bytes: u64) -> Result<u64, &'static str> {
    let size = match asked.map(str::parse::<u64>) {
        None => (free_bytes / 2).min(LARGEST),
        Some(Err(_)) => return Err("the command line's heap is not a number of bytes"),
        Some(Ok(size)) if size < BLOCK => {
            return Err("the command line asks for a heap of less than 2 MiB");
        }
        // An eighth is left for tables and devices.
        Some(Ok(size)) if size > (free_bytes - free_bytes / 8).min(HEAP_MAX) => {
            return Err("the command line asks for a larger heap than there is memory for");
        }
        Some(Ok(size)) => size,
    };
    match size - size % BLOCK {
        0 => Err("there is less than 4 MiB of free memory"),
        size => Ok(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn by_itself_the_heap_takes_half_up_to_a_limit() {
        let sizes = [(4 * MIB, 2 * MIB), (7 * MIB, 2 * MIB), (470 * MIB, 234 * MIB)];
        for (free, size) in sizes {
            assert_eq!(choose(None, free), Ok(size));
        }
        assert_eq!(choose(None, 64 << 30), Ok(LARGEST));
        assert!(choose(None, 4 * MIB - 1).is_err_and(|why| why.contains("less than 4 MiB")));
    }

    #[test]
    fn a_heap_that_cannot_be_is_refused_in_words() {
        let asked = |text: &str| choose(Some(text), 64 * MIB);
        assert_eq!(asked("2097152"), Ok(2 * MIB));
        assert_eq!(asked("6291455"), Ok(4 * MIB));
        assert_eq!(asked("58720256"), Ok(56 * MIB));
        assert!(asked("58720257").is_err_and(|why| why.contains("larger")));
        assert!(asked("18446744073709551615").is_err_and(|why| why.contains("larger")));
        for small in ["0", "1", "2097151"] {
            assert!(asked(small).is_err_and(|why| why.contains("less than 2 MiB")));
        }
        for word in ["", "-1", "2M", "18446744073709551616"] {
            assert!(asked(word).is_err_and(|why| why.contains("not a number")));
        }
        assert!(choose(Some("2097152"), 0).is_err_and(|why| why.contains("larger")));
        let beyond = (HEAP_MAX + 1).to_string();
        assert!(choose(Some(&beyond), 1 << 42).is_err_and(|why| why.contains("larger")));
    }
}
