use std::vec;
use std::vec::Vec;

use boot_contract::memory::Entry;
use dtoolkit::model::{DeviceTree, DeviceTreeNode, DeviceTreeProperty};
use proptest::prelude::*;

use super::*;

/// What QEMU hands over on its board `virt` with 512 MiB.
const VIRT: &[u8] = include_bytes!("../../../../hal/tests/data/virt-gicv2.dtb");

fn pl011(address: u64) -> Console {
    Console { uart: Uart::Pl011, address }
}

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
    assert_eq!(virt.console(), Some(pl011(0x0900_0000)));
    assert_eq!(virt.interrupt_controller(), Some((0x0800_0000, 0x0801_0000)));
    assert_eq!((virt.is_bcm2711(), virt.watchdog()), (false, None));
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
    assert_eq!(read(&first).console(), Some(pl011(0xfe20_1000)));
    let chosen = node("chosen", vec![text("stdout-path", "serial1:115200n8")]);
    let aliases = node("aliases", vec![text("serial1", "/soc/serial@7e201400")]);
    let named = tree(vec![chosen, aliases, soc(&TRANSLATED)]);
    assert_eq!(read(&named).console(), Some(pl011(0xfe20_1400)));
}

#[test]
fn the_command_line_wants_one_of_two_consoles() {
    let console = |words: &str, stdout: &str| {
        let chosen = vec![text("bootargs", words), text("stdout-path", stdout)];
        let mut soc = soc(&TRANSLATED);
        let mini = text("compatible", "brcm,bcm2835-aux-uart");
        soc.add_child(node("serial@7e215040", vec![mini, cells("reg", &[0x7e21_5040, 0x40])]));
        read(&tree(vec![node("chosen", chosen), soc])).console()
    };
    let mini = Some(Console { uart: Uart::Mini, address: 0xfe21_5040 });
    let (first, second) = (Some(pl011(0xfe20_1000)), Some(pl011(0xfe20_1400)));
    assert_eq!(console("", "/soc/serial@7e215040:115200n8"), mini);
    assert_eq!(console("test=1 uart=mini", "/soc/serial@7e201400"), mini);
    assert_eq!(console("uart=pl011 uart=mini", "/soc/serial@7e215040"), first);
    assert_eq!(console("uart=none", "/soc/serial@7e201400"), second);
}

#[test]
fn a_console_that_the_tree_switches_off_is_none() {
    let mut soc = soc(&TRANSLATED);
    for (name, status) in [("serial@7e201000", "disabled"), ("serial@7e201400", "okay")] {
        soc.child_mut(name).unwrap().add_property(text("status", status));
    }
    assert_eq!(read(&tree(vec![soc])).console(), Some(pl011(0xfe20_1400)));
}

#[test]
fn a_console_that_no_bus_leads_to_is_none() {
    assert_eq!(read(&tree(vec![soc(&[0x7c00_0000, 0, 0xfc00_0000, 0x100])])).console(), None);
    assert_eq!(read(&tree(vec![])).console(), None);
}

/// A board with a BCM2711: memory, and what is reserved of it.
fn bcm2711(memory: &[u32], reserved: &[[u32; 3]]) -> Vec<u8> {
    let mut tree = DeviceTree::new();
    tree.root.add_property(text("compatible", "brcm,bcm2711"));
    tree.root.add_property(cells("#address-cells", &[2]));
    tree.root.add_property(cells("#size-cells", &[1]));
    if !memory.is_empty() {
        let properties = vec![text("device_type", "memory"), cells("reg", memory)];
        tree.root.add_child(node("memory@0", properties));
    }
    let mut parent =
        node("reserved-memory", vec![cells("#address-cells", &[2]), cells("#size-cells", &[1])]);
    for (number, reg) in reserved.iter().enumerate() {
        parent.add_child(node(&std::format!("range@{number}"), vec![cells("reg", reg)]));
    }
    tree.root.add_child(parent);
    tree.to_dtb()
}

#[test]
fn a_pi_has_what_its_tree_says_without_the_devices_and_the_page_of_the_other_cores() {
    const GIB: u64 = 1 << 30;
    let stub = (0, PAGE, Kind::Reserved);
    let hole = (0xfc00_0000, 4 * GIB, Kind::Reserved);
    let usable = |base, end| (base, end, Kind::Usable);
    // Boards of 1, 2, 4 and 8 GiB, in ranges as firmware writes them.
    let low = [0, 0, 0x3b40_0000];
    let two = [low, [0, 0x4000_0000, 0x4000_0000]].concat();
    let four = [low, [0, 0x4000_0000, 0xbc00_0000]].concat();
    let eight = [&four[..], &[1, 0, 0x8000_0000, 1, 0x8000_0000, 0x8000_0000]].concat();
    let own = usable(PAGE, 0x3b40_0000);
    let cases = [
        (&low[..], vec![stub, own, hole]),
        (&two, vec![stub, own, usable(GIB, 2 * GIB), hole]),
        (&four, vec![stub, own, usable(GIB, 0xfc00_0000), hole]),
        (&eight, vec![stub, own, usable(GIB, 0xfc00_0000), hole, usable(4 * GIB, 8 * GIB)]),
        // A tree that knows nothing of the hole.
        (
            &[0, 0x4000_0000, u32::MAX],
            vec![stub, usable(GIB, 0xfc00_0000), hole, usable(4 * GIB, 5 * GIB - PAGE)],
        ),
    ];
    for (reg, expected) in cases {
        assert_eq!(memory(&bcm2711(reg, &[])).unwrap(), expected);
    }
}

