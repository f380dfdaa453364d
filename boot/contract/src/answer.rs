//! The responses to a kernel's requests.

use core::fmt;

use crate::arena::{Arena, Full};
use crate::memory::Entry;
use crate::request::{Feature, Requests};
use crate::{DIRECT_MAP, response};

/// A file that was loaded: the kernel's own, or a module.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Where it lies, at the beginning of a page. A physical address.
    pub address: u64,
    /// Its length in bytes.
    pub size: u64,
    /// Where it came from, with a leading slash.
    pub path: &'a str,
    /// What goes with it: a module's name; the kernel's command line.
    pub string: &'a str,
}

/// What the kernel is told. All addresses are physical.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Name and version of the loader.
    pub loader: (&'a str, &'a str),
    /// Whether there is 64-bit UEFI firmware.
    pub is_uefi: bool,
    /// Where the direct map is; [`DIRECT_MAP`] but in tests.
    pub direct_map: u64,
    /// Virtual address of the kernel's first page.
    pub kernel_virtual: u64,
    /// Physical address of the kernel's first page.
    pub kernel_physical: u64,
    /// The kernel's file; its string is the command line.
    pub kernel_file: File<'a>,
    /// Other files, by name.
    pub modules: &'a [File<'a>],
    /// The memory map, by address.
    pub memory: &'a [Entry],
    /// ACPI's root pointer.
    pub rsdp: Option<u64>,
    /// SMBIOS' 32-bit and 64-bit entry points.
    pub smbios: [Option<u64>; 2],
    /// The EFI system table.
    pub efi_system_table: Option<u64>,
    /// The device tree.
    pub device_tree: Option<u64>,
}

impl Default for Facts<'_> {
    fn default() -> Self {
        let file = File { address: 0, size: 0, path: "", string: "" };
        Self {
            loader: ("", ""),
            is_uefi: false,
            direct_map: DIRECT_MAP,
            kernel_virtual: 0,
            kernel_physical: 0,
            kernel_file: file,
            modules: &[],
            memory: &[],
            rsdp: None,
            smbios: [None; 2],
            efi_system_table: None,
            device_tree: None,
        }
    }
}

/// Why the requests could not be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerError {
    /// The responses do not fit the memory that was given for them.
    Full,
    /// The image is not the one in which the requests were found.
    WrongImage,
    /// A string holds a zero byte, which would end it.
    ZeroInString,
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the answers to the kernel's requests take too much memory",
            Self::WrongImage => "the kernel's requests are not where they were found",
            Self::ZeroInString => "the command line or a file's name holds a zero byte",
        })
    }
}

impl core::error::Error for AnswerError {}

impl From<Full> for AnswerError {
    fn from(_: Full) -> Self {
        Self::Full
    }
}

/// The loader's name in its answer to a kernel that asks.
pub const LOADER_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Answers the requests that were found in `image`: lays the responses out in
/// `arena`, and enters their addresses in the requests. What there is no fact
/// for stays unanswered.
pub fn answer(
    requests: &Requests,
    image: &mut [u8],
    facts: &Facts<'_>,
    arena: &mut Arena<'_>,
) -> Result<(), AnswerError> {
    let mut answers = Answers { requests, image, facts, arena };
    answers.about_the_loader()?;
    answers.about_memory()?;
    answers.files()?;
    answers.tables()?;
    requests.confirm(answers.image).ok_or(AnswerError::WrongImage)
}

struct Answers<'a, 'm> {
    requests: &'a Requests,
    image: &'a mut [u8],
    facts: &'a Facts<'a>,
    arena: &'a mut Arena<'m>,
}

impl Answers<'_, '_> {
    fn about_the_loader(&mut self) -> Result<(), AnswerError> {
        if self.has(Feature::BootloaderInfo) {
            let first = self.string(self.facts.loader.0)?;
            let second = self.string(self.facts.loader.1)?;
            self.two(Feature::BootloaderInfo, first, second)?;
        }
        if self.facts.is_uefi {
            const UEFI_64: u64 = 2;
            self.one(Feature::FirmwareType, UEFI_64)?;
        }
        self.done(Feature::StackSize)?;
        self.done(Feature::EntryPoint)
    }

