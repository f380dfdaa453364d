//! A put, as the proof names it.

use abi::{Error, PutHead};

/// A put, from its canonical bytes.
#[derive(Clone, Copy, Debug)]
pub struct Put<'a> {
    /// The key.
    pub key: u64,
    /// The slot.
    pub slot: u32,
    /// The vector, 4 bytes a number, little-endian.
    pub numbers: &'a [[u8; 4]],
}

impl<'a> Put<'a> {
    /// Reads a put.
    ///
    /// # Errors
    /// [`Error::BadLength`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let (head, rest) = bytes.split_first_chunk().ok_or(Error::BadLength)?;
        let PutHead { key, slot, dimension } = PutHead::from_bytes(head).ok_or(Error::BadLength)?;
        let (numbers, rest) = rest.as_chunks();
        if !rest.is_empty() || u32::try_from(numbers.len()) != Ok(dimension) {
            return Err(Error::BadLength);
        }
        Ok(Self { key, slot, numbers })
    }
}
