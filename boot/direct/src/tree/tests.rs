use std::vec;
use std::vec::Vec;

use boot_contract::memory::Entry;
use dtoolkit::model::{DeviceTree, DeviceTreeNode, DeviceTreeProperty};
use proptest::prelude::*;

use super::*;

/// What QEMU hands over on its board `virt` with 512 MiB.
const VIRT: &[u8] = include_bytes!("../../../../hal/tests/data/virt-gicv2.dtb");

fn cells(name: &str, cells: &[u32]) -> DeviceTreeProperty {
    DeviceTreeProperty::new(name, cells).unwrap()
}

fn text(name: &str, value: &str) -> DeviceTreeProperty {
    DeviceTreeProperty::new(name, value).unwrap()
}

fn node(name: &str, properties: Vec<DeviceTreeProperty>) -> DeviceTreeNode {
    let builder = DeviceTreeNode::builder(name).unwrap();
    properties.into_iter().fold(builder, |builder, property| builder.property(property)).build()
}

fn tree(children: Vec<DeviceTreeNode>) -> Vec<u8> {
    let mut tree = DeviceTree::new();
    tree.root.add_property(cells("#address-cells", &[2]));
    tree.root.add_property(cells("#size-cells", &[1]));
    children.into_iter().for_each(|child| tree.root.add_child(child));
    tree.to_dtb()
}

fn read(blob: &[u8]) -> Tree<'_> {
    Tree::read(blob).unwrap()
}

fn memory(blob: &[u8]) -> Result<Vec<(u64, u64, Kind)>, MemoryError> {
    let mut room = [Entry::NONE; 16];
    let mut map = Map::new(&mut room);
    read(blob).describe(&mut map)?;
    Ok(map.finish().iter().map(|entry| (entry.base, entry.end(), entry.kind)).collect())
}

#[test]
fn a_real_tree_says_where_everything_is() {
    let virt = read(VIRT);
    assert_eq!(virt.console(), Some(0x0900_0000));
    assert_eq!(virt.conduit(), Some(Conduit::Hypervisor));
    assert_eq!(virt.initrd(), None);
    assert_eq!(virt.words(), b"");
    assert_eq!(memory(VIRT), Ok(vec![(0x4000_0000, 0x6000_0000, Kind::Usable)]));
    assert_eq!(length(VIRT), Some(VIRT.len()));
}

#[test]
fn chosen_is_read_in_cells_of_either_size() {
    let chosen = |start: &[u32], end: &[u32]| {
        tree(vec![node(
            "chosen",
            vec![
                text("bootargs", "test=1 console=ttyAMA0"),
                cells("linux,initrd-start", start),
                cells("linux,initrd-end", end),
                cells("rng-seed", &[0x0102_0304; 9]),
            ],
        )])
    };
    let blob = chosen(&[0x4800_0000], &[0x4900_0000]);
    assert_eq!(read(&blob).initrd(), Some((0x4800_0000, 0x4900_0000)));
    assert_eq!(read(&blob).words(), b"test=1 console=ttyAMA0\0");
    assert_eq!(read(&blob).entropy(), Some([1, 2, 3, 4].repeat(8).as_slice()));
    let blob = chosen(&[1, 0], &[1, 5]);
    assert_eq!(read(&blob).initrd(), Some((1 << 32, (1 << 32) + 5)));
    for (start, end) in [(&[5][..], &[5][..]), (&[6], &[5]), (&[1, 2, 3], &[9]), (&[], &[9])] {
        assert_eq!(read(&chosen(start, end)).initrd(), None);
    }
}

#[test]
fn too_short_a_seed_is_no_entropy() {
    let blob = tree(vec![node("chosen", vec![cells("rng-seed", &[1; 7])])]);
    assert_eq!(read(&blob).entropy(), None);
}

