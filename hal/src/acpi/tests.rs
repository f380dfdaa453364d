use super::fadt::{Fadt, soft_off};
use super::madt::{Entry, Signal};
use super::mcfg::Segment;
use super::spcr::{Kind, Spcr};
use super::*;

/// Firmware memory from address 0x1000 on.
struct Memory(Vec<u8>);

impl FirmwareMemory for Memory {
    fn read(&mut self, physical: u64, length: usize) -> Result<&'static [u8], DiscoverError> {
        let start = usize::try_from(physical).unwrap().checked_sub(0x1000);
        let bytes = start.and_then(|start| self.0.get(start..start.checked_add(length)?));
        let bytes = bytes.ok_or(DiscoverError::BadDescription("outside"))?;
        // A test's memory may leak.
        Ok(Box::leak(bytes.to_vec().into_boxed_slice()))
    }
}

fn sum(bytes: &mut [u8], at: usize) {
    bytes[at] = 0;
    bytes[at] = bytes.iter().fold(0u8, |sum, byte| sum.wrapping_sub(*byte));
}

/// A table with this signature and body.
fn make(signature: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; HEADER];
    bytes[..4].copy_from_slice(signature);
    bytes.extend_from_slice(body);
    let length = bytes.len() as u32;
    bytes[4..8].copy_from_slice(&length.to_le_bytes());
    sum(&mut bytes, 9);
    bytes
}

/// RSDP at 0x1000, root table at 0x1100, the tables after it.
fn firmware(revision: u8, tables: &[Vec<u8>]) -> Memory {
    let wide = revision >= 2;
    let mut at = 0x1400u64;
    let (mut entries, mut data) = (Vec::new(), Vec::new());
    for table in tables {
        entries.extend_from_slice(&at.to_le_bytes()[..if wide { 8 } else { 4 }]);
        data.extend_from_slice(table);
        at += table.len() as u64;
    }
    let mut memory = vec![0; 0x400];
    memory[..8].copy_from_slice(b"RSD PTR ");
    memory[15] = revision;
    if wide {
        memory[20..24].copy_from_slice(&36u32.to_le_bytes());
        memory[24..32].copy_from_slice(&0x1100u64.to_le_bytes());
    } else {
        memory[16..20].copy_from_slice(&0x1100u32.to_le_bytes());
    }
    sum(&mut memory[..20], 8);
    sum(&mut memory[..36], 32);
    let root = make(if wide { b"XSDT" } else { b"RSDT" }, &entries);
    memory[0x100..0x100 + root.len()].copy_from_slice(&root);
    memory.extend_from_slice(&data);
    Memory(memory)
}

#[test]
fn tables_are_found_by_either_root_and_a_damaged_one_hides_no_other() {
    let mut bad = make(b"FACP", &[1, 2, 3]);
    bad[9] ^= 1;
    for revision in [0, 2] {
        let tables = [bad.clone(), make(b"APIC", &[0; 8]), make(b"MCFG", &[0; 24])];
        let found = Tables::find(&mut firmware(revision, &tables), 0x1000).unwrap();
        assert_eq!(found.get(b"APIC"), Some(&tables[1][..]));
        assert_eq!(found.get(b"MCFG"), Some(&tables[2][..]));
        assert_eq!(found.get(b"FACP"), None);
        assert_eq!(found.get(b"HPET"), None);
    }
}

#[test]
fn no_damaged_byte_of_the_pointer_is_overlooked() {
    for revision in [0, 2] {
        let checked = if revision == 0 { 20 } else { 36 };
        for at in 0..checked {
            let mut memory = firmware(revision, &[]);
            memory.0[at] ^= 0x40;
            assert!(Tables::find(&mut memory, 0x1000).is_err(), "byte {at}");
        }
    }
}

#[test]
fn a_table_that_says_it_is_longer_than_memory_is_refused() {
    let mut memory = firmware(2, &[]);
    memory.0[0x104..0x108].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(Tables::find(&mut memory, 0x1000).is_err());
}

#[test]
fn the_madt_gives_its_entries_whatever_stands_between() {
    let mut body = vec![0, 0, 0xe0, 0xfe, 1, 0, 0, 0];
    body.extend_from_slice(&[0, 8, 0, 0, 1, 0, 0, 0]);
    body.extend_from_slice(&[1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0]);
    body.extend_from_slice(&[0x90, 3, 0xff]);
    body.extend_from_slice(&[2, 10, 0, 9, 9, 0, 0, 0, 0x0f, 0]);
    body.extend_from_slice(&[2, 10, 0, 0, 2, 0, 0, 0, 0, 0]);
    let table = make(b"APIC", &body);
    assert_eq!(madt::local_apic(&table), Some(0xfee0_0000));
    let entries: Vec<_> = madt::entries(&table).collect();
    assert_eq!(
        entries,
        [
            Entry::IoApic { address: 0xfec0_0000, first_interrupt: 0 },
            Entry::Override { source: 9, interrupt: 9, signal: Signal { low: true, level: true } },
            Entry::Override { source: 0, interrupt: 2, signal: Signal::ISA },
        ]
    );
}

#[test]
fn tables_cut_anywhere_or_made_of_noise_end_in_fewer_facts_and_never_in_a_panic() {
    let mut state = 7u32;
    let noise: Vec<u8> = (0..400)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    for length in 0..noise.len() {
        for start in [0, 1, 100] {
            let Some(table) = noise.get(start..length) else { continue };
            let _ = madt::entries(table).count();
            let _ = mcfg::segments(table).count();
            let _ = (Fadt::parse(table), Spcr::parse(table), gtdt::Gtdt::parse(table));
            let _ = soft_off(table);
        }
    }
    // An entry of length zero must not be walked for ever.
    assert_eq!(madt::entries(&make(b"APIC", &[0; 64])).count(), 0);
}

