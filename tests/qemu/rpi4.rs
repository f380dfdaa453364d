//! QEMU's Raspberry Pi 4 with a card that `helio` made.
//!
//! It has no firmware, so QEMU enters the image on the card as firmware would.
//! What only a board can show is in docs/RPI4.md.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use boot_direct::known;
use dtoolkit::fdt::Fdt;
use dtoolkit::model::{DeviceTree, DeviceTreeNode, DeviceTreeProperty};
use helio::pack::Recipe;
use helio::qemu::Boot;
use helio::session::emulated;
use integration::{Arch, End, Trial, Way, artefacts, work::Work};
use witness::record::{Board, Body, EventKind, Flags};
use witness::verify::Expected;

use crate::regress;

/// Where QEMU has x0 point to where it was given no tree.
const X0: u64 = 0x100;

fn trial() -> Trial {
    Trial::new(Arch::Aarch64, Way::Card)
}

/// Whether this QEMU has the board, as version 9 and later have. Debian 12's
/// own is older: `make test-qemu` says what is left out.
fn is_there() -> bool {
    let output = Command::new("qemu-system-aarch64").args(["-machine", "help"]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).contains("raspi4b")
}

#[test]
fn a_card_runs_regress_with_its_log_on_its_own_partition() {
    if !is_there() {
        return;
    }
    let trial = trial();
    let expected = regress::expected(&trial);
    let left = trial.words(&regress::nonce()).run();
    // Switched off by the watchdog, which has no status.
    assert_eq!(left.end, End::Silent, "{}", left.console());
    let facts = regress::ran(&left, expected);
    let machine = facts.machine.unwrap();
    assert_eq!(machine.board, Board::Rpi4);
    assert!(machine.flags.contains(Flags::TO_DISK | Flags::FLUSHES));
    assert!(!machine.flags.contains(Flags::KERNEL_CHECKED));
    let platform = left.said("Raspberry Pi 4 by device tree: ");
    let [platform] = &platform[..] else { panic!("{}", left.console()) };
    assert!(platform.starts_with("EL1, PL011, GICv2, virtual timer at "), "{platform}");
    assert!(platform.contains("revision b03115, serial 0000000000000000, "), "{platform}");
    assert!(platform.ends_with(" on EMMC, log partition of 80 MiB"), "{platform}");
    // The rest of the card is as it was made.
    let card = left.disk.as_deref().unwrap();
    let boot = helio::image::partition(card).unwrap();
    let files = helio::image::read_back(&card[boot]).unwrap();
    assert!(files.iter().any(|file| file.path == helio::image::rpi4::KERNEL));
}

/// The board, for what no [`Trial`] has: its end after a minute at the latest,
/// and no more.
fn board() -> Command {
    let mut command = Command::new("timeout");
    command.args(["60", "qemu-system-aarch64", "-machine", "raspi4b", "-accel", "tcg"]);
    command.args(["-nic", "none", "-no-reboot", "-display", "none", "-monitor", "none"]);
    command
}

