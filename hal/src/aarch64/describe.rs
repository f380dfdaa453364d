//! What the machine is made of, as ACPI or a device tree describes it.

use core::ops::ControlFlow;

use crate::acpi::madt::{self, Entry};
use crate::acpi::mcfg::{self, Segment};
use crate::acpi::{Space, Tables, fadt::Fadt, gtdt::Gtdt, spcr};
use crate::boot;
use crate::device_tree::{Device, DeviceTree, Region};

/// Most virtio devices that are looked at: what `virt` has.
const VIRTIO_DEVICES: usize = 32;

/// Private interrupts of the timers where nothing else is said (Base System
/// Architecture, Arm DEN 0094, "PPI assignments").
const VIRTUAL_TIMER: u32 = 27;
const HYPERVISOR_TIMER: u32 = 26;

/// Bytes of registers that a GICv2 distributor and CPU interface have.
const GICV2_DISTRIBUTOR: u64 = 0x1000;
const GICV2_INTERFACE: u64 = 0x1000;
/// Bytes of registers that a GICv3 distributor and one redistributor have.
const GICV3_DISTRIBUTOR: u64 = 0x1_0000;
const GICV3_REDISTRIBUTOR: u64 = 0x2_0000;

/// Interrupt controllers that the kernel drives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Controller {
    /// GICv2.
    V2 {
        /// The distributor's registers.
        distributor: Region,
        /// The CPU interface's registers.
        interface: Region,
    },
    /// GICv3, and GICv4 as such.
    V3 {
        /// The distributor's registers.
        distributor: Region,
        /// The registers of one or more redistributors.
        redistributors: Region,
    },
}

/// Kinds of UARTs that can be the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UartKind {
    /// A PL011, or the part of one that SBSA asks for.
    Pl011,
    /// The mini-UART of a BCM2711.
    BcmMini,
}

impl UartKind {
    /// What trees call it.
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Pl011 => &["arm,pl011", "arm,sbsa-uart"],
            Self::BcmMini => &["brcm,bcm2835-aux-uart"],
        }
    }

    /// Its name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pl011 => "PL011",
            Self::BcmMini => "mini-UART",
        }
    }

    /// The one that the command line wants as console: the word `uart=pl011`
    /// or `uart=mini`, of which the first counts.
    pub fn wanted(command_line: &str) -> Option<Self> {
        match boot::word(command_line, "uart")? {
            "pl011" => Some(Self::Pl011),
            "mini" => Some(Self::BcmMini),
            _ => None,
        }
    }
}

/// A console's UART.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uart {
    /// What it is.
    pub kind: UartKind,
    /// Physical address of its registers.
    pub base: u64,
    /// Its interrupt, level triggered.
    pub line: Option<u32>,
}

/// Parts of a BCM2711 that others don't have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bcm2711 {
    /// The VideoCore's mailbox.
    pub mailbox: Option<u64>,
    /// The pins.
    pub gpio: Option<u64>,
    /// The watchdog, which restarts.
    pub watchdog: Option<u64>,
    /// The random number generator.
    pub generator: Option<u64>,
    /// The SD host controllers EMMC2 and EMMC, in the order in which a card is
    /// looked for.
    pub slots: [Option<u64>; 2],
}

/// How the firmware is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduit {
    /// By `hvc`.
    Hypervisor,
    /// By `smc`.
    SecureMonitor,
}

/// What the kernel uses of the machine.
#[derive(Clone, Debug)]
pub struct Description {
    /// The interrupt controller.
    pub controller: Option<Controller>,
    /// The console.
    pub uart: Option<Uart>,
    /// Interrupt of the EL1 virtual timer.
    pub virtual_timer: u32,
    /// Interrupt of the EL2 physical timer.
    pub hypervisor_timer: u32,
    /// How PSCI is called, if it is there.
    pub conduit: Option<Conduit>,
    /// PCI configuration space.
    pub pci: Option<Segment>,
    /// Whether it is a BCM2711, and which of its parts there are.
    pub chip: Option<Bcm2711>,
    virtio: [Region; VIRTIO_DEVICES],
    virtio_count: usize,
}

impl Description {
    fn empty() -> Self {
        Self {
            controller: None,
            uart: None,
            virtual_timer: VIRTUAL_TIMER,
            hypervisor_timer: HYPERVISOR_TIMER,
            conduit: None,
            pci: None,
            chip: None,
            virtio: [Region::default(); VIRTIO_DEVICES],
            virtio_count: 0,
        }
    }

