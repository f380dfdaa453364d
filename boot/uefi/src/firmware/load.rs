//! Everything that needs firmware's memory: the kernel in its place, and room
//! for what can only be written once firmware is gone.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use boot_contract::elf::Image;
use boot_contract::memory::{Entry, Map};
use boot_contract::paging::frames_needed;
use boot_contract::request::Requests;
use boot_uefi::refusal::Refusal;
use uefi::boot;
use uefi::mem::memory_map::{MemoryMap, MemoryMapOwned, MemoryType};

use super::files::BootFiles;
use super::pages::{Pages, Pool};
use super::tables::{self, FirmwareMemory, Tables};
use super::{map, processor};

/// Bytes for the answers, besides those for the memory map.
const ANSWERS: usize = 64 << 10;

/// Ranges and tables that may be added to the memory map until the end.
const SPARE: usize = 256;

/// A kernel that only waits for the machine.
#[derive(Debug)]
pub struct Loaded<'a> {
    /// The kernel's file, read.
    pub image: Image<'a>,
    /// What it asks for.
    pub requests: Requests,
    /// Where it begins.
    pub entry: u64,
    /// The kernel in memory.
    pub memory: Pages,
    /// Its stack.
    pub stack: Pages,
    /// Its tables, to be built.
    pub pool: Pool,
    /// The answers, to be written.
    pub answers: Pages,
    /// The memory map, to be written.
    pub entries: Vec<Entry>,
    /// A copy of the device tree.
    pub device_tree: Option<Pages>,
    /// Other tables.
    pub tables: Tables,
    /// The map that `tables` were found by.
    pub firmware_map: MemoryMapOwned,
    /// The files, which go with it.
    pub files: &'a BootFiles,
    /// The command line.
    pub command_line: String,
    /// The rest of the machine.
    pub machine: processor::Machine,
}

/// Loads the kernel.
pub fn load<'a>(
    image: &Image<'a>,
    files: &'a BootFiles,
    command_line: &str,
) -> Result<Loaded<'a>, Refusal> {
    let mut memory = Pages::new(usize::try_from(image.size()).unwrap_or(usize::MAX))?;
    image.load(memory.bytes_mut()).ok_or(Refusal::Firmware("give memory", 0))?;
    let requests = Requests::find(memory.bytes())?;
    let entry = requests.entry().unwrap_or(image.entry());
    if !image.is_code(entry) {
        return Err(Refusal::Entry);
    }
    let stack = Pages::new(usize::try_from(requests.stack_size()).unwrap_or(usize::MAX))?;

    let firmware_map = boot::memory_map(MemoryType::LOADER_DATA)
        .map_err(|error| Refusal::Firmware("say what memory there is", error.status().0))?;
    let found = FirmwareMemory::new(&firmware_map);
    let tables = tables::find();
    let machine = processor::Machine::find(&found, &tables)?;
    let device_tree = match tables.tree(&found) {
        None => None,
        Some(tree) => {
            let mut copy = Pages::new(tree.len())?;
            copy.bytes_mut().copy_from_slice(tree);
            Some(copy)
        }
    };

    // A first try with the map of now shows whether all fits, while a refusal
    // can still be said.
    let mut entries = vec![Entry::NONE; 2 * firmware_map.len() + SPARE];
    let mut first = Map::new(&mut entries);
    map::enter(&firmware_map, &mut first)?;
    tables.keep_mapped(&found, &mut first)?;
    let frames = frames_needed(image.size(), first.finish());
    let entry_bytes = 4 * entries.len() * size_of::<u64>();
    Ok(Loaded {
        image: *image,
        entry,
        pool: Pool::new(frames + SPARE as u64)?,
        answers: Pages::new(ANSWERS + entry_bytes + command_line.len())?,
        command_line: command_line.into(),
        requests,
        memory,
        stack,
        entries,
        device_tree,
        tables,
        firmware_map,
        files,
        machine,
    })
}
