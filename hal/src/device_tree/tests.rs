//! Trees of real machines, trees made for the purpose, and damaged ones.

use dtoolkit::model::{DeviceTree as Model, DeviceTreeNode, DeviceTreeProperty};
use proptest::prelude::*;

use super::*;

const VIRT: &[u8] = include_bytes!("../../tests/data/virt-gicv2.dtb");

fn property(name: &str, cells: &[u32]) -> DeviceTreeProperty {
    DeviceTreeProperty::new(name, cells).unwrap()
}

fn string(name: &str, value: &str) -> DeviceTreeProperty {
    DeviceTreeProperty::new(name, value).unwrap()
}

fn node(name: &str, properties: Vec<DeviceTreeProperty>) -> DeviceTreeNode {
    let builder = DeviceTreeNode::builder(name).unwrap();
    properties.into_iter().fold(builder, |builder, property| builder.property(property)).build()
}

fn cells(address: u32, size: u32) -> Vec<DeviceTreeProperty> {
    vec![property("#address-cells", &[address]), property("#size-cells", &[size])]
}

/// A root with one bus, translated by `ranges`, and a UART on it.
fn tree_with_bus(ranges: Option<&[u32]>) -> Vec<u8> {
    let mut tree = Model::new();
    for cell in cells(2, 1) {
        tree.root.add_property(cell);
    }
    let mut bus = node("soc", cells(1, 1));
    if let Some(ranges) = ranges {
        bus.add_property(property("ranges", ranges));
    }
    bus.add_child(node(
        "serial@7e201000",
        vec![string("compatible", "arm,pl011"), property("reg", &[0x7e20_1000, 0x200])],
    ));
    tree.root.add_child(bus);
    tree.to_dtb()
}

fn first_region(blob: &[u8]) -> Option<Region> {
    DeviceTree::new(blob).unwrap().first(&["arm,pl011"])?.regions().first().copied()
}

#[test]
fn console_of_virt_is_found_by_chosen() {
    let tree = DeviceTree::new(VIRT).unwrap();
    let console = tree.stdout().unwrap();
    assert!(console.is_compatible("arm,pl011"));
    assert_eq!(console.regions(), [Region { base: 0x0900_0000, size: 0x1000 }]);
    let interrupt = console.interrupt(0).unwrap();
    assert_eq!(interrupt.line(), Some(33));
    assert_eq!(console.interrupt(1), None);
}

#[test]
fn interrupt_controller_is_the_parent_of_what_it_serves() {
    let tree = DeviceTree::new(VIRT).unwrap();
    let controller = tree.first(&["arm,cortex-a15-gic"]).unwrap();
    assert!(controller.handle().is_some());
    assert_eq!(tree.stdout().unwrap().interrupt_parent(), controller.handle());
    assert_eq!(controller.regions().len(), 2);
}

#[test]
fn each_visits_all_in_the_order_of_the_tree() {
    let tree = DeviceTree::new(VIRT).unwrap();
    let mut bases = Vec::new();
    tree.each(&["virtio,mmio"], |device| {
        bases.push(device.regions()[0].base);
        ControlFlow::Continue(())
    });
    assert_eq!(bases.len(), 32);
    assert!(bases.is_sorted());
}

#[test]
fn board_is_told_by_the_root() {
    let tree = DeviceTree::new(VIRT).unwrap();
    assert!(tree.is_board("linux,dummy-virt"));
    assert!(!tree.is_board("raspberrypi,4-model-b"));
}

#[test]
fn bytes_after_the_tree_are_ignored() {
    let mut blob = VIRT.to_vec();
    blob.extend([0; 4096]);
    assert!(DeviceTree::new(&blob).is_ok());
}

#[test]
fn addresses_are_translated_through_their_bus() {
    let blob = tree_with_bus(Some(&[0x7e00_0000, 0, 0xfe00_0000, 0x0180_0000]));
    assert_eq!(first_region(&blob), Some(Region { base: 0xfe20_1000, size: 0x200 }));
}

#[test]
fn empty_ranges_mean_equal_addresses() {
    let blob = tree_with_bus(Some(&[]));
    assert_eq!(first_region(&blob), Some(Region { base: 0x7e20_1000, size: 0x200 }));
}