    /// Registers of virtio devices that are not on PCI.
    pub fn virtio(&self) -> &[Region] {
        self.virtio.get(..self.virtio_count).unwrap_or_default()
    }

    /// From a device tree. The console is the first UART of the wanted kind,
    /// if there is one.
    pub fn from_tree(tree: &DeviceTree<'_>, wanted: Option<UartKind>) -> Self {
        let mut found = Self::empty();
        found.controller = controller_in(tree);
        found.uart = wanted.and_then(|kind| first_uart(tree, kind)).or_else(|| uart_in(tree));
        found.chip = bcm2711_in(tree);
        found.conduit = conduit_in(tree);
        found.pci = pci_in(tree);
        if let Some(timer) = tree.first(&["arm,armv8-timer", "arm,armv7-timer"]) {
            // In the order of the binding: secure, EL1 physical, virtual, EL2.
            let line = |index| line_of(tree, &timer, index);
            found.virtual_timer = line(2).unwrap_or(VIRTUAL_TIMER);
            found.hypervisor_timer = line(3).unwrap_or(HYPERVISOR_TIMER);
        }
        tree.each(&["virtio,mmio"], |device| {
            let Some(slot) = found.virtio.get_mut(found.virtio_count) else {
                return ControlFlow::Break(());
            };
            if let Some(&region) = device.regions().first() {
                *slot = region;
                found.virtio_count += 1;
            }
            ControlFlow::Continue(())
        });
        found
    }

    /// From ACPI's tables.
    pub fn from_acpi(acpi: &Tables) -> Self {
        let mut found = Self::empty();
        found.controller = acpi.get(b"APIC").and_then(controller_of);
        found.uart = acpi.get(b"SPCR").and_then(uart_of);
        if let Some(gtdt) = acpi.get(b"GTDT").and_then(Gtdt::parse) {
            found.virtual_timer = gtdt.virtual_;
            found.hypervisor_timer = gtdt.hypervisor;
        }
        let fadt = Fadt::parse(acpi.get(b"FACP").unwrap_or_default());
        if fadt.has_psci {
            let hypervisor = fadt.psci_uses_hvc;
            found.conduit =
                Some(if hypervisor { Conduit::Hypervisor } else { Conduit::SecureMonitor });
        }
        found.pci = mcfg::segments(acpi.get(b"MCFG").unwrap_or_default()).next();
        found
    }
}

/// What trees call the controllers.
const GICV3: &str = "arm,gic-v3";
const GICS: [&str; 5] =
    [GICV3, "arm,cortex-a15-gic", "arm,gic-400", "arm,cortex-a7-gic", "arm,gic-v2"];

fn controller_in(tree: &DeviceTree<'_>) -> Option<Controller> {
    let device = tree.first(&GICS)?;
    let [distributor, second, ..] = *device.regions() else { return None };
    Some(if device.is_compatible(GICV3) {
        Controller::V3 { distributor, redistributors: second }
    } else {
        Controller::V2 { distributor, interface: second }
    })
}

/// Interrupt `index` of a device, if it goes straight to the controller: on
/// its way through another one it would have another form.
fn line_of(tree: &DeviceTree<'_>, device: &Device<'_>, index: usize) -> Option<u32> {
    let controller = tree.first(&GICS)?.handle()?;
    if device.interrupt_parent() != Some(controller) {
        return None;
    }
    device.interrupt(index)?.line()
}

/// The console that the tree chooses, else the first PL011.
fn uart_in(tree: &DeviceTree<'_>) -> Option<Uart> {
    let kinds = [UartKind::Pl011, UartKind::BcmMini];
    let chosen = tree.stdout().and_then(|device| {
        let is_one = |kind: &UartKind| kind.names().iter().any(|name| device.is_compatible(name));
        uart_of_device(tree, &device, kinds.into_iter().find(is_one)?)
    });
    chosen.or_else(|| first_uart(tree, UartKind::Pl011))
}

fn first_uart(tree: &DeviceTree<'_>, kind: UartKind) -> Option<Uart> {
    uart_of_device(tree, &tree.first(kind.names())?, kind)
}

fn uart_of_device(tree: &DeviceTree<'_>, device: &Device<'_>, kind: UartKind) -> Option<Uart> {
    let base = device.regions().first()?.base;
    Some(Uart { kind, base, line: line_of(tree, device, 0) })
}

