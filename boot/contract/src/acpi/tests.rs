use std::vec;
use std::vec::Vec;

use super::*;

/// Memory from address 0 on.
struct Flat(Vec<u8>);

impl Physical for Flat {
    fn read(&self, address: u64, length: usize) -> Option<&[u8]> {
        self.0.get(usize::try_from(address).ok()?..)?.get(..length)
    }
}

impl Flat {
    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn table(&mut self, at: usize, signature: &[u8; 4], body: &[u8]) {
        self.put(at, signature);
        self.put(at + 4, &((HEADER + body.len()) as u32).to_le_bytes());
        self.put(at + HEADER, body);
    }
}

/// A root pointer at 16, FADT with FACS and DSDT, and a MADT with two I/O
/// APICs.
fn sample(revision: u8) -> Flat {
    let mut memory = Flat(vec![0; 4096]);
    memory.put(16, b"RSD PTR ");
    memory.put(31, &[revision]);
    memory.put(32, &100u32.to_le_bytes());
    memory.put(40, &200u64.to_le_bytes());
    memory.table(100, b"RSDT", &[300u32, 600].map(u32::to_le_bytes).concat());
    memory.table(200, b"XSDT", &[300u64, 600].map(u64::to_le_bytes).concat());
    let mut fadt = vec![0; 244 - HEADER];
    fadt[0..4].copy_from_slice(&800u32.to_le_bytes());
    fadt[140 - HEADER..148 - HEADER].copy_from_slice(&900u64.to_le_bytes());
    memory.table(300, b"FACP", &fadt);
    let mut madt = vec![0; 8];
    madt.extend_from_slice(&[0, 8, 0, 0, 1, 0, 0, 0]);
    madt.extend_from_slice(&[1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0]);
    madt.extend_from_slice(&[1, 12, 1, 0, 0, 0x10, 0xc0, 0xfe, 24, 0, 0, 0]);
    memory.table(600, b"APIC", &madt);
    memory.table(800, b"FACS", &[0; 28]);
    memory.table(900, b"DSDT", &[0; 10]);
    memory
}

fn tables(memory: &Flat) -> Vec<(u64, u64)> {
    let mut found = vec![];
    each_table(memory, 16, &mut |address, length| found.push((address, length)));
    found
}

fn io_apics(memory: &Flat) -> Vec<u64> {
    let mut found = vec![];
    each_io_apic(memory, 16, &mut |address| found.push(address));
    found
}

#[test]
fn every_table_is_found_through_the_newer_root() {
    let wanted = [(16, 36), (200, 52), (300, 244), (800, 64), (900, 46), (600, 76)];
    assert_eq!(tables(&sample(2)), wanted);
}

#[test]
fn the_older_root_is_used_where_there_is_no_other() {
    assert_eq!(tables(&sample(0))[..3], [(16, 20), (100, 44), (300, 244)]);
    let mut memory = sample(2);
    memory.put(40, &0u64.to_le_bytes());
    assert_eq!(tables(&memory)[1], (100, 44));
}

#[test]
fn io_apics_are_found() {
    assert_eq!(io_apics(&sample(2)), [0xfec0_0000, 0xfec0_1000]);
}

#[test]
fn damaged_tables_end_the_search_and_nothing_else() {
    let mut memory = sample(2);
    memory.put(16, b"r");
    assert_eq!(tables(&memory), []);
    let mut memory = sample(2);
    memory.put(204, &u32::MAX.to_le_bytes());
    assert_eq!(tables(&memory), [(16, 36)]);
    let mut memory = sample(2);
    memory.put(200 + HEADER, &u64::MAX.to_le_bytes());
    assert_eq!(tables(&memory)[2], (600, 76));
    // An entry of length 0 would be looked at for ever.
    let mut memory = sample(2);
    memory.put(600 + 44 + 1, &[0]);
    assert_eq!(io_apics(&memory), []);
}
