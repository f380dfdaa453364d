//! What a card says of itself.

/// Its status, the answer to most commands (Physical Layer, 4.10.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardStatus(pub u32);

/// Bits 31 to 26, 24 to 19, 16 and 15: it did not do as told.
const ERRORS: u32 = 0xfdf9_8000;
/// Bits 12 to 9: its state; and the one in which data can be asked for.
const STATE_SHIFT: u32 = 9;
const TRANSFER_STATE: u32 = 4;
/// Its buffer is empty.
const READY_FOR_DATA: u32 = 1 << 8;

impl CardStatus {
    /// Whether it did not do as told.
    pub fn is_error(self) -> bool {
        self.0 & ERRORS != 0
    }

    /// Whether it waits for a command with data, and is done with all others.
    pub fn is_ready(self) -> bool {
        self.0 >> STATE_SHIFT & 0xf == TRANSFER_STATE && self.0 & READY_FOR_DATA != 0
    }
}

/// The card-specific data register, as a controller gives it: without its
/// lowest eight bits (Physical Layer, 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Csd(pub [u32; 4]);

impl Csd {
    /// The card's size in sectors of 512 bytes; `None` for a layout that is
    /// not known, or a size of less than one.
    pub fn sectors(&self) -> Option<u64> {
        let sectors = match self.field(126, 2) {
            0 => {
                let length_power = self.field(80, 4).checked_sub(9)?;
                (self.field(62, 12) + 1) << (self.field(47, 3) + 2) << length_power.min(3)
            }
            1 => (self.field(48, 22) + 1) << 10,
            _ => return None,
        };
        (sectors > 0).then_some(sectors)
    }

    /// The field of `width` bits from this bit of the whole register on.
    fn field(&self, first: u32, width: u32) -> u64 {
        let all = self.0.iter().rev().fold(0u128, |all, &word| all << 32 | u128::from(word));
        (all >> (first - 8)) as u64 & ((1 << width) - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A register with these fields, as a controller gives it.
    pub(crate) fn csd(fields: &[(u32, u128)]) -> Csd {
        let all = fields.iter().fold(0, |all, &(first, value)| all | value << (first - 8));
        Csd([0, 32, 64, 96].map(|shift| (all >> shift) as u32))
    }

    #[test]
    fn both_layouts_tell_a_size() {
        // 2 GiB with blocks of 1024 bytes; 32 GB.
        let older = csd(&[(126, 0), (80, 10), (62, 4095), (47, 7)]);
        assert_eq!(older.sectors(), Some(4096 * 512 * 2));
        let newer = csd(&[(126, 1), (48, 60_799)]);
        assert_eq!(newer.sectors(), Some(60_800 * 1024));
        assert_eq!(csd(&[(126, 2), (48, 9)]).sectors(), None);
        assert_eq!(csd(&[(126, 0), (80, 8)]).sectors(), None);
    }

    #[test]
    fn a_status_is_good_bad_or_not_yet() {
        let ready = CardStatus(4 << 9 | 1 << 8);
        assert!(ready.is_ready() && !ready.is_error());
        assert!(!CardStatus(7 << 9 | 1 << 8).is_ready());
        assert!(!CardStatus(4 << 9).is_ready());
        for bit in [31, 26, 24, 22, 19, 16, 15] {
            assert!(CardStatus(1 << bit).is_error());
        }
        // Locked, and what the last application command left behind.
        assert!(!CardStatus(1 << 25 | 1 << 5).is_error());
    }
}
