//! Seeded mutations: the same seed and corpus give the same inputs.

/// Numbers at which things tend to break.
const EDGES: [u64; 12] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX - 1,
    u64::MAX,
];

/// Makes inputs of a corpus.
#[derive(Clone, Debug)]
pub struct Mutator {
    state: u64,
}

impl Mutator {
    /// Begins at this seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }

    /// A number below `limit`; 0 where there is none.
    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// One of the corpus, changed in one to eight places.
    pub fn input(&mut self, corpus: &[Vec<u8>], length_max: usize) -> Vec<u8> {
        let mut bytes = self.one(corpus).to_vec();
        for _ in 0..1 << self.below(4) {
            self.change(&mut bytes, corpus);
        }
        bytes.truncate(length_max);
        bytes
    }

    fn one<'c>(&mut self, corpus: &'c [Vec<u8>]) -> &'c [u8] {
        corpus.get(self.below(corpus.len())).map_or(&[], Vec::as_slice)
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let most = (length - start).min(1 << self.below(9));
        start..start + self.below(most + 1)
    }

    fn change(&mut self, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let at = self.below(bytes.len());
        match self.below(10) {
            0..=1 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << self.below(8);
                }
            }
            2 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = self.next() as u8;
                }
            }
            3 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = byte.wrapping_add([1, 255][self.below(2)]);
                }
            }
            4 => {
                let edge = EDGES[self.below(EDGES.len())].to_le_bytes();
                let width = 1 << self.below(4);
                for (to, from) in bytes.iter_mut().skip(at).zip(&edge[..width]) {
                    *to = *from;
                }
            }
            5 => {
                let range = self.range(bytes.len());
                bytes.drain(range);
            }
            6 => {
                let copy = bytes[self.range(bytes.len())].to_vec();
                bytes.splice(at..at, copy);
            }
            7 => {
                let new: Vec<u8> = (0..=self.below(8)).map(|_| self.next() as u8).collect();
                bytes.splice(at..at, new);
            }
            8 => {
                let other = self.one(corpus);
                let part = other[self.range(other.len())].to_vec();
                let over = at..bytes.len().min(at + self.below(2) * part.len());
                bytes.splice(over, part);
            }
            _ => {
                let other = self.one(corpus);
                let from = self.below(other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
        }
    }
}
