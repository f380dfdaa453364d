//! What every port's shared code must do, tried on the host.

use super::*;
use crate::table::BLOCK_SIZE;
use crate::traits::{Cpu as _, MapError, PAGE_SIZE, PageTables as _, Protection};
use crate::window::{FirmwareMemory, Window};
use Protection::{Device, ReadExecute, ReadOnly, ReadWrite};

const HIGH: u64 = 0xffff_ffff_8000_0000;

#[test]
fn what_is_mapped_translates_and_what_is_not_does_not() {
    let mut memory = Memory::new(64);
    let mut tables = PageTables::new(&mut memory).unwrap();
    let parts = [
        (HIGH, 0x20_0000, 0x3000, ReadExecute),
        (HIGH + 0x3000, 0x20_3000, 0x1000, ReadOnly),
        (HIGH + 0x5000, 0x20_5000, 0x2000, ReadWrite),
        (0xffff_8000_fee0_0000, 0xfee0_0000, 0x1000, Device),
    ];
    for (at, to, length, protection) in parts {
        tables.map(&mut memory, at, to, length, protection).unwrap();
    }
    for (at, to, length, protection) in parts {
        for offset in [0, 1, length / 2, length - 1] {
            assert_eq!(tables.translate(at + offset), Some((to + offset, protection)));
        }
    }
    // The page between the third part and the second, page zero, and an
    // address that no processor has.
    for nothing in [HIGH + 0x4000, HIGH + 0x7000, HIGH - 1, 0, 8, 0x1234_5678_9abc_d000] {
        assert_eq!(tables.translate(nothing), None);
    }
}

#[test]
fn blocks_are_used_where_they_fit_and_agree_with_pages() {
    let mut memory = Memory::new(64);
    let mut tables = PageTables::new(&mut memory).unwrap();
    let start = 0xffff_8000_0000_0000 + BLOCK_SIZE - 2 * PAGE_SIZE;
    let length = 3 * BLOCK_SIZE + 5 * PAGE_SIZE;
    let physical = 4 * BLOCK_SIZE - 2 * PAGE_SIZE;
    tables.map(&mut memory, start, physical, length, ReadWrite).unwrap();
    // Root, two levels below, and pages before and after three blocks.
    assert_eq!(memory.given(), 5);
    for offset in (0..length).step_by(PAGE_SIZE as usize) {
        assert_eq!(tables.translate(start + offset + 7), Some((physical + offset + 7, ReadWrite)));
    }
    assert_eq!(tables.translate(start + length), None);
    assert_eq!(tables.translate(start - 1), None);
}

#[test]
fn a_mapping_is_never_replaced() {
    let mut memory = Memory::new(64);
    let mut tables = PageTables::new(&mut memory).unwrap();
    tables.map(&mut memory, HIGH, 0, BLOCK_SIZE, ReadOnly).unwrap();
    tables.map(&mut memory, HIGH + BLOCK_SIZE, 0x1000, PAGE_SIZE, ReadOnly).unwrap();
    for (at, length) in
        [(HIGH, PAGE_SIZE), (HIGH + PAGE_SIZE, PAGE_SIZE), (HIGH + BLOCK_SIZE, BLOCK_SIZE)]
    {
        let result = tables.map(&mut memory, at, 0, length, ReadWrite);
        assert_eq!(result, Err(MapError::AlreadyMapped));
    }
    assert_eq!(tables.translate(HIGH), Some((0, ReadOnly)));
}

#[test]
fn bad_addresses_and_a_lack_of_frames_are_errors() {
    let mut memory = Memory::new(2);
    let mut tables = PageTables::new(&mut memory).unwrap();
    for (at, to, length) in [
        (HIGH + 1, 0, PAGE_SIZE),
        (HIGH, 1, PAGE_SIZE),
        (HIGH, 0, PAGE_SIZE + 1),
        (HIGH, 0, 0),
        (0xffff_ffff_ffff_f000, 0, 2 * PAGE_SIZE),
        (0x7fff_ffff_f000, 0, 2 * PAGE_SIZE),
        (0x8000_0000_0000, 0, PAGE_SIZE),
        (HIGH, 0xffff_ffff_ffff_f000, 2 * PAGE_SIZE),
    ] {
        let result = tables.map(&mut memory, at, to, length, ReadOnly);
        assert_eq!(result, Err(MapError::BadAddress), "{at:#x} {to:#x} {length:#x}");
    }
    let result = tables.map(&mut memory, HIGH, 0, PAGE_SIZE, ReadOnly);
    assert_eq!(result, Err(MapError::OutOfFrames));
    assert_eq!(tables.translate(HIGH), None);
}

