//! A block of device registers.

use crate::registers::RegisterBlock;

/// Registers of 32 bits, mapped as device memory for good.
#[derive(Clone, Copy)]
pub struct Registers {
    base: u64,
    length: u64,
}

impl Registers {
    /// `length` bytes of registers, mapped at `base`.
    ///
    /// # Safety
    /// `base` is what [`crate::window::Window::device`], or the early mapping
    /// of [`super::early`], gave for `length` bytes of one device's registers,
    /// and no Rust object lies there.
    pub unsafe fn new(base: u64, length: u64) -> Self {
        Self { base, length }
    }

    /// Reads the register at a byte offset; zero beyond the block.
    pub fn read(&self, offset: u64) -> u32 {
        match self.at(offset, 4) {
            // SAFETY: mapped by the promise of `new`; `at` keeps the access
            // within the block and aligned.
            Some(register) => unsafe { register.read_volatile() },
            None => 0,
        }
    }

    /// Writes the register at a byte offset; nothing beyond the block.
    pub fn write(&self, offset: u64, value: u32) {
        if let Some(register) = self.at(offset, 4) {
            // SAFETY: as in `read`; device registers alias no Rust object.
            unsafe { register.write_volatile(value) }
        }
    }

    /// Writes one byte, for registers that allow it.
    pub fn write_byte(&self, offset: u64, value: u8) {
        if let Some(register) = self.at(offset, 1) {
            // SAFETY: as in `write`.
            unsafe { register.cast::<u8>().write_volatile(value) }
        }
    }

    fn at(&self, offset: u64, size: u64) -> Option<*mut u32> {
        let end = offset.checked_add(size)?;
        if end > self.length || !offset.is_multiple_of(size) {
            return None;
        }
        Some(core::ptr::with_exposed_provenance_mut((self.base + offset) as usize))
    }
}

impl RegisterBlock for Registers {
    fn read(&self, offset: u64) -> u32 {
        Self::read(self, offset)
    }

    fn write(&self, offset: u64, value: u32) {
        Self::write(self, offset, value);
    }
}
