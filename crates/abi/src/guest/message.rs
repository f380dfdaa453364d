//! What a task receives from a queue.

use super::fields::{Block, Fields};
use crate::Handle;

/// Type of the message in which a task's parent learns of its end.
pub const EXIT_REPORT: u32 = 0xFFFF_FF01;

/// What `queue_recv` writes before the message itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageHeader {
    /// Badge of the capability it was sent with.
    pub badge: u64,
    /// Type of the message.
    pub kind: u32,
    /// Bytes that follow: the message, or a [`Reference`].
    pub length: u32,
    /// Higher comes first.
    pub priority: u8,
    /// Whether the body is a [`Reference`].
    pub is_reference: bool,
}

impl MessageHeader {
    /// Length in bytes.
    pub const SIZE: usize = 24;

    /// Layout: badge u64, kind u32, length u32, priority u8, flags u8 (bit 0:
    /// a reference), 6 zero bytes.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        Block::new()
            .u64(self.badge)
            .u32(self.kind)
            .u32(self.length)
            .u8(self.priority)
            .u8(self.is_reference.into())
            .zeros(6)
            .done()
    }

    /// The inverse; `None` for an unknown flag or a padding byte not zero.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        let badge = fields.u64()?;
        let (kind, length) = (fields.u32()?, fields.u32()?);
        let (priority, flags) = (fields.u8()?, fields.u8()?);
        fields.zeros::<6>()?;
        let is_reference = match flags {
            0 => false,
            1 => true,
            _ => return None,
        };
        Some(Self { badge, kind, length, priority, is_reference })
    }
}

/// A message that stays where it is: part of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The region's capability: the sender's when it is sent, the receiver's
    /// own, new one when it is received.
    pub region: Handle,
    /// Where in the region it begins.
    pub offset: u64,
    /// How long it is.
    pub length: u64,
}

impl Reference {
    /// Length in bytes.
    pub const SIZE: usize = 24;

    /// Layout: region u32, 4 zero bytes, offset u64, length u64.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        Block::new().u32(self.region.0).zeros(4).u64(self.offset).u64(self.length).done()
    }

    /// The inverse; `None` where a padding byte is not zero.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        let region = Handle(fields.u32()?);
        fields.zeros::<4>()?;
        Some(Self { region, offset: fields.u64()?, length: fields.u64()? })
    }
}

/// How a task ended, in its parent's mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitReport {
    /// The task's subject.
    pub subject: u32,
    /// As in the manifest of a run: 0 exit, 1 trap, 2 out of fuel, 3 budget
    /// spent, 4 killed.
    pub outcome: u8,
    /// Its exit code or trap code; 0 where it has none.
    pub code: i32,
    /// The parent's handle for it, as `task_spawn` returned it.
    pub handle: Handle,
}

impl ExitReport {
    /// Length in bytes.
    pub const SIZE: usize = 16;

    /// Layout: subject u32, outcome u8, 3 zero bytes, code i32, handle u32.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let Self { subject, outcome, code, handle } = *self;
        Block::new().u32(subject).u8(outcome).zeros(3).i32(code).u32(handle.0).done()
    }

    /// The inverse; `None` for an unknown outcome or a padding byte not zero.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        let (subject, outcome) = (fields.u32()?, fields.u8()?);
        fields.zeros::<3>()?;
        let (code, handle) = (fields.i32()?, Handle(fields.u32()?));
        (outcome <= 4).then_some(Self { subject, outcome, code, handle })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::fields::refuses_padding;

    #[test]
    fn messages_survive_the_round_trip_and_refuse_padding() {
        for is_reference in [false, true] {
            let header =
                MessageHeader { badge: 1 << 40, kind: 2, length: 3, priority: 4, is_reference };
            assert_eq!(MessageHeader::from_bytes(&header.to_bytes()), Some(header));
            refuses_padding(
                &header.to_bytes(),
                |at| matches!(at, 18..24),
                MessageHeader::from_bytes,
            );
        }
        let reference = Reference { region: Handle(1), offset: 2 << 33, length: 3 << 35 };
        assert_eq!(Reference::from_bytes(&reference.to_bytes()), Some(reference));
        refuses_padding(&reference.to_bytes(), |at| matches!(at, 4..8), Reference::from_bytes);

        let report = ExitReport { subject: 9, outcome: 3, code: -1, handle: Handle(7) };
        assert_eq!(ExitReport::from_bytes(&report.to_bytes()), Some(report));
        refuses_padding(&report.to_bytes(), |at| matches!(at, 5..8), ExitReport::from_bytes);
    }

    #[test]
    fn numbers_without_meaning_are_refused() {
        let header =
            MessageHeader { badge: 0, kind: 0, length: 0, priority: 0, is_reference: true };
        let mut bytes = header.to_bytes();
        bytes[17] = 2;
        assert_eq!(MessageHeader::from_bytes(&bytes), None);
        let report = ExitReport { subject: 0, outcome: 5, code: 0, handle: Handle(0) };
        assert_eq!(ExitReport::from_bytes(&report.to_bytes()), None);
    }
}
