//! What a boot loader told the kernel, in the form the ports need it.

/// What a range of physical memory is used for (Limine boot protocol,
/// "Memory Map Feature").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryUse {
    /// Free for the kernel.
    Usable,
    /// Free once nothing of the loader is used any more.
    LoaderReclaimable,
    /// The kernel itself and the modules.
    KernelAndModules,
    /// ACPI tables, firmware, framebuffer, bad memory: not to be allocated.
    Reserved,
}

/// A range of physical memory; entries are sorted and usable ones don't
/// overlap anything.
#[derive(Clone, Copy, Debug)]
pub struct MemoryRange {
    /// First byte.
    pub base: u64,
    /// Length in bytes.
    pub length: u64,
    /// Its use.
    pub usage: MemoryUse,
}

/// Facts about how the kernel was started, valid for the life of the kernel:
/// the kernel copies what lies in reclaimable memory.
#[derive(Clone, Copy, Debug)]
pub struct BootInfo<'a> {
    /// Physical address `p` of RAM is mapped at `p + hhdm_offset` by the
    /// loader, and later by the kernel's own tables.
    pub hhdm_offset: u64,
    /// The memory map.
    pub memory: &'a [MemoryRange],
    /// Physical address the kernel image is loaded at.
    pub kernel_physical: u64,
    /// Virtual address the kernel image is linked at.
    pub kernel_virtual: u64,
    /// Physical address of the ACPI RSDP, if there is one.
    pub rsdp: Option<u64>,
    /// The flattened device tree, if there is one.
    pub device_tree: Option<&'a [u8]>,
    /// The kernel command line: `name=value` words.
    pub command_line: &'a str,
}