/// Without firmware, and without anybody to describe the board: four cores
/// arrive at EL3, and one goes on with what is known.
#[test]
fn nobody_describes_the_board_and_it_is_entered_at_el3() {
    if !is_there() {
        return;
    }
    let work = Work::new("rpi4-el3");
    let trial = trial();
    let image = artefacts::direct_image();
    emulated::card(&trial.spec, &image, work.path()).unwrap();
    let path = |name: &str| work.path().join(name).display().to_string();
    let mut command = board();
    command.args(["-serial", "stdio", "-drive"]);
    command.arg(format!("if=sd,format=raw,file={}", path("card.img")));
    command.arg("-device");
    command.arg(format!("loader,file={},addr=0x200000,force-raw=on", path("kernel8.img")));
    for core in 0..4 {
        command.args(["-device", &format!("loader,addr=0x200000,cpu-num={core}")]);
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    let console = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(console.contains("[loader] register x0 points to no device tree"), "{console}");
    assert_eq!(console.matches("[loader] ").count(), 2, "{console}");
    assert!(console.contains("[kernel] task regress: exit 0"), "{console}");
    let imported = helio::log::import(Path::new(&path("card.img")), None).unwrap();
    let log = integration::Log::new(&imported.log);
    log.verified(Expected::default());
    log.assert_same_records(&regress::hosted().log);
}

/// The board's tree.
fn tree() -> DeviceTree {
    DeviceTree::from_fdt(&Fdt::new(&known::TREE.0).unwrap())
}

/// The other UART of the board, which it has as its second serial port, talks,
/// and listens: nothing but what is typed ends the run.
#[test]
fn the_console_is_the_uart_that_the_tree_chooses() {
    if !is_there() {
        return;
    }
    let work = Work::new("rpi4-mini");
    let image = artefacts::direct_image();
    let boot = emulated::card(&trial().spec, &image, work.path()).unwrap();
    let Boot::Card { card, image, .. } = boot else { panic!("{boot:?}") };
    let mut tree = tree();
    let chosen = tree.find_node_mut("/chosen").unwrap();
    chosen.property_mut("stdout-path").unwrap().set_value("/soc/serial@7e215040:115200n8");
    let [blob, typed] = ["mini.dtb", "typed"].map(|name| work.path().join(name));
    fs::write(&blob, tree.to_dtb()).unwrap();
    fs::write(&typed, "poweroff\r").unwrap();
    let mut command = board();
    command.args(["-serial", "null", "-serial", "stdio", "-append", "end=shell", "-kernel"]);
    command.arg(image).arg("-dtb").arg(blob).arg("-drive");
    command.arg(format!("if=sd,format=raw,file={}", card.display()));
    let output = command.stdin(File::open(typed).unwrap()).output().unwrap();
    let console = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(console.contains("[loader] "), "{console}");
    assert!(console.contains("by device tree: EL1, mini-UART, GICv2, "), "{console}");
}

/// The board's tree with ranges of memory reserved, and all the memory that
/// QEMU has: what a tree calls memory under this name, QEMU leaves as it is. And
/// with a name that is longer than the specification allows, which the makers'
/// trees had for years.
fn reserving(ranges: &[[u32; 3]]) -> Vec<u8> {
    let mut tree = tree();
    let cells = |name: &str, cells: &[u32]| DeviceTreeProperty::new(name, cells).unwrap();
    let mut upper = DeviceTreeNode::new("upper@40000000").unwrap();
    upper.add_property(DeviceTreeProperty::new("device_type", "memory").unwrap());
    upper.add_property(cells("reg", &[0, 0x4000_0000, 0x4000_0000]));
    tree.root.add_child(upper);
    let long = "arm,cpu-registers-not-fw-configured";
    let timer = tree.find_node_mut("/timer").unwrap();
    timer.add_property(DeviceTreeProperty::new_unchecked(long, [0_u8; 0].as_slice()));
    let mut parent = DeviceTreeNode::new("reserved-memory").unwrap();
    parent.add_property(cells("#address-cells", &[2]));
    parent.add_property(cells("#size-cells", &[1]));
    for (number, range) in ranges.iter().enumerate() {
        let mut node = DeviceTreeNode::new(format!("range@{number}")).unwrap();
        node.add_property(cells("reg", range));
        parent.add_child(node);
    }
    tree.root.add_child(parent);
    tree.to_dtb()
}

/// And the VideoCore, which reaches the first GiB alone, answers even where the
/// heap has taken all of that.
#[test]
fn a_tree_with_reservations_that_overlap_and_memory_beyond_1_gib_boots() {
    if !is_there() {
        return;
    }
    let ranges = [[0, 0x1000_0000, 0x20_0000], [0, 0x1010_0000, 0x20_0000], [0, 0x1000_0000, 1]];
    let words = format!("heap={}", 1200 << 20);
    let mut machine = trial().tree(reserving(&ranges)).words(&words).start();
    machine.expect("the heap has 1200 MiB");
    machine.expect("revision b03115");
    machine.expect("init: devices done");
}

/// A tree of a board with a PL011 and a watchdog, and no memory; short enough
/// for the place that x0 points to.
fn without_memory() -> Vec<u8> {
    let mut tree = DeviceTree::new();
    let text = |name: &str, text: &str| DeviceTreeProperty::new(name, text).unwrap();
    let cells = |name: &str, cells: &[u32]| DeviceTreeProperty::new(name, cells).unwrap();
    tree.root.add_property(cells("#address-cells", &[1]));
    tree.root.add_property(cells("#size-cells", &[1]));
    for (name, kind, base) in [
        ("serial", "arm,pl011", known::PL011 as u32),
        ("watchdog", "brcm,bcm2835-pm-wdt", known::WATCHDOG as u32),
    ] {
        let mut node = DeviceTreeNode::new(name).unwrap();
        node.add_property(text("compatible", kind));
        node.add_property(cells("reg", &[base, 0x100]));
        tree.root.add_child(node);
    }
    tree.to_dtb()
}

/// The loader says why it starts nothing, and switches the board off.
#[track_caller]
fn refuses(tree: &[u8], why: &str) {
    let work = Work::new("tree");
    let path = work.path().join("tree.dtb");
    fs::write(&path, tree).unwrap();
    let loader = format!("loader,file={},addr={X0:#x},force-raw=on", path.display());
    let left = trial().without_tree().arguments(&["-device", &loader]).run();
    assert_eq!(left.end, End::Silent);
    let expected = format!("[loader] nothing is started: {why}\n");
    assert_eq!(left.console(), expected);
}

#[test]
fn a_tree_without_memory_or_with_its_end_missing_is_a_clear_halt() {
    if !is_there() {
        return;
    }
    let tree = without_memory();
    assert!(tree.len() <= 512, "{}", tree.len());
    refuses(&tree, "the device tree names no memory");
    refuses(&known::TREE.0[..448], "the device tree that x0 points to is damaged");
}

/// A reactor that subscribes to a sensor, and says that it was read.
const LISTENER: &str = r#"(module
    (import "heliograph" "queue_send" (func $send (param i32 i32 i32 i32 i32) (result i64)))
    (import "heliograph" "queue_recv" (func $receive (param i32 i64 i32 i32) (result i64)))
    (import "heliograph" "sensor_subscribe" (func $subscribe (param i32 i32) (result i64)))
    (memory (export "memory") 1)
    (data (i32.const 0) "the sensor was read\0a")
    (func (export "_initialize") (drop (call $subscribe (i32.const 0) (i32.const -2))))
    (func (export "on_message")
        (drop (call $receive (i32.const -2) (i64.const 0) (i32.const 64) (i32.const 256)))
        (drop (call $send (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 20)))))"#;

