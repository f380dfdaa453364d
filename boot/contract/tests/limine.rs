#![allow(clippy::unwrap_used, clippy::expect_used)]
//! The responses, read by the crate that kernels use.
//!
//! A structure of requests stands for a kernel's image, and host memory for
//! physical memory: with a direct map at 0, pointers in responses are ordinary
//! pointers.

use std::ffi::CStr;
use std::mem::offset_of;

use boot_contract::Arena;
use boot_contract::answer::{AnswerError, Facts, File, answer};
use boot_contract::memory::{Entry, Kind};
use boot_contract::request::{Feature, Requests};
use limine::BaseRevision;
use limine::firmware_type::FirmwareType;
use limine::memory_map::EntryType;
use limine::paging::Mode;
use limine::request::*;

/// A kernel, as far as a loader looks at it.
#[repr(C)]
struct Kernel {
    noise: [u64; 5],
    start: RequestsStartMarker,
    loader: BootloaderInfoRequest,
    firmware: FirmwareTypeRequest,
    stack: StackSizeRequest,
    direct_map: HhdmRequest,
    framebuffer: FramebufferRequest,
    paging: PagingModeRequest,
    revision: BaseRevision,
    processors: MpRequest,
    memory: MemoryMapRequest,
    entry: EntryPointRequest,
    file: ExecutableFileRequest,
    modules: ModuleRequest,
    rsdp: RsdpRequest,
    smbios: SmbiosRequest,
    system_table: EfiSystemTableRequest,
    memory_efi: EfiMemoryMapRequest,
    date: DateAtBootRequest,
    address: ExecutableAddressRequest,
    tree: DeviceTreeBlobRequest,
    command_line: ExecutableCmdlineRequest,
    end: RequestsEndMarker,
    late: HhdmRequest,
}

extern "C" fn entry() -> ! {
    std::process::abort()
}

fn kernel(revision: u64) -> Box<Kernel> {
    Box::new(Kernel {
        noise: [3; 5],
        start: RequestsStartMarker::new(),
        loader: BootloaderInfoRequest::new(),
        firmware: FirmwareTypeRequest::new(),
        stack: StackSizeRequest::new().with_size(200_000),
        direct_map: HhdmRequest::new(),
        framebuffer: FramebufferRequest::new(),
        paging: PagingModeRequest::new(),
        revision: BaseRevision::with_revision(revision),
        processors: MpRequest::new(),
        memory: MemoryMapRequest::new(),
        entry: EntryPointRequest::new().with_entry_point(entry),
        file: ExecutableFileRequest::new(),
        modules: ModuleRequest::new(),
        rsdp: RsdpRequest::new(),
        smbios: SmbiosRequest::new(),
        system_table: EfiSystemTableRequest::new(),
        memory_efi: EfiMemoryMapRequest::new(),
        date: DateAtBootRequest::new(),
        address: ExecutableAddressRequest::new(),
        tree: DeviceTreeBlobRequest::new(),
        command_line: ExecutableCmdlineRequest::new(),
        end: RequestsEndMarker::new(),
        late: HhdmRequest::new(),
    })
}

const MEMORY: [Entry; 4] = [
    Entry { base: 0x1000, length: 0x9000, kind: Kind::Usable },
    Entry { base: 0x10000, length: 0x4000, kind: Kind::LoaderReclaimable },
    Entry { base: 0x20000, length: 0x123, kind: Kind::KernelAndModules },
    Entry { base: 0x30000, length: 0x1000, kind: Kind::ReservedMapped },
];

/// Answers a kernel's requests, into memory that lives as long as the test.
fn answer_all(kernel: &mut Kernel, facts: &Facts<'_>) -> Result<usize, AnswerError> {
    let (requests, image) = find(kernel);
    let memory: &'static mut [u64] = vec![0; 1024].leak();
    let address = memory.as_ptr().expose_provenance() as u64;
    // SAFETY: the bytes of a slice of words that nothing else refers to.
    let memory = unsafe { std::slice::from_raw_parts_mut(memory.as_mut_ptr().cast(), 8192) };
    let mut arena = Arena::at(memory, address);
    answer(&requests, image, facts, &mut arena)?;
    Ok(arena.used())
}

fn find(kernel: &mut Kernel) -> (Requests, &mut [u8]) {
    // SAFETY: all of the structure's fields are numbers and pointers without
    // padding between them, as the protocol's are; bytes written to it are
    // written where a loader writes them.
    let image = unsafe {
        std::slice::from_raw_parts_mut((&raw mut *kernel).cast::<u8>(), size_of::<Kernel>())
    };
    (Requests::find(image).unwrap(), image)
}

