//! What firmware leaves for whoever comes after it: ACPI, SMBIOS, the device
//! tree, and its own tables.

use boot_contract::acpi::{self, Physical};
use boot_contract::memory::{Map, MemoryError};
use uefi::mem::memory_map::{MemoryMap, MemoryMapOwned, MemoryType};
use uefi::table::cfg::ConfigTableEntry;
use uefi::{Guid, guid, system, table};

/// Devicetree Specification, as UEFI's "Embedded Base Boot Requirements" name
/// it: EFI_DTB_GUID.
const DEVICE_TREE: Guid = guid!("b1b621d5-f19c-41a5-830b-d9152c69aae0");

/// Largest device tree that is taken over, in bytes.
const TREE_MAX: u32 = 16 << 20;

/// Physical addresses of tables, as far as there are any.
#[derive(Clone, Copy, Debug)]
pub struct Tables {
    /// ACPI's root pointer.
    pub rsdp: Option<u64>,
    /// SMBIOS' 32-bit and 64-bit entry points.
    pub smbios: [Option<u64>; 2],
    /// The device tree.
    pub device_tree: Option<u64>,
    /// The system table.
    pub system_table: Option<u64>,
}

/// Looks them up.
pub fn find() -> Tables {
    let find = |wanted: Guid| {
        system::with_config_table(|entries| {
            let entry = entries.iter().find(|entry| entry.guid == wanted)?;
            Some(entry.address.addr() as u64).filter(|&address| address != 0)
        })
    };
    Tables {
        rsdp: find(ConfigTableEntry::ACPI2_GUID).or_else(|| find(ConfigTableEntry::ACPI_GUID)),
        smbios: [find(ConfigTableEntry::SMBIOS_GUID), find(ConfigTableEntry::SMBIOS3_GUID)],
        device_tree: find(DEVICE_TREE),
        system_table: table::system_table_raw().map(|table| table.addr().get() as u64),
    }
}

impl Tables {
    /// The device tree's bytes.
    pub fn tree<'m>(&self, memory: &FirmwareMemory<'m>) -> Option<&'m [u8]> {
        const MAGIC: [u8; 4] = [0xd0, 0x0d, 0xfe, 0xed];
        let address = self.device_tree?;
        let header = memory.bytes(address, 8)?;
        let size = header.get(4..)?.first_chunk().map(|size| u32::from_be_bytes(*size))?;
        let is_tree = header.starts_with(&MAGIC) && size <= TREE_MAX;
        if is_tree { memory.bytes(address, size as usize) } else { None }
    }

    /// Marks what base revisions 4 and 5 promise to be mapped.
    pub fn keep_mapped(
        &self,
        memory: &FirmwareMemory<'_>,
        map: &mut Map<'_>,
    ) -> Result<(), MemoryError> {
        let mut result = Ok(());
        let mut keep = |address, length| {
            result = result.and_then(|()| map.keep_mapped(address, length));
        };
        if let Some(rsdp) = self.rsdp {
            acpi::each_table(memory, rsdp, &mut keep);
        }
        self.each_smbios(memory, &mut keep);
        each_system_table(&mut keep);
        result
    }

    /// SMBIOS' entry points and the structures they point to (DSP0134,
    /// sections 5.2.1 and 5.2.2).
    fn each_smbios(&self, memory: &FirmwareMemory<'_>, keep: &mut impl FnMut(u64, u64)) {
        let [short, long] = self.smbios;
        if let Some(entry) = short
            && let Some(bytes) = memory.bytes(entry, 0x1f)
        {
            keep(entry, 0x1f);
            let length = u16::from_le_bytes([bytes[0x16], bytes[0x17]]);
            let address = [0x18, 0x19, 0x1a, 0x1b].map(|at| bytes[at]);
            keep(u32::from_le_bytes(address).into(), length.into());
        }
        if let Some(entry) = long
            && let Some(bytes) = memory.bytes(entry, 0x18)
        {
            keep(entry, 0x18);
            let length = [0xc, 0xd, 0xe, 0xf].map(|at| bytes[at]);
            let address = [0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17].map(|at| bytes[at]);
            keep(u64::from_le_bytes(address), u32::from_le_bytes(length).into());
        }
    }
}

/// The system table and what it refers to that outlives boot services.
fn each_system_table(keep: &mut impl FnMut(u64, u64)) {
    let Some(start) = table::system_table_raw() else { return };
    // SAFETY: firmware keeps its system table for good.
    let table = unsafe { start.as_ref() };
    keep(start.addr().get() as u64, table.header.size.into());
    if !table.runtime_services.is_null() {
        // SAFETY: as above, of the table it refers to.
        let size = unsafe { (*table.runtime_services).header.size };
        keep(table.runtime_services.addr() as u64, size.into());
    }
    let entries = table.number_of_configuration_table_entries;
    let size = entries.saturating_mul(size_of::<ConfigTableEntry>());
    keep(table.configuration_table.addr() as u64, size as u64);
    let vendor = system::firmware_vendor();
    keep(vendor.as_ptr().addr() as u64, vendor.num_bytes() as u64);
}

/// Memory that firmware uses, read at its physical address.
#[derive(Clone, Copy)]
pub struct FirmwareMemory<'m> {
    map: &'m MemoryMapOwned,
}

impl<'m> FirmwareMemory<'m> {
    /// Memory by a map of it, which is of now or of an earlier time.
    pub fn new(map: &'m MemoryMapOwned) -> Self {
        Self { map }
    }

    /// Some bytes, if they are in memory that firmware has set aside.
    pub fn bytes(&self, address: u64, length: usize) -> Option<&'m [u8]> {
        let end = address.checked_add(length as u64)?;
        let holds = |ty: MemoryType| {
            !matches!(
                ty,
                MemoryType::CONVENTIONAL
                    | MemoryType::UNUSABLE
                    | MemoryType::MMIO
                    | MemoryType::MMIO_PORT_SPACE
                    | MemoryType::UNACCEPTED
                    | MemoryType::LOADER_DATA
            )
        };
        let is_inside = self.map.entries().any(|entry| {
            let last = entry.phys_start.saturating_add(entry.page_count.saturating_mul(4096));
            entry.phys_start <= address && end <= last && holds(entry.ty)
        });
        if !is_inside || address == 0 {
            return None;
        }
        let start = core::ptr::with_exposed_provenance(usize::try_from(address).ok()?);
        // SAFETY: the range is memory that firmware's map calls its own, and
        // firmware maps it at its physical address. The loader writes to no
        // such memory, and what is read is tables that firmware has finished.
        Some(unsafe { core::slice::from_raw_parts(start, length) })
    }
}

impl Physical for FirmwareMemory<'_> {
    fn read(&self, address: u64, length: usize) -> Option<&[u8]> {
        self.bytes(address, length)
    }
}
