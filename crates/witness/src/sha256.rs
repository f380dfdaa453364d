//! SHA-256 over a compression function chosen at run time.
//!
//! The kernel picks the fastest one its CPU has and hands it down; nothing is
//! global. Padding and tree prefixes are done here, once, so that every
//! compression function is only ever asked for whole blocks.

use sha2::block_api::compress256;

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// Folds whole 64-byte blocks into the state, in order (FIPS 180-4, 6.2.2).
pub type Compress = fn(&mut [u32; 8], &[[u8; 64]]);

/// Digest of no bytes, which is also the root of a tree without leaves.
pub const EMPTY: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// First 32 bits of the fractional parts of the square roots of the first
/// eight primes (FIPS 180-4, 5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The compression function of the `sha2` crate: software where nothing is
/// known about the CPU, as on bare metal.
pub fn software(state: &mut [u32; 8], blocks: &[[u8; 64]]) {
    compress256(state, blocks);
}

/// A digest in the making.
#[derive(Clone)]
pub struct Sha256 {
    compress: Compress,
    state: [u32; 8],
    block: [u8; 64],
    filled: usize,
    bytes: u64,
}

impl Sha256 {
    /// A digest of nothing yet.
    pub fn new(compress: Compress) -> Self {
        Self { compress, state: INITIAL, block: [0; 64], filled: 0, bytes: 0 }
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, mut data: &[u8]) {
        // The standard ends at 2^64 bits; nothing here comes near.
        self.bytes = self.bytes.wrapping_add(data.len() as u64);
        if self.filled > 0 {
            let taken = self.fill(data);
            data = data.get(taken..).unwrap_or_default();
            if self.filled < self.block.len() {
                return;
            }
            (self.compress)(&mut self.state, &[self.block]);
            self.filled = 0;
        }
        let (blocks, rest) = data.as_chunks::<64>();
        if !blocks.is_empty() {
            (self.compress)(&mut self.state, blocks);
        }
        self.fill(rest);
    }

    /// Puts as much as fits into the block. Gives how much.
    fn fill(&mut self, data: &[u8]) -> usize {
        let room = self.block.get_mut(self.filled..).unwrap_or_default();
        let count = room.len().min(data.len());
        for (to, from) in room.iter_mut().zip(data) {
            *to = *from;
        }
        self.filled = self.filled.saturating_add(count);
        count
    }

    /// The digest of all bytes taken in.
    pub fn finish(mut self) -> Hash {
        let bits = self.bytes.wrapping_mul(8).to_be_bytes();
        // A one bit, zeros, and the length in 8 bytes at the end of a block.
        self.fill(&[0x80]);
        if self.filled > 56 {
            self.fill(&[0; 64]);
            (self.compress)(&mut self.state, &[self.block]);
            self.filled = 0;
        }
        self.fill(&[0; 64]);
        let [head @ .., _, _, _, _, _, _, _, _] = self.block;
        let mut last = [0; 64];
        for (to, from) in last.iter_mut().zip(head.into_iter().chain(bits)) {
            *to = from;
        }
        (self.compress)(&mut self.state, &[last]);
        let mut digest = [0; 32];
        for (bytes, word) in digest.chunks_exact_mut(4).zip(self.state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        digest
    }
}

/// A compression function, with the three hashes the log is made of.
#[derive(Clone, Copy, Debug)]
pub struct Hasher(pub Compress);

impl Hasher {
    /// The one that runs everywhere.
    pub const SOFTWARE: Self = Self(software);

    /// SHA-256 of `data`.
    pub fn hash(self, data: &[u8]) -> Hash {
        self.concatenation(&[data])
    }

    /// SHA-256 of the parts, one after the other.
    pub fn concatenation(self, parts: &[&[u8]]) -> Hash {
        let mut digest = Sha256::new(self.0);
        for part in parts {
            digest.update(part);
        }
        digest.finish()
    }

    /// Hash of a leaf that holds `entry` (RFC 6962, 2.1).
    pub fn leaf(self, entry: &[u8]) -> Hash {
        self.concatenation(&[&[0], entry])
    }

    /// Hash of a node over two subtrees (RFC 6962, 2.1).
    pub fn node(self, left: &Hash, right: &Hash) -> Hash {
        self.concatenation(&[&[1], left, right])
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::SOFTWARE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_answers_of_the_standard() {
        let hasher = Hasher::SOFTWARE;
        assert_eq!(hasher.hash(b""), EMPTY);
        assert_eq!(
            crate::hex::encode(&hasher.hash(b"abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let million = std::vec![b'a'; 1_000_000];
        assert_eq!(
            crate::hex::encode(&hasher.hash(&million)),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        );
    }

    #[test]
    fn every_length_around_a_block_agrees_with_sha2() {
        use sha2::Digest;
        let data = std::vec![0x5a; 260];
        for length in 0..data.len() {
            let expected: Hash = sha2::Sha256::digest(&data[..length]).into();
            assert_eq!(Hasher::SOFTWARE.hash(&data[..length]), expected, "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn cutting_the_input_anywhere_changes_nothing(
            data in proptest::collection::vec(any::<u8>(), 0..400),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..5),
        ) {
            let mut cuts: std::vec::Vec<_> = cuts.iter().map(|cut| cut.index(data.len() + 1)).collect();
            cuts.sort_unstable();
            let mut digest = Sha256::new(software);
            let mut from = 0;
            for cut in cuts {
                digest.update(&data[from..cut]);
                from = cut;
            }
            digest.update(&data[from..]);
            prop_assert_eq!(digest.finish(), Hasher::SOFTWARE.hash(&data));
        }
    }
}