fn facts() -> Facts<'static> {
    let kernel = File { address: 0x5000, size: 17, path: "/kernel", string: "test=1 a=b" };
    Facts {
        loader: ("Heliograph", "0.1"),
        is_uefi: true,
        direct_map: 0,
        kernel_virtual: 0xffff_ffff_8000_0000,
        kernel_physical: 0x20_0000,
        kernel_file: kernel,
        memory: &MEMORY,
        ..Facts::default()
    }
}

#[test]
fn the_loader_names_itself_its_firmware_and_its_paging() {
    let mut kernel = kernel(6);
    answer_all(&mut kernel, &facts()).unwrap();
    let loader = kernel.loader.get_response().unwrap();
    assert_eq!((loader.name(), loader.version()), ("Heliograph", "0.1"));
    let firmware = kernel.firmware.get_response().unwrap();
    assert!(firmware.firmware_type() == FirmwareType::UEFI_64);
    assert!(kernel.paging.get_response().unwrap().mode() == Mode::FOUR_LEVEL);
    assert_eq!(kernel.direct_map.get_response().unwrap().offset(), 0);
    assert!(kernel.stack.get_response().is_some());
    assert!(kernel.entry.get_response().is_some());
}

#[test]
fn every_revision_from_three_on_is_confirmed() {
    for revision in 3..=6 {
        let mut kernel = kernel(revision);
        answer_all(&mut kernel, &facts()).unwrap();
        assert!(kernel.revision.is_supported());
        assert_eq!(kernel.revision.loaded_revision(), Some(revision));
    }
}

#[test]
fn the_memory_map_and_the_kernels_place_are_as_given() {
    for (revision, last) in [(6, 8), (3, 1)] {
        let mut kernel = kernel(revision);
        answer_all(&mut kernel, &facts()).unwrap();
        let entries = kernel.memory.get_response().unwrap().entries();
        let ranges: Vec<_> = entries.iter().map(|entry| (entry.base, entry.length)).collect();
        assert_eq!(ranges, MEMORY.map(|entry| (entry.base, entry.length)));
        assert!(entries[0].entry_type == EntryType::USABLE);
        assert!(entries[1].entry_type == EntryType::BOOTLOADER_RECLAIMABLE);
        assert!(entries[2].entry_type == EntryType::EXECUTABLE_AND_MODULES);
        // SAFETY: the type is a transparent number.
        let kind: u64 = unsafe { std::mem::transmute_copy(&entries[3].entry_type) };
        assert_eq!(kind, last, "what is reserved but mapped came with revision 4");
        let address = kernel.address.get_response().unwrap();
        assert_eq!(address.physical_base(), 0x20_0000);
        assert_eq!(address.virtual_base(), 0xffff_ffff_8000_0000);
    }
}

#[test]
fn files_come_with_path_and_string() {
    let contents = [b"package".as_slice(), b"trust"];
    let module = |index: usize, path, string| File {
        address: contents[index].as_ptr().expose_provenance() as u64,
        size: contents[index].len() as u64,
        path,
        string,
    };
    let modules = [
        module(0, "/heliograph/package.rvf", "package"),
        module(1, "/heliograph/trust.note", "trust"),
    ];
    let mut kernel = kernel(6);
    answer_all(&mut kernel, &Facts { modules: &modules, ..facts() }).unwrap();
    let found = kernel.modules.get_response().unwrap().modules();
    let found: Vec<_> = found
        .iter()
        .map(|file| {
            // SAFETY: the addresses are those of `contents`.
            let bytes = unsafe { std::slice::from_raw_parts(file.addr(), file.size() as usize) };
            (file.path().to_str().unwrap(), file.string().to_str().unwrap(), bytes)
        })
        .collect();
    let wanted = [
        ("/heliograph/package.rvf", "package", contents[0]),
        ("/heliograph/trust.note", "trust", contents[1]),
    ];
    assert_eq!(found, wanted);
    let file = kernel.file.get_response().unwrap().file();
    assert_eq!((file.addr().addr(), file.size()), (0x5000, 17));
    assert_eq!(file.path(), c"/kernel");
    let line = kernel.command_line.get_response().unwrap().cmdline();
    assert_eq!(line, c"test=1 a=b");
    assert_eq!(line.as_ptr(), CStr::as_ptr(file.string()), "both are the same string");
    assert!(file.partition_idx().is_none() && file.gpt_disk_id().is_none());
}