const RECIPE: &str = r#"
    package = { name = "listener", version = 1 }
    limits = { fuel = 100_000_000, memory = 65_536, records = 1_000 }
    component = [{ name = "listener", file = "listener.wat" }]
    sensor = [{ name = "temperature" }]
    [[task]]
    name = "listener"
    component = "listener"
    kind = "reactor"
    memory = 65_536
    capabilities = [
        { kind = "sensor", name = "temperature", rights = ["read"] },
        { kind = "queue", name = "console", rights = ["write"] },
    ]
"#;

#[test]
fn the_chips_temperature_is_a_sensor() {
    if !is_there() {
        return;
    }
    let work = Work::new("listener");
    let path = work.path().join("listener.toml");
    fs::write(&path, RECIPE).unwrap();
    fs::write(work.path().join("listener.wat"), LISTENER).unwrap();
    let contents = Recipe::read(&path).unwrap().gather(work.path()).unwrap();
    let package = contents.sign(&artefacts::operator()).unwrap();
    let mut machine = trial().package(package).words("end=shell").start();
    machine.expect("the sensor was read");
    machine.expect("the sensor was read");
    // What is typed arrives, too.
    machine.send("poweroff\r");
    let left = machine.wait();
    assert_eq!(left.end, End::Silent, "{}", left.console());
    let log = left.log();
    log.verified(Expected::default());
    let records = log.records();
    let readings = records.iter().filter_map(|record| match &record.body {
        Body::Event(event) if event.kind == EventKind::Sensor => Some(event.data.bytes()),
        _ => None,
    });
    // QEMU's is always 25 degrees.
    let readings: Vec<_> = readings.collect();
    assert!(readings.len() >= 2 && readings.iter().all(|it| **it == 25_000_i32.to_le_bytes()));
}