#[test]
fn reserved_pages_are_taken_out_of_memory() {
    let mut reserved = node(
        "reserved-memory",
        vec![
            cells("#address-cells", &[2]),
            cells("#size-cells", &[1]),
            DeviceTreeProperty::new("ranges", [0_u8; 0].as_slice()).unwrap(),
        ],
    );
    reserved.add_child(node("firmware@2800", vec![cells("reg", &[0, 0x2800, 0x1000])]));
    reserved.add_child(node("pool", vec![cells("size", &[0x10000])]));
    let memory_node = node(
        "memory@1000",
        vec![text("device_type", "memory"), cells("reg", &[0, 0x1000, 0x8000, 0, 0x10000, 0])],
    );
    let wanted = [
        (0x1000, 0x2000, Kind::Usable),
        (0x2000, 0x4000, Kind::Reserved),
        (0x4000, 0x9000, Kind::Usable),
    ];
    assert_eq!(memory(&tree(vec![memory_node, reserved])).unwrap(), wanted);
}

#[test]
fn memory_beyond_all_addresses_is_refused() {
    let reg = cells("reg", &[u32::MAX, u32::MAX, 2]);
    let blob = tree(vec![node("memory@0", vec![text("device_type", "memory"), reg])]);
    assert_eq!(memory(&blob), Err(MemoryError::BadRange));
}

/// A Raspberry Pi's way to describe its UARTs: on a bus with addresses of its
/// own.
fn soc(ranges: &[u32]) -> DeviceTreeNode {
    let mut soc = node(
        "soc",
        vec![cells("#address-cells", &[1]), cells("#size-cells", &[1]), cells("ranges", ranges)],
    );
    for (name, address) in [("serial@7e201000", 0x7e20_1000), ("serial@7e201400", 0x7e20_1400)] {
        let reg = cells("reg", &[address, 0x200]);
        soc.add_child(node(name, vec![text("compatible", "arm,pl011"), reg]));
    }
    soc
}

const TRANSLATED: [u32; 8] =
    [0x7c00_0000, 0, 0xfc00_0000, 0x0100_0000, 0x7e00_0000, 0, 0xfe00_0000, 0x0180_0000];

#[test]
fn the_console_is_the_one_chosen_else_the_first() {
    let first = tree(vec![soc(&TRANSLATED)]);
    assert_eq!(read(&first).console(), Some(0xfe20_1000));
    let chosen = node("chosen", vec![text("stdout-path", "serial1:115200n8")]);
    let aliases = node("aliases", vec![text("serial1", "/soc/serial@7e201400")]);
    let named = tree(vec![chosen, aliases, soc(&TRANSLATED)]);
    assert_eq!(read(&named).console(), Some(0xfe20_1400));
}

#[test]
fn a_console_that_no_bus_leads_to_is_none() {
    assert_eq!(read(&tree(vec![soc(&[0x7c00_0000, 0, 0xfc00_0000, 0x100])])).console(), None);
    assert_eq!(read(&tree(vec![])).console(), None);
}

#[test]
fn conduits_are_told_apart() {
    let psci = |method| {
        let properties = vec![text("compatible", "arm,psci-0.2"), text("method", method)];
        tree(vec![node("psci", properties)])
    };
    assert_eq!(read(&psci("smc")).conduit(), Some(Conduit::Secure));
    assert_eq!(read(&psci("hvc")).conduit(), Some(Conduit::Hypervisor));
    assert_eq!(read(&psci("none")).conduit(), None);
    assert_eq!(read(&tree(vec![])).conduit(), None);
}

#[test]
fn what_is_no_tree_is_noticed_by_its_header() {
    assert_eq!(length(&VIRT[..7]), None);
    assert_eq!(length(b"\x7fELF\0\0\0\0"), None);
    assert_eq!(length(&[0xd0, 0x0d, 0xfe, 0xed, 0xff, 0, 0, 0]), None);
    assert!(Tree::read(&VIRT[..VIRT.len() - 1]).is_none());
}

proptest! {
    #[test]
    fn a_damaged_tree_never_ends_in_a_panic(
        changes in proptest::collection::vec((0..VIRT.len(), any::<u8>()), 1..16),
    ) {
        let mut blob = VIRT.to_vec();
        for (at, byte) in changes {
            blob[at] = byte;
        }
        if let Some(tree) = Tree::read(&blob) {
            let mut room = [Entry::NONE; 16];
            let _ = tree.describe(&mut Map::new(&mut room));
            let _ = (tree.console(), tree.conduit(), tree.initrd(), tree.words(), tree.entropy());
        }
    }
}
