//! ACPI's static tables: finding them, and what they say.
//!
//! Only what describes the devices the kernel drives is read: interrupt
//! controllers (MADT), power and the PM timer (FADT), the console (SPCR), PCI
//! configuration space (MCFG), the generic timer (GTDT). Tables are bytes
//! until each field has been read within the table's length, so a short or
//! damaged one is an error and nothing worse. Code in AML is not run; the one
//! thing needed from there, the sleep type for switching off, is a constant
//! that [`fadt::soft_off`] looks for.
//!
//! Source of the layouts: ACPI specification 6.5, chapter 5.2.

pub mod fadt;
pub mod gtdt;
pub mod madt;
pub mod mcfg;
pub mod spcr;

use crate::traits::DiscoverError;
use crate::window::FirmwareMemory;

/// Most tables that are looked at; more are ignored.
const TABLES: usize = 64;

/// Longest table that is believed, in bytes.
const TABLE_MAX: usize = 16 << 20;

/// Length of the header every table begins with.
const HEADER: usize = 36;

/// The tables the firmware lists.
#[derive(Debug)]
pub struct Tables {
    tables: [&'static [u8]; TABLES],
    count: usize,
}

impl Tables {
    /// Follows the RSDP at this physical address to the tables.
    pub fn find(memory: &mut dyn FirmwareMemory, rsdp: u64) -> Result<Self, DiscoverError> {
        let pointer = memory.read(rsdp, 20)?;
        if !pointer.starts_with(b"RSD PTR ") {
            return Err(DiscoverError::BadDescription("RSDP signature"));
        }
        checked(pointer, "RSDP checksum")?;
        let (root, entry_size) = if pointer[15] >= 2 {
            let extended = checked(memory.read(rsdp, 36)?, "RSDP checksum")?;
            match u64_at(extended, 24) {
                Some(0) | None => (u32_at(pointer, 16).map(u64::from), 4),
                address => (address, 8),
            }
        } else {
            (u32_at(pointer, 16).map(u64::from), 4)
        };
        let root = table(memory, root.unwrap_or(0))?;

        let mut found = Self { tables: [&[]; TABLES], count: 0 };
        for entry in root.get(HEADER..).unwrap_or(&[]).chunks_exact(entry_size) {
            let mut address = [0; 8];
            address[..entry_size].copy_from_slice(entry);
            // One table that cannot be read does not hide the others: who
            // needs it will say that it is missing.
            if let Ok(bytes) = table(memory, u64::from_le_bytes(address))
                && let Some(slot) = found.tables.get_mut(found.count)
            {
                *slot = bytes;
                found.count += 1;
            }
        }
        Ok(found)
    }

    /// The first table with this signature, header included.
    pub fn get(&self, signature: &[u8; 4]) -> Option<&'static [u8]> {
        self.tables[..self.count].iter().find(|table| table.starts_with(signature)).copied()
    }
}

/// Reads a whole table and checks its sum.
pub fn table(
    memory: &mut dyn FirmwareMemory,
    physical: u64,
) -> Result<&'static [u8], DiscoverError> {
    if physical == 0 {
        return Err(DiscoverError::BadDescription("ACPI table at address zero"));
    }
    let header = memory.read(physical, HEADER)?;
    let length = u32_at(header, 4).unwrap_or(0) as usize;
    if !(HEADER..=TABLE_MAX).contains(&length) {
        return Err(DiscoverError::BadDescription("ACPI table length"));
    }
    checked(memory.read(physical, length)?, "ACPI table checksum")
}

fn checked(bytes: &'static [u8], what: &'static str) -> Result<&'static [u8], DiscoverError> {
    let sum = bytes.iter().fold(0u8, |sum, &byte| sum.wrapping_add(byte));
    if sum == 0 { Ok(bytes) } else { Err(DiscoverError::BadDescription(what)) }
}

/// A register that a table describes ("Generic Address Structure", 5.2.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// Where it lies.
    pub space: Space,
    /// Its address there.
    pub address: u64,
}

/// Address spaces of [`Register`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// Physical memory.
    Memory,
    /// I/O ports of x86.
    Port,
    /// One that the kernel does not use, by its number.
    Other(u8),
}

impl Register {
    /// The register described at `at`; `None` where the table is too short
    /// or the address is zero, which means that there is none.
    pub fn at(table: &[u8], at: usize) -> Option<Self> {
        let space = match u8_at(table, at)? {
            0 => Space::Memory,
            1 => Space::Port,
            other => Space::Other(other),
        };
        let address = u64_at(table, at.checked_add(4)?)?;
        (address != 0).then_some(Self { space, address })
    }
}

pub(crate) fn u8_at(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests;
