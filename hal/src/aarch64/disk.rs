//! The log disk, whatever it is.

use core::fmt;

use super::registers::Registers;
use crate::partition::Partition;
use crate::sdhci::SdCard;
use crate::traits::{BlockDevice, BlockError};
use crate::virtio;

/// A disk of this architecture's machines.
#[allow(clippy::large_enum_variant, reason = "there is one of it")]
pub enum Disk {
    /// All of a virtio disk.
    Virtio(virtio::Disk),
    /// A partition of an SD card, and what the slot is called.
    Card(Partition<SdCard<Registers>>, &'static str),
}

impl Disk {
    /// A few words about it.
    pub fn describe(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::Virtio(disk) => disk.describe(out),
            Self::Card(partition, slot) => {
                partition.disk().describe(out)?;
                write!(out, " on {slot}, log partition of {} MiB", partition.sectors() / 2048)
            }
        }
    }

    fn device(&self) -> &dyn BlockDevice {
        match self {
            Self::Virtio(disk) => disk,
            Self::Card(partition, _) => partition,
        }
    }

    fn device_mut(&mut self) -> &mut dyn BlockDevice {
        match self {
            Self::Virtio(disk) => disk,
            Self::Card(partition, _) => partition,
        }
    }
}

impl BlockDevice for Disk {
    fn sectors(&self) -> u64 {
        self.device().sectors()
    }

    fn read(&mut self, sector: u64, buffer: &mut [u8]) -> Result<(), BlockError> {
        self.device_mut().read(sector, buffer)
    }

    fn write(&mut self, sector: u64, buffer: &[u8]) -> Result<(), BlockError> {
        self.device_mut().write(sector, buffer)
    }

    fn flush(&mut self) -> Result<(), BlockError> {
        self.device_mut().flush()
    }

    fn can_flush(&self) -> bool {
        self.device().can_flush()
    }
}
