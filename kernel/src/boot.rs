//! What the loader hands over, by the Limine boot protocol.
//!
//! The requests lie in a section of their own, where a loader finds them by
//! their numbers. Their answers lie in memory that the loader calls
//! reclaimable; the kernel never reclaims it, for the device tree and the
//! kernel's file are there too, and copies what it keeps in another form. That
//! costs little of an ordinary machine's RAM, and most of a small one's: of
//! 64 MiB under UEFI firmware 6 MiB are free.

use core::ffi::CStr;

use hal::boot::{BootInfo, MemoryRange, MemoryUse};
use kernel::command_line::CommandLine;
use kernel::frames::RANGES;
use kernel::phases::Diagnosis;
use limine::BaseRevision;
use limine::file::File;
use limine::memory_map::{Entry, EntryType};
use limine::request::{
    DeviceTreeBlobRequest, ExecutableAddressRequest, ExecutableCmdlineRequest,
    ExecutableFileRequest, HhdmRequest, MemoryMapRequest, ModuleRequest, RequestsEndMarker,
    RequestsStartMarker, RsdpRequest,
};
use spin::Once;

/// The newest base revision there is. A loader that knows less takes the
/// kernel by one it knows, and says which only if that is at least 3 (Limine
/// up to 8.2 is silent); the kernel relies on nothing that only some promise.
const NEWEST_REVISION: u64 = 6;

#[used]
#[unsafe(link_section = ".limine_requests_start")]
static START: RequestsStartMarker = RequestsStartMarker::new();

#[used]
#[unsafe(link_section = ".limine_requests")]
static REVISION: BaseRevision = BaseRevision::with_revision(NEWEST_REVISION);

#[used]
#[unsafe(link_section = ".limine_requests")]
static HHDM: HhdmRequest = HhdmRequest::new();

#[used]
#[unsafe(link_section = ".limine_requests")]
static MEMORY_MAP: MemoryMapRequest = MemoryMapRequest::new();

#[used]
#[unsafe(link_section = ".limine_requests")]
static ADDRESS: ExecutableAddressRequest = ExecutableAddressRequest::new();

#[used]
#[unsafe(link_section = ".limine_requests")]
static COMMAND_LINE: ExecutableCmdlineRequest = ExecutableCmdlineRequest::new();

#[used]
#[unsafe(link_section = ".limine_requests")]
static FILE: ExecutableFileRequest = ExecutableFileRequest::new();

#[used]
#[unsafe(link_section = ".limine_requests")]
static MODULES: ModuleRequest = ModuleRequest::new();

#[used]
#[unsafe(link_section = ".limine_requests")]
static RSDP: RsdpRequest = RsdpRequest::new();

#[used]
#[unsafe(link_section = ".limine_requests")]
static DEVICE_TREE: DeviceTreeBlobRequest = DeviceTreeBlobRequest::new();

#[used]
#[unsafe(link_section = ".limine_requests_end")]
static END: RequestsEndMarker = RequestsEndMarker::new();

/// The memory map in the ports' form.
static MEMORY: Once<([MemoryRange; RANGES], usize)> = Once::new();
static INFO: Once<BootInfo<'static>> = Once::new();

/// The command line; empty where there is none, or it is not text. Loaders
/// that don't know the request for it (Limine up to 8.2) have it as the
/// string of the kernel's file.
pub fn command_line() -> CommandLine<'static> {
    let text = match (COMMAND_LINE.get_response(), FILE.get_response()) {
        (Some(response), _) => Some(response.cmdline()),
        (None, Some(response)) => Some(response.file().string()),
        (None, None) => None,
    };
    CommandLine(text.and_then(|text| text.to_str().ok()).unwrap_or(""))
}

/// Takes over what the loader says.
pub fn take() -> Result<&'static BootInfo<'static>, Diagnosis> {
    let hhdm_offset = HHDM
        .get_response()
        .ok_or(Diagnosis::Because("the loader does not answer by the Limine boot protocol"))?
        .offset();
    let address = ADDRESS
        .get_response()
        .ok_or(Diagnosis::Because("the loader does not say where it put the kernel"))?;
    let map =
        MEMORY_MAP.get_response().ok_or(Diagnosis::Because("the loader gives no memory map"))?;
    if map.entries().len() > RANGES {
        return Err(Diagnosis::Because("the memory map has more than 1024 ranges"));
    }

    let (ranges, count) = MEMORY.call_once(|| copy_map(map.entries()));
    // Below the offset the address is physical, as from revision 3 on.
    let physical = |address: u64| address.checked_sub(hhdm_offset).unwrap_or(address);
    Ok(INFO.call_once(|| BootInfo {
        hhdm_offset,
        memory: &ranges[..*count],
        kernel_physical: address.physical_base(),
        kernel_virtual: address.virtual_base(),
        rsdp: RSDP.get_response().map(|response| physical(response.address() as u64)),
        device_tree: DEVICE_TREE
            .get_response()
            .and_then(|response| device_tree(response.dtb_ptr().cast())),
        command_line: command_line().0,
    }))
}

