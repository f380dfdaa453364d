//! How large the heap is to be.
//!
//! It is fixed at boot: what tasks may have is decided by budgets, not by how
//! much happens to be free.

use hal::layout::HEAP_MAX;

/// Bytes of the blocks that the heap is made of: its size is a multiple.
pub const BLOCK: u64 = 2 << 20;

/// Fewest bytes that the kernel itself gets by with, to say that a package needs
/// more.
const LEAST: u64 = 4 << 20;

/// Most bytes that the heap takes where nobody asks for more.
const LARGEST: u64 = 512 << 20;

/// The size of the heap in bytes, a multiple of [`BLOCK`], beside so many bytes
/// that are free. `asked` is the command line's word for it, whose
/// number is rounded down to blocks.
///
/// # Errors
/// What is wrong with the word, or that there is too little memory.
pub fn choose(asked: Option<&str>, free_bytes: u64) -> Result<u64, &'static str> {
    let size = match asked.map(str::parse::<u64>) {
        None => (free_bytes / 2).min(LARGEST),
        Some(Err(_)) => return Err("the command line's heap is not a number of bytes"),
        Some(Ok(size)) if size < LEAST => {
            return Err("the command line asks for a heap of less than 4 MiB");
        }
        // An eighth is left for tables and devices.
        Some(Ok(size)) if size > (free_bytes - free_bytes / 8).min(HEAP_MAX) => {
            return Err("the command line asks for a larger heap than there is memory for");
        }
        Some(Ok(size)) => size,
    };
    if size < LEAST {
        return Err("there is less than 8 MiB of free memory");
    }
    Ok(size - size % BLOCK)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn by_itself_the_heap_takes_half_up_to_a_limit() {
        let sizes = [(8 * MIB, 4 * MIB), (11 * MIB, 4 * MIB), (470 * MIB, 234 * MIB)];
        for (free, size) in sizes {
            assert_eq!(choose(None, free), Ok(size));
        }
        assert_eq!(choose(None, 64 << 30), Ok(LARGEST));
        assert!(choose(None, 8 * MIB - 1).is_err_and(|why| why.contains("less than 8 MiB")));
    }

    #[test]
    fn a_heap_that_cannot_be_is_refused_in_words() {
        let asked = |text: &str| choose(Some(text), 64 * MIB);
        assert_eq!(asked("4194304"), Ok(4 * MIB));
        assert_eq!(asked("6291455"), Ok(4 * MIB));
        assert_eq!(asked("58720256"), Ok(56 * MIB));
        assert!(asked("58720257").is_err_and(|why| why.contains("larger")));
        assert!(asked("18446744073709551615").is_err_and(|why| why.contains("larger")));
        for small in ["0", "1", "4194303"] {
            assert!(asked(small).is_err_and(|why| why.contains("less than 4 MiB")));
        }
        for word in ["", "-1", "2M", "18446744073709551616"] {
            assert!(asked(word).is_err_and(|why| why.contains("not a number")));
        }
        assert!(choose(Some("4194304"), 0).is_err_and(|why| why.contains("larger")));
        let beyond = (HEAP_MAX + 1).to_string();
        assert!(choose(Some(&beyond), 1 << 42).is_err_and(|why| why.contains("larger")));
    }
}
