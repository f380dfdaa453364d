//! Vector stores.

use abi::{
    Approval, EntryHead, Error, GetByKey, GetNearest, Operation,
    profile::{NO_HANDLE, VECTOR_DIMENSION_MAX},
};

use super::{
    Proof, VectorStore,
    store::{Neighbours, Numbers, STRANGE, approve},
    to_length,
};
use crate::{
    Mutation, Opening, SignedMutation,
    imports::{self, answer},
};

/// A vector of a store and what is known about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry<'a> {
    /// Slot, writes, last record, coherence. Nothing was written where
    /// `writes` is 0: the slot is then the one suggested for the key.
    pub head: EntryHead,
    /// The vector.
    pub vector: Numbers<'a>,
    /// The opening of the slot, where it was asked for.
    pub opening: Option<Opening<'a>>,
}

impl<'a> Entry<'a> {
    fn parse(written: &'a [u8], with_opening: bool) -> Option<Self> {
        let (head, rest) = written.split_first_chunk()?;
        let head = EntryHead::from_bytes(head)?;
        let length = usize::try_from(head.dimension).ok()?.checked_mul(4)?;
        let (vector, rest) = rest.split_at_checked(length)?;
        let opening = if with_opening { Some(Opening::parse(rest)?) } else { None };
        let is_whole = with_opening || rest.is_empty();
        is_whole.then_some(Self { head, vector: Numbers(vector.as_chunks().0), opening })
    }
}

impl VectorStore {
    /// `vector_get`, by key: a vector. Needs READ. The window needs 24 bytes
    /// and 4 for each number.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::TooSmall`].
    pub fn entry(self, key: u64, window: &mut [u8]) -> Result<Entry<'_>, Error> {
        self.by_key(GetByKey { key, with_opening: false }, window)
    }

    /// `vector_get`, by key, with opening: a vector, or the slot that one
    /// would go into. Needs READ. The window needs 96 bytes, 4 for each
    /// number, and 32 for each level of the tree.
    ///
    /// # Errors
    /// [`Error::StoreFull`] for a key that is not there and has no room,
    /// [`Error::TooSmall`].
    pub fn opened(self, key: u64, window: &mut [u8]) -> Result<(Entry<'_>, Opening<'_>), Error> {
        let entry = self.by_key(GetByKey { key, with_opening: true }, window)?;
        Ok((entry, entry.opening.ok_or(STRANGE)?))
    }

    fn by_key(self, question: GetByKey, window: &mut [u8]) -> Result<Entry<'_>, Error> {
        let arguments = question.to_bytes();
        let written = imports::vector_get(self.0.0, Operation::ByKey, &arguments, window);
        let length = to_length(answer(written)?)?;
        let written = window.get(..length).ok_or(STRANGE)?;
        Entry::parse(written, question.with_opening).ok_or(STRANGE)
    }

    /// `vector_get`, nearest: the best first, 16 bytes of the window each.
    /// Needs READ.
    ///
    /// # Errors
    /// [`Error::BadLength`] for a vector of another dimension,
    /// [`Error::NotFinite`], [`Error::ZeroNorm`], [`Error::TooSmall`].
    pub fn nearest<'w>(
        self,
        question: &GetNearest,
        query: &[f32],
        window: &'w mut [u8],
    ) -> Result<Neighbours<'w>, Error> {
        let mut arguments = [0; GetNearest::SIZE + 4 * VECTOR_DIMENSION_MAX as usize];
        let (head, numbers) = arguments.split_at_mut(GetNearest::SIZE);
        head.copy_from_slice(&question.to_bytes());
        let used = query.len().checked_mul(4).ok_or(Error::BadLength)?;
        let numbers = numbers.get_mut(..used).ok_or(Error::BadLength)?;
        for (room, number) in numbers.chunks_exact_mut(4).zip(query) {
            room.copy_from_slice(&number.to_le_bytes());
        }
        let arguments = arguments.get(..GetNearest::SIZE + used).ok_or(Error::BadLength)?;
        let written = imports::vector_get(self.0.0, Operation::Nearest, arguments, window);
        let length = to_length(answer(written)?)?;
        window.get(..length).and_then(Neighbours::parse).ok_or(STRANGE)
    }

    /// `attest_emit`, approve: a Reflex proof of one mutation of one slot.
    /// Needs PROVE.
    ///
    /// # Errors
    /// [`Error::OutOfRange`], [`Error::ProofExpired`], [`Error::TableFull`].
    pub fn approve(self, slot: u32, mutation: &[u8; 32], terms: &Approval) -> Result<Proof, Error> {
        approve(self.0, slot, mutation, terms)
    }

    /// `vector_put_proved`: puts a vector, with a Reflex proof of exactly this
    /// put, which is used up. Needs WRITE on both.
    ///
    /// # Errors
    /// Any of the proof stage; [`Error::ZeroNorm`] and others from the store.
    pub fn put<const N: usize>(self, mutation: &Mutation<N>, proof: Proof) -> Result<(), Error> {
        answer(imports::vector_put_proved(self.0.0, proof.0.0, mutation.bytes())).map(drop)
    }

    /// `vector_put_proved`: puts a vector, with a signed proof of exactly this
    /// put. Needs WRITE.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub fn put_signed<const N: usize>(self, mutation: &SignedMutation<N>) -> Result<(), Error> {
        answer(imports::vector_put_proved(self.0.0, NO_HANDLE.0, mutation.bytes())).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::OpeningHead;

    #[test]
    fn an_entry_is_head_vector_and_opening() {
        let mut head =
            EntryHead { slot: 1, writes: 2, subject: 3, sequence: 4, coherence: 0.5, dimension: 2 };
        let mut written = [0; 24 + 8 + OpeningHead::SIZE + 32];
        written[..24].copy_from_slice(&head.to_bytes());
        written[24..28].copy_from_slice(&1.5f32.to_le_bytes());
        let opening = OpeningHead { leaf: [5; 32], root: [6; 32], depth: 1 }.to_bytes();
        written[32..32 + OpeningHead::SIZE].copy_from_slice(&opening);
        let entry = Entry::parse(&written, true).unwrap();
        assert_eq!((entry.head, entry.vector.len()), (head, 2));
        assert!(entry.vector.iter().eq([1.5, 0.0]));
        assert_eq!(entry.opening.unwrap().root, [6; 32]);
        assert!(Entry::parse(&written[..32], false).is_some());
        assert_eq!(Entry::parse(&written, false), None);
        assert_eq!(Entry::parse(&written[..31], false), None);
        head.dimension = u32::MAX;
        written[..24].copy_from_slice(&head.to_bytes());
        assert_eq!(Entry::parse(&written, true), None);
    }
}
