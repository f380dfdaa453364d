//! From the device tree to the kernel.

use boot_contract::answer::{Facts, File, LOADER_VERSION, answer};
use boot_contract::archive::Archive;
use boot_contract::elf::Image;
use boot_contract::machine::aarch64::{self as machine, State};
use boot_contract::memory::{Entry, Kind, Map};
use boot_contract::paging::{Aarch64, Tables, frames_needed};
use boot_contract::request::Requests;
use boot_contract::{Architecture, Arena, DIRECT_MAP, PAGE, Protection};
use boot_direct::command_line::Line;
use boot_direct::refusal::Refusal;
use boot_direct::tree::{self, Tree, claim_pages};
use boot_direct::{known, names};

use super::area::{Area, Pool, given};
use super::console::{self, say};
use super::{fault, head, level, power};

/// Most ranges of the memory map.
const RANGES: usize = 128;

/// Bytes for the answers.
const ANSWERS: u64 = 64 << 10;

/// Tables beyond those that are counted: the lower half's, and ranges that the
/// last claims split.
const SPARE_TABLES: u64 = 64;

/// Nobody: a kernel that was started does not return.
pub enum Never {}

/// Starts the kernel.
pub fn start(x0: u64) -> Result<Never, Refusal> {
    let (tree_address, blob) = match tree_at(x0) {
        Some(blob) => (x0, blob),
        None => known_board()?,
    };
    let Some(tree) = Tree::read(blob) else {
        take_for_known();
        return Err(Refusal::DamagedTree);
    };
    if let Some(console) = tree.console() {
        // SAFETY: the tree says that there is one; nothing else runs yet.
        unsafe { console::use_at(console) };
    }
    if let Some(conduit) = tree.conduit() {
        power::use_conduit(conduit);
    }
    if let Some(watchdog) = tree.watchdog() {
        // SAFETY: the tree says so.
        unsafe { power::use_watchdog(watchdog) };
    }
    if machine::exception_level() == 3 {
        let controller = tree.interrupt_controller().ok_or(Refusal::Secure)?;
        // SAFETY: the level was looked at; the rest is what the tree says.
        unsafe { level::leave(controller, tree.is_bcm2711()) };
        fault::take();
    }

    let mut entries = [Entry::NONE; RANGES];
    let mut map = Map::new(&mut entries);
    tree.describe(&mut map)?;
    if !map.entries().iter().any(|entry| entry.kind == Kind::Usable) {
        return Err(Refusal::NoMemoryNode);
    }
    let taken = head::file_end().max(head::image_end()) - head::image_start();
    claim_pages(&mut map, head::image_start(), taken, Kind::LoaderReclaimable)?;
    // Cores may be held on its first page.
    claim_pages(&mut map, head::image_start(), PAGE, Kind::Reserved)?;
    claim_pages(&mut map, tree_address, blob.len() as u64, Kind::LoaderReclaimable)?;
    let archive = archive(&tree, &mut map)?;
    load(&tree, tree_address, &archive, map)
}

/// The device tree at an address, if there is one.
fn tree_at(address: u64) -> Option<&'static [u8]> {
    const HEADER: usize = 40;
    if address == 0 || !address.is_multiple_of(8) {
        return None;
    }
    // SAFETY: by the protocol of the image, x0 points to a device tree in
    // memory; what is there is read as bytes, and not written. Where it is no
    // memory, the fault ends the loader.
    let header = unsafe { given(address, HEADER) };
    let length = tree::length(header)?;
    // SAFETY: as above; it has the length that its header gives.
    Some(unsafe { given(address, length) })
}

/// The tree of the board that is known, where this may be one.
fn known_board() -> Result<(u64, &'static [u8]), Refusal> {
    if !take_for_known() {
        return Err(Refusal::Tree);
    }
    say(format_args!(
        "register x0 points to no device tree: a Raspberry Pi 4 is taken for granted"
    ));
    let blob = &known::TREE.0;
    Ok((blob.as_ptr().addr() as u64, blob))
}

/// Where nothing describes the board, has the messages go to the one that is
/// known, and says whether it is likely to be that one.
fn take_for_known() -> bool {
    let is_likely = known::is_likely(level::midr());
    if is_likely {
        // SAFETY: nothing describes the board, so it is taken for the one that
        // its processor makes it likely to be; nothing else runs yet.
        unsafe {
            console::use_known();
            power::use_watchdog(known::WATCHDOG);
        }
    }
    is_likely
}

