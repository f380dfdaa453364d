//! How much a message differs from the one before it.
//!
//! A similarity sketch (Charikar's simhash) over groups of four bytes: alike
//! contents have alike sketches, and the number of bits in which two differ
//! says how unlike they are. Integers only; it decides about order and nothing
//! else.

use abi::mix;

/// Bytes that are looked at; what is beyond does not count.
const LOOKED_AT: usize = 64;

/// The sketch of some bytes; zero for fewer than four.
pub(crate) fn sketch(bytes: &[u8]) -> u64 {
    let bytes = bytes.get(..bytes.len().min(LOOKED_AT)).unwrap_or_default();
    let mut votes = [0i32; 64];
    for group in bytes.as_chunks::<4>().0 {
        let hash = mix(u64::from(u32::from_le_bytes(*group)));
        for (bit, vote) in votes.iter_mut().enumerate() {
            let is_set = hash >> (bit & 63) & 1 == 1;
            *vote = vote.saturating_add(if is_set { 1 } else { -1 });
        }
    }
    let bits = votes.iter().enumerate().filter(|(_, vote)| **vote > 0);
    bits.fold(0, |sketch, (bit, _)| sketch | 1 << (bit & 63))
}

/// In how many of 64 bits two sketches differ.
pub(crate) fn distance(one: u64, other: u64) -> u32 {
    (one ^ other).count_ones()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_is_nearer_than_what_is_not() {
        let a = sketch(b"the temperature is 21.5 degrees at noon in the north room");
        let b = sketch(b"the temperature is 21.7 degrees at noon in the north room");
        let c = sketch(b"fire in the engine room, everybody leave at once by the stairs");
        assert_eq!(distance(a, a), 0);
        assert!(distance(a, b) < distance(a, c));
        assert_eq!(sketch(b"abc"), 0);
    }
}
