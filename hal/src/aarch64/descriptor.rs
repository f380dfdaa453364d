//! What the bits of a translation table entry mean, stage 1, 4 KiB granule
//! (Arm ARM, "Translation table descriptor formats").
//!
//! The tables themselves are built by [`crate::table`]. Levels are counted
//! from the leaves there, so its level 0 is the architecture's level 3.

use crate::table::{Entry, Format};
use crate::traits::Protection;

/// Bit 0: the entry says something.
const VALID: u64 = 1 << 0;
/// Bit 1: a table, or a page at the last level; clear for a block.
const TABLE_OR_PAGE: u64 = 1 << 1;
/// Bits 4:2, AttrIndx: which byte of MAIR_EL1 says the memory type.
const ATTRIBUTE_SHIFT: u32 = 2;
/// Bit 7, AP\[2\]: no writes.
const READ_ONLY: u64 = 1 << 7;
/// Bits 9:8, SH: inner shareable.
const INNER_SHAREABLE: u64 = 0b11 << 8;
/// Bit 10, AF: set, or the first access would fault.
const ACCESSED: u64 = 1 << 10;
/// Bit 53, PXN: not executable at EL1 (or EL2 with VHE).
const PRIVILEGED_NEVER: u64 = 1 << 53;
/// Bit 54, UXN: not executable at EL0.
const USER_NEVER: u64 = 1 << 54;
/// Bits 47:12 of an entry are bits 47:12 of the address it leads to.
const ADDRESS: u64 = 0x0000_ffff_ffff_f000;

/// Index in [`MAIR`] of ordinary memory. It is where the Limine boot protocol
/// has it from base revision 4 on, so the change of tables changes little.
const NORMAL: u64 = 0;
/// Index in [`MAIR`] of device registers.
const DEVICE: u64 = 2;

/// Value for MAIR_EL1 that entries made here rely on: attribute 0 is Normal,
/// write-back, read and write allocate, not transient (0xff); attribute 2 is
/// Device-nGnRE (0x04): not gathered, not reordered, writes acknowledged
/// early. The others stay Device-nGnRnE (0) and are not used.
pub const MAIR: u64 = (0xff << (8 * NORMAL)) | (0x04 << (8 * DEVICE));

/// An entry that maps a page of code at level 0, with another attribute
/// number for ordinary memory: for the loader's MAIR_EL1.
pub fn identity_page(physical: u64, attribute: u64) -> u64 {
    let page = Descriptor::leaf(physical, 0, Protection::ReadExecute);
    page & !(0b111 << ATTRIBUTE_SHIFT) | (attribute & 0b111) << ATTRIBUTE_SHIFT
}

/// The loader's MAIR_EL1 with the attribute for devices added, if entries made
/// here work with it: from base revision 4 on the boot protocol promises it.
pub fn with_devices(loader: u64) -> Option<u64> {
    let attribute = |mair: u64, index: u64| mair >> (8 * index) & 0xff;
    let device = attribute(loader, DEVICE);
    let is_free = device == 0 || device == attribute(MAIR, DEVICE);
    (is_free && attribute(loader, NORMAL) == attribute(MAIR, NORMAL))
        .then_some(loader | attribute(MAIR, DEVICE) << (8 * DEVICE))
}

/// The first attribute of a MAIR_EL1 that is ordinary memory, write-back, as
/// the boot protocol says there is; never the one for devices.
pub fn normal_attribute(mair: u64) -> u64 {
    (0..8).find(|&index| index != DEVICE && mair >> (8 * index) & 0xff == 0xff).unwrap_or(NORMAL)
}

/// The encoding, for [`crate::table::Tables`].
pub struct Descriptor;

impl Format for Descriptor {
    fn table(physical: u64) -> u64 {
        (physical & ADDRESS) | TABLE_OR_PAGE | VALID
    }

    fn leaf(physical: u64, level: u32, protection: Protection) -> u64 {
        let kind = if level == 0 { TABLE_OR_PAGE } else { 0 };
        let rights = match protection {
            Protection::ReadOnly => READ_ONLY | PRIVILEGED_NEVER | INNER_SHAREABLE,
            Protection::ReadWrite => PRIVILEGED_NEVER | INNER_SHAREABLE,
            Protection::ReadExecute => READ_ONLY | INNER_SHAREABLE,
            // Shareability of device memory is ignored; outer by convention.
            Protection::Device => PRIVILEGED_NEVER | (DEVICE << ATTRIBUTE_SHIFT),
        };
        (physical & ADDRESS) | USER_NEVER | ACCESSED | rights | kind | VALID
    }