#[test]
fn what_no_range_covers_cannot_be_reached() {
    assert_eq!(first_region(&tree_with_bus(None)), None);
    let elsewhere = tree_with_bus(Some(&[0x1000_0000, 0, 0xfe00_0000, 0x0180_0000]));
    assert_eq!(first_region(&elsewhere), None);
    let overflow = tree_with_bus(Some(&[0x7e00_0000, 0xffff_ffff, 0xffff_ff00, 0x0180_0000]));
    assert_eq!(first_region(&overflow), None);
}

#[test]
fn disabled_devices_are_passed_over() {
    let mut tree = Model::new();
    for (name, status) in [("a", "disabled"), ("b", "reserved"), ("c", "okay")] {
        tree.root.add_child(node(name, vec![string("compatible", "x"), string("status", status)]));
    }
    let blob = tree.to_dtb();
    assert_eq!(DeviceTree::new(&blob).unwrap().first(&["x"]).map(|found| found.name()), Some("c"));
}

#[test]
fn console_may_be_named_by_an_alias_with_settings() {
    let mut tree = Model::new();
    tree.root.add_child(node("chosen", vec![string("stdout-path", "serial0:115200n8")]));
    tree.root.add_child(node("aliases", vec![string("serial0", "/bus/uart")]));
    let mut bus = node("bus", vec![]);
    bus.add_child(node("uart", vec![]));
    tree.root.add_child(bus);
    let blob = tree.to_dtb();
    let tree = DeviceTree::new(&blob).unwrap();
    assert_eq!(tree.stdout().map(|found| found.name()), Some("uart"));
}

#[test]
fn interrupt_numbers_beyond_the_controller_are_refused() {
    let line = |kind, number| Specifier { kind, number, flags: 4 }.line();
    assert_eq!(line(0, 1), Some(33));
    assert_eq!(line(1, 11), Some(27));
    assert_eq!(line(2, 0), None);
    assert_eq!(line(0, 988), None);
    assert_eq!(line(0, u32::MAX), None);
}

#[test]
fn endless_nesting_is_followed_to_a_limit() {
    let mut inner = node("leaf", vec![string("compatible", "deep")]);
    for _ in 0..200 {
        let mut outer = node("n", vec![]);
        outer.add_child(inner);
        inner = outer;
    }
    let mut tree = Model::new();
    tree.root.add_child(inner);
    let blob = tree.to_dtb();
    assert!(DeviceTree::new(&blob).unwrap().first(&["deep"]).is_none());
}

/// Uses everything that reads the tree.
fn explore(blob: &[u8]) {
    let Ok(tree) = DeviceTree::new(blob) else { return };
    let _ = (tree.is_board("x"), tree.model(), tree.stdout().map(|found| found.regions().len()));
    tree.each(&["virtio,mmio", "arm,pl011", "arm,armv8-timer"], |device| {
        let _ = (device.regions(), device.interrupt(3), device.handle(), device.text("method"));
        ControlFlow::Continue(())
    });
}

#[test]
fn truncation_at_every_length_is_refused() {
    for length in 0..VIRT.len() {
        assert!(DeviceTree::new(&VIRT[..length]).is_err(), "{length}");
    }
    // Also with a header that agrees with what is left.
    for length in 40..VIRT.len() {
        let mut blob = VIRT[..length].to_vec();
        blob[4..8].copy_from_slice(&(length as u32).to_be_bytes());
        explore(&blob);
    }
}

#[test]
fn no_single_damaged_byte_panics() {
    let mut blob = VIRT.to_vec();
    for at in 0..blob.len() {
        for value in [0, 1, 2, 3, 4, 9, 0x7f, 0xff, blob[at] ^ 0x80] {
            let before = std::mem::replace(&mut blob[at], value);
            explore(&blob);
            blob[at] = before;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_damage_panics(
        changes in prop::collection::vec((0usize..VIRT.len(), any::<u8>()), 1..20),
        cut in 0usize..200,
    ) {
        let mut blob = VIRT.to_vec();
        for (at, value) in changes {
            blob[at] = value;
        }
        blob.truncate(VIRT.len() - cut.saturating_sub(100));
        explore(&blob);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut blob = bytes;
        if blob.len() >= 8 {
            let length = blob.len() as u32;
            blob[..4].copy_from_slice(&[0xd0, 0x0d, 0xfe, 0xed]);
            blob[4..8].copy_from_slice(&length.to_be_bytes());
        }
        explore(&blob);
    }
}
