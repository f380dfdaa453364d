use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::memory::Kind;

/// Tables in a vector; a frame's address is its index in pages, from 1.
struct Host {
    tables: Vec<[u64; ENTRIES]>,
    limit: usize,
}

impl Frames for Host {
    fn allocate(&mut self) -> Option<u64> {
        if self.tables.len() == self.limit {
            return None;
        }
        self.tables.push([0; ENTRIES]);
        Some(self.tables.len() as u64 * PAGE)
    }

    fn table(&mut self, frame: u64) -> &mut [u64; ENTRIES] {
        &mut self.tables[(frame / PAGE) as usize - 1]
    }
}

fn host() -> Host {
    Host { tables: vec![], limit: usize::MAX }
}

/// What a processor finds: physical address and the entry.
fn walk<F: Format>(host: &mut Host, root: u64, address: u64) -> Option<(u64, u64)> {
    let mut table = root;
    for shift in [39, 30, 21, 12] {
        let entry = host.table(table)[index(address, shift)];
        if entry == 0 {
            return None;
        }
        match F::next(entry) {
            Some(next) if shift != 12 => table = next,
            _ => {
                let mask = (1 << shift) - 1;
                let base = entry & 0x0000_ffff_ffff_f000 & !mask;
                return Some((base | address & mask, entry));
            }
        }
    }
    None
}

fn maps_what_it_is_told<F: Format>(ranges: &[(u64, u64, u64)]) -> Result<(), TestCaseError> {
    let mut host = host();
    let mut tables = Tables::<_, F>::new(&mut host).unwrap();
    let mut mapped: Vec<(u64, u64, u64)> = vec![];
    for &(at, to, pages) in ranges {
        let length = pages * PAGE;
        let overlaps = mapped.iter().any(|(old, _, size)| at < old + size && *old < at + length);
        if !overlaps {
            tables.map(at, to, length, Protection::ReadWrite).unwrap();
            mapped.push((at, to, length));
        }
    }
    let root = tables.root();
    for (at, to, length) in mapped {
        for offset in [0, 1, length / 2, length - 1] {
            let found = walk::<F>(&mut host, root, at + offset).map(|found| found.0);
            prop_assert_eq!(found, Some(to + offset));
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn addresses_are_translated_as_they_were_mapped(
        ranges in proptest::collection::vec((0u64..1 << 20, 0u64..1 << 20, 1u64..1500), 1..6),
        aligned in any::<bool>(),
    ) {
        let unit = if aligned { 512 * PAGE } else { PAGE };
        let ranges: Vec<_> = ranges
            .iter()
            .map(|&(at, to, pages)| (DIRECT_MAP + at * unit, to * unit, pages))
            .collect();
        maps_what_it_is_told::<X86_64>(&ranges)?;
        maps_what_it_is_told::<Aarch64>(&ranges)?;
    }

    #[test]
    fn the_number_of_tables_suffices(
        ranges in proptest::collection::vec((0u64..1 << 22, 1u64..1 << 19, any::<bool>()), 1..8),
    ) {
        let mut room = vec![Entry::NONE; 64];
        let mut map = crate::memory::Map::new(&mut room);
        for (base, pages, usable) in ranges {
            let kind = if usable { Kind::Usable } else { Kind::KernelAndModules };
            map.claim(base * PAGE, pages * PAGE, kind).unwrap();
        }
        let memory = map.finish();
        let limit = frames_needed(0, memory) as usize;
        let mut host = Host { tables: vec![], limit };
        let mut tables = Tables::<_, X86_64>::new(&mut host).unwrap();
        prop_assert_eq!(tables.map_direct(memory), Ok(()));
    }
}

#[test]
fn entries_say_what_may_be_done() {
    // Intel SDM, volume 3A, table 4-20: present, writable, no-execute.
    assert_eq!(X86_64::leaf(0x5000, Protection::ReadExecute, false), 0x5001);
    assert_eq!(X86_64::leaf(0x5000, Protection::ReadOnly, false), 0x5001 | 1 << 63);
    assert_eq!(X86_64::leaf(0x20_0000, Protection::ReadWrite, true), 0x20_0083 | 1 << 63);
    assert_eq!(X86_64::table(0x5000), 0x5003);
    // Arm ARM, D8.3.1: page, accessed, inner shareable; AP[2], PXN, UXN.
    assert_eq!(Aarch64::leaf(0x5000, Protection::ReadExecute, false), 0x5783 | 1 << 54);
    assert_eq!(Aarch64::leaf(0x5000, Protection::ReadOnly, false), 0x5783 | 3 << 53);
    assert_eq!(Aarch64::leaf(0x20_0000, Protection::ReadWrite, true), 0x20_0701 | 3 << 53);
    assert_eq!(Aarch64::table(0x5000), 0x5003);
}

#[test]
fn nothing_is_mapped_twice() {
    let mut host = host();
    let mut tables = Tables::<_, X86_64>::new(&mut host).unwrap();
    tables.map(0x1000, 0, 0x1000, Protection::ReadOnly).unwrap();
    tables.map(BLOCK, BLOCK, BLOCK, Protection::ReadOnly).unwrap();
    let again =
        |tables: &mut Tables<'_, _, X86_64>, at| tables.map(at, 0, PAGE, Protection::ReadOnly);
    assert_eq!(again(&mut tables, 0x1000), Err(MapError::Occupied));
    assert_eq!(again(&mut tables, BLOCK + 0x3000), Err(MapError::Occupied));
    assert_eq!(again(&mut tables, 0x2000), Ok(()));
}

#[test]
fn addresses_that_cannot_be_are_refused() {
    let mut host = host();
    let mut tables = Tables::<_, X86_64>::new(&mut host).unwrap();
    for (at, to, length) in [
        (1, 0, PAGE),
        (0, 1, PAGE),
        (0, 0, 1),
        (0, PHYSICAL_END, PAGE),
        (u64::MAX - PAGE + 1, 0, PAGE * 2),
        (0, u64::MAX - PAGE + 1, PAGE * 2),
    ] {
        let result = tables.map(at, to, length, Protection::ReadOnly);
        assert_eq!(result, Err(MapError::BadAddress));
    }
}

#[test]
fn running_out_of_memory_is_an_error() {
    for limit in 0..4 {
        let mut host = Host { tables: vec![], limit };
        let result = Tables::<_, X86_64>::new(&mut host)
            .and_then(|mut tables| tables.map(0, 0, PAGE, Protection::ReadOnly));
        assert_eq!(result, Err(MapError::OutOfFrames));
    }
}

#[test]
fn the_direct_map_covers_ram_and_nothing_else() {
    let memory = [
        (0x800, 0x1000, Kind::AcpiNvs),
        (0x2000, 0x1000, Kind::Usable),
        (0x3000, 0x1000, Kind::Reserved),
        (0x4000, 0x10, Kind::KernelAndModules),
        (0x4010, 0x10, Kind::ReservedMapped),
        (0x6000, 0x1000, Kind::Bad),
    ];
    let memory = memory.map(|(base, length, kind)| Entry { base, length, kind });
    let mut host = host();
    let mut tables = Tables::<_, Aarch64>::new(&mut host).unwrap();
    tables.map_direct(&memory).unwrap();
    let root = tables.root();
    for (page, is_mapped) in [true, true, true, false, true, false, false].into_iter().enumerate() {
        let address = page as u64 * PAGE;
        let found = walk::<Aarch64>(&mut host, root, DIRECT_MAP + address);
        assert_eq!(found.map(|found| found.0), is_mapped.then_some(address));
        assert_eq!(walk::<Aarch64>(&mut host, root, address), None);
    }
}
