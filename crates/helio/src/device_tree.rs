//! What the kernel and its loader would make of a device tree.
//!
//! Nothing is guessed here: the tree is checked and read by the code that runs
//! on the machine (`hal::device_tree`, `hal::aarch64::describe`, and for
//! memory and the command line `boot_direct`). Only the list of processors is
//! read for people alone, for the kernel runs on the one it is started on.

use std::ops::ControlFlow;

use boot_contract::memory::{Entry, Kind, Map};
use boot_direct::command_line::Line;
use boot_direct::tree::{self, Tree};
use dtoolkit::fdt::{Fdt, FdtNode};
use dtoolkit::{Node, Property};
use hal::aarch64::describe::{Conduit, Controller, Description, UartKind};
use hal::device_tree::{Device, DeviceTree, Region};
use serde::{Serialize, Serializer};

mod missing;

pub use missing::{Lack, Need};

/// Most ranges of memory that a loader keeps.
const RANGES_MAX: usize = 256;

/// What a tree describes, and what it lacks.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Length that the tree states, in bytes.
    pub bytes: usize,
    /// Bytes of the file behind the tree, which are ignored.
    pub ignored: usize,
    /// Version of the format.
    pub version: u32,
    /// The board's name.
    pub model: Option<String>,
    /// What the board says that it is compatible with.
    pub compatible: Vec<String>,
    /// Memory, and what of it is taken.
    pub memory: Vec<Range>,
    /// Bytes of it that are free.
    pub usable_bytes: u64,
    /// The processors.
    pub processors: Vec<Processor>,
    /// What the kernel would use.
    pub devices: Devices,
    /// What whoever starts the machine has to say.
    pub chosen: Chosen,
    /// What is missing, the worst first.
    pub missing: Vec<Lack>,
}

/// An address, in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(pub u64);

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:#x}", self.0))
    }
}

/// A range of memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Range {
    /// First byte.
    pub base: Address,
    /// Length in bytes.
    pub bytes: u64,
    /// Whether it is free; reserved otherwise.
    pub is_usable: bool,
}

/// A processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Processor {
    /// Its node's name.
    pub name: String,
    /// What it is.
    pub compatible: Vec<String>,
    /// Its id.
    pub id: Option<u64>,
    /// How it would be started.
    pub enable_method: Option<String>,
}

/// What the kernel would use.
#[derive(Clone, Debug, Serialize)]
pub struct Devices {
    /// The console's UART.
    pub uart: Option<Uart>,
    /// The interrupt controller.
    pub controller: Option<Gic>,
    /// Interrupts of the generic timer.
    pub timer: Timer,
    /// How firmware is called to switch off: `hvc` or `smc`.
    pub psci: Option<&'static str>,
    /// PCI configuration space.
    pub pci: Option<Pci>,
    /// Number of virtio devices that are not on PCI.
    pub virtio: usize,
    /// Watchdog of a BCM2711, by which it is switched off.
    pub watchdog: Option<Address>,
    /// SD host controllers of a BCM2711, in the order in which a card is looked
    /// for.
    pub card_slots: Vec<Address>,
}

/// A UART.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Uart {
    /// Its node's name.
    pub name: String,
    /// Where its registers are.
    pub base: Address,
    /// Its interrupt.
    pub interrupt: Option<u32>,
    /// Whether `/chosen` names it.
    pub is_stdout: bool,
}

/// A GIC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gic {
    /// Which.
    pub version: &'static str,
    /// Its distributor.
    pub distributor: Registers,
    /// Its CPU interface, or its redistributors.
    pub second: Registers,
}

/// Registers of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Registers {
    /// First byte.
    pub base: Address,
    /// Length in bytes.
    pub bytes: u64,
}

impl From<Region> for Registers {
    fn from(region: Region) -> Self {
        Self { base: Address(region.base), bytes: region.size }
    }
}

/// The generic timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Timer {
    /// Whether the tree says which they are.
    pub is_stated: bool,
    /// Interrupt of the virtual timer, which a kernel at EL1 uses.
    pub virtual_interrupt: u32,
    /// Interrupt of the EL2 physical timer.
    pub hypervisor_interrupt: u32,
}

/// PCI configuration space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Pci {
    /// First byte.
    pub base: Address,
    /// First bus and last bus.
    pub buses: (u8, u8),
}

/// `/chosen`.
#[derive(Clone, Debug, Serialize)]
pub struct Chosen {
    /// The command line that the direct loader would hand to the kernel,
    /// without the entropy.
    pub command_line: Option<String>,
    /// Where the initial RAM disk lies.
    pub initrd: Option<(Address, Address)>,
    /// Whether there are random bytes.
    pub has_entropy: bool,
}

impl Report {
    /// Whether the kernel runs with the tree.
    pub fn is_fit(&self) -> bool {
        self.missing.iter().all(|lack| lack.need != Need::Required)
    }

