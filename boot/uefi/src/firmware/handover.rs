//! Takes the machine over and enters the kernel.
//!
//! From the moment firmware is gone there is no memory to ask for and nobody
//! to tell: what fails here switches the machine off. [`load`](super::load)
//! has tried what can be tried before.

use boot_contract::answer::{Facts, File, LOADER_VERSION, answer};
use boot_contract::memory::{Entry, Kind, Map};
use boot_contract::{Arena, DIRECT_MAP};
use boot_uefi::paths;
use boot_uefi::refusal::Refusal;
use uefi::boot;
use uefi::mem::memory_map::MemoryMapOwned;

use super::load::Loaded;
use super::pages::Pages;
use super::tables::FirmwareMemory;
use super::{Never, map, off, say::say};

/// Ends firmware's boot services and enters the kernel.
pub fn take_over(mut loaded: Loaded<'_>) -> Result<Never, Refusal> {
    say(format_args!("{} bytes of kernel at {:#x}", loaded.image.size(), loaded.memory.address()));
    // SAFETY: no reference to firmware's own memory outlives this: what is
    // used below was allocated by the loader, or is tables that stay. What
    // was allocated from firmware's pool is not freed, as nothing returns.
    let firmware_map = unsafe { boot::exit_boot_services(None) };
    match enter(&mut loaded, &firmware_map) {
        Ok(never) => match never {},
        Err(_) => off(),
    }
}

fn enter(loaded: &mut Loaded<'_>, firmware_map: &MemoryMapOwned) -> Result<Never, Refusal> {
    let mut entries = core::mem::take(&mut loaded.entries);
    let memory = describe(loaded, firmware_map, &mut entries)?;

    let files = loaded.files;
    let device_key = file(&files.device_key, paths::DEVICE_KEY, "device-key");
    let more = files.more.as_ref().map(|more| file(more, paths::MORE, "more"));
    let modules = [
        file(&files.package, paths::PACKAGE, "package"),
        file(&files.trust, paths::TRUST, "trust"),
        device_key,
        more.unwrap_or(device_key),
    ];
    let count = if files.more.is_some() { modules.len() } else { modules.len() - 1 };
    let facts = Facts {
        loader: ("Heliograph UEFI loader", LOADER_VERSION),
        is_uefi: true,
        kernel_virtual: loaded.image.base(),
        kernel_physical: loaded.memory.address(),
        kernel_file: file(&files.kernel, paths::KERNEL, &loaded.command_line),
        modules: modules.get(..count).unwrap_or_default(),
        memory,
        rsdp: loaded.tables.rsdp,
        smbios: loaded.tables.smbios,
        efi_system_table: loaded.tables.system_table,
        device_tree: loaded.device_tree.as_ref().map(Pages::address),
        ..Facts::default()
    };
    let address = loaded.answers.address();
    let mut arena = Arena::new(loaded.answers.bytes_mut(), address);
    answer(&loaded.requests, loaded.memory.bytes_mut(), &facts, &mut arena)?;

    let stack_top = loaded.stack.end() + DIRECT_MAP;
    loaded.machine.enter(
        &loaded.image,
        loaded.entry,
        stack_top,
        memory,
        &loaded.memory,
        &mut loaded.pool,
        &mut arena,
    )
}

/// The memory map for the kernel: firmware's, and in it what must stay.
fn describe<'e>(
    loaded: &Loaded<'_>,
    firmware_map: &MemoryMapOwned,
    entries: &'e mut [Entry],
) -> Result<&'e [Entry], Refusal> {
    let mut map = Map::new(entries);
    map::enter(firmware_map, &mut map)?;
    loaded.tables.keep_mapped(&FirmwareMemory::new(&loaded.firmware_map), &mut map)?;
    let files = loaded.files;
    let needed = [&loaded.memory, &files.kernel, &files.package, &files.trust, &files.device_key];
    for pages in needed.into_iter().chain(&files.more) {
        map.claim(pages.address(), pages.size(), Kind::KernelAndModules)?;
    }
    Ok(map.finish())
}

fn file<'a>(pages: &Pages, path: &'a str, string: &'a str) -> File<'a> {
    File { address: pages.address(), size: pages.length(), path, string }
}
