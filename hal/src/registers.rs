//! A block of device registers, as a driver sees it.
//!
//! Drivers that do nothing but read and write registers are generic over this,
//! so that tests run them against a model of the device.

/// Registers of 32 bits of one device, by byte offset.
pub trait RegisterBlock {
    /// Reads a register; zero beyond the block.
    fn read(&self, offset: u64) -> u32;
    /// Writes a register; nothing beyond the block.
    fn write(&self, offset: u64, value: u32);
}