#[test]
fn reservations_that_overlap_are_one() {
    let reserved = [[0, 0x1000, 0x3000], [0, 0x2000, 0x8000], [0, 0x1000, 0x1000], [0, 0, 1]];
    let ranges = memory(&bcm2711(&[0, 0, 0x10_0000], &reserved)).unwrap();
    let expected = [(0, 0xa000, Kind::Reserved), (0xa000, 0x10_0000, Kind::Usable)];
    assert_eq!(ranges[..2], expected);
}

#[test]
fn a_tree_without_memory_has_none_to_use() {
    let ranges = memory(&bcm2711(&[], &[[0, 0, 0x1000]])).unwrap();
    assert!(ranges.iter().all(|(_, _, kind)| *kind == Kind::Reserved), "{ranges:?}");
    // Firmware did not fill it in.
    let ranges = memory(&bcm2711(&[0, 0, 0], &[])).unwrap();
    assert!(ranges.iter().all(|(_, _, kind)| *kind == Kind::Reserved), "{ranges:?}");
}

/// Everything that is asked of a tree; the answers don't matter.
fn ask(blob: &[u8]) -> bool {
    let Some(tree) = length(blob).filter(|&it| it == blob.len()).and_then(|_| Tree::read(blob))
    else {
        return false;
    };
    let mut room = [Entry::NONE; 16];
    let _ = tree.describe(&mut Map::new(&mut room));
    let _ = (tree.console(), tree.conduit(), tree.initrd(), tree.words(), tree.entropy());
    let _ = (tree.watchdog(), tree.interrupt_controller());
    true
}

#[test]
fn a_tree_that_ends_early_is_refused_wherever_it_ends() {
    for whole in [&crate::known::TREE.0[..], VIRT] {
        assert!(ask(whole));
        for end in (0..whole.len()).step_by(64) {
            // Cut off; with what memory holds behind it; and with a header
            // that was made to fit.
            assert!(!ask(&whole[..end]), "{end}");
            for fill in [0, 0xff] {
                let mut rest = whole[..end].to_vec();
                rest.resize(whole.len(), fill);
                ask(&rest);
            }
            let mut fitted = whole[..end].to_vec();
            if let Some(field) = fitted.get_mut(4..8) {
                field.copy_from_slice(&(end as u32).to_be_bytes());
            }
            assert!(!ask(&fitted), "{end}");
        }
    }
}

/// The tree of Debian's kernel package, where somebody has it.
#[test]
fn a_genuine_tree_is_read() {
    let Some(path) = std::env::var_os("RPI4_DTB") else {
        std::println!("skipped: set RPI4_DTB to a bcm2711-rpi-4-b.dtb");
        return;
    };
    let blob = std::fs::read(path).unwrap();
    let tree = read(&blob);
    assert!(ask(&blob) && tree.is_bcm2711());
    assert_eq!(tree.watchdog(), Some(crate::known::WATCHDOG));
    assert_eq!(tree.interrupt_controller(), Some((0xff84_1000, 0xff84_2000)));
    assert!(tree.console().is_some());
    for end in (0..blob.len()).step_by(64) {
        assert!(!ask(&blob[..end]));
    }
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
fn conduits_are_found_on_any_bus_but_not_of_the_first_version() {
    let psci =
        |name, compatible| node(name, vec![text("compatible", compatible), text("method", "smc")]);
    let mut firmware = node("firmware", vec![]);
    firmware.add_child(psci("psci", "arm,psci-1.0"));
    let found = Some(Conduit::Secure);
    assert_eq!(read(&tree(vec![psci("old", "arm,psci"), firmware])).conduit(), found);
    assert_eq!(read(&tree(vec![psci("psci", "arm,psci")])).conduit(), None);
}

#[test]
fn what_is_disabled_is_as_good_as_none() {
    let status = |status: &str| {
        // What QEMU's `virt,secure=on` has before the memory that everybody uses.
        let memory = |name, base, more: Vec<DeviceTreeProperty>| {
            let reg = vec![text("device_type", "memory"), cells("reg", &[0, base, 0x1000])];
            node(name, [reg, more].concat())
        };
        let secure = memory("secram@e000", 0xe000, vec![text("status", status)]);
        let serial = |name, base| {
            let reg = cells("reg", &[0, base, 0x1000]);
            vec![text("compatible", "arm,pl011"), reg, text("status", name)]
        };
        let first = node("serial@1000", serial(status, 0x1000));
        let second = node("serial@2000", serial("okay", 0x2000));
        let chosen = node("chosen", vec![text("stdout-path", "/serial@1000")]);
        tree(vec![chosen, secure, memory("memory@40000", 0x4_0000, vec![]), first, second])
    };
    let usual = (0x4_0000, 0x4_1000, Kind::Usable);
    for word in ["disabled", "reserved", "fail"] {
        let blob = status(word);
        assert_eq!(memory(&blob), Ok(vec![usual]));
        assert_eq!(read(&blob).console(), Some(pl011(0x2000)));
    }
    for word in ["ok", "okay"] {
        let blob = status(word);
        assert_eq!(memory(&blob), Ok(vec![(0xe000, 0xf000, Kind::Usable), usual]));
        assert_eq!(read(&blob).console(), Some(pl011(0x1000)));
    }
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
