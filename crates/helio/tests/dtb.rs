//! Device trees: QEMU's own, and what the report says of trees that lack
//! something.

use crate::common::{helio_json, helio_text, put, text};
use dtoolkit::model::{DeviceTree as Model, DeviceTreeNode, DeviceTreeProperty};
use serde_json::Value;
use tempfile::tempdir;

const V2: &[u8] = include_bytes!("../../../hal/tests/data/virt-gicv2.dtb");
const V3: &[u8] = include_bytes!("../../../hal/tests/data/virt-gicv3.dtb");

fn report(tree: &[u8]) -> (i32, Value) {
    let place = tempdir().unwrap();
    helio_json(&["dtb", &text(&put(place.path(), "a.dtb", tree))])
}

/// Names of what is missing, with how much it is needed.
fn missing(json: &Value) -> Vec<(&str, &str)> {
    let word = |lack: &'_ Value, name: &str| lack[name].as_str().unwrap().to_owned();
    let list = json["missing"].as_array().unwrap();
    assert!(list.iter().all(|lack| !word(lack, "advice").is_empty()));
    list.iter().map(|it| (it["need"].as_str().unwrap(), it["what"].as_str().unwrap())).collect()
}

#[test]
fn the_tree_of_virt_is_shown_as_the_kernel_uses_it() {
    let (code, json) = report(V2);
    assert_eq!((code, &json["fit"]), (0, &true.into()));
    assert_eq!(json["model"], "linux,dummy-virt");
    assert_eq!(json["usable_bytes"], 512 << 20);
    assert_eq!(json["memory"][0]["base"], "0x40000000");
    assert_eq!(json["processors"][0]["compatible"][0], "arm,cortex-a72");
    let devices = &json["devices"];
    assert_eq!(
        (&devices["uart"]["base"], &devices["uart"]["interrupt"]),
        (&"0x9000000".into(), &33.into())
    );
    assert_eq!(
        (&devices["uart"]["name"], &devices["uart"]["is_stdout"]),
        (&"pl011@9000000".into(), &true.into())
    );
    assert_eq!(devices["controller"]["version"], "GICv2");
    assert_eq!(devices["controller"]["second"]["base"], "0x8010000");
    assert_eq!(
        (&devices["timer"]["virtual_interrupt"], &devices["psci"]),
        (&27.into(), &"hvc".into())
    );
    assert_eq!((&devices["pci"]["base"], &devices["virtio"]), (&"0x4010000000".into(), &32.into()));
    assert_eq!(report(V3).1["devices"]["controller"]["version"], "GICv3");
    // Made without random bytes, which is all that it lacks.
    assert_eq!(missing(&json), [("optional", "random bytes")]);

    let place = tempdir().unwrap();
    let (code, out, _) = helio_text(&["dtb", &text(&put(place.path(), "a.dtb", V3))]);
    assert_eq!(code, 0);
    for word in [
        "GICv3 at 0x8000000",
        "PSCI by hvc",
        "512 MiB are free",
        "interrupt 27 at EL1",
        "the kernel runs with it",
    ] {
        assert!(out.contains(word), "{word}\n{out}");
    }
}

#[test]
fn a_raspberry_pi_4_has_a_watchdog_and_slots_for_a_card() {
    let (code, json) = report(&boot_direct::known::TREE.0);
    assert_eq!(code, 0, "{json}");
    let devices = &json["devices"];
    assert_eq!(devices["watchdog"], "0xfe100000");
    assert_eq!(devices["card_slots"], serde_json::json!(["0xfe340000", "0xfe300000"]));
    assert_eq!(devices["uart"]["name"], "serial@7e201000");
    assert_eq!(missing(&json), [("optional", "processors"), ("optional", "random bytes")]);
}

fn node(name: &str, texts: &[(&str, &str)], cells: &[(&str, &[u32])]) -> DeviceTreeNode {
    let mut node = DeviceTreeNode::builder(name).unwrap();
    for (name, value) in texts {
        node = node.property(DeviceTreeProperty::new(*name, *value).unwrap());
    }
    for (name, value) in cells {
        node = node.property(DeviceTreeProperty::new(*name, *value).unwrap());
    }
    node.build()
}

/// A tree with memory from 1 GiB on, and what is added.
fn tree(nodes: Vec<DeviceTreeNode>) -> Vec<u8> {
    let mut tree = Model::new();
    for name in ["#address-cells", "#size-cells", "interrupt-parent"] {
        tree.root.add_property(DeviceTreeProperty::new(name, [1u32].as_slice()).unwrap());
    }
    tree.root.add_child(node(
        "memory@40000000",
        &[("device_type", "memory")],
        &[("reg", &[0x4000_0000, 0x1000_0000])],
    ));
    nodes.into_iter().for_each(|node| tree.root.add_child(node));
    tree.to_dtb()
}

fn gic(registers: &[u32]) -> DeviceTreeNode {
    let cells: [(&str, &[u32]); 2] = [("reg", registers), ("phandle", &[1])];
    node("intc@8000000", &[("compatible", "arm,gic-400")], &cells)
}

const GIC: [u32; 4] = [0x800_0000, 0x1_0000, 0x801_0000, 0x1_0000];