#[test]
fn tables_are_given_as_each_revision_has_them() {
    let facts = Facts {
        direct_map: 0x1_0000_0000,
        rsdp: Some(0x1000),
        smbios: [None, Some(0x2000)],
        efi_system_table: Some(0x3000),
        device_tree: Some(0x4000),
        ..facts()
    };
    for (revision, wanted) in [
        (3, [0x1000, 0x2000, 0x3000]),
        (4, [0x1_0000_1000, 0x2000, 0x3000]),
        (5, [0x1_0000_1000, 0x1_0000_2000, 0x1_0000_3000]),
        (6, [0x1_0000_1000, 0x1_0000_2000, 0x1_0000_3000]),
    ] {
        let mut kernel = kernel(revision);
        answer_all(&mut kernel, &facts).unwrap();
        let smbios = kernel.smbios.get_response().unwrap();
        assert!(smbios.entry_32().is_none());
        let found = [
            kernel.rsdp.get_response().unwrap().address(),
            smbios.entry_64().unwrap().get(),
            kernel.system_table.get_response().unwrap().address(),
        ];
        assert_eq!(found, wanted, "revision {revision}");
        let tree = kernel.tree.get_response().unwrap().dtb_ptr().addr();
        assert_eq!(tree, 0x1_0000_4000);
    }
}

#[test]
fn what_the_loader_has_not_got_stays_unanswered() {
    let mut kernel = kernel(6);
    answer_all(&mut kernel, &Facts { is_uefi: false, ..facts() }).unwrap();
    assert!(kernel.framebuffer.get_response().is_none());
    assert!(kernel.processors.get_response().is_none());
    assert!(kernel.memory_efi.get_response().is_none());
    assert!(kernel.date.get_response().is_none());
    assert!(kernel.firmware.get_response().is_none());
    assert!(kernel.modules.get_response().is_none());
    assert!(kernel.rsdp.get_response().is_none());
    assert!(kernel.smbios.get_response().is_none());
    assert!(kernel.system_table.get_response().is_none());
    assert!(kernel.tree.get_response().is_none());
    assert!(kernel.late.get_response().is_none(), "behind the end marker");
}

#[test]
fn what_requests_say_is_read_from_them() {
    let mut kernel = kernel(6);
    let (requests, _) = find(&mut kernel);
    assert_eq!(requests.stack_size(), 200_704);
    assert_eq!(requests.entry(), Some(entry as *const () as u64));
    assert!(Feature::ALL.iter().all(|&feature| requests.has(feature)));
}

#[test]
fn only_responses_and_the_tag_are_written() {
    let mut kernel = kernel(6);
    let before = find(&mut kernel).1.to_vec();
    let facts = Facts {
        rsdp: Some(1),
        smbios: [Some(1); 2],
        efi_system_table: Some(1),
        device_tree: Some(1),
        modules: &[File { address: 0, size: 0, path: "", string: "" }],
        ..facts()
    };
    answer_all(&mut kernel, &facts).unwrap();
    let after = find_bytes(&mut kernel);
    let changed: Vec<_> = before
        .chunks(8)
        .zip(after.chunks(8))
        .enumerate()
        .filter(|(_, (before, after))| before != after)
        .map(|(index, _)| index * 8)
        .collect();
    let response = |start: usize| start + 40;
    let mut wanted = vec![
        response(offset_of!(Kernel, loader)),
        response(offset_of!(Kernel, firmware)),
        response(offset_of!(Kernel, stack)),
        response(offset_of!(Kernel, direct_map)),
        response(offset_of!(Kernel, paging)),
        offset_of!(Kernel, revision) + 8,
        offset_of!(Kernel, revision) + 16,
        response(offset_of!(Kernel, memory)),
        response(offset_of!(Kernel, entry)),
        response(offset_of!(Kernel, file)),
        response(offset_of!(Kernel, modules)),
        response(offset_of!(Kernel, rsdp)),
        response(offset_of!(Kernel, smbios)),
        response(offset_of!(Kernel, system_table)),
        response(offset_of!(Kernel, address)),
        response(offset_of!(Kernel, tree)),
        response(offset_of!(Kernel, command_line)),
    ];
    wanted.sort_unstable();
    assert_eq!(changed, wanted);
}

fn find_bytes(kernel: &mut Kernel) -> Vec<u8> {
    // SAFETY: as in `find`.
    unsafe {
        std::slice::from_raw_parts((&raw const *kernel).cast::<u8>(), size_of::<Kernel>()).to_vec()
    }
}

#[test]
fn too_little_memory_for_the_answers_is_an_error_at_any_size() {
    let mut whole = kernel(6);
    let needed = answer_all(&mut whole, &facts()).unwrap();
    for length in (0..needed).step_by(8) {
        let mut kernel = kernel(6);
        let (requests, image) = find(&mut kernel);
        let mut memory = vec![0; length];
        let result = answer(&requests, image, &facts(), &mut Arena::at(&mut memory, 0x1000));
        assert_eq!(result, Err(AnswerError::Full));
    }
}

#[test]
fn a_string_that_a_zero_byte_would_end_is_refused() {
    let mut kernel = kernel(6);
    let mut facts = facts();
    facts.kernel_file.string = "a\0b";
    assert_eq!(answer_all(&mut kernel, &facts), Err(AnswerError::ZeroInString));
}