fn bcm2711_in(tree: &DeviceTree<'_>) -> Option<Bcm2711> {
    if !tree.is_board("brcm,bcm2711") {
        return None;
    }
    let place = |name: &str| Some(tree.first(&[name])?.regions().first()?.base);
    Some(Bcm2711 {
        mailbox: place("brcm,bcm2835-mbox"),
        gpio: place("brcm,bcm2711-gpio"),
        watchdog: place("brcm,bcm2835-pm-wdt"),
        generator: place("brcm,bcm2711-rng200"),
        slots: [place("brcm,bcm2711-emmc2"), place("brcm,bcm2835-sdhci")],
    })
}

fn conduit_in(tree: &DeviceTree<'_>) -> Option<Conduit> {
    match tree.first(&["arm,psci-1.0", "arm,psci-0.2"])?.text("method")? {
        "hvc" => Some(Conduit::Hypervisor),
        "smc" => Some(Conduit::SecureMonitor),
        _ => None,
    }
}

/// Configuration space of a generic host bridge (Linux binding
/// `host-generic-pci`): 1 MiB for each bus.
fn pci_in(tree: &DeviceTree<'_>) -> Option<Segment> {
    let bridge = tree.first(&["pci-host-ecam-generic"])?;
    let space = bridge.regions().first()?;
    let buses = (space.size >> 20).clamp(1, 256);
    Some(Segment { base: space.base, group: 0, first_bus: 0, last_bus: (buses - 1) as u8 })
}

fn controller_of(madt: &[u8]) -> Option<Controller> {
    let mut distributor = None;
    let mut interface = None;
    let mut redistributors = None;
    for entry in madt::entries(madt) {
        match entry {
            Entry::GicDistributor { address, version } => distributor = Some((address, version)),
            Entry::GicRedistributors { address, length } => {
                let size = u64::from(length);
                redistributors = redistributors.or(Some(Region { base: address, size }));
            }
            Entry::GicCpu { interface: address, redistributor, .. } => {
                if address != 0 {
                    interface = interface.or(Some(address));
                }
                if redistributor != 0 {
                    let one = Region { base: redistributor, size: GICV3_REDISTRIBUTOR };
                    redistributors = redistributors.or(Some(one));
                }
            }
            _ => {}
        }
    }
    let (base, version) = distributor?;
    match (version, redistributors, interface) {
        (3 | 4, Some(redistributors), _) | (0, Some(redistributors), None) => {
            let distributor = Region { base, size: GICV3_DISTRIBUTOR };
            Some(Controller::V3 { distributor, redistributors })
        }
        (0 | 2, _, Some(address)) => Some(Controller::V2 {
            distributor: Region { base, size: GICV2_DISTRIBUTOR },
            interface: Region { base: address, size: GICV2_INTERFACE },
        }),
        _ => None,
    }
}

fn uart_of(table: &[u8]) -> Option<Uart> {
    let spcr = spcr::Spcr::parse(table)?;
    if spcr.kind != spcr::Kind::Pl011 || spcr.registers.space != Space::Memory {
        return None;
    }
    Some(Uart { kind: UartKind::Pl011, base: spcr.registers.address, line: spcr.interrupt })
}

#[cfg(test)]
mod tests {
    use super::*;

    const V2: &[u8] = include_bytes!("../../tests/data/virt-gicv2.dtb");
    const V3: &[u8] = include_bytes!("../../tests/data/virt-gicv3.dtb");

    fn describe(blob: &[u8]) -> Description {
        Description::from_tree(&DeviceTree::new(blob).unwrap(), None)
    }

    #[test]
    fn tree_of_virt_describes_all_that_is_used() {
        let found = describe(V2);
        assert_eq!(
            found.controller,
            Some(Controller::V2 {
                distributor: Region { base: 0x0800_0000, size: 0x1_0000 },
                interface: Region { base: 0x0801_0000, size: 0x1_0000 },
            })
        );
        let console = Uart { kind: UartKind::Pl011, base: 0x0900_0000, line: Some(33) };
        assert_eq!(found.uart, Some(console));
        assert_eq!(found.chip, None);
        assert_eq!((found.virtual_timer, found.hypervisor_timer), (27, 26));
        assert_eq!(found.conduit, Some(Conduit::Hypervisor));
        assert_eq!(found.virtio().len(), 32);
        let pci = found.pci.unwrap();
        assert_eq!((pci.base, pci.first_bus, pci.last_bus), (0x40_1000_0000, 0, 255));
    }

