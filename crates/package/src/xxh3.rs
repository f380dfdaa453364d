//! XXH3-128 of exactly the signature segment's payload.
//!
//! The content hash in the signature segment's header is the only field of a
//! package that the signature does not cover, so it has to be checked, or it
//! could be changed at will. The payload has one fixed length, for which
//! XXH3-128 is a few multiplications (the "97 to 128 bytes" case, seed 0, of
//! the xxHash specification); a whole xxHash library, most of which would be
//! unsafe code for long inputs, is not worth having in the trusted part.

use crate::seal::PAYLOAD_SIZE;

const _: () = assert!(PAYLOAD_SIZE > 96 && PAYLOAD_SIZE <= 128, "the case computed here");

const PRIME_1: u64 = 0x9e37_79b1_85eb_ca87;
const PRIME_2: u64 = 0xc2b2_ae3d_27d4_eb4f;
const PRIME_4: u64 = 0x85eb_ca77_c2b2_ae63;
const AVALANCHE: u64 = 0x1656_6791_9e37_79f9;

/// The first 128 bytes of the specification's default secret, as words.
const SECRET: [[u64; 4]; 4] = [
    [0xbe4b_a423_396c_feb8, 0x1cad_21f7_2c81_017c, 0xdb97_9083_e96d_d4de, 0x1f67_b3b7_a4a4_4072],
    [0x78e5_c0cc_4ee6_79cb, 0x2172_ffcc_7dd0_5a82, 0x8e24_43f7_7446_08b8, 0x4c26_3a81_e690_35e0],
    [0xcb00_c391_bb52_283c, 0xa32e_531b_8b65_d088, 0x4ef9_0da2_9748_6471, 0xd8ac_dea9_46ef_1938],
    [0x3f34_9ce3_3f76_faa8, 0x1d4f_0bc7_c7bb_dcf9, 0x3159_b4cd_4be0_518a, 0x6473_78d9_c97e_9fc8],
];

/// The 16 bytes that RVF writes as content hash of this payload.
pub(crate) fn content_hash(payload: &[u8; PAYLOAD_SIZE]) -> [u8; 16] {
    let length = PAYLOAD_SIZE as u64;
    let (mut low, mut high) = (length.wrapping_mul(PRIME_1), 0u64);
    // Pairs of 16-byte pieces from both ends, the innermost pair first.
    for (distance, secret) in SECRET.iter().enumerate().rev() {
        let front = piece(payload, distance * 16);
        let back = piece(payload, PAYLOAD_SIZE - 16 - distance * 16);
        low = low.wrapping_add(mix(front, secret[0], secret[1])) ^ back.0.wrapping_add(back.1);
        high = high.wrapping_add(mix(back, secret[2], secret[3])) ^ front.0.wrapping_add(front.1);
    }
    let first = low.wrapping_add(high);
    let second = low
        .wrapping_mul(PRIME_1)
        .wrapping_add(high.wrapping_mul(PRIME_4))
        .wrapping_add(length.wrapping_mul(PRIME_2));
    let hash = u128::from(avalanche(first)) | u128::from(avalanche(second).wrapping_neg()) << 64;
    hash.to_le_bytes()
}

/// Two little-endian words at an offset of at most `PAYLOAD_SIZE - 16`.
fn piece(payload: &[u8; PAYLOAD_SIZE], at: usize) -> (u64, u64) {
    let mut words = [0; 16];
    words.copy_from_slice(&payload[at..at + 16]);
    let both = u128::from_le_bytes(words);
    (both as u64, (both >> 64) as u64)
}

fn mix((low, high): (u64, u64), secret_low: u64, secret_high: u64) -> u64 {
    let product = u128::from(low ^ secret_low) * u128::from(high ^ secret_high);
    product as u64 ^ (product >> 64) as u64
}

fn avalanche(mut hash: u64) -> u64 {
    hash ^= hash >> 37;
    hash = hash.wrapping_mul(AVALANCHE);
    hash ^ hash >> 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_what_rvf_writes(payload in proptest::collection::vec(any::<u8>(), PAYLOAD_SIZE)) {
            let payload: [u8; PAYLOAD_SIZE] = payload.try_into().unwrap();
            prop_assert_eq!(content_hash(&payload), rvf_wire::hash::compute_xxh3_128(&payload));
        }
    }
}
