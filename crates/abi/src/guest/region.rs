//! What kind of region `region_map`, create, makes.

/// What kind of region a task asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionMode {
    /// Set once, from the window of the call.
    Immutable,
    /// Grows at its end only, to at most so many bytes.
    Append(u32),
    /// Slots of one size.
    Slab {
        /// Bytes of a slot, below 2^24.
        slot_bytes: u32,
        /// How many.
        slots: u32,
    },
}

impl RegionMode {
    /// Bytes of a slab's slot are below this.
    const SLOT_BYTES_END: u32 = 1 << 24;

    /// The word that stands where other operations have an offset: bits 0 to 7
    /// 0 immutable, 1 append-only, 2 slab; bits 8 to 31 bytes of a slot; bits
    /// 32 to 63 bytes of an append-only region, or slots of a slab. `None` if
    /// a slot is too large for it.
    pub const fn to_word(self) -> Option<u64> {
        Some(match self {
            Self::Immutable => 0,
            Self::Append(bytes) => (bytes as u64) << 32 | 1,
            Self::Slab { slot_bytes, slots } if slot_bytes < Self::SLOT_BYTES_END => {
                (slots as u64) << 32 | (slot_bytes as u64) << 8 | 2
            }
            Self::Slab { .. } => return None,
        })
    }

    /// The inverse; `None` for an unknown mode, or a number that the mode has
    /// no use for.
    pub const fn from_word(word: u64) -> Option<Self> {
        let (mode, slot_bytes, n) = (word as u8, word as u32 >> 8, (word >> 32) as u32);
        Some(match (mode, slot_bytes, n) {
            (0, 0, 0) => Self::Immutable,
            (1, 0, bytes) => Self::Append(bytes),
            (2, slot_bytes, slots) => Self::Slab { slot_bytes, slots },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_survive_the_round_trip_and_words_have_one_meaning() {
        let max = RegionMode::SLOT_BYTES_END - 1;
        for (mode, word) in [
            (RegionMode::Immutable, 0),
            (RegionMode::Append(u32::MAX), 0xFFFF_FFFF_0000_0001),
            (RegionMode::Slab { slot_bytes: 0x40, slots: 3 }, 0x0000_0003_0000_4002),
            (RegionMode::Slab { slot_bytes: max, slots: u32::MAX }, 0xFFFF_FFFF_FFFF_FF02),
        ] {
            assert_eq!(mode.to_word(), Some(word));
            assert_eq!(RegionMode::from_word(word), Some(mode));
        }
        for word in [3, 255, 0x100, 0x101, 1 << 32, 0x8000_0001] {
            assert_eq!(RegionMode::from_word(word), None, "{word:#x}");
        }
        assert_eq!(RegionMode::Slab { slot_bytes: max + 1, slots: 1 }.to_word(), None);
    }
}