    /// Of a blob.
    ///
    /// # Errors
    /// What is wrong with it, and where, if it is no device tree.
    pub fn of(blob: &[u8]) -> Result<Self, String> {
        let length = tree::length(blob).ok_or("it does not begin as a device tree of at most 16 MiB: the first four bytes are not d0 0d fe ed")?;
        let cut = blob.get(..length).ok_or_else(|| {
            format!("it is cut off: it says {length} bytes and has {}", blob.len())
        })?;
        let fdt = flat_tree::open(cut).map_err(|error| error.to_string())?;
        // The kernel and the direct loader, by their own eyes.
        let tree = DeviceTree::new(blob).map_err(|_| "the kernel refuses it as damaged")?;
        let direct = Tree::read(cut).ok_or("the direct loader refuses it as damaged")?;
        let chosen = Chosen::of(&direct);
        let wanted = chosen.command_line.as_deref().and_then(UartKind::wanted);
        let found = Description::from_tree(&tree, wanted);
        let (memory, lack) = memory(&direct);
        let mut report = Self {
            bytes: length,
            ignored: blob.len() - length,
            version: fdt.version(),
            model: tree.model().map(plain),
            compatible: compatible(&fdt.root()),
            usable_bytes: memory
                .iter()
                .filter(|range| range.is_usable)
                .fold(0, |sum, range| sum.saturating_add(range.bytes)),
            memory,
            processors: processors(&fdt),
            devices: Devices::of(&tree, &found),
            chosen,
            missing: lack.into_iter().collect(),
        };
        missing::find(&tree, &mut report);
        report.missing.sort_by_key(|lack| lack.need);
        Ok(report)
    }
}

/// Memory as the direct loader enters it into its map.
fn memory(tree: &Tree<'_>) -> (Vec<Range>, Option<Lack>) {
    let mut entries = [Entry::NONE; RANGES_MAX];
    let mut map = Map::new(&mut entries);
    let lack = tree.describe(&mut map).err().map(|error| Lack {
        need: Need::Required,
        what: "a map of memory".into(),
        consequence: format!("the direct loader refuses to start: {error}"),
        advice: "correct the memory and reserved-memory nodes".into(),
    });
    let finished = map.finish();
    let range = |entry: &Entry| Range {
        base: Address(entry.base),
        bytes: entry.length,
        is_usable: entry.kind == Kind::Usable,
    };
    (finished.iter().map(range).collect(), lack)
}

fn processors(fdt: &Fdt<'_>) -> Vec<Processor> {
    let Some(parent) = fdt.find_node("/cpus") else { return Vec::new() };
    let is_processor = |node: &FdtNode<'_>| node.name().split('@').next() == Some("cpu");
    let processor = |node: FdtNode<'_>| Processor {
        name: plain(node.name()),
        compatible: compatible(&node),
        id: node
            .reg()
            .ok()
            .flatten()
            .and_then(|mut registers| registers.next())
            .and_then(|register| register.address().ok()),
        enable_method: node
            .property("enable-method")
            .and_then(|property| property.value_as::<&str>().ok().map(plain)),
    };
    parent.children().filter(is_processor).map(processor).collect()
}

fn compatible(node: &FdtNode<'_>) -> Vec<String> {
    node.compatible().into_iter().flatten().map(plain).collect()
}

/// Text from outside, fit for a terminal.
fn plain(text: &str) -> String {
    text.escape_debug().to_string()
}

impl Devices {
    fn of(tree: &DeviceTree<'_>, found: &Description) -> Self {
        let uart = found.uart.map(|uart| Uart {
            name: name_of(tree, uart.base).unwrap_or_default(),
            base: Address(uart.base),
            interrupt: uart.line,
            is_stdout: tree.stdout().is_some_and(|device| is_at(&device, uart.base)),
        });
        let gic = |version, distributor: Region, second: Region| Gic {
            version,
            distributor: distributor.into(),
            second: second.into(),
        };
        Self {
            uart,
            controller: found.controller.map(|controller| match controller {
                Controller::V2 { distributor, interface } => gic("GICv2", distributor, interface),
                Controller::V3 { distributor, redistributors } => {
                    gic("GICv3", distributor, redistributors)
                }
            }),
            timer: Timer {
                is_stated: tree.first(&["arm,armv8-timer", "arm,armv7-timer"]).is_some(),
                virtual_interrupt: found.virtual_timer,
                hypervisor_interrupt: found.hypervisor_timer,
            },
            psci: found.conduit.map(|conduit| match conduit {
                Conduit::Hypervisor => "hvc",
                Conduit::SecureMonitor => "smc",
            }),
            pci: found.pci.map(|segment| Pci {
                base: Address(segment.base),
                buses: (segment.first_bus, segment.last_bus),
            }),
            virtio: found.virtio().len(),
            watchdog: found.chip.and_then(|chip| chip.watchdog).map(Address),
            card_slots: found
                .chip
                .map(|chip| chip.slots.into_iter().flatten().map(Address).collect())
                .unwrap_or_default(),
        }
    }
}

fn is_at(device: &Device<'_>, base: u64) -> bool {
    device.regions().first().is_some_and(|region| region.base == base)
}

/// Name of the UART whose registers begin at `base`.
fn name_of(tree: &DeviceTree<'_>, base: u64) -> Option<String> {
    let mut name = None;
    tree.each(&["arm,pl011", "arm,sbsa-uart", "brcm,bcm2835-aux-uart"], |device| {
        if is_at(device, base) {
            name = Some(plain(device.name()));
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    name
}

impl Chosen {
    fn of(tree: &Tree<'_>) -> Self {
        let line = Line::compose(None, tree.words());
        Self {
            command_line: line.ok().map(|line| line.text().to_owned()),
            initrd: tree.initrd().map(|(start, end)| (Address(start), Address(end))),
            has_entropy: tree.entropy().is_some(),
        }
    }
}
