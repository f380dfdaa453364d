//! Firmware's memory map in the protocol's terms.

use boot_contract::memory::{Kind, Map, MemoryError};
use uefi::mem::memory_map::{MemoryMap, MemoryType};

/// Enters what firmware says into a map.
pub fn enter(firmware: &impl MemoryMap, map: &mut Map<'_>) -> Result<(), MemoryError> {
    for entry in firmware.entries() {
        let length = entry.page_count.checked_mul(4096).ok_or(MemoryError::BadRange)?;
        map.claim(entry.phys_start, length, kind(entry.ty))?;
    }
    Ok(())
}

/// "EFI Memory Map Entry Type to Limine Memory Map Type" of the protocol.
fn kind(ty: MemoryType) -> Kind {
    match ty {
        MemoryType::CONVENTIONAL => Kind::Usable,
        MemoryType::LOADER_CODE
        | MemoryType::LOADER_DATA
        | MemoryType::BOOT_SERVICES_CODE
        | MemoryType::BOOT_SERVICES_DATA => Kind::LoaderReclaimable,
        MemoryType::RUNTIME_SERVICES_CODE | MemoryType::RUNTIME_SERVICES_DATA => {
            Kind::ReservedMapped
        }
        MemoryType::ACPI_RECLAIM => Kind::AcpiReclaimable,
        MemoryType::ACPI_NON_VOLATILE => Kind::AcpiNvs,
        MemoryType::UNUSABLE => Kind::Bad,
        _ => Kind::Reserved,
    }
}