/// The revision that the loader took the kernel by, if it says.
pub fn revision() -> Option<u64> {
    REVISION.loaded_revision().or(REVISION.is_supported().then_some(NEWEST_REVISION))
}

fn copy_map(entries: &[&Entry]) -> ([MemoryRange; RANGES], usize) {
    let nothing = MemoryRange { base: 0, length: 0, usage: MemoryUse::Reserved };
    let mut ranges = [nothing; RANGES];
    for (range, entry) in ranges.iter_mut().zip(entries) {
        *range = MemoryRange {
            base: entry.base,
            length: entry.length,
            usage: match entry.entry_type {
                EntryType::USABLE => MemoryUse::Usable,
                EntryType::BOOTLOADER_RECLAIMABLE => MemoryUse::LoaderReclaimable,
                EntryType::EXECUTABLE_AND_MODULES => MemoryUse::KernelAndModules,
                _ => MemoryUse::Reserved,
            },
        };
    }
    (ranges, entries.len().min(RANGES))
}

/// The tree as bytes, if what is there is one.
fn device_tree(start: *const u8) -> Option<&'static [u8]> {
    /// Largest tree that is believed, in bytes.
    const LARGEST: u32 = 16 << 20;
    if start.is_null() {
        return None;
    }
    // SAFETY: the protocol says that the answer points to a device tree in
    // memory that is mapped and reserved for good; its header has 40 bytes.
    let header = unsafe { core::slice::from_raw_parts(start, 8) };
    let word = |at: usize| header[at..].first_chunk().map(|word| u32::from_be_bytes(*word));
    let length = word(4).filter(|&length| word(0) == Some(0xd00d_feed) && length <= LARGEST)?;
    // SAFETY: as above; the header gives the length of the whole.
    Some(unsafe { core::slice::from_raw_parts(start, length as usize) })
}

/// Most modules that are kept, and the longest name of one.
const MODULES_MAX: usize = 16;
const NAME_MAX: usize = 32;

/// Files that the loader handed over, by name.
#[derive(Clone, Copy, Default)]
pub struct Modules {
    modules: [Option<Module>; MODULES_MAX],
}

#[derive(Clone, Copy)]
struct Module {
    name: [u8; NAME_MAX],
    length: usize,
    contents: &'static [u8],
}

impl Modules {
    /// Takes over what the loader says. A module is named by its string in
    /// the loader's configuration ("package", "trust", "device-key"); one
    /// without a name, or with too long a one, is ignored.
    pub fn take() -> Self {
        let mut modules = Self::default();
        let Some(response) = MODULES.get_response() else { return modules };
        let named = response.modules().iter().filter_map(|file| Module::of(file));
        for (slot, module) in modules.modules.iter_mut().zip(named) {
            *slot = Some(module);
        }
        modules
    }

    /// The first module with this name.
    pub fn get(&self, name: &str) -> Option<&'static [u8]> {
        let module = self.iter().find(|(this, _)| *this == name.as_bytes())?;
        Some(module.1)
    }

    /// All of them: name and contents.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &'static [u8])> {
        self.modules.iter().flatten().map(|module| (&module.name[..module.length], module.contents))
    }
}

impl Module {
    fn of(file: &File) -> Option<Self> {
        let given = CStr::to_bytes(file.string());
        let mut name = [0; NAME_MAX];
        name.get_mut(..given.len()).filter(|name| !name.is_empty())?.copy_from_slice(given);
        Some(Self { name, length: given.len(), contents: contents(file)? })
    }
}

/// The kernel's own file, as it was loaded.
pub fn kernel_file() -> Option<&'static [u8]> {
    contents(FILE.get_response()?.file())
}

fn contents(file: &File) -> Option<&'static [u8]> {
    let length = usize::try_from(file.size()).ok()?;
    if file.addr().is_null() || length > isize::MAX as usize {
        return None;
    }
    // SAFETY: the protocol says that the file lies there, in memory that the
    // map keeps from being allocated (the kernel reclaims none), and the
    // kernel's own tables map that memory at the same address. Nothing
    // writes to it.
    Some(unsafe { core::slice::from_raw_parts(file.addr(), length) })
}
