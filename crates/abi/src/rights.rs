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
    /// Derive capabilities from this one, from which no further are derived.
    pub const GRANT_ONCE: Self = Self(1 << 7);

    /// The eight rights with their names in manifests, by bit.
    pub const NAMED: [(Self, &'static str); 8] = [
        (Self::READ, "read"),
        (Self::WRITE, "write"),
        (Self::GRANT, "grant"),
        (Self::REVOKE, "revoke"),
        (Self::EXECUTE, "execute"),
        (Self::PROVE, "prove"),
        (Self::MOUNT, "mount"),
        (Self::GRANT_ONCE, "grant-once"),
    ];

    /// The set with these bits, each of which has a meaning.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
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

    /// Whether any right is in both.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The rights in this set that are not in `other`.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
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
    fn sets_are_bits_for_all_pairs() {
        for (a, b) in (0..=255u8).flat_map(|a| (0..=255u8).map(move |b| (a, b))) {
            let (set, other) = (Rights::from_bits(a), Rights::from_bits(b));
            assert_eq!(set.contains(other), a | b == a);
            assert_eq!(set.intersects(other), set.intersection(other) != Rights::NONE);
            assert_eq!(set.without(other) | set.intersection(other), set);
            assert!(!set.without(other).intersects(other));
        }
    }

    #[test]
    fn every_bit_has_a_name() {
        for (bit, (right, name)) in Rights::NAMED.into_iter().enumerate() {
            assert_eq!(right.bits(), 1 << bit);
            assert_eq!(Rights::from_name(name), Some(right));
        }
        assert_eq!(Rights::NAMED.len(), 8);
    }
}
