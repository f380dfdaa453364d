//! Memory ranges that a payload names.

use abi::Error;
use core::ops::Range;

/// A claim by a payload that it has memory here. It proves nothing, neither
/// that the range is inside its memory nor that the range does not wrap,
/// until [`GuestSlice::range`] has been asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GuestSlice {
    /// First byte.
    pub(crate) pointer: u32,
    /// How many.
    pub(crate) length: u32,
}

impl GuestSlice {
    /// Where it is in a memory of so many bytes. An empty range is valid
    /// anywhere inside or just at the end.
    ///
    /// # Errors
    /// [`Error::BadPointer`].
    pub(crate) fn range(self, memory: usize) -> Result<Range<usize>, Error> {
        let start = usize::try_from(self.pointer).map_err(|_| Error::BadPointer)?;
        let length = usize::try_from(self.length).map_err(|_| Error::BadPointer)?;
        let end = start.checked_add(length).ok_or(Error::BadPointer)?;
        if end <= memory { Ok(start..end) } else { Err(Error::BadPointer) }
    }

    /// The bytes, to look at.
    ///
    /// # Errors
    /// [`Error::BadPointer`].
    pub(crate) fn read(self, memory: &[u8]) -> Result<&[u8], Error> {
        memory.get(self.range(memory.len())?).ok_or(Error::BadPointer)
    }

    /// The bytes, to look at, if there are at most `most`.
    ///
    /// # Errors
    /// [`Error::BadLength`], then [`Error::BadPointer`].
    pub(crate) fn read_at_most(self, most: usize, memory: &[u8]) -> Result<&[u8], Error> {
        if usize::try_from(self.length).is_ok_and(|length| length <= most) {
            self.read(memory)
        } else {
            Err(Error::BadLength)
        }
    }

    /// The bytes, to write to.
    ///
    /// # Errors
    /// [`Error::BadPointer`].
    pub(crate) fn write(self, memory: &mut [u8]) -> Result<&mut [u8], Error> {
        let range = self.range(memory.len())?;
        memory.get_mut(range).ok_or(Error::BadPointer)
    }

    /// This range to look at and the other to write to, which must not have a
    /// byte in common.
    ///
    /// # Errors
    /// [`Error::BadPointer`], [`Error::Overlap`].
    pub(crate) fn beside(
        self,
        other: Self,
        memory: &mut [u8],
    ) -> Result<(&[u8], &mut [u8]), Error> {
        let (from, to) = (self.range(memory.len())?, other.range(memory.len())?);
        if self.overlaps(other) {
            return Err(Error::Overlap);
        }
        let (from, to) = if from.is_empty() {
            (Some(&[][..]), memory.get_mut(to))
        } else if to.is_empty() {
            (memory.get(from), Some(&mut [][..]))
        } else if from.end <= to.start {
            let (low, high) = memory.split_at_mut_checked(to.start).ok_or(Error::BadPointer)?;
            (low.get(from), high.get_mut(..to.len()))
        } else {
            let (low, high) = memory.split_at_mut_checked(from.start).ok_or(Error::BadPointer)?;
            (high.get(..from.len()), low.get_mut(to))
        };
        from.zip(to).ok_or(Error::BadPointer)
    }

    /// Whether the two have a byte in common.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        let end = |slice: Self| u64::from(slice.pointer) + u64::from(slice.length);
        u64::from(self.pointer.max(other.pointer)) < end(self).min(end(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_range_is_given_exactly_when_every_byte_is_there(pointer: u32, length: u32, memory in 0..=u32::MAX) {
            let slice = GuestSlice { pointer, length };
            let is_inside = u64::from(pointer) + u64::from(length) <= u64::from(memory);
            let range = slice.range(usize::try_from(memory).unwrap());
            prop_assert_eq!(range.is_ok(), is_inside);
            if let Ok(range) = range {
                prop_assert_eq!(range.len(), usize::try_from(length).unwrap());
            }
        }

        #[test]
        fn two_ranges_are_given_as_each_alone(a in 0u32..20, b in 0u32..20, c in 0u32..20, d in 0u32..20) {
            let mut memory: [u8; 20] = core::array::from_fn(|at| at as u8);
            let before = memory;
            let (x, y) = (GuestSlice { pointer: a, length: b }, GuestSlice { pointer: c, length: d });
            let apart = !x.overlaps(y);
            let expected = x.read(&before).ok().zip(y.read(&before).ok()).filter(|_| apart);
            let both = x.beside(y, &mut memory).ok();
            prop_assert_eq!(both.map(|(x, y)| (x, &*y)), expected);
        }

        #[test]
        fn overlap_means_a_common_byte(a in 0u32..20, b in 0u32..20, c in 0u32..20, d in 0u32..20) {
            let (x, y) = (GuestSlice { pointer: a, length: b }, GuestSlice { pointer: c, length: d });
            let common = (a..a + b).any(|byte| (c..c + d).contains(&byte));
            prop_assert_eq!(x.overlaps(y), common);
            prop_assert_eq!(y.overlaps(x), common);
        }
    }

    #[test]
    fn pointers_that_wrap_are_refused() {
        let memory = [0; 8];
        for (pointer, length) in
            [(u32::MAX, 1), (1, u32::MAX), (u32::MAX, u32::MAX), (8, 1), (9, 0)]
        {
            assert_eq!(GuestSlice { pointer, length }.read(&memory), Err(Error::BadPointer));
        }
        assert!(GuestSlice { pointer: 8, length: 0 }.read(&memory).is_ok());
    }
}
