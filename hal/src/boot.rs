//! What a boot loader told the kernel, in the form the ports need it.

/// What a range of physical memory is used for (Limine boot protocol,
/// "Memory Map Feature").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryUse {
    /// Free for the kernel.
    Usable,
    /// The loader's, which it uses no more. The kernel reclaims none of it: what
    /// the loader handed over lies there.
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

/// Facts about how the kernel was started, valid for the life of the kernel,
/// which reclaims no memory of the loader's.
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

/// The value of a name on a command line of `name=value` words; empty for a
/// word without `=`. A name that is given twice counts as it was given first.
pub fn word<'a>(command_line: &'a str, name: &str) -> Option<&'a str> {
    command_line.split_ascii_whitespace().find_map(|word| {
        let (this, value) = word.split_once('=').unwrap_or((word, ""));
        (this == name).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_given_twice_counts_as_it_was_given_first() {
        assert_eq!(word("semihosting=0 semihosting=1", "semihosting"), Some("0"));
        assert_eq!(word(" semihosting semihosting=1", "semihosting"), Some(""));
        assert_eq!(word("xsemihosting=1 semihosting=1=2", "semihosting"), Some("1=2"));
        assert_eq!(word("semihosting1", "semihosting"), None);
    }
}
