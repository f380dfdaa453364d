//! A ring of bytes of fixed size.

/// Holds up to `N` bytes, first in, first out.
pub struct Ring<const N: usize> {
    bytes: [u8; N],
    first: usize,
    count: usize,
}

impl<const N: usize> Ring<N> {
    /// An empty ring.
    pub const fn new() -> Self {
        Self { bytes: [0; N], first: 0, count: 0 }
    }

    /// Adds a byte; `false` when the ring is full.
    pub fn push(&mut self, byte: u8) -> bool {
        if self.count == N {
            return false;
        }
        self.bytes[(self.first + self.count) % N] = byte;
        self.count += 1;
        true
    }

    /// Takes the byte that has been in it longest.
    pub fn pop(&mut self) -> Option<u8> {
        if self.count == 0 {
            return None;
        }
        let byte = self.bytes[self.first];
        self.first = (self.first + 1) % N;
        self.count -= 1;
        Some(byte)
    }
}

impl<const N: usize> Default for Ring<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    #[test]
    fn it_is_a_queue_that_refuses_what_does_not_fit() {
        let mut ring = Ring::<5>::new();
        let mut model = VecDeque::new();
        for step in 0..1000u32 {
            if step.wrapping_mul(2_654_435_761) >> 30 < 2 {
                let byte = step as u8;
                assert_eq!(ring.push(byte), model.len() < 5);
                if model.len() < 5 {
                    model.push_back(byte);
                }
            } else {
                assert_eq!(ring.pop(), model.pop_front());
            }
        }
    }
}