/// The archive: the initial RAM disk if there is one, else what was appended
/// to the image. Its pages are claimed.
fn archive(tree: &Tree<'_>, map: &mut Map<'_>) -> Result<Archive<'static>, Refusal> {
    let appended = (head::image_end(), head::file_end());
    let (start, end) = tree.initrd().unwrap_or(appended);
    let length = end.checked_sub(start).filter(|&length| length > 0).ok_or(Refusal::NoArchive)?;
    let size = usize::try_from(length).map_err(|_| Refusal::NoArchive)?;
    if !map.knows(start, length) {
        return Err(Refusal::NoArchive);
    }
    // SAFETY: the range is memory by the tree, and whoever started the image
    // put the archive there. It is claimed below, so nothing is put over it.
    let bytes = unsafe { given(start, size) };
    let found = Archive::read(bytes)?;
    let length = found.bytes().len() as u64;
    claim_pages(map, start, length, Kind::KernelAndModules)?;
    if start.is_multiple_of(PAGE) {
        return Ok(found);
    }
    // Files have to begin on page boundaries, and do so in an archive that
    // does.
    let mut copy = Area::take(map, length, Kind::KernelAndModules)?;
    let room = copy.bytes().get_mut(..found.bytes().len()).ok_or(Refusal::NoMemory)?;
    room.copy_from_slice(found.bytes());
    copy.finish();
    Ok(Archive::read(copy.keep())?)
}

fn load(
    tree: &Tree<'_>,
    tree_address: u64,
    archive: &Archive<'_>,
    mut map: Map<'_>,
) -> Result<Never, Refusal> {
    let kernel_file = archive.get(names::KERNEL).ok_or(Refusal::NoKernel)?;
    let image = Image::read(kernel_file, Architecture::Aarch64)?;
    let line = Line::compose(tree.entropy(), tree.words())?;

    let mut kernel = Area::take(&mut map, image.size(), Kind::KernelAndModules)?;
    image.load(kernel.bytes()).ok_or(Refusal::NoMemory)?;
    let requests = Requests::find(kernel.bytes())?;
    let entry = requests.entry().unwrap_or(image.entry());
    if !image.is_code(entry) {
        return Err(Refusal::Entry);
    }
    let stack = Area::take(&mut map, requests.stack_size(), Kind::LoaderReclaimable)?;
    let mut answers = Area::take(&mut map, ANSWERS, Kind::LoaderReclaimable)?;
    map.sort();
    let frames = frames_needed(image.size(), map.entries()) + SPARE_TABLES;
    let mut pool = Pool::new(Area::take(&mut map, frames * PAGE, Kind::LoaderReclaimable)?);
    let memory = map.finish();

    let mut modules = [file(&[], "", ""); names::MODULES.len()];
    let mut count = 0;
    for (name, path, string) in names::MODULES {
        if let (Some(contents), Some(place)) = (archive.get(name), modules.get_mut(count)) {
            *place = file(contents, path, string);
            count += 1;
        }
    }
    let facts = Facts {
        loader: ("Heliograph direct loader", LOADER_VERSION),
        kernel_virtual: image.base(),
        kernel_physical: kernel.address(),
        kernel_file: file(kernel_file, "/kernel.elf", line.text()),
        modules: modules.get(..count).unwrap_or_default(),
        memory,
        device_tree: Some(tree_address),
        ..Facts::default()
    };
    let place = answers.address();
    answer(&requests, kernel.bytes(), &facts, &mut Arena::new(answers.bytes(), place))?;

    let (lower, upper) = tables(&mut pool, &image, &kernel, memory)?;
    say(format_args!(
        "{} bytes of kernel at {:#x}; no signature was checked",
        image.size(),
        kernel.address()
    ));
    pool.finish();
    for area in [&kernel, &stack, &answers] {
        area.finish();
    }
    let state = State { lower, upper, entry, stack_top: stack.end() + DIRECT_MAP };
    // SAFETY: the level was checked, and the MMU is off, so addresses are
    // physical. The tables map kernel, direct map and switch; all of it was
    // dropped from the caches before and after it was written. The image's own
    // code is in memory, as whoever started it had to see to. Nothing else
    // runs.
    unsafe { machine::enter(state) }
}

/// Builds the tables for both halves of the address space.
fn tables(
    pool: &mut Pool,
    image: &Image<'_>,
    kernel: &Area,
    memory: &[Entry],
) -> Result<(u64, u64), Refusal> {
    let page = machine::switch_page();
    let mut lower = Tables::<_, Aarch64>::new(pool)?;
    lower.map(page, page, PAGE, Protection::ReadExecute)?;
    let lower = lower.root();
    let mut upper = Tables::<_, Aarch64>::new(pool)?;
    upper.map_kernel(image, kernel.address())?;
    upper.map_direct(memory)?;
    Ok((lower, upper.root()))
}

fn file<'a>(contents: &[u8], path: &'a str, string: &'a str) -> File<'a> {
    let address = contents.as_ptr().expose_provenance() as u64;
    File { address, size: contents.len() as u64, path, string }
}
