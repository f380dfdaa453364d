//! Handles: how a task names a capability.

/// Names a slot of the caller's own capability space.
///
/// The low 16 bits are the slot, the high 16 bits its generation. A slot's
/// generation starts at zero and grows each time the slot is reused, so a
/// task's first capabilities, in the order its manifest lists them, are the
/// handles 0, 1, 2 and so on, and a stale handle fails by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle(pub u32);

impl Handle {
    /// A handle from its parts.
    pub const fn new(slot: u16, generation: u16) -> Self {
        Self((generation as u32) << 16 | slot as u32)
    }

    /// Index of the slot.
    pub const fn slot(self) -> u16 {
        self.0 as u16
    }

    /// Generation that the slot must have.
    pub const fn generation(self) -> u16 {
        (self.0 >> 16) as u16
    }
}
