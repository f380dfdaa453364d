//! Fields of a block, one after the other.

/// A block that is being written from its beginning.
pub(super) struct Block<const N: usize> {
    bytes: [u8; N],
    at: usize,
}

impl<const N: usize> Block<N> {
    pub(super) const fn new() -> Self {
        Self { bytes: [0; N], at: 0 }
    }

    pub(super) fn bytes<const M: usize>(mut self, field: [u8; M]) -> Self {
        let room = self.bytes.get_mut(self.at..).and_then(|rest| rest.first_chunk_mut());
        debug_assert!(room.is_some(), "the fields are longer than the block");
        if let Some(room) = room {
            *room = field;
        }
        self.zeros(M)
    }

    pub(super) fn u8(self, field: u8) -> Self {
        self.bytes([field])
    }

    pub(super) fn u32(self, field: u32) -> Self {
        self.bytes(field.to_le_bytes())
    }

    pub(super) fn i32(self, field: i32) -> Self {
        self.bytes(field.to_le_bytes())
    }

    pub(super) fn u64(self, field: u64) -> Self {
        self.bytes(field.to_le_bytes())
    }

    pub(super) fn f32(self, field: f32) -> Self {
        self.bytes(field.to_le_bytes())
    }

    /// Passes over what stays zero.
    pub(super) const fn zeros(mut self, count: usize) -> Self {
        self.at = self.at.saturating_add(count);
        self
    }

    pub(super) fn done(self) -> [u8; N] {
        debug_assert!(self.at == N, "the fields are not as long as the block");
        self.bytes
    }
}

/// What is still to be read of a block. A field that the block is too short
/// for is `None`.
pub(super) struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    pub(super) const fn of(block: &'b [u8]) -> Self {
        Self(block)
    }

    pub(super) fn bytes<const M: usize>(&mut self) -> Option<[u8; M]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.bytes().map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.bytes().map(u32::from_le_bytes)
    }

    pub(super) fn i32(&mut self) -> Option<i32> {
        self.bytes().map(i32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.bytes().map(u64::from_le_bytes)
    }

    pub(super) fn f32(&mut self) -> Option<f32> {
        self.bytes().map(f32::from_le_bytes)
    }

    /// `None` unless the next bytes are zero.
    pub(super) fn zeros<const M: usize>(&mut self) -> Option<()> {
        (self.bytes()? == [0; M]).then_some(())
    }
}

/// Whether a block is refused exactly where one of its padding bytes is not
/// zero. For blocks that still mean something with another bit 0 elsewhere.
#[cfg(test)]
pub(super) fn refuses_padding<T, const N: usize>(
    block: &[u8; N],
    is_padding: impl Fn(usize) -> bool,
    from_bytes: fn(&[u8; N]) -> Option<T>,
) {
    for at in 0..N {
        let mut bytes = *block;
        bytes[at] ^= 1;
        assert_eq!(from_bytes(&bytes).is_none(), is_padding(at), "byte {at} of {N}");
    }
}