    /// What a Raspberry Pi 4's tree comes to, whoever wrote it.
    fn describes_a_raspberry_pi_4(blob: &[u8]) -> Bcm2711 {
        let tree = DeviceTree::new(blob).unwrap();
        let found = Description::from_tree(&tree, Some(UartKind::Pl011));
        let Some(Controller::V2 { distributor, interface }) = found.controller else {
            panic!("{found:?}")
        };
        assert_eq!((distributor.base, interface.base), (0xff84_1000, 0xff84_2000));
        let console = Uart { kind: UartKind::Pl011, base: 0xfe20_1000, line: Some(153) };
        assert_eq!(found.uart, Some(console));
        let other = Description::from_tree(&tree, Some(UartKind::BcmMini)).uart;
        let mini = Uart { kind: UartKind::BcmMini, base: 0xfe21_5040, line: Some(125) };
        assert_eq!(other, Some(mini));
        assert_eq!((found.virtual_timer, found.hypervisor_timer, found.conduit), (27, 26, None));
        let chip = found.chip.unwrap();
        assert_eq!(
            Bcm2711 { generator: None, ..chip },
            Bcm2711 {
                mailbox: Some(0xfe00_b880),
                gpio: Some(0xfe20_0000),
                watchdog: Some(0xfe10_0000),
                generator: None,
                slots: [Some(0xfe34_0000), Some(0xfe30_0000)],
            }
        );
        for end in (0..blob.len()).step_by(64) {
            assert!(DeviceTree::new(&blob[..end]).is_err());
        }
        chip
    }

    #[test]
    fn tree_of_a_raspberry_pi_4_describes_its_chip() {
        let chip = describes_a_raspberry_pi_4(&boot_direct::known::TREE.0);
        assert_eq!(chip.generator, None);
    }

    /// The tree of Debian's kernel package, where somebody has it.
    #[test]
    fn a_genuine_tree_of_a_raspberry_pi_4_says_the_same_and_has_a_generator() {
        let Some(path) = std::env::var_os("RPI4_DTB") else {
            println!("skipped: set RPI4_DTB to a bcm2711-rpi-4-b.dtb");
            return;
        };
        let chip = describes_a_raspberry_pi_4(&std::fs::read(path).unwrap());
        assert_eq!(chip.generator, Some(0xfe10_4000));
    }

    /// The loader that hands the tree over looks for some of the same with a
    /// reader of its own: where they differ, one of them is wrong.
    #[test]
    fn the_direct_loader_finds_in_a_tree_what_the_kernel_finds() {
        let mut blobs = vec![V2.to_vec(), boot_direct::known::TREE.0.to_vec()];
        // The names that either of them knows, and one that neither does.
        let uarts = ["arm,pl011", "arm,sbsa-uart", "brcm,bcm2835-aux-uart", "ns16550a"];
        let gics = ["arm,cortex-a15-gic", "arm,gic-400", "arm,cortex-a7-gic", "arm,gic-v2"];
        let psci = ["arm,psci-1.0", "arm,psci-0.2", "arm,psci", "arm,psci-9"];
        for (at, status) in ["okay", "ok", "disabled", "fail"].into_iter().enumerate() {
            for which in 0..4 {
                let names = [uarts[which], gics[(at + which) % 4], psci[which]];
                for bus in ["", "firmware"] {
                    blobs.push(three_devices(names, status, bus));
                }
            }
        }
        let mut finds = 0;
        for blob in &blobs {
            let loader = boot_direct::tree::Tree::read(blob).unwrap();
            let found = describe(blob);
            let console = loader.console().map(|it| (it.uart as u8, it.address));
            assert_eq!(console, found.uart.map(|it| (it.kind as u8, it.base)));
            let conduit = loader.conduit().map(|it| it as u8);
            assert_eq!(conduit, found.conduit.map(|it| it as u8));
            let controller = found.controller.map(|it| match it {
                Controller::V2 { distributor, interface } => (distributor.base, interface.base),
                Controller::V3 { .. } => panic!("{it:?}"),
            });
            assert_eq!(loader.interrupt_controller(), controller);
            assert_eq!(loader.watchdog(), found.chip.and_then(|chip| chip.watchdog));
            finds += [console.is_some(), conduit.is_some(), controller.is_some()]
                .iter()
                .filter(|is_found| **is_found)
                .count();
        }
        // Otherwise the trees have nothing to differ in.
        assert_eq!(finds, 3 + 2 + 2 * 2 * (3 + 2 + 4));
    }

