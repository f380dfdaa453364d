//! Where ACPI's tables lie (ACPI 6.5, section 5.2), so that the direct map
//! covers them, and the I/O APICs, whose interrupts are to be masked.
//!
//! The tables are firmware's, yet read as outside data: with checked lengths,
//! and a bound on everything that is counted.

use crate::bytes;

/// Firmware's memory, read at physical addresses.
pub trait Physical {
    /// Some bytes; `None` where they cannot be read.
    fn read(&self, address: u64, length: usize) -> Option<&[u8]>;
}

/// Bytes in the header that every table has.
const HEADER: usize = 36;

/// Most tables that are looked at.
const TABLES_MAX: usize = 256;

/// Longest table that is believed, in bytes.
const LENGTH_MAX: u32 = 16 << 20;

/// Calls `visit` with address and length of each table that can be reached
/// from the root pointer, itself included.
pub fn each_table(memory: &impl Physical, rsdp: u64, visit: &mut impl FnMut(u64, u64)) {
    let Some(root) = root(memory, rsdp) else { return };
    visit(rsdp, root.pointer_length);
    let Some(table) = table(memory, root.table) else { return };
    visit(root.table, table.len() as u64);
    for address in listed(table, root.entry_size) {
        let Some(table) = self::table(memory, address) else { continue };
        visit(address, table.len() as u64);
        if table.starts_with(b"FACP") {
            for address in fadt_tables(table) {
                // The FACS has no common header, but its length is where that
                // of the others is.
                let length = memory.read(address, 8).and_then(|start| bytes::u32(start, 4));
                if let Some(length) = length.filter(|&length| length <= LENGTH_MAX) {
                    visit(address, length.into());
                }
            }
        }
    }
}

/// Calls `visit` with the physical address of each I/O APIC.
pub fn each_io_apic(memory: &impl Physical, rsdp: u64, visit: &mut impl FnMut(u64)) {
    const IO_APIC: u8 = 1;
    const FIRST_ENTRY: usize = 44;
    let Some(root) = root(memory, rsdp) else { return };
    let Some(table) = table(memory, root.table) else { return };
    let tables = listed(table, root.entry_size).filter_map(|at| self::table(memory, at));
    for madt in tables.filter(|table| table.starts_with(b"APIC")) {
        let mut rest = madt.get(FIRST_ENTRY..).unwrap_or_default();
        while let [kind, length, ..] = *rest {
            let Some((entry, after)) = rest.split_at_checked(length.into()) else { break };
            if let (IO_APIC, Some(address)) = (kind, bytes::u32(entry, 4)) {
                visit(address.into());
            }
            if length < 2 {
                break;
            }
            rest = after;
        }
    }
}

struct Root {
    pointer_length: u64,
    table: u64,
    entry_size: usize,
}

fn root(memory: &impl Physical, rsdp: u64) -> Option<Root> {
    const FIRST_LENGTH: usize = 20;
    const LENGTH: usize = 36;
    let pointer = memory.read(rsdp, FIRST_LENGTH)?;
    if !pointer.starts_with(b"RSD PTR ") {
        return None;
    }
    let has_xsdt = *pointer.get(15)? >= 2;
    if has_xsdt
        && let Some(table) = bytes::u64(memory.read(rsdp, LENGTH)?, 24).filter(|&at| at != 0)
    {
        return Some(Root { pointer_length: LENGTH as u64, table, entry_size: 8 });
    }
    let table = bytes::u32(pointer, 16)?.into();
    Some(Root { pointer_length: FIRST_LENGTH as u64, table, entry_size: 4 })
}

/// A table with its header, as long as the header says.
fn table<M: Physical>(memory: &M, address: u64) -> Option<&[u8]> {
    let length = bytes::u32(memory.read(address, HEADER)?, 4)?;
    let is_likely = (HEADER as u32..=LENGTH_MAX).contains(&length);
    if is_likely { memory.read(address, length as usize) } else { None }
}

/// The addresses in an RSDT or XSDT.
fn listed(table: &[u8], entry_size: usize) -> impl Iterator<Item = u64> {
    let entries = table.get(HEADER..).unwrap_or_default().chunks_exact(entry_size);
    let address = move |entry: &[u8]| match entry_size {
        8 => bytes::u64(entry, 0),
        _ => bytes::u32(entry, 0).map(u64::from),
    };
    entries.take(TABLES_MAX).filter_map(address).filter(|&address| address != 0)
}

/// What the FADT points to: FACS and DSDT, by their 32-bit and 64-bit fields.
fn fadt_tables(table: &[u8]) -> impl Iterator<Item = u64> {
    let short = [36, 40].map(|at| bytes::u32(table, at).map(u64::from));
    let long = [132, 140].map(|at| bytes::u64(table, at));
    short.into_iter().chain(long).flatten().filter(|&address| address != 0)
}

#[cfg(test)]
mod tests;
