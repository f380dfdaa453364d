//! Argument blocks that are too large for registers. All integers are
//! little-endian; a block has one length and no padding.

use crate::{Handle, Rights};

/// Largest body of a claim, in bytes.
pub const CLAIM_BODY_MAX: usize = 128;

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
        let mut bytes = [0; GRANT_SIZE];
        bytes[..4].copy_from_slice(&self.to.0.to_le_bytes());
        bytes[4] = self.rights.bits();
        bytes[8..16].copy_from_slice(&self.badge.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.expiry.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.uses.to_le_bytes());
        bytes
    }

    /// The inverse; `None` for an unknown right or a padding byte not zero.
    pub fn from_bytes(bytes: &[u8; GRANT_SIZE]) -> Option<Self> {
        if bytes[5..8] != [0; 3] || bytes[28..] != [0; 4] {
            return None;
        }
        Some(Self {
            to: Handle(u32_at(bytes, 0)?),
            rights: Rights::from_bits(bytes[4])?,
            badge: u64_at(bytes, 8)?,
            expiry: u64_at(bytes, 16)?,
            uses: u32_at(bytes, 24)?,
        })
    }
}

/// Size of [`SpawnArguments`] in a payload's memory. The handles of the
/// capabilities to pass on follow it, 4 bytes each.
pub const SPAWN_SIZE: usize = 32;

/// How `task_spawn` starts a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpawnArguments {
    /// Fuel the task may spend in all.
    pub fuel: u64,
    /// Bytes of linear memory it may have.
    pub memory: u32,
    /// Higher runs first among equal deadlines, 0 to 255.
    pub priority: u8,
    /// Logical time in ns to be scheduled by; `u64::MAX` for none.
    pub deadline: u64,
    /// Number of handles that follow, 0 to 64.
    pub capabilities: u32,
}

impl SpawnArguments {
    /// Layout: fuel u64, deadline u64, memory u32, capabilities u32,
    /// priority u8, 7 zero bytes.
    pub fn to_bytes(&self) -> [u8; SPAWN_SIZE] {
        let mut bytes = [0; SPAWN_SIZE];
        bytes[..8].copy_from_slice(&self.fuel.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.deadline.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.memory.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.capabilities.to_le_bytes());
        bytes[24] = self.priority;
        bytes
    }

    /// The inverse; `None` where a padding byte is not zero.
    pub fn from_bytes(bytes: &[u8; SPAWN_SIZE]) -> Option<Self> {
        if bytes[25..] != [0; 7] {
            return None;
        }
        Some(Self {
            fuel: u64_at(bytes, 0)?,
            deadline: u64_at(bytes, 8)?,
            memory: u32_at(bytes, 16)?,
            capabilities: u32_at(bytes, 20)?,
            priority: bytes[24],
        })
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_survive_the_round_trip_and_refuse_padding() {
        let grant = GrantArguments {
            to: Handle(7),
            rights: Rights::READ | Rights::GRANT,
            badge: 0x0123_4567_89ab_cdef,
            expiry: 5,
            uses: 9,
        };
        assert_eq!(GrantArguments::from_bytes(&grant.to_bytes()), Some(grant));
        for at in [5, 6, 7, 28, 31] {
            let mut bytes = grant.to_bytes();
            bytes[at] = 1;
            assert_eq!(GrantArguments::from_bytes(&bytes), None);
        }

        let spawn =
            SpawnArguments { fuel: 1, memory: 2, priority: 3, deadline: 4, capabilities: 5 };
        assert_eq!(SpawnArguments::from_bytes(&spawn.to_bytes()), Some(spawn));
        let mut bytes = spawn.to_bytes();
        bytes[31] = 1;
        assert_eq!(SpawnArguments::from_bytes(&bytes), None);
    }
}
