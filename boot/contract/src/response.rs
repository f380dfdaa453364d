//! The structures of the protocol that a loader writes.
//!
//! All have revision 0: they carry what every revision carries. A pointer is
//! the 64-bit number that the kernel will use, whatever a pointer is where
//! this runs.

use zerocopy::{Immutable, IntoBytes};

/// A response without content: that it is there is the answer.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct Done {
    pub revision: u64,
}

/// A response with one number: the direct map's offset, the paging mode, the
/// kind of firmware, an address.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct One {
    pub revision: u64,
    pub value: u64,
}

/// A response with two numbers: name and version of the loader, physical and
/// virtual base of the kernel, the two entry points of SMBIOS, a count and
/// the address of an array.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct Two {
    pub revision: u64,
    pub first: u64,
    pub second: u64,
}

/// An entry of the memory map.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct MemoryEntry {
    pub base: u64,
    pub length: u64,
    pub kind: u64,
}

/// A file that was loaded.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct File {
    pub revision: u64,
    pub address: u64,
    pub size: u64,
    pub path: u64,
    pub string: u64,
    pub media_type: u32,
    pub unused: u32,
    pub tftp_address: [u8; 4],
    pub tftp_port: u32,
    pub partition_index: u32,
    pub mbr_disk_id: u32,
    pub gpt_disk: [u8; 16],
    pub gpt_partition: [u8; 16],
    pub partition: [u8; 16],
}

const _: () = assert!(size_of::<MemoryEntry>() == 24);
const _: () = assert!(size_of::<File>() == 112);
const _: () = assert!(core::mem::offset_of!(File, gpt_disk) == 64);