#[test]
fn a_tree_of_memory_alone_lacks_the_rest_and_is_not_fit() {
    let (code, json) = report(&tree(Vec::new()));
    assert_eq!(
        (code, &json["fit"], &json["usable_bytes"]),
        (1, &false.into(), &(256 << 20).into())
    );
    assert_eq!(
        missing(&json),
        [
            ("required", "an interrupt controller"),
            ("wanted", "a UART"),
            ("wanted", "PSCI"),
            ("wanted", "PCI and virtio"),
            ("optional", "the generic timer"),
            ("optional", "processors"),
            ("optional", "random bytes"),
        ]
    );
    let (code, json) = report(&tree(vec![gic(&GIC)]));
    assert_eq!((code, &json["fit"]), (0, &true.into()));
    assert!(missing(&json).iter().all(|(need, _)| *need != "required"));
}

#[test]
fn registers_that_cannot_be_right_are_told() {
    // Without a length; where memory is.
    let (code, json) = report(&tree(vec![gic(&[0x800_0000, 0, 0x801_0000, 0x1000])]));
    assert_eq!(code, 1);
    assert!(missing(&json)[0].1.contains("length of the interrupt controller's first"), "{json}");
    let (code, json) = report(&tree(vec![gic(&[0x800_0000, 0x1000, 0x4100_0000, 0x1000])]));
    assert_eq!(code, 1);
    assert!(missing(&json)[0].1.contains("place of the interrupt controller's second"), "{json}");
    // A UART without interrupt, one that memory hides, and one that /chosen
    // does not mean.
    let uart =
        |at: u32| node("serial@1", &[("compatible", "arm,pl011")], &[("reg", &[at, 0x1000])]);
    let (code, json) = report(&tree(vec![gic(&GIC), uart(0x900_0000)]));
    assert_eq!(code, 0);
    assert!(missing(&json).contains(&("wanted", "the UART's interrupt")));
    let (code, json) = report(&tree(vec![gic(&GIC), uart(0x4000_0000)]));
    assert_eq!(code, 1);
    assert_eq!(missing(&json)[0], ("required", "a place of the UART's registers"));
    let other = node("other@2", &[("compatible", "ns16550a")], &[("reg", &[2, 1])]);
    let chosen = node("chosen", &[("stdout-path", "/other@2")], &[]);
    let (code, json) = report(&tree(vec![gic(&GIC), uart(0x900_0000), other, chosen]));
    assert_eq!(code, 0);
    assert!(
        missing(&json)
            .iter()
            .any(|(need, what)| *need == "optional" && what.contains("stdout-path"))
    );
}

#[test]
fn a_command_line_that_no_kernel_takes_is_told() {
    let chosen = |words: &str| node("chosen", &[("bootargs", words)], &[]);
    let (code, json) = report(&tree(vec![gic(&GIC), chosen("end=shell pace=0")]));
    assert_eq!(code, 0);
    assert_eq!(json["chosen"]["command_line"], "loader.checked=0 end=shell pace=0");
    let (code, json) = report(&tree(vec![gic(&GIC), chosen("a=\u{e4}")]));
    assert_eq!(code, 1);
    assert_eq!(missing(&json)[0], ("required", "a command line that can be read"));
}

#[test]
fn memory_is_shown_without_what_is_reserved() {
    let mut reserved =
        node("reserved-memory", &[], &[("#address-cells", &[1]), ("#size-cells", &[1])]);
    reserved.add_property(DeviceTreeProperty::new("ranges", [].as_slice() as &[u32]).unwrap());
    reserved.add_child(node("a@48000000", &[], &[("reg", &[0x4800_0000, 0x10_0000])]));
    let (code, json) = report(&tree(vec![gic(&GIC), reserved]));
    assert_eq!((code, &json["usable_bytes"]), (0, &(255 << 20).into()));
    let memory = json["memory"].as_array().unwrap();
    let bases: Vec<_> = memory.iter().map(|range| range["base"].as_str().unwrap()).collect();
    assert_eq!(bases, ["0x40000000", "0x48000000", "0x48100000"]);
    assert_eq!(memory[1]["is_usable"], false);
}

#[test]
fn what_is_no_device_tree_is_refused_with_the_place() {
    let mut cut = V2.to_vec();
    cut.truncate(V2.len() - 5);
    let mut damaged = V2.to_vec();
    // The first token of the structure, which must begin the root node.
    let at = u32::from_be_bytes(V2[8..12].try_into().unwrap()) as usize;
    damaged[at + 3] = 9;
    for (bytes, word) in [
        (&b"nonsense"[..], "d0 0d fe ed"),
        (b"", "d0 0d fe ed"),
        (&cut, "cut off"),
        (&damaged, "at offset"),
    ] {
        let (code, json) = report(bytes);
        assert_eq!(code, 2);
        let error = &json["error"];
        assert!(error["reason"].as_str().unwrap().contains(word), "{error}");
        assert!(error["object"].as_str().unwrap().ends_with("a.dtb"));
    }
    assert_eq!(helio_text(&["dtb", "/nowhere.dtb"]).0, 2);
}

#[test]
fn no_damage_makes_the_report_panic() {
    // Seeded: the same damage each time.
    let mut seed = 1u64;
    for _ in 0..3_000 {
        let mut bad = V2.to_vec();
        for _ in 0..4 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = (seed >> 33) as usize % bad.len();
            bad[at] = (seed >> 8) as u8;
        }
        let _ = helio::device_tree::Report::of(&bad);
    }
    for cut in (0..V2.len()).step_by(97) {
        assert!(helio::device_tree::Report::of(&V2[..cut]).is_err());
    }
}
