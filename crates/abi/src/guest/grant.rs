//! The block of `cap_grant`.

use super::fields::{Block, Fields};
use crate::{Handle, Rights};

/// Size of [`GrantArguments`] in a payload's memory.
pub const GRANT_SIZE: usize = 32;

/// What `cap_grant` passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantArguments {
    /// The task capability of the receiver.
    pub to: Handle,
    /// Rights of the new capability.
    pub rights: Rights,
    /// Badge of the new capability.
    pub badge: u64,
    /// Logical time of expiry in ns; `u64::MAX` for the giver's own.
    pub expiry: u64,
    /// Uses, debited from the giver; `u32::MAX` for unlimited.
    pub uses: u32,
}

impl GrantArguments {
    /// Layout: to u32, rights u8, 3 zero bytes, badge u64, expiry u64,
    /// uses u32, 4 zero bytes.
    pub fn to_bytes(&self) -> [u8; GRANT_SIZE] {
        Block::new()
            .u32(self.to.0)
            .u8(self.rights.bits())
            .zeros(3)
            .u64(self.badge)
            .u64(self.expiry)
            .u32(self.uses)
            .zeros(4)
            .done()
    }

    /// The inverse; `None` where a padding byte is not zero.
    pub fn from_bytes(bytes: &[u8; GRANT_SIZE]) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        let to = Handle(fields.u32()?);
        let rights = Rights::from_bits(fields.u8()?);
        fields.zeros::<3>()?;
        let (badge, expiry, uses) = (fields.u64()?, fields.u64()?, fields.u32()?);
        fields.zeros::<4>()?;
        Some(Self { to, rights, badge, expiry, uses })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::fields::refuses_padding;

    #[test]
    fn a_grant_survives_the_round_trip_and_refuses_padding() {
        let grant = GrantArguments {
            to: Handle(7),
            rights: Rights::READ | Rights::GRANT,
            badge: 0x0123_4567_89ab_cdef,
            expiry: 5,
            uses: 9,
        };
        assert_eq!(GrantArguments::from_bytes(&grant.to_bytes()), Some(grant));
        refuses_padding(
            &grant.to_bytes(),
            |at| matches!(at, 5..8 | 28..32),
            GrantArguments::from_bytes,
        );
    }
}
