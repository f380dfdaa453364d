//! Reading and writing the fields of a record, in little-endian order.

use super::RecordError;

/// At most `MAX` bytes, borrowed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Short<'a, const MAX: usize>(&'a [u8]);

impl<'a, const MAX: usize> Short<'a, MAX> {
    /// No bytes.
    pub const EMPTY: Self = Self(&[]);

    /// The bytes, unless there are too many.
    pub const fn new(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() <= MAX { Some(Self(bytes)) } else { None }
    }

    /// The first `MAX` bytes, for where a record keeps no more.
    pub fn cut(bytes: &'a [u8]) -> Self {
        Self(bytes.get(..MAX).unwrap_or(bytes))
    }

    /// The bytes.
    pub const fn bytes(self) -> &'a [u8] {
        self.0
    }
}

impl<const MAX: usize> core::fmt::Debug for Short<'_, MAX> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// Writes fields one after the other.
pub(super) struct Writer<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl<'a> Writer<'a> {
    pub(super) fn new(out: &'a mut [u8]) -> Self {
        Self { out, at: 0 }
    }

    /// Every body fits by construction (see the assertion in `encode`), so
    /// the branch that drops bytes is never taken. It is there instead of a
    /// panic, which the gate must not contain.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let end = self.at.saturating_add(bytes.len());
        if let Some(place) = self.out.get_mut(self.at..end) {
            for (to, from) in place.iter_mut().zip(bytes) {
                *to = *from;
            }
            self.at = end;
        }
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.bytes(&value.to_le_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    pub(super) fn zeros<const N: usize>(&mut self) {
        self.bytes(&[0; N]);
    }

    pub(super) fn written(&self) -> usize {
        self.at
    }
}

/// Takes fields one after the other.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        let (head, tail) = self.0.split_first_chunk().ok_or(RecordError::BodyLength)?;
        self.0 = tail;
        Ok(*head)
    }

    pub(super) fn u8(&mut self) -> Result<u8, RecordError> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16, RecordError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, RecordError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, RecordError> {
        self.array().map(u64::from_le_bytes)
    }

    /// Padding, which must be zero.
    pub(super) fn zeros<const N: usize>(&mut self) -> Result<(), RecordError> {
        if self.array::<N>()? == [0; N] { Ok(()) } else { Err(RecordError::Padding) }
    }

    /// All that is left, if it is not more than `MAX` bytes.
    pub(super) fn rest<const MAX: usize>(&mut self) -> Result<Short<'a, MAX>, RecordError> {
        let rest = core::mem::take(&mut self.0);
        Short::new(rest).ok_or(RecordError::BodyLength)
    }

    /// Ends the body, which must be used up.
    pub(super) fn end(self) -> Result<(), RecordError> {
        if self.0.is_empty() { Ok(()) } else { Err(RecordError::BodyLength) }
    }
}
