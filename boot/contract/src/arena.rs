//! A piece of memory that responses are laid out in, one behind the other.

use zerocopy::{Immutable, IntoBytes};

use crate::DIRECT_MAP;

/// Memory that is filled from the front, and knows its own address.
#[derive(Debug)]
pub struct Arena<'a> {
    memory: &'a mut [u8],
    address: u64,
    used: usize,
}

/// The memory is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl<'a> Arena<'a> {
    /// Memory at a physical address, which is a multiple of 8; the kernel
    /// sees it through the direct map.
    pub fn new(memory: &'a mut [u8], physical: u64) -> Self {
        Self::at(memory, physical.wrapping_add(DIRECT_MAP))
    }

    /// Memory that the reader sees at `address`, a multiple of 8.
    pub fn at(memory: &'a mut [u8], address: u64) -> Self {
        Self { memory, address, used: 0 }
    }

    /// Bytes used so far.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Copies a value in and gives the address the kernel finds it at.
    pub(crate) fn put<T: IntoBytes + Immutable + ?Sized>(
        &mut self,
        value: &T,
    ) -> Result<u64, Full> {
        self.put_bytes(value.as_bytes())
    }

    /// Copies a string in, with a zero byte behind it.
    pub(crate) fn put_string(&mut self, text: &str) -> Result<u64, Full> {
        let address = self.put_bytes(text.as_bytes())?;
        self.zero(1)?;
        self.align()?;
        Ok(address)
    }

    /// Makes room for `count` 64-bit words and gives their address.
    pub(crate) fn put_words(&mut self, words: impl Iterator<Item = u64>) -> Result<u64, Full> {
        let address = self.next();
        for word in words {
            self.put(&word)?;
        }
        Ok(address)
    }

    fn put_bytes(&mut self, bytes: &[u8]) -> Result<u64, Full> {
        let address = self.next();
        let room = self.memory.get_mut(self.used..).ok_or(Full)?;
        room.get_mut(..bytes.len()).ok_or(Full)?.copy_from_slice(bytes);
        self.used += bytes.len();
        // A string's zero byte follows it directly.
        Ok(address)
    }

    fn zero(&mut self, count: usize) -> Result<(), Full> {
        let room = self.memory.get_mut(self.used..).ok_or(Full)?;
        room.get_mut(..count).ok_or(Full)?.fill(0);
        self.used += count;
        Ok(())
    }

    fn align(&mut self) -> Result<(), Full> {
        self.zero(self.used.next_multiple_of(8) - self.used)
    }

    fn next(&self) -> u64 {
        self.address.wrapping_add(self.used as u64)
    }
}