    fn decode(entry: u64, level: u32) -> Entry {
        if entry & VALID == 0 {
            return Entry::Empty;
        }
        let physical = entry & ADDRESS;
        if level > 0 && entry & TABLE_OR_PAGE != 0 {
            return Entry::Table(physical);
        }
        let protection = if (entry >> ATTRIBUTE_SHIFT) & 0b111 == DEVICE {
            Protection::Device
        } else if entry & PRIVILEGED_NEVER == 0 {
            Protection::ReadExecute
        } else if entry & READ_ONLY != 0 {
            Protection::ReadOnly
        } else {
            Protection::ReadWrite
        };
        Entry::Leaf(physical, protection)
    }

    /// Only the upper half is translated, by TTBR1_EL1 with T1SZ = 16: bits
    /// 63 to 48 are ones (Arm ARM, "Translation table base address register
    /// selection"). Bit 47 may be either.
    fn is_canonical(address: u64) -> bool {
        address >> 48 == 0xffff
    }

    fn publish() {
        #[cfg(all(target_os = "none", target_arch = "aarch64"))]
        super::paging::publish_tables();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Format;
    use proptest::prelude::*;

    const ALL: [Protection; 4] =
        [Protection::ReadOnly, Protection::ReadWrite, Protection::ReadExecute, Protection::Device];

    #[test]
    fn nothing_is_both_writable_and_executable() {
        for protection in ALL {
            for level in [0, 1] {
                let entry = Descriptor::leaf(0x4000_0000, level, protection);
                let writable = entry & READ_ONLY == 0;
                let executable = entry & PRIVILEGED_NEVER == 0;
                assert!(!(writable && executable), "{protection:?}");
                assert_ne!(entry & USER_NEVER, 0, "EL0 never executes");
                assert_eq!(entry & (1 << 6), 0, "EL0 never has access");
            }
        }
    }

    #[test]
    fn device_registers_have_device_memory_type() {
        for protection in ALL {
            let entry = Descriptor::leaf(0, 0, protection);
            let attribute = (MAIR >> (8 * ((entry >> 2) & 7))) & 0xff;
            let expected = if protection == Protection::Device { 0x04 } else { 0xff };
            assert_eq!(attribute, expected);
        }
    }

    #[test]
    fn lower_half_and_the_gap_cannot_be_mapped() {
        for address in [0, 0x1000, 0x0000_ffff_ffff_f000, 0xfffe_ffff_ffff_f000] {
            assert!(!Descriptor::is_canonical(address));
        }
        for address in [0xffff_0000_0000_0000, 0xffff_8000_0000_0000, 0xffff_ffff_8000_0000] {
            assert!(Descriptor::is_canonical(address));
        }
    }

    #[test]
    fn identity_page_keeps_the_loaders_attribute() {
        let entry = identity_page(0x4008_0000, 3);
        assert_eq!(entry >> ATTRIBUTE_SHIFT & 7, 3);
        let same = Descriptor::leaf(0x4008_0000, 0, Protection::ReadExecute);
        assert_eq!(identity_page(0x4008_0000, NORMAL), same);
    }

    #[test]
    fn loaders_attributes_are_kept_and_devices_added() {
        assert_eq!(with_devices(0x0c_ff), Some(0x04_0c_ff));
        assert_eq!(with_devices(MAIR), Some(MAIR));
        assert_eq!(with_devices(0xff_00), None);
        assert_eq!(with_devices(0x44_00_ff), None);
        assert_eq!(normal_attribute(0x04_0c_ff), 0);
        assert_eq!(normal_attribute(0xff_00_04_00), 3);
        assert_eq!(normal_attribute(0xff_00_ff_00_00), 4);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(frame in 0u64..1 << 36, level in 0u32..2, which in 0usize..4) {
            let physical = (frame << 12) & if level == 1 { !0x1f_ffff } else { !0 };
            let entry = Descriptor::leaf(physical, level, ALL[which]);
            prop_assert_eq!(Descriptor::decode(entry, level), Entry::Leaf(physical, ALL[which]));
            let table = Descriptor::table(frame << 12);
            prop_assert_eq!(Descriptor::decode(table, level + 1), Entry::Table(frame << 12));
        }

        #[test]
        fn an_even_entry_is_empty(entry: u64, level in 0u32..4) {
            prop_assert_eq!(Descriptor::decode(entry & !1, level), Entry::Empty);
        }
    }
}