    fn about_memory(&mut self) -> Result<(), AnswerError> {
        const FOUR_LEVELS: u64 = 0;
        self.one(Feature::DirectMap, self.facts.direct_map)?;
        self.one(Feature::PagingMode, FOUR_LEVELS)?;
        let Facts { kernel_physical, kernel_virtual, memory, .. } = *self.facts;
        self.two(Feature::ExecutableAddress, kernel_physical, kernel_virtual)?;
        if !self.has(Feature::MemoryMap) {
            return Ok(());
        }
        let entries = self.arena.put_words(core::iter::empty())?;
        for &Entry { base, length, kind } in memory {
            let kind = kind.number(self.requests.revision());
            self.arena.put(&response::MemoryEntry { base, length, kind })?;
        }
        let step = size_of::<response::MemoryEntry>() as u64;
        let count = memory.len() as u64;
        let pointers = self.arena.put_words((0..count).map(|at| entries + at * step))?;
        self.two(Feature::MemoryMap, count, pointers)
    }

    fn files(&mut self) -> Result<(), AnswerError> {
        // The kernel's command line and its file's string are one string.
        if self.has(Feature::CommandLine) || self.has(Feature::ExecutableFile) {
            let command_line = self.string(self.facts.kernel_file.string)?;
            self.one(Feature::CommandLine, command_line)?;
            let file = self.file(&self.facts.kernel_file, command_line)?;
            self.one(Feature::ExecutableFile, file)?;
        }
        // The protocol: without modules there is no response.
        if !self.has(Feature::Modules) || self.facts.modules.is_empty() {
            return Ok(());
        }
        const MOST: usize = 32;
        let mut places = [0; MOST];
        let modules = self.facts.modules;
        let places = places.get_mut(..modules.len()).ok_or(AnswerError::Full)?;
        for (place, module) in places.iter_mut().zip(modules) {
            let string = self.string(module.string)?;
            *place = self.file(module, string)?;
        }
        let pointers = self.arena.put_words(places.iter().copied())?;
        self.two(Feature::Modules, modules.len() as u64, pointers)
    }

    /// Pointers to what firmware left. They go through the direct map, but for
    /// the base revisions in which that does not cover them.
    fn tables(&mut self) -> Result<(), AnswerError> {
        let revision = self.requests.revision();
        let Facts { direct_map, rsdp, smbios, efi_system_table, device_tree, .. } = *self.facts;
        let mapped = |address: u64| address.wrapping_add(direct_map);
        let since = |first: u64, address: u64| {
            if revision >= first { mapped(address) } else { address }
        };
        if let Some(rsdp) = rsdp {
            self.one(Feature::Rsdp, since(4, rsdp))?;
        }
        if let Some(table) = efi_system_table {
            self.one(Feature::EfiSystemTable, since(5, table))?;
        }
        if smbios.iter().any(Option::is_some) {
            let [first, second] = smbios.map(|entry| entry.map_or(0, |entry| since(5, entry)));
            self.two(Feature::Smbios, first, second)?;
        }
        if let Some(tree) = device_tree {
            self.one(Feature::DeviceTree, mapped(tree))?;
        }
        Ok(())
    }

    fn has(&self, feature: Feature) -> bool {
        self.requests.has(feature)
    }

    fn file(&mut self, file: &File<'_>, string: u64) -> Result<u64, AnswerError> {
        let path = self.string(file.path)?;
        Ok(self.arena.put(&response::File {
            revision: 0,
            address: file.address.wrapping_add(self.facts.direct_map),
            size: file.size,
            path,
            string,
            media_type: 0,
            unused: 0,
            tftp_address: [0; 4],
            tftp_port: 0,
            partition_index: 0,
            mbr_disk_id: 0,
            gpt_disk: [0; 16],
            gpt_partition: [0; 16],
            partition: [0; 16],
        })?)
    }

    fn string(&mut self, text: &str) -> Result<u64, AnswerError> {
        if text.contains('\0') {
            return Err(AnswerError::ZeroInString);
        }
        Ok(self.arena.put_string(text)?)
    }

    fn done(&mut self, feature: Feature) -> Result<(), AnswerError> {
        self.respond(feature, |arena| arena.put(&response::Done { revision: 0 }))
    }

    fn one(&mut self, feature: Feature, value: u64) -> Result<(), AnswerError> {
        self.respond(feature, |arena| arena.put(&response::One { revision: 0, value }))
    }

    fn two(&mut self, feature: Feature, first: u64, second: u64) -> Result<(), AnswerError> {
        self.respond(feature, |arena| arena.put(&response::Two { revision: 0, first, second }))
    }

    fn respond(
        &mut self,
        feature: Feature,
        put: impl FnOnce(&mut Arena<'_>) -> Result<u64, Full>,
    ) -> Result<(), AnswerError> {
        if !self.has(feature) {
            return Ok(());
        }
        let address = put(self.arena)?;
        self.requests.respond(self.image, feature, address).ok_or(AnswerError::WrongImage)
    }
}
