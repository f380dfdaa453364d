//! What a slot of a vector store holds beside the vector, and what its leaf is
//! the hash of.

use crate::snapshot::saved;

/// Bytes of a leaf's content before the vector.
pub(super) const HEAD: usize = 24;

/// What is kept beside the vector.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meta {
    pub(super) key: u64,
    pub(super) writes: u32,
    pub(super) subject: u32,
    pub(super) sequence: u32,
    pub(super) coherence: f32,
    pub(super) norm: f32,
}

/// What is in a slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry<'a> {
    /// Its key.
    pub key: u64,
    /// How often it was put.
    pub writes: u32,
    /// Who put it last.
    pub subject: u32,
    /// Number of the record of that in the subject's chain.
    pub sequence: u32,
    /// Mean score to its nearest when it was put; 0 if it was alone.
    pub coherence: f32,
    /// The vector.
    pub vector: &'a [f32],
}

/// What a leaf says before the vector.
pub(super) fn head_of(entry: &Entry<'_>) -> [u8; HEAD] {
    let Entry { key, writes, subject, sequence, coherence, .. } = *entry;
    let words = [writes, subject, sequence, coherence.to_bits()].map(u32::to_le_bytes);
    let mut head = [0; HEAD];
    let bytes = key.to_le_bytes().into_iter().chain(words.into_iter().flatten());
    for (place, byte) in head.iter_mut().zip(bytes) {
        *place = byte;
    }
    head
}

saved!(struct Meta { key, writes, subject, sequence, coherence, norm });
