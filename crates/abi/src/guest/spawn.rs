//! The block of `task_spawn`.

use super::fields::{Block, Fields};

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
    /// Whether an export of it is called for each message; else its `_start`
    /// is called once.
    pub is_reactor: bool,
}

impl SpawnArguments {
    /// Layout: fuel u64, deadline u64, memory u32, capabilities u32,
    /// priority u8, reactor u8 (0 or 1), 6 zero bytes.
    pub fn to_bytes(&self) -> [u8; SPAWN_SIZE] {
        Block::new()
            .u64(self.fuel)
            .u64(self.deadline)
            .u32(self.memory)
            .u32(self.capabilities)
            .u8(self.priority)
            .u8(self.is_reactor.into())
            .zeros(6)
            .done()
    }

    /// The inverse; `None` for a flag beyond 1, or where a padding byte is not
    /// zero.
    pub fn from_bytes(bytes: &[u8; SPAWN_SIZE]) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        let (fuel, deadline) = (fields.u64()?, fields.u64()?);
        let (memory, capabilities) = (fields.u32()?, fields.u32()?);
        let priority = fields.u8()?;
        let is_reactor = match fields.u8()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        fields.zeros::<6>()?;
        Some(Self { fuel, memory, priority, deadline, capabilities, is_reactor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::fields::refuses_padding;

    #[test]
    fn a_spawn_survives_the_round_trip_and_refuses_padding() {
        for is_reactor in [false, true] {
            let (fuel, memory, priority, deadline, capabilities) = (1, 2, 3, 4, 5);
            let spawn =
                SpawnArguments { fuel, memory, priority, deadline, capabilities, is_reactor };
            let bytes = spawn.to_bytes();
            assert_eq!(SpawnArguments::from_bytes(&bytes), Some(spawn));
            refuses_padding(&bytes, |at| matches!(at, 26..32), SpawnArguments::from_bytes);
        }
        let mut bytes = [0; SPAWN_SIZE];
        bytes[25] = 2;
        assert_eq!(SpawnArguments::from_bytes(&bytes), None);
    }
}
