//! Rights: what the holder of a capability may do with its object.

use core::ops::BitOr;

/// A set of rights. The bits are part of the record format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights(u8);

impl Rights {
    /// No right at all.
    pub const NONE: Self = Self(0);
    /// Look at the object.
    pub const READ: Self = Self(1);
    /// Change the object, or send to it.
    pub const WRITE: Self = Self(1 << 1);
    /// Derive capabilities from this one.
    pub const GRANT: Self = Self(1 << 2);
    /// Take back what was derived from this one.
    pub const REVOKE: Self = Self(1 << 3);
    /// Run it.
    pub const EXECUTE: Self = Self(1 << 4);
    /// Approve mutations of it.
    pub const PROVE: Self = Self(1 << 5);
    /// Mount packages under it.
    pub const MOUNT: Self = Self(1 << 6);

    /// The seven rights with their names in manifests, by bit.
    pub const NAMED: [(Self, &'static str); 7] = [
        (Self::READ, "read"),
        (Self::WRITE, "write"),
        (Self::GRANT, "grant"),
        (Self::REVOKE, "revoke"),
        (Self::EXECUTE, "execute"),
        (Self::PROVE, "prove"),
        (Self::MOUNT, "mount"),
    ];

    /// The set with these bits, unless a bit has no meaning.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits & 0x80 == 0 { Some(Self(bits)) } else { None }
    }

    /// The bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether every right in `other` is in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The rights in both.
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The right with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(_, n)| *n == name).map(|(right, _)| *right)
    }
}

impl BitOr for Rights {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containment_is_subset_for_all_pairs() {
        for a in 0..0x80u8 {
            for b in 0..0x80u8 {
                let (a, b) = (Rights(a), Rights(b));
                assert_eq!(a.contains(b), a | b == a);
            }
        }
    }

    #[test]
    fn names_convert_both_ways() {
        for (right, name) in Rights::NAMED {
            assert_eq!(Rights::from_name(name), Some(right));
        }
        assert_eq!(Rights::from_bits(0x80), None);
    }
}