    /// A tree with UART, GICv2 and PSCI of these names and this status, on a bus
    /// or, if that has no name, on none.
    fn three_devices(names: [&str; 3], status: &str, bus: &str) -> Vec<u8> {
        use dtoolkit::model::{DeviceTree as Model, DeviceTreeNode, DeviceTreeProperty};
        let text = |name: &str, value: &str| DeviceTreeProperty::new(name, value).unwrap();
        let cells = |name: &str, cells: &[u32]| DeviceTreeProperty::new(name, cells).unwrap();
        let device = |name: &str, compatible: &str, reg: &[u32]| {
            let node = DeviceTreeNode::builder(name).unwrap();
            let node = node.property(text("compatible", compatible));
            let node = node.property(text("status", status)).property(text("method", "smc"));
            node.property(cells("reg", reg)).build()
        };
        let sizes = [cells("#address-cells", &[1]), cells("#size-cells", &[1])];
        let devices = [
            device("uart@1000", names[0], &[0x1000, 0x1000]),
            device("intc@8000", names[1], &[0x8000, 0x1000, 0x9000, 0x1000]),
            device("psci", names[2], &[0, 0]),
        ];
        let mut tree = Model::new();
        let chosen = DeviceTreeNode::builder("chosen").unwrap();
        let path = if bus.is_empty() { "/uart@1000".into() } else { format!("/{bus}/uart@1000") };
        tree.root.add_child(chosen.property(text("stdout-path", &path)).build());
        sizes.clone().into_iter().for_each(|property| tree.root.add_property(property));
        if bus.is_empty() {
            devices.into_iter().for_each(|device| tree.root.add_child(device));
        } else {
            let node = DeviceTreeNode::builder(bus).unwrap().property(cells("ranges", &[]));
            let mut node = sizes.into_iter().fold(node, |node, it| node.property(it)).build();
            devices.into_iter().for_each(|device| node.add_child(device));
            tree.root.add_child(node);
        }
        tree.to_dtb()
    }

    #[test]
    fn the_command_line_names_a_console() {
        assert_eq!(UartKind::wanted("a=1 uart=mini uart=pl011"), Some(UartKind::BcmMini));
        assert_eq!(UartKind::wanted("uart=pl011"), Some(UartKind::Pl011));
        assert_eq!(UartKind::wanted("uart=com1 buart=mini"), None);
    }

    #[test]
    fn newer_controller_is_told_from_the_older() {
        let distributor = Region { base: 0x0800_0000, size: 0x1_0000 };
        let redistributors = Region { base: 0x080a_0000, size: 0xf6_0000 };
        let expected = Controller::V3 { distributor, redistributors };
        assert_eq!(describe(V3).controller, Some(expected));
    }

    /// A MADT of a header and these structures.
    fn madt(structures: &[&[u8]]) -> Vec<u8> {
        let mut table = vec![0; 44];
        structures.iter().for_each(|structure| table.extend_from_slice(structure));
        table
    }

    fn gic_cpu(interface: u64, redistributor: u64) -> Vec<u8> {
        let mut entry = vec![0; 80];
        entry[..2].copy_from_slice(&[11, 80]);
        entry[32..40].copy_from_slice(&interface.to_le_bytes());
        entry[60..68].copy_from_slice(&redistributor.to_le_bytes());
        entry
    }

    fn gic_distributor(address: u64, version: u8) -> Vec<u8> {
        let mut entry = vec![0; 24];
        entry[..2].copy_from_slice(&[12, 24]);
        entry[8..16].copy_from_slice(&address.to_le_bytes());
        entry[20] = version;
        entry
    }

    #[test]
    fn version_that_is_not_stated_follows_from_the_parts() {
        for version in [0, 2] {
            let table = madt(&[&gic_cpu(0x1000, 0), &gic_distributor(0x2000, version)]);
            assert!(matches!(controller_of(&table), Some(Controller::V2 { .. })));
        }
        for version in [0, 3, 4] {
            let table = madt(&[&gic_cpu(0, 0x3000), &gic_distributor(0x2000, version)]);
            assert!(matches!(controller_of(&table), Some(Controller::V3 { .. })));
        }
        assert_eq!(controller_of(&madt(&[&gic_distributor(0x2000, 2)])), None);
        assert_eq!(controller_of(&madt(&[&gic_cpu(0x1000, 0)])), None);
    }
}