#[test]
fn the_fadt_prefers_extended_registers_and_falls_back_to_ports() {
    let mut body = vec![0; 244 - HEADER];
    let mut put =
        |at: usize, bytes: &[u8]| body[at - HEADER..][..bytes.len()].copy_from_slice(bytes);
    put(40, &0x7000u32.to_le_bytes());
    put(64, &0x604u32.to_le_bytes());
    put(76, &0x608u32.to_le_bytes());
    put(112, &(1u32 << 10 | 1 << 8).to_le_bytes());
    put(116, &[1, 8, 0, 1, 0xf9, 0x0c, 0, 0, 0, 0, 0, 0]);
    put(128, &[0x0f, 3, 0]);
    put(172, &[0, 16, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0]);
    let fadt = Fadt::parse(&make(b"FACP", &body));
    assert_eq!(fadt.dsdt, 0x7000);
    assert_eq!(fadt.pm1a_control, Some(Register { space: Space::Memory, address: 0x10000 }));
    assert_eq!(fadt.pm1b_control, None);
    assert_eq!(fadt.pm_timer, Some(Register { space: Space::Port, address: 0x608 }));
    assert!(fadt.pm_timer_is_wide);
    assert_eq!(fadt.reset, Some(Register { space: Space::Port, address: 0xcf9 }));
    assert_eq!(fadt.reset_value, 0x0f);
    assert!(fadt.has_psci && fadt.psci_uses_hvc);
    assert_eq!(Fadt::parse(&[]), Fadt::default());
}

#[test]
fn the_sleep_type_for_off_is_found_in_its_encodings() {
    let package = |body: &[u8]| [b"junk\x08_S5_\x12".as_slice(), body].concat();
    assert_eq!(soft_off(&package(&[0x06, 4, 0, 0, 0, 0])), Some((0, 0)));
    assert_eq!(soft_off(&package(&[0x08, 2, 0x0a, 5, 0x0a, 7])), Some((5, 7)));
    assert_eq!(soft_off(&package(&[0x48, 0, 2, 1, 0])), Some((1, 0)));
    assert_eq!(soft_off(&package(&[0x06, 4, 0x0a, 8, 0])), None);
    assert_eq!(soft_off(&package(&[])), None);
    assert_eq!(soft_off(b"_S4_\x12\x06\x04"), None);
}

#[test]
fn a_pcs_console_is_at_the_ports_and_the_interrupt_that_are_described() {
    // ISA interrupt 3 arrives elsewhere, as a low level.
    let mut body = vec![0; 8];
    body.extend_from_slice(&[2, 10, 0, 3, 19, 0, 0, 0, 0x0f, 0]);
    let madt = make(b"APIC", &body);
    let low = Signal { low: true, level: true };
    let console = |kind: u8, space: u8, port: u64, how: u8, isa: u8, global: u32| {
        let mut body = vec![0; 80 - HEADER];
        body[0] = kind;
        body[4..8].copy_from_slice(&[space, 8, 0, 1]);
        body[8..16].copy_from_slice(&port.to_le_bytes());
        body[16..18].copy_from_slice(&[how, isa]);
        body[18..22].copy_from_slice(&global.to_le_bytes());
        Spcr::parse(&make(b"SPCR", &body))?.on_ports(&madt)
    };
    assert_eq!(console(0, 1, 0x2f8, 3, 4, 4), Some((0x2f8, Some((4, Signal::ISA)))));
    assert_eq!(console(1, 1, 0x2f8, 1, 3, 0), Some((0x2f8, Some((19, low)))));
    assert_eq!(console(0x12, 1, 0x2f8, 2, 0, 19), Some((0x2f8, Some((19, low)))));
    assert_eq!(console(0, 1, 0xe000, 2, 0, 40), Some((0xe000, Some((40, Signal::PCI)))));
    assert_eq!(console(0, 1, 0x3f8, 0, 0, 0), Some((0x3f8, None)));
    // In memory, none, beyond all ports, another kind.
    assert_eq!(console(0, 0, 0xfe00_0000, 2, 0, 4), None);
    assert_eq!(console(0, 1, 0, 2, 0, 4), None);
    assert_eq!(console(0, 1, 0xfff9, 2, 0, 4), None);
    assert_eq!(console(3, 1, 0x2f8, 2, 0, 4), None);
}

#[test]
fn the_console_and_the_pci_segments_are_read() {
    let mut body = vec![0; 80 - HEADER];
    body[0] = 3;
    body[4..16].copy_from_slice(&[0, 32, 0, 3, 0, 0, 0, 9, 0, 0, 0, 0]);
    body[16] = 8;
    body[18..22].copy_from_slice(&33u32.to_le_bytes());
    let spcr = Spcr::parse(&make(b"SPCR", &body)).unwrap();
    let registers = Register { space: Space::Memory, address: 0x900_0000 };
    let expected =
        Spcr { kind: Kind::Pl011, registers, interrupt: Some(33), legacy_interrupt: None };
    assert_eq!((spcr, spcr.on_ports(&[])), (expected, None));

    let mut body = vec![0; 8];
    body.extend_from_slice(&0xe000_0000u64.to_le_bytes());
    body.extend_from_slice(&[0, 0, 0, 255, 0, 0, 0, 0]);
    body.extend_from_slice(&[1; 7]);
    let table = make(b"MCFG", &body);
    let segment = Segment { base: 0xe000_0000, group: 0, first_bus: 0, last_bus: 255 };
    assert_eq!(mcfg::segments(&table).collect::<Vec<_>>(), [segment]);
}