#[test]
fn a_window_maps_registers_once_and_refuses_ram() {
    let mut memory = Memory::new(64);
    let mut tables = PageTables::new(&mut memory).unwrap();
    let offset = 0xffff_8000_0000_0000;
    let mut frames = Elsewhere { memory, offset };
    tables.map(&mut frames, offset, 0, BLOCK_SIZE, ReadWrite).unwrap();
    {
        let mut window = Window::new(&mut tables, &mut frames);
        assert_eq!(window.device(0xfec0_0010, 0x10), Ok(offset + 0xfec0_0010));
        assert_eq!(window.device(0xfebf_f000, 0x3000), Ok(offset + 0xfebf_f000));
        assert!(window.device(0x1000, 0x10).is_err());
        assert!(window.device(0xfec0_0000, 0).is_err());
        assert!(window.device(u64::MAX, 2).is_err());
        assert!(window.read(0x7fff_0000_0000, 36).is_err());
    }
    assert_eq!(tables.translate(offset + 0xfec0_1fff), Some((0xfec0_1fff, Device)));
    assert_eq!(tables.translate(offset + 0xfec0_2000), None);
}

/// Frames of a [`Memory`], for tables of a machine whose direct map is at
/// another offset.
struct Elsewhere {
    memory: Memory,
    offset: u64,
}

// SAFETY: only `Tables` dereferences, by the offset it took when it was made,
// which was the memory's own; what is asked here is compared only.
unsafe impl FrameSource for Elsewhere {
    fn hhdm_offset(&self) -> u64 {
        self.offset
    }

    fn allocate(&mut self) -> Option<u64> {
        self.memory.allocate()
    }

    fn allocate_contiguous(&mut self, count: u64) -> Option<u64> {
        self.memory.allocate_contiguous(count)
    }
}

/// SHA-256 of a message, padded by FIPS 180-4, 5.1.1.
fn digest(compress: Sha256Compress, message: &[u8]) -> [u8; 32] {
    let mut state = [
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
        0x5be0cd19,
    ];
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    compress(&mut state, padded.as_chunks::<64>().0);
    let mut out = [0; 32];
    for (bytes, word) in out.chunks_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    out
}

#[test]
fn the_processors_sha256_agrees_with_the_standard_and_with_software() {
    let Some((compress, name)) = Cpu::sha256() else { return };
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let hex: String = digest(compress, b"abc").iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, abc, "{name}");

    use sha2::Digest;
    let bytes: Vec<u8> =
        (0..1000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for length in 0..bytes.len() {
        let software: [u8; 32] = sha2::Sha256::digest(&bytes[..length]).into();
        assert_eq!(digest(compress, &bytes[..length]), software, "{length} bytes by {name}");
    }
}

#[test]
fn the_hosts_floating_point_state_is_the_one_that_is_asked_for() {
    Cpu::assert_float_state();
}

#[test]
fn a_disk_refuses_what_is_not_on_it() {
    let mut disk = Disk::new(4);
    let mut sector = [7; SECTOR_SIZE];
    assert_eq!(disk.write(3, &sector), Ok(()));
    assert_eq!(disk.write(4, &sector), Err(BlockError::OutOfRange));
    assert_eq!(disk.write(u64::MAX, &sector), Err(BlockError::OutOfRange));
    assert_eq!(disk.write(0, &sector[1..]), Err(BlockError::BadLength));
    assert_eq!(disk.read(0, &mut []), Err(BlockError::BadLength));
    assert_eq!(disk.read(0, &mut sector), Ok(()));
    assert_eq!(sector, [0; SECTOR_SIZE]);
    assert!(disk.durable.iter().all(|&byte| byte == 0));
    disk.flush().unwrap();
    assert_eq!(disk.durable, disk.contents);
}
